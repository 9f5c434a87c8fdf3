"""Every error Patron raises on purpose, in one tree. Each message says what to do next.

PatronError
├── RequestError          the caller's request cannot be served (has an HTTP status)
│   ├── BadRequest        400
│   ├── BadKey            401
│   ├── Forbidden         403
│   ├── NotFound          404
│   ├── Conflict          409
│   ├── Gone              410
│   ├── TooLarge          413
│   ├── RateLimited       429, with a wait
│   └── Busy              503, with a wait
├── ConfigError           patron.toml or the environment
└── StorageError          the data directory
    ├── DirectoryLocked   another process holds it
    ├── NewerSchema       written by a newer Patron
    ├── CorruptLog        damage that recovery must not guess about
    └── DiskFull          nothing was acknowledged; free some space
"""

from msgspec import Struct


class Fault(Struct, frozen=True):
    """One problem at one place of a request: a JSON path and a sentence."""

    path: str
    problem: str


class PatronError(Exception):
    """Base of all errors Patron raises on purpose."""


class RequestError(PatronError):
    """A request that cannot be served. `code` is stable, `message` is for people."""

    status = 400

    def __init__(
        self, code: str, message: str, faults: tuple[Fault, ...] = (), retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.faults = faults
        self.retry_after = retry_after


class BadRequest(RequestError):
    """400: the request is not understood."""


class BadKey(RequestError):
    """401: the key is missing, unknown or revoked."""

    status = 401


class Forbidden(RequestError):
    """403: the key is known and may not do this."""

    status = 403


class NotFound(RequestError):
    """404: there is no such thing."""

    status = 404


class Conflict(RequestError):
    """409: it stands in the way of what is there."""

    status = 409


class Gone(RequestError):
    """410: it was erased."""

    status = 410


class TooLarge(RequestError):
    """413: over a limit of the whole request."""

    status = 413


class RateLimited(RequestError):
    """429: wait `retry_after` seconds."""

    status = 429


class Busy(RequestError):
    """503: wait `retry_after` seconds; nothing was taken."""

    status = 503


class ConfigError(PatronError):
    """The configuration cannot be used; the message names the key and the file."""


class StorageError(PatronError):
    """The data directory cannot be used as it is."""


class DirectoryLocked(StorageError):
    """Another process holds the data directory."""


class NewerSchema(StorageError):
    """The directory was written by a newer Patron; this one must not touch it."""


class CorruptLog(StorageError):
    """The log is damaged in the middle; recovery does not guess."""


class DiskFull(StorageError):
    """The disk took no more bytes; nothing was acknowledged."""
