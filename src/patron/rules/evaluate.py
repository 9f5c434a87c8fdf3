"""The reference execution: a rule over the plain events of one subject, word for word as `docs/rules.md` has it.

Clear before fast: the live execution and the one over the lake are held equal to this one.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from hashlib import md5
from typing import Any

from patron.model.clock import DAY, HOUR
from patron.model.events import Event, event_id
from patron.rules import dates
from patron.rules.calendar import Calendar
from patron.rules.consent import standing
from patron.rules.filters import passes, values_of
from patron.rules.history import History
from patron.rules.tree import (
    AllOf,
    AnyOf,
    Bucket,
    Computed,
    Consented,
    Did,
    Fact,
    Member,
    Not,
    Rule,
    Sequence,
    Where,
    Window,
)  # fmt: skip
from patron.rules.values import SCALE, field_of, holds, number_of, shown, text_of

Measured = int | Fraction | str
"""The exact value of a measure."""


def evaluate(rule: Rule, history: History, now: int, calendar: Calendar) -> bool:
    """Whether a rule holds for a subject at `now` (ms UTC). Its purpose is not looked at: see `consent.lawful`.

    Raises
    ------
    ValueError : a condition is used or a parameter is open; `resolve` fills them in.

    >>> e = Event(1, "till", "pos", "track", "Store Entered", "m", 5, 5)
    >>> evaluate(Did("Store Entered", ">=", 1), History("p_1", (e,)), 9, Calendar("Europe/Rome"))
    True
    """
    match rule:
        case AllOf(of):
            return all(evaluate(one, history, now, calendar) for one in of)
        case AnyOf(of):
            return any(evaluate(one, history, now, calendar) for one in of)
        case Not(inner):
            return not evaluate(inner, history, now, calendar)
        case Fact():
            return fact_holds(rule, fact_value(rule.field, history), now, calendar)
        case Did():
            return compares(rule.op, rule.value, measured(rule, history, now, calendar))
        case Sequence():
            return chain(rule, history, now, calendar) is not None
        case Member(segment):
            return history.member(segment)
        case Consented(purpose, channel, granted):
            return standing(history.consents, purpose, channel) is granted
        case Bucket(salt, start, end):
            return start <= share(salt, history.subject) < end
        case _:
            raise ValueError(f"the condition `{rule.condition}` is not filled in; call `resolve` first")


def measured(did: Did, history: History, now: int, calendar: Calendar) -> Measured | None:
    """The exact value of a measure; None where it has none. `op` and `value` are not read.

    >>> spent = [Event(i, "till", "pos", "track", "Order Completed", f"m{i}", 5, 5, properties={"revenue": v})
    ...          for i, v in enumerate([10, "2.5", None])]
    >>> measured(Did("Order Completed", measure="average", property="revenue"), History("p_1", tuple(spent)), 9, Calendar("UTC"))
    Fraction(25, 4)
    """
    events = list(matching(did.event, did.where, did.within, history, now, calendar))
    if did.measure == "count":
        return len(events)
    if did.measure in ("first", "last"):
        ages = [calendar.days_ago(e.time, now) for e in events]
        return (max if did.measure == "first" else min)(ages, default=None)
    if did.property is None:
        raise ValueError(f"`{did.measure}` needs a property")
    values = [value for e in events for value in values_of(e, did.property, calendar)]
    if did.measure in ("distinct", "most_frequent"):
        texts = Counter(text for value in values if (text := text_of(value)) is not None)
        return len(texts) if did.measure == "distinct" else most_frequent(texts)
    return _AMOUNTS[did.measure]([Fraction(n, SCALE) for v in values if (n := number_of(v)) is not None])


def computed(trait: Computed, history: History, now: int, calendar: Calendar) -> int | float | str | None:
    """The value of a computed trait as profiles show it: numbers rounded half to even to 6 places; None where it has none."""
    value = measured(trait.measure, history, now, calendar)
    if trait.per is None or value is None:
        return None if value is None else shown(value)
    per = measured(trait.per, history, now, calendar)
    if not per or isinstance(per, str) or isinstance(value, str):
        return None
    return shown(Fraction(value) / per)


def matching(
    name: str, where: tuple[Where, ...], within: Window | None, history: History, now: int, calendar: Calendar
) -> Iterator[Event]:
    """The events of that name that pass the filters and lie in the window, in their order."""
    since = calendar.since(within, now)
    for event in history.events:
        inside = event.time // HOUR <= now // HOUR and (since is None or event.time >= since)
        if inside and passes(event, name, where, calendar, history.stores):
            yield event


def chain(rule: Sequence, history: History, now: int, calendar: Calendar) -> tuple[Event, ...] | None:
    """The first events that make a sequence hold, one a step; None when none do."""
    steps = [list(matching(s.event, s.where, rule.within, history, now, calendar)) for s in rule.steps]
    for first in steps[0]:
        found = _greedy(first, steps[1:])
        if found and (rule.limit is None or found[-1].time - first.time <= length(rule.limit)):
            return found
    return None


def length(limit: Window) -> int:
    """How long a sequence may take, ms: its days are 24 hours.

    >>> length(Window(days=2)) // HOUR
    48
    """
    if isinstance(limit.days, int):
        return limit.days * DAY
    if isinstance(limit.hours, int):
        return limit.hours * HOUR
    raise ValueError("a limit has days or hours, and its parameters are filled in before it is used")


def fact_value(field: str, history: History) -> Any:
    """The value of `traits.NAME`, `computed.ID` or `scores.NAME`; None where it is missing."""
    root, _, name = field.partition(".")
    if root == "traits":
        return field_of(history.traits, name)
    return (history.computed if root == "computed" else history.scores)(name)


def fact_holds(fact: Fact, value: Any, now: int, calendar: Calendar) -> bool:
    """Whether a fact holds of a value; `in_last` and `in_next` read texts that begin with an ISO date."""
    if fact.op not in ("in_last", "in_next"):
        return holds(fact.op, fact.value, value)
    day = dates.day_of(value)
    if day is None:
        return False
    ahead = day - calendar.day(now)
    distance = ahead if fact.op == "in_next" else -ahead
    return 0 <= distance < int(fact.value)


def compares(op: str, wanted: Any, value: Measured | None) -> bool:
    """Whether an exact measure stands in a relation to the rule's value, without rounding the measure.

    >>> compares(">=", 0.333333, Fraction(1, 3)), compares("=", 0.333333, Fraction(1, 3)), compares("<", 1, None)
    (True, False, False)
    """
    if value is None or isinstance(value, str):
        return holds(op, wanted, value)
    exact = Fraction(value) * SCALE
    many = isinstance(wanted, list | tuple)
    scaled = [_scaled(one, exact.denominator) for one in (wanted if many else [wanted])]
    return holds(op, scaled if many else scaled[0], exact.numerator)


def share(salt: str, subject: str) -> float:
    """Where a subject falls between 0 and 1 under a salt.

    >>> share("a", "p_1") == int(md5(b"a:p_1").hexdigest()[:8], 16) / 2**32
    True
    """
    return int(md5(f"{salt}:{subject}".encode(), usedforsecurity=False).hexdigest()[:8], 16) / 2**32


def most_frequent(texts: Mapping[str, int]) -> str | None:
    """The text that is there most often, of several the greatest.

    >>> most_frequent(Counter({"tea": 2, "milk": 2, "oats": 1}))
    'tea'
    """
    return max(texts, key=lambda text: (texts[text], text), default=None)


def _sum(numbers: list[Fraction]) -> Fraction | None:
    return sum(numbers, Fraction(0))


def _average(numbers: list[Fraction]) -> Fraction | None:
    return sum(numbers, Fraction(0)) / len(numbers) if numbers else None


_AMOUNTS: dict[str, Callable[[list[Fraction]], Fraction | None]] = {
    "sum": _sum,
    "average": _average,
    "min": lambda numbers: min(numbers, default=None),
    "max": lambda numbers: max(numbers, default=None),
}


def _greedy(first: Event, steps: list[list[Event]]) -> tuple[Event, ...] | None:
    """For each further step the earliest event after the one before: no other choice ends sooner."""
    found = [first]
    for candidates in steps:
        place = _place(found[-1])
        following = next((e for e in candidates if _place(e) > place), None)
        if following is None:
            return None
        found.append(following)
    return tuple(found)


def _place(event: Event) -> tuple[int, int]:
    return event.time, event_id(event.uid)


def _scaled(wanted: Any, by: int) -> Any:
    """A number of the rule in the measure's own units; anything else as it is."""
    if isinstance(wanted, bool) or not isinstance(wanted, int | float):
        return wanted
    exact = number_of(wanted)
    return wanted if exact is None else exact * by
