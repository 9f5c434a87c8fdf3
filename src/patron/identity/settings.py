"""The settings of identity: which identifiers there are, when one links nobody, and what a person may hold.

Frozen structs that decode from the `[identity]` section of `patron.toml`. What follows from them (tables of
types, compiled patterns, caches) stands in `plan.py`, and both together are the rules (`rules.py`).
"""

import re
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct, field

Kind = Literal["account", "contact", "device", "light"]
"""account: a record somebody keeps (user id, card, CRM id); contact: an address of a person; device: a thing that
is used (cookie, phone); light: a transaction or a visit, which is counted but is nobody by itself."""


class Window(Struct, frozen=True, forbid_unknown_fields=True):
    """At most `most` identifiers of a type first linked to one person within any `days` days."""

    most: int
    days: int

    def __post_init__(self) -> None:
        if self.most < 1 or self.days < 1:
            raise ValueError("a window needs most >= 1 and days >= 1")


class Sharing(Struct, frozen=True, forbid_unknown_fields=True):
    """From how many others on an identifier counts as shared and links nobody. 0 = never for that reason."""

    user_ids: int = 0
    """Different user ids seen with it; user ids joined by an alias count as one."""
    emails: int = 0
    """Different e-mails seen with it."""
    records: int = 0
    """Different accounts (user ids, cards, CRM ids) seen with it."""
    devices: int = 0
    """Different devices and cookies seen with it. Much higher than the others: one person resets cookies often."""
    names: bool = False
    """Whether conflicting given names or birth dates make it shared."""

    def __post_init__(self) -> None:
        for count in (self.user_ids, self.emails, self.records, self.devices):
            if count < 0 or count == 1:
                raise ValueError("a sharing threshold is 0 (never) or at least 2: one other is just a link")


class IdentifierType(Struct, frozen=True, forbid_unknown_fields=True):
    """One declared type of identifier. Its place in the list is its priority."""

    name: str
    kind: Kind = "account"
    strength: int = 0
    """Of a claim when the event says nothing better: 0 proven, 1 told to staff, 2 typed on a device."""
    limit: int = 0
    """Most of this type that one person may hold; 0 = no limit. User ids joined by an alias count as one."""
    window: Window | None = None
    """Most first linked within some days."""
    sharing: Sharing = Sharing()

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", self.name):
            raise ValueError(f"the identifier type {self.name!r} must be lower-case letters, digits and _")
        if not 0 <= self.strength <= 2:
            raise ValueError(f"strength of {self.name} is {self.strength}; it must be 0, 1 or 2")
        if self.limit < 0:
            raise ValueError(f"limit of {self.name} is negative; write 0 for no limit")


_DEVICE = Sharing(user_ids=2, emails=2, names=True)
_CONTACT = Sharing(records=6, devices=50, names=True)
_RECORD = Sharing(records=6, devices=200)

STANDARD_TYPES: tuple[IdentifierType, ...] = (
    IdentifierType("user_id", limit=1),
    IdentifierType("card", sharing=_RECORD),
    IdentifierType("crm_id", strength=1, sharing=_RECORD),
    IdentifierType("email", "contact", strength=2, limit=5, sharing=_CONTACT),
    IdentifierType("phone", "contact", strength=2, limit=5, sharing=_CONTACT),
    IdentifierType("anonymous_id", "device", sharing=_DEVICE),
    IdentifierType("device_id", "device", sharing=_DEVICE),
    IdentifierType("push_token", "device", sharing=_DEVICE),
    IdentifierType("ga_client_id", "device", sharing=_DEVICE),
    IdentifierType("order_id", "light", sharing=Sharing(records=4, devices=10)),
    IdentifierType("visit_id", "light", sharing=Sharing(user_ids=2, emails=2)),
)
"""The types Patron knows, strongest first."""

_WORDS = (
    "unknown", "null", "none", "nil", "nan", "undefined", "anonymous", "guest", "n/a", "na", "n.a.", "-", "--",
    "?", ".", "-1", "true", "false", "test", "[object object]", "(not set)", "not set",
    "00000000-0000-0000-0000-000000000000",
)  # fmt: skip
_TYPED = ("12345678", "123456789", "1234567890")
_REPEATED = r"(\d)\1{6,}"
_KEYED_IN = ("crm_id", "anonymous_id", "device_id", "push_token", "ga_client_id")
"""Types whose digits somebody or something fills in. A user id is given out by the shop, one after the other, so
1111111 and 12345678 are customers like any other."""

BLOCKED: dict[str, tuple[str, ...]] = {
    "*": _WORDS,
    **dict.fromkeys(("card", *_KEYED_IN), _TYPED),
    "email": ("none@none.com", "test@test.com", "a@a.a", "email@email.com", "user@example.com"),
}
"""Values that are no identifiers, by type, compared without case. `*` = every type; of a transaction or visit only
the words, since a short number may well be an order. Digits that people type to get on are junk by type, never as user id."""

BLOCKED_PATTERNS: dict[str, tuple[str, ...]] = {
    "*": (r"0+", r"x{3,}", r"[-_.?*/\\]+"),
    **dict.fromkeys(_KEYED_IN, (_REPEATED,)),
    "card": (r"(\d)\1{4,}",),
    "email": (
        r"(no|not|none|na|n\.a|nil|null|undefined|unknown|anonymous|guest|nobody|fake|asdf|qwerty|abc|xxx+)\d*@.*",
        r"no[-_.]?(e?[-_.]?mail|mail|reply|address)\d*@.*",
        r"do[-_.]?not[-_.]?reply@.*",
        r"(test|prova|prueba|example|esempio)\d*@(test|prova|prueba|example|esempio|email|mail)\..*",
        r"(.)\1*@\1+\.\1+",
        r"(.+)@\1\..*",
        r"(customers?|clients?|clienti|clientes?|kunden?|cassa|caja)\d*@.*",
    ),
    "phone": (r"\+\d{1,3}0*(\d)\1{5,}", r"\+\d{1,3}0?123456789?0?", r"\+\d{1,3}0?1234567"),
}
"""Regular expressions, matched against the whole normalised value without case; `*` = all but transactions and visits."""

SYNONYMS: dict[str, str] = {
    "loyalty_card": "card", "loyalty_id": "card", "loyalty": "card", "card_number": "card",
    "crm": "crm_id", "customer_id": "crm_id", "e-mail": "email", "mobile": "phone", "phone_number": "phone",
    "android.id": "device_id", "ios.id": "device_id", "android.idfa": "device_id", "ios.idfa": "device_id",
    "android.push_token": "push_token", "ios.push_token": "push_token", "ga": "ga_client_id",
}  # fmt: skip
"""Other names of types, as `context.externalIds` of common clients write them."""

TRAITS: dict[str, str] = {
    "email": "email", "phone": "phone", "mobile": "phone", "loyalty_card": "card", "loyaltyCard": "card",
    "loyalty_id": "card", "loyaltyId": "card", "card": "card", "crm_id": "crm_id", "crmId": "crm_id",
}  # fmt: skip
"""Traits that are identifiers, and their type."""


class IdentitySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How identifiers become people (the rule of `docs/identity.md`). Every number is a setting.

    >>> IdentitySettings(total_limit=50).names_kept
    8
    """

    types: tuple[IdentifierType, ...] = STANDARD_TYPES
    """Known types, strongest first; `user_id`, `anonymous_id`, `order_id` and `visit_id` must be among them."""
    declared: tuple[IdentifierType, ...] = ()
    """Types of your own (before the devices in priority), or other settings for a known one, by name."""
    synonyms: dict[str, str] = field(default_factory=lambda: dict(SYNONYMS))
    """Other names of types in `context.externalIds`."""
    trait_identifiers: dict[str, str] = field(default_factory=lambda: dict(TRAITS))
    """Traits that are identifiers: trait -> type."""
    property_identifiers: dict[str, str] = field(
        default_factory=lambda: {"loyalty_card": "card", "loyaltyCard": "card"}
    )
    """Event properties that are identifiers: property -> type."""
    name_traits: tuple[str, ...] = ("firstName", "first_name", "given_name", "givenName")
    """Traits that hold a given name, first found."""
    birth_traits: tuple[str, ...] = ("birthday", "birthDate", "birth_date", "date_of_birth")
    """Traits that hold a birth date (ISO), first found."""
    blocked: dict[str, tuple[str, ...]] = field(default_factory=lambda: dict(BLOCKED))
    """Values that are no identifiers, by type or `*`."""
    blocked_patterns: dict[str, tuple[str, ...]] = field(default_factory=lambda: dict(BLOCKED_PATTERNS))
    """Patterns of values that are no identifiers, by type or `*`."""
    blocked_births: tuple[str, ...] = ("1900-01-01", "1970-01-01")
    """Birth dates that forms fill in by themselves."""
    phone_region: str = "IT"
    """Country (ISO 3166) of phone numbers written without a country code."""
    told_channels: frozenset[str] = frozenset({"associate_tablet", "call_centre", "crm"})
    """Channels where a person tells staff who they are: strength 1."""
    account_channels: frozenset[str] = frozenset({"web", "app", "backend", "email", "sms", "push"})
    """Channels where an event with a user id comes from its account: the e-mail and phone it states have strength 0."""
    proof_modes: frozenset[str] = frozenset({"login", "signed", "card_read", "code", "otp", "qr"})
    """Values of `context.identification.mode` that prove it: strength 0."""
    shared_channels: frozenset[str] = frozenset({"kiosk", "pos", "call_centre", "associate_tablet"})
    """Channels whose device is the shop's: an anonymous id equal to the touchpoint is the device, not a person."""
    shared_devices: frozenset[str] = frozenset()
    """Declared shared devices: touchpoint ids, device ids or anonymous ids that are nobody."""
    transaction_events: tuple[str, ...] = ("Order ", "Receipt ", "Refund ", "Return ")
    """Beginnings of the names of events whose order or receipt number is an identifier."""
    total_limit: int = 100
    """Most identifiers of one person; transactions and visits do not count."""
    crowded: int = 200
    """Size of a connected component (transactions and visits not counted) above which each identifier follows one owner."""
    neighbours: int = 1000
    """Most links kept for one identifier, best first; further ones are counted, not kept."""
    names_kept: int = 8
    """Most different given names (or birth dates) kept for one identifier; more are a conflict."""
    household_people: int = 10
    """What more people call their home is no household."""
    claims: int = 16
    """Most identifiers taken from one event, by priority."""
    identifier_bytes: int = 512
    """Longest identifier; longer ones are refused."""
    cache: int = 50_000
    """Normalised values remembered for each type (speed only)."""

    def __post_init__(self) -> None:
        for message in self._faults():
            raise ValueError(message)

    def _faults(self) -> Iterator[str]:
        names = {t.name for t in self.types}
        for needed in ("user_id", "email", "phone", "anonymous_id", "order_id", "visit_id"):
            if needed not in names:
                yield f"identity.types must hold {needed}: add it again, or use identity.declared to change it"
        for name in (
            "total_limit",
            "crowded",
            "neighbours",
            "names_kept",
            "household_people",
            "claims",
            "identifier_bytes",
            "cache",
        ):
            if getattr(self, name) < 1:
                yield f"identity.{name} must be at least 1"
        if self.neighbours < 2 or self.claims < 2:
            yield "identity.neighbours and identity.claims must be at least 2"
        if not re.fullmatch(r"[A-Z]{2}", self.phone_region):
            yield f"identity.phone_region is {self.phone_region!r}; write a country such as IT"
        for kind, patterns in self.blocked_patterns.items():
            for pattern in patterns:
                try:
                    re.compile(pattern)
                except re.error as error:
                    yield f"identity.blocked_patterns.{kind}: {pattern!r} is no regular expression ({error})"
