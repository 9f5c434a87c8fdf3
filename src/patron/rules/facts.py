"""What a rule may look at: the facts of one person at one moment, under the field names of the rule language."""

from collections.abc import Mapping
from typing import Any, Protocol

from patron.model.clock import DAY

_MAX_DEPTH = 4


class Facts(Protocol):
    """Anything that gives the value of a field, or None when it is missing. A plain dict is one."""

    def get(self, field: str, /) -> Any: ...


def facts_of(
    *,
    now: int,
    traits: Mapping[str, Any] | None = None,
    counters: Mapping[str, int] | None = None,
    orders: int = 0,
    revenue: Mapping[str, int] | None = None,
    channels: Mapping[str, int] | None = None,
    first_seen: int | None = None,
    last_seen: int | None = None,
    context: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Lay out a profile and the context of an ask as flat facts.

    Parameters
    ----------
    now : milliseconds UTC; days are whole days before it, never negative.
    traits, context : nested objects are reached by dots (`traits.address.city`), four levels deep.
    counters : event name -> how often; `channels`: channel -> number of events.
    revenue : currency -> net units of 1/10,000.

    >>> facts_of(now=10 * DAY, traits={"address": {"city": "Bologna"}}, orders=2, last_seen=7 * DAY)
    {'totals.orders': 2, 'traits.address.city': 'Bologna', 'traits.address': {'city': 'Bologna'}, 'last_seen_days': 3}
    """
    facts: dict[str, Any] = {"totals.orders": orders}
    for currency, units in (revenue or {}).items():
        facts["totals.revenue." + currency] = units
    for name, count in (counters or {}).items():
        facts["counters." + name] = count
    for channel, count in (channels or {}).items():
        facts["channels." + channel] = count
    for root, tree in (("traits.", traits), ("context.", context)):
        if tree:
            _spread(facts, root, tree, _MAX_DEPTH)
    for name, seen in (("first_seen_days", first_seen), ("last_seen_days", last_seen)):
        if seen is not None:
            facts[name] = max(0, now - seen) // DAY
    return facts


def _spread(facts: dict[str, Any], prefix: str, tree: Mapping[str, Any], depth: int) -> None:
    """Put every value below `prefix` into `facts`. Branches go first: a name that itself holds a dot wins."""
    if depth > 1:
        for name, value in tree.items():
            if type(value) is dict:
                _spread(facts, f"{prefix}{name}.", value, depth - 1)
    for name, value in tree.items():
        facts[prefix + name] = value
