"""How a rule is run: live and exact from bounded aggregates, or from the lake within minutes; and what it costs.

The figures are of one person: `bytes` for one who does each thing named about every tenth day, `most` for one who does it every
hour. Lists of events are bounded by their cap.
"""

from collections.abc import Collection, Iterator, Mapping

from msgspec import Struct

from patron.rules.calendar import MAX_DAYS, MAX_HOURS
from patron.rules.faults import clip
from patron.rules.tree import (
    ANY_EVENT,
    Bucket,
    Consented,
    Did,
    Fact,
    Member,
    Rule,
    Sequence,
    Use,
    Where,
    Window,
)
from patron.rules.walk import Leaf, leaves

LIST_CAP = 500
"""Entries of a list that a node keeps (`docs/rules.md`, Caps)."""
LISTED = ("distinct", "min", "max", "most_frequent")
"""Measures that need single events or hours, for what leaves a window cannot be taken back from a sum of them."""

_TOTAL, _HOUR, _ENTRY = 16, 12, 24
"""Bytes of a number for all time, of one hour that has events, of one event in a list."""
_EVERY = 10
"""A person is taken to do a thing on one of so many days."""


class Execution(Struct, frozen=True):
    """How a rule is run.

    >>> execution = classify(Did("Order Completed", within=Window(days=30)))
    >>> execution.words, execution.bytes, execution.reasons
    ('live exact', 48, ())
    """

    live: bool
    bytes: int
    """Kept for a usual person to answer live."""
    most: int
    """And at most, a node."""
    reasons: tuple[str, ...] = ()
    """Why not live; sentences."""
    costs: tuple[str, ...] = ()
    """What reads without bound, to be said before it is saved; sentences."""

    @property
    def words(self) -> str:
        """`live exact`, or `from the lake`."""
        return "live exact" if self.live else "from the lake"


def classify(
    *rules: Rule,
    slow_segments: Collection[str] = (),
    slow_traits: Collection[str] = (),
    counts: Mapping[str, int] | None = None,
) -> Execution:
    """How resolved rules are run together (a segment's one, a computed trait's one or two measures).

    Parameters
    ----------
    slow_segments, slow_traits : those that are answered from the lake; a rule made of them is too.
    counts : events in the lake by name, to say how many are read.

    >>> classify(Did("Page Viewed", ">", 3, "distinct", "path")).reasons
    ('The distinct values of `Page Viewed` are of all time, and a profile keeps a list of events only within a window of at most 400 days.',)
    """
    found = [leaf for rule in rules for _, leaf in leaves(rule)]
    reasons = [reason for leaf in found for reason in _reasons(leaf, slow_segments, slow_traits)]
    unbounded = [leaf for leaf in found if isinstance(leaf, Did | Sequence) and leaf.within is None]
    costs = [cost for leaf in unbounded if (cost := _cost(leaf, live=not reasons, counts=counts or {}))]
    usual, most = _sizes(found)
    return Execution(not reasons, usual, most, tuple(dict.fromkeys(reasons)), tuple(dict.fromkeys(costs)))


def _reasons(leaf: Leaf, slow_segments: Collection[str], slow_traits: Collection[str]) -> Iterator[str]:
    match leaf:
        case Member(segment) if segment in slow_segments:
            yield f"The segment `{segment}` comes from the lake."
        case Fact(field) if field.startswith("computed.") and field.partition(".")[2] in slow_traits:
            yield f"The computed trait `{field.partition('.')[2]}` comes from the lake."
        case Use(condition):
            raise ValueError(f"the condition `{condition}` is not filled in; call `resolve` first")
        case Did() | Sequence():
            yield from _event_reasons(leaf)
        case _:
            pass


def _event_reasons(leaf: Did | Sequence) -> Iterator[str]:
    window = leaf.within
    if _is_long(window) or (isinstance(leaf, Sequence) and _is_long(leaf.limit)):
        yield f"The window of {_what(leaf)} reaches back further than the {MAX_DAYS} days that a profile keeps."
    elif window is None and _is_listed(leaf):
        yield (
            f"{_what(leaf, start=True)} are of all time, and a profile keeps a list of events only within a window "
            f"of at most {MAX_DAYS} days."
        )


def _is_long(window: Window | None) -> bool:
    if window is None:
        return False
    return _length(window.days) > MAX_DAYS or _length(window.hours) > MAX_HOURS


def _length(value: object) -> int:
    if value is None:
        return 0
    if isinstance(value, int):
        return value
    raise ValueError("a window has an open parameter; call `resolve` first")


def _is_listed(leaf: Did | Sequence) -> bool:
    return isinstance(leaf, Sequence) or leaf.measure in LISTED


def _what(leaf: Did | Sequence, *, start: bool = False) -> str:
    the = "The" if start else "the"
    if isinstance(leaf, Sequence):
        return f"{the} steps from {_named(leaf.steps[0].event)} to {_named(leaf.steps[-1].event)}"
    if leaf.measure in LISTED:
        words = {"distinct": "distinct", "min": "least", "max": "greatest", "most_frequent": "most frequent"}
        return f"{the} {words[leaf.measure]} values of {_named(leaf.event)}"
    return f"{the} events {_named(leaf.event)}"


def _named(event: str) -> str:
    return "of any name" if event == ANY_EVENT else f"`{clip(event)}`"


def _cost(leaf: Did | Sequence, *, live: bool, counts: Mapping[str, int]) -> str:
    """A sentence when all time is read: of every event, or on each run."""
    names = {step.event for step in leaf.steps} if isinstance(leaf, Sequence) else {leaf.event}
    if live and ANY_EVENT not in names:
        return ""
    number = sum(counts.values()) if ANY_EVENT in names else sum(counts.get(name, 0) for name in names)
    events = f"all {number:,} events" if number else "all events"
    told = (
        "of any name"
        if ANY_EVENT in names
        else "called " + " or ".join(f"`{clip(n)}`" for n in sorted(names))
    )
    when = "once, when it is saved," if live else "on each run"
    return f"It reads {events} {told} since the beginning {when}; a window in `within` makes that less."


def _sizes(found: list[Leaf]) -> tuple[int, int]:
    """Bytes of a usual person and at most: leaves that need the same aggregate share it."""
    kept: dict[tuple[object, ...], tuple[int, int]] = {}
    for leaf in found:
        for key, size in _aggregates(leaf):
            before = kept.get(key, (0, 0))
            kept[key] = max(before[0], size[0]), max(before[1], size[1])
    return sum(usual for usual, _ in kept.values()), sum(most for _, most in kept.values())


def _aggregates(leaf: Leaf) -> Iterator[tuple[tuple[object, ...], tuple[int, int]]]:
    match leaf:
        case Sequence():
            for step in leaf.steps:
                yield _key(step.event, step.where, "list", None), _list_size(leaf.within)
        case Did() if leaf.measure in ("distinct", "most_frequent"):
            yield _key(leaf.event, leaf.where, "list", leaf.property), _list_size(leaf.within)
        case Did() if leaf.measure in ("min", "max"):
            yield _key(leaf.event, leaf.where, "ends", leaf.property), _hours_size(leaf.within)
        case Did():
            yield _key(leaf.event, leaf.where, "hours", leaf.property), _hours_size(leaf.within)
        case Fact() | Member() | Consented() | Bucket() | Use():
            pass


def _key(event: str, where: tuple[Where, ...], kind: str, field: str | None) -> tuple[object, ...]:
    return event, repr(where), kind, field


def _list_size(window: Window | None) -> tuple[int, int]:
    hours = _hours(window) or MAX_HOURS
    return _ENTRY * min(LIST_CAP, _usual(hours)), _ENTRY * LIST_CAP


def _hours_size(window: Window | None) -> tuple[int, int]:
    hours = _hours(window)
    if hours is None:
        return _TOTAL, _TOTAL
    return _HOUR * _usual(hours), _HOUR * hours


def _hours(window: Window | None) -> int | None:
    if window is None:
        return None
    return _length(window.hours) or 24 * _length(window.days)


def _usual(hours: int) -> int:
    return 1 + hours // (24 * _EVERY)
