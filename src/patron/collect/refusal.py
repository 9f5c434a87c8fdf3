"""Why one message is not accepted, raised inside the reader and turned into a `Reject` by it."""


class Refused(Exception):
    """One message cannot be accepted: a stable code, a sentence that says what to do, a JSON path inside it."""

    def __init__(self, code: str, message: str, path: str = "$") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.path = path
