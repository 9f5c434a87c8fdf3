"""Why."""
def why(name: str, direction: str) -> str:
    """x."""
    return ""
