"""Who may change what. Everybody who signs in may look; a page says who may when the reader may not."""

MAY: dict[str, frozenset[str]] = {
    "admin": frozenset({"split", "privacy", "setup", "letters"}),
    "marketer": frozenset({"split"}),
    "privacy": frozenset({"split", "privacy"}),
    "developer": frozenset({"setup", "letters"}),
    "viewer": frozenset(),
}
_NAMES = {
    "admin": "administrators",
    "marketer": "marketers",
    "privacy": "privacy officers",
    "developer": "developers",
}


def may(role: str, action: str) -> bool:
    """Whether an account of this role may take the action (`split`, `privacy`, `setup`, `letters`).

    >>> may("marketer", "split"), may("marketer", "setup"), may("nonsense", "split")
    (True, False, False)
    """
    return action in MAY.get(role, frozenset())


def who_may(action: str) -> str:
    """The roles that may, as words for a page.

    >>> who_may("setup")
    'administrators and developers'
    """
    names = [_NAMES[role] for role, actions in MAY.items() if action in actions]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
