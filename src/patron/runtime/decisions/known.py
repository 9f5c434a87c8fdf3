"""What rules may look at, read from a person's nodes only as far as a rule asks.

A decision asks for a handful of fields; merging whole profiles for them costs more than deciding. Every answer equals the
one of `rules.facts.facts_of` over `profiles.merge`: where a bound could bite, or values are nested, that is what is asked.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from patron.model.clock import DAY
from patron.model.money import UNIT
from patron.profiles.merge import Totals, merge, orders_of, said_of, totals_of
from patron.profiles.partial import Partial, Trait
from patron.profiles.rules import ProfileRules
from patron.rules.consent import Consents
from patron.rules.facts import facts_of
from patron.runtime.feeds.feeds import Around

Parts = Sequence[tuple[str, Partial]]
"""The nodes of whoever asks, each with its aggregate."""
_UNREAD = object()


class LazyFacts:
    """`rules.facts.Facts` of some nodes and the context of an ask; each field is worked out when first asked for.

    >>> part = Partial(events=2, first=0, last=7 * DAY, counters={"Page": 2}, traits={"city": ("Bari", (0, "shop/m"))})
    >>> facts = LazyFacts([("user_id:7", part)], {"weather": "rain"}, 10 * DAY, ProfileRules())
    >>> [facts.get(f) for f in ("traits.city", "counters.Page", "last_seen_days", "context.weather", "traits.age")]
    ['Bari', 2, 3, 'rain', None]
    """

    __slots__ = (
        "_read",
        "_totals",
        "_traits",
        "_whole",
        "around",
        "context",
        "live",
        "now",
        "parts",
        "rules",
    )

    def __init__(
        self,
        parts: Parts,
        context: Mapping[str, Any],
        now: int,
        rules: ProfileRules,
        around: Around | None = None,
    ) -> None:
        self.parts = parts
        self.live = [part for _, part in parts if part.events]
        self.context = context
        self.now = now
        self.rules = rules
        self.around = around
        self._read: dict[str, Any] = {}
        self._whole: dict[str, Any] | None = None
        self._totals: Totals | None = None
        self._traits: list[dict[str, Trait]] | None = None

    def get(self, field: str, /) -> Any:
        """The value of a field, None when it is missing."""
        value = self._read.get(field, _UNREAD)
        if value is _UNREAD:
            reader, name = _reader_of(field)
            value = self._read[field] = reader(self, name)
        return value

    @property
    def traits(self) -> list[dict[str, Trait]]:
        """The traits of each node that has any."""
        if self._traits is None:
            self._traits = [part.traits for part in self.live if part.traits]
        return self._traits

    @property
    def totals(self) -> Totals:
        """Orders and money over all nodes."""
        if self._totals is None:
            self._totals = totals_of(orders_of(self.live, self.rules))
        return self._totals

    def whole(self, field: str) -> Any:
        """The value of a field as the whole profile gives it."""
        if self._whole is None:
            profile = merge(self.parts, self.rules)
            self._whole = facts_of(
                now=self.now,
                traits={name: trait.value for name, trait in profile.traits.items()},
                counters=profile.counters,
                context=self.context,
            )
        return self._whole.get(field)


def _trait(facts: LazyFacts, name: str) -> Any:
    having = facts.traits
    # a name with a dot reaches into nested values, or is itself a name with a dot
    if having and ("." in name or sum(map(len, having)) > facts.rules.traits):
        return facts.whole("traits." + name)
    written = [traits[name] for traits in having if name in traits]
    if len(written) > 1:
        return max(written, key=_stamp)[0]
    return written[0][0] if written else None


def _stamp(trait: tuple[Any, Any]) -> Any:
    return trait[1]


def _counter(facts: LazyFacts, name: str) -> Any:
    if sum([len(part.counters) for part in facts.live]) > facts.rules.names:
        return facts.whole("counters." + name)
    counts = [part.counters[name] for part in facts.live if name in part.counters]
    return sum(counts) if counts else None


def _total(facts: LazyFacts, name: str) -> Any:
    if name == "orders":
        return facts.totals.orders
    revenue, dot, currency = name.partition(".")
    if revenue != "revenue":
        return None
    # without a currency no rule may ask; the learned policy does, and takes the greatest of them
    return facts.totals.net.get(currency) if dot else max(facts.totals.net.values(), default=0) / UNIT


def _channel(facts: LazyFacts, name: str) -> Any:
    counts = [part.channels[name][2] for part in facts.live if name in part.channels]
    return sum(counts) if counts else None


def _context(facts: LazyFacts, name: str) -> Any:
    if "." in name:
        told = facts_of(now=facts.now, context=facts.context).get("context." + name)
    else:
        told = facts.context.get(name)
    return facts.around.context(name) if told is None and facts.around is not None else told


def _stock(facts: LazyFacts, name: str) -> Any:
    return facts.around.stock(name) if facts.around is not None else None


def _first(facts: LazyFacts, _name: str) -> Any:
    return max(0, facts.now - min(part.first for part in facts.live)) // DAY if facts.live else None


def _last(facts: LazyFacts, _name: str) -> Any:
    return max(0, facts.now - max(part.last for part in facts.live)) // DAY if facts.live else None


_READERS: dict[str, Callable[[LazyFacts, str], Any]] = {
    "traits.": _trait,
    "counters.": _counter,
    "totals.": _total,
    "channels.": _channel,
    "context.": _context,
    "stock.": _stock,
    "first_seen_days": _first,
    "last_seen_days": _last,
}


def _nothing(_facts: LazyFacts, _name: str) -> Any:
    return None


@lru_cache(4096)
def _reader_of(field: str) -> tuple[Callable[[LazyFacts, str], Any], str]:
    """What reads a field, and what it is called there."""
    root, dot, name = field.partition(".")
    return _READERS.get(root + dot, _nothing), name


def has_complaint(parts: Parts) -> bool:
    """Whether somebody complained more often than a complaint of theirs was closed."""
    opened = sum(part.counters.get("Complaint Opened", 0) for _, part in parts)
    return opened > 0 and opened > sum(part.counters.get("Complaint Closed", 0) for _, part in parts)


def consents_of(parts: Parts, rules: ProfileRules) -> Consents:
    """What stands for each purpose and channel, and when that was said: `profiles.merge` without the proofs.

    >>> from patron.profiles.partial import Consent
    >>> part = Partial(events=1, consents={("ads", "*"): Consent((5, "shop/m"), False)})
    >>> consents_of([("user_id:7", part)], ProfileRules())
    {('ads', '*'): (False, 5)}
    """
    having = [part.consents for _, part in parts if part.events and part.consents]
    if not having:
        return {}
    if len(having) > 1 or len(having[0]) > rules.consents:
        said = said_of([part for _, part in parts if part.events], rules)
    else:
        said = having[0]
    return {key: (c.granted, c.stamp[0]) for key, c in said.items()}
