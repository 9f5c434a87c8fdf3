"""What follows from a set of identity rules, worked out once: tables by type, compiled patterns, caches."""

import re

from patron.identity.settings import IdentifierType, IdentitySettings, Sharing
from patron.model.people import Claim, Key, Located

DAY_MS = 86_400_000
_OF_ITS_OWN = re.compile(r"\\[1-9]|\(\?[^:=!]|#")
"""Signs of a pattern that may mean something else as a part of another: numbered groups, flags, comments."""


class Plan:
    """Look-up tables of one set of `IdentitySettings`. Made by `IdentityRules.plan`; never by hand."""

    def __init__(self, rules: IdentitySettings) -> None:
        self.rules = rules
        types = _ordered(rules)
        self.types: dict[str, IdentifierType] = {t.name: t for t in types}
        self.order: dict[str, int] = {t.name: i for i, t in enumerate(types)}
        self.strength: dict[str, int] = {t.name: t.strength for t in types}
        self.limits: dict[str, int] = {t.name: t.limit for t in types if t.limit and t.kind != "light"}
        self.windows: dict[str, tuple[int, int]] = {
            t.name: (t.window.most, t.window.days * DAY_MS) for t in types if t.window and t.kind != "light"
        }
        self.sharing: dict[str, Sharing] = {t.name: t.sharing for t in types}
        self.kinds: dict[str, str] = {t.name: t.kind for t in types}
        self.light: tuple[str, ...] = tuple(f"{t.name}:" for t in types if t.kind == "light")
        """Prefixes of the keys of transactions and visits."""
        self.patterns = _patterns(rules, self.types)
        self.blocked = _blocked(rules, self.types)
        self.user_limit = self.limits.get("user_id", 0)
        self.counted: tuple[tuple[str, int], ...] = tuple(
            (name, limit) for name, limit in self.limits.items() if name != "user_id"
        )
        self.claimed: dict[str, dict[object, Claim | None]] = {t.name: {} for t in types}
        """Cache: type -> raw value -> its claim at the type's own strength (None = no identifier)."""
        self.users = self.claimed["user_id"]
        self.cookies = self.claimed["anonymous_id"]
        self.places: dict[tuple[str | None, str | None], Located | None] = {}
        """Cache: user id and anonymous id, as written, of an event with nothing else -> where it belongs."""
        self.shared_devices = rules.shared_devices
        self.shared_channels = rules.shared_channels
        self.special_channels = rules.shared_channels | rules.told_channels
        self.property_names = frozenset(rules.property_identifiers)
        self.transactions = rules.transaction_events

    def blocks(self, kind: str, value: str) -> bool:
        """Whether a normalised value is junk."""
        folded = value.casefold()
        return folded in self.blocked[kind] or any(p.fullmatch(folded) for p in self.patterns[kind])

    def rank(self, key: Key) -> tuple[int, Key]:
        """Seniority: the type's priority, then the key. Lower is senior; it never changes with the evidence."""
        return self.order.get(key.partition(":")[0], len(self.order)), key

    def shareable(self, key: Key) -> bool:
        """Whether an identifier can be shared by being seen with many others."""
        rule = self.sharing.get(key.partition(":")[0])
        return rule is not None and bool(rule.user_ids or rule.emails or rule.records or rule.devices)

    def weight(self, key: Key) -> tuple[int, int, int, int]:
        """What an identifier counts for in those it is seen with: user ids, e-mails, records, devices."""
        kind = key.partition(":")[0]
        group = self.kinds.get(kind)
        return (int(kind == "user_id"), int(kind == "email"), int(group == "account"), int(group == "device"))

    def forget(self) -> None:
        """Drop the caches, which hold identifiers (after an erasure)."""
        for cache in self.claimed.values():
            cache.clear()
        self.places.clear()


def _ordered(rules: IdentitySettings) -> list[IdentifierType]:
    own = {t.name: t for t in rules.declared}
    types = [own.pop(t.name, t) for t in rules.types]
    before = next((i for i, t in enumerate(types) if t.kind in {"device", "light"}), len(types))
    light = [t for t in own.values() if t.kind == "light"]
    devices = [t for t in own.values() if t.kind == "device"]
    first_light = next((i for i, t in enumerate(types) if t.kind == "light"), len(types))
    heavy = [t for t in own.values() if t.kind in {"account", "contact"}]
    return [*types[:before], *heavy, *types[before:first_light], *devices, *types[first_light:], *light]


def _patterns(
    rules: IdentitySettings, types: dict[str, IdentifierType]
) -> dict[str, tuple[re.Pattern[str], ...]]:
    common = rules.blocked_patterns.get("*", ())
    return {
        name: _compiled((*(() if t.kind == "light" else common), *rules.blocked_patterns.get(name, ())))
        for name, t in types.items()
    }


def _compiled(patterns: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    """The patterns as one where they can be, which is asked once for every new identifier."""
    if patterns and not any(_OF_ITS_OWN.search(pattern) for pattern in patterns):
        patterns = ("|".join(f"(?:{pattern})" for pattern in patterns),)
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)


def _blocked(rules: IdentitySettings, types: dict[str, IdentifierType]) -> dict[str, frozenset[str]]:
    common = {value.casefold() for value in rules.blocked.get("*", ())}
    words = {value for value in common if not value.isdigit()}
    return {
        name: frozenset(
            {v.casefold() for v in rules.blocked.get(name, ())} | (words if t.kind == "light" else common)
        )
        for name, t in types.items()
    }
