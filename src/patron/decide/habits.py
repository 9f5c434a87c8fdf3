"""At which hour of the day to reach somebody: when they mostly visit and answer, where they are."""

from collections.abc import Iterable, Sequence

ENOUGH = 3
"""Moments that make a habit; with fewer nothing is known."""
ANSWER = 3.0
"""What an answer (a click, an opened message) counts, in visits."""
_DAY = 24

Slot = tuple[int, int]
"""An hour of the day where somebody is, and the moment (ms UTC) of its next coming."""


def habit(visits: Iterable[int], answers: Iterable[int] = ()) -> list[float]:
    """How much of somebody's doing falls into each of the 24 hours; the hours beside count half.

    >>> [hour for hour, weight in enumerate(habit([8, 8, 19])) if weight >= 1]
    [7, 8, 9, 19]
    """
    counts = [0.0] * _DAY
    for hour in visits:
        counts[hour % _DAY] += 1.0
    for hour in answers:
        counts[hour % _DAY] += ANSWER
    return [counts[hour] + 0.5 * (counts[hour - 1] + counts[(hour + 1) % _DAY]) for hour in range(_DAY)]


def ranked(slots: Sequence[Slot], weights: Sequence[float] | None) -> list[Slot]:
    """Slots, the likeliest hour first, of equal ones the earlier; without weights as time brings them.

    >>> ranked([(9, 900), (10, 1000), (19, 1900)], habit([18, 19, 20]))
    [(19, 1900), (9, 900), (10, 1000)]
    """
    if weights is None:
        return list(slots)
    return sorted(slots, key=lambda slot: (-weights[slot[0]], slot[1]))


def is_open(hours: tuple[int, int], hour: int) -> bool:
    """Whether an hour lies in a window of the day; one that begins where it ends is the whole day.

    >>> is_open((9, 20), 19), is_open((9, 20), 20), is_open((22, 6), 3), is_open((0, 0), 5)
    (True, False, True, True)
    """
    first, end = hours
    if first == end:
        return True
    if first < end:
        return first <= hour < end
    return hour >= first or hour < end
