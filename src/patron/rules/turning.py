"""When the answer of a rule becomes another by time alone: events leave windows, and days pass."""

from collections.abc import Iterable, Iterator

import msgspec

from patron.model.clock import HOUR
from patron.model.events import Event
from patron.rules import dates
from patron.rules.calendar import Calendar
from patron.rules.evaluate import evaluate, fact_value, matching
from patron.rules.history import History
from patron.rules.tree import Did, Fact, Rule, Sequence, Window
from patron.rules.walk import Leaf, leaves

MOST = 10_000
"""Moments that are tried at most; beyond them nothing is foretold."""


def turns(rule: Rule, history: History, now: int, calendar: Calendar) -> int | None:
    """The first moment after `now` (ms UTC, a full hour) at which the rule's answer is another, if nothing more happens.

    None when it stays for ever. Segments, computed traits and scores are taken as they stand.

    >>> from patron.model.clock import DAY
    >>> bought = Event(1, "till", "pos", "track", "Order Completed", "m", 5, 5)
    >>> turns(Did("Order Completed", within=Window(days=10)), History("p_1", (bought,)), 9, Calendar("UTC")) // DAY
    10
    """
    concerned = _concerned(rule, history, now, calendar)
    before = evaluate(rule, concerned, now, calendar)
    ahead = {at for _, leaf in leaves(rule) for at in moments(leaf, concerned, now, calendar) if at > now}
    for at in sorted(ahead)[:MOST]:
        if evaluate(rule, concerned, at, calendar) is not before:
            return at
    return None


def moments(leaf: Leaf, history: History, now: int, calendar: Calendar) -> Iterator[int]:
    """Moments, in no order, at which the answer of a leaf may become another; it is the same between them."""
    match leaf:
        case Did():
            events = list(matching(leaf.event, leaf.where, leaf.within, history, now, calendar))
            yield from _leaving(events, leaf.within, calendar)
            if leaf.measure in ("first", "last"):
                yield from _passing(events, leaf.value, calendar)
        case Sequence():
            for step in leaf.steps:
                events = list(matching(step.event, step.where, leaf.within, history, now, calendar))
                yield from _leaving(events, leaf.within, calendar)
        case Fact() if leaf.op in ("in_last", "in_next"):
            day = dates.day_of(fact_value(leaf.field, history))
            if day is not None:
                first = day if leaf.op == "in_last" else day - leaf.value + 1
                yield from (calendar.begins(one) for one in (first, first + leaf.value) if _is_sayable(one))
        case _:
            pass


def _leaving(events: Iterable[Event], window: Window | None, calendar: Calendar) -> Iterator[int]:
    """When each event leaves a window."""
    if window is None:
        return
    if isinstance(window.days, int):
        days = window.days
        yield from (calendar.begins(day + days) for day in {calendar.day(e.time) for e in events})
    elif isinstance(window.hours, int):
        yield from ((hour + window.hours) * HOUR for hour in {e.time // HOUR for e in events})


def _passing(events: Iterable[Event], wanted: object, calendar: Calendar) -> Iterator[int]:
    """When each event is as many days ago as the rule compares with, and when it is one more."""
    numbers = [
        n for n in (wanted if isinstance(wanted, list | tuple) else [wanted]) if isinstance(n, int | float)
    ]
    for day in {calendar.day(e.time) for e in events}:
        yield from (
            calendar.begins(day + int(n) + more)
            for n in numbers
            for more in (0, 1)
            if _is_sayable(day + int(n) + more)
        )


def _is_sayable(day: int) -> bool:
    """Whether a day lies in the years that calendars know."""
    return -600_000 < day < 2_900_000


def _concerned(rule: Rule, history: History, now: int, calendar: Calendar) -> History:
    """The history with only the events that some leaf looks at, so that trying a moment is cheap."""
    seen: dict[int, Event] = {}
    for _, leaf in leaves(rule):
        for part in leaf.steps if isinstance(leaf, Sequence) else (leaf,) if isinstance(leaf, Did) else ():
            within = leaf.within if isinstance(leaf, Did | Sequence) else None
            for event in matching(part.event, part.where, within, history, now, calendar):
                seen[id(event)] = event
    return msgspec.structs.replace(history, events=tuple(e for e in history.events if id(e) in seen))
