"""Who may talk to Patron: sources with write keys, and secret API keys with scopes."""

from msgspec import Struct

from patron.model.events import CHANNELS

SOURCE_KINDS = ("live", "import")
ASSURANCES = ("observed", "asserted", "verified")
SCOPES = (
    "profiles:read",
    "profiles:write",
    "segments",
    "decide",
    "deadletters",
    "privacy",
    "lake",
    "feeds",
    "admin",
)
"""`admin` includes all others."""


class WriteKey(Struct, frozen=True):
    """One write key of a source, kept as a hash; `hint` is its first characters, for people."""

    hash: str
    hint: str
    created: int
    revoked: int | None = None


class Source(Struct, frozen=True):
    """Where events come from: a channel, a kind and the highest assurance its links may have.

    `kind` is `live` or `import` (may give `receivedAt`, which is believed). `secret` signs `context.userHash`
    (HMAC-SHA256 of the user id) so that a public page can prove who is logged in.
    """

    name: str
    channel: str
    kind: str = "live"
    assurance: str = "asserted"
    keys: tuple[WriteKey, ...] = ()
    secret: str = ""
    created: int = 0
    rate: int = 0
    """Messages a second that one key may send; 0 = no limit."""


class ApiKey(Struct, frozen=True):
    """A secret key of a system that reads profiles or asks for decisions.

    `fields` are the traits it may read (`*` = all), `masked` those it sees as `a•••`, `sources` those whose
    events it may see (empty = all).
    """

    name: str
    hash: str
    hint: str
    scopes: tuple[str, ...]
    fields: tuple[str, ...] = ("*",)
    masked: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    created: int = 0
    revoked: int | None = None

    def may(self, scope: str) -> bool:
        """Whether the key holds `scope` (or `admin`) and is not revoked.

        >>> ApiKey(name="till", hash="", hint="", scopes=("decide",)).may("profiles:read")
        False
        """
        return self.revoked is None and (scope in self.scopes or "admin" in self.scopes)


__all__ = ["ASSURANCES", "CHANNELS", "SCOPES", "SOURCE_KINDS", "ApiKey", "Source", "WriteKey"]
