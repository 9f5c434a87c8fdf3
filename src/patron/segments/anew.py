"""Where a person stands, read from the tallies of their nodes: anew, or again after an event, which must lead to the same."""

from collections.abc import Sequence
from typing import NamedTuple

from patron.model.people import Key
from patron.segments.gauge import FAR, LANE
from patron.segments.hours import NEVER
from patron.segments.people import People
from patron.segments.plan import Plan
from patron.segments.standing import Standing
from patron.segments.tally import ALL, Row, Tally


class Found(NamedTuple):
    """Where a person stands."""

    leaf: int
    """Bits of the conditions."""
    slack: int
    wake: int
    """When to look again (ms)."""
    short: int
    """Bits of the segments that their events must answer."""
    cut: bool
    """Whether some list was cut off."""


def read(
    plan: Plan, people: People, person: str, members: Sequence[Key], tallies: Sequence[Tally], now: int
) -> Found:
    """Where a person stands, from nothing but what is kept."""
    hours = plan.hours
    leaf, lanes, wake = plan.nothing, bytearray(plan.slacks), NEVER
    numbers = {number: None for tally in tallies for number in tally}
    places: dict[int, None] = {}
    for number in numbers:
        gauge = plan.gauge_of.get(number)
        if gauge is not None:
            rows: list[Row] = [tally[number] for tally in tallies if number in tally]
            bits, left, turn = gauge.read(rows, hours)
            lanes[plan.slots[number]] = FAR + left
            leaf = leaf & ~gauge.mask | bits
            wake = min(wake, turn)
        ages = plan.ages.get(number)
        if ages is not None:
            bits, turn = ages.read([tally[number] for tally in tallies if number in tally], hours)
            leaf = leaf & ~ages.mask | bits
            wake = min(wake, turn)
        places.update(dict.fromkeys(plan.looking.get(number, ())))
    for place in places:
        looked = plan.looked[place]
        bits, turn = looked.look(tallies, hours)
        leaf = leaf & ~looked.mask | bits
        wake = min(wake, turn)
    leaf = leaf & ~plan.consent_mask | plan.consent_bits(people.consents(members))
    if plan.told:
        bits, turn = plan.told_bits(people.traits(members, plan.trait_names), now)
        leaf, wake = leaf & ~plan.told_mask | bits, min(wake, turn)
    if plan.buckets:
        leaf |= plan.bucket_bits(person)
    cut = is_cut(plan, tallies)
    short = plan.missing(tallies) if cut else 0
    if short:
        wake = min(wake, hours.tomorrow)
    return Found(leaf, int.from_bytes([*lanes, 1], "little"), wake, short, cut)


def is_cut(plan: Plan, tallies: Sequence[Tally]) -> bool:
    """Whether some list was cut off."""
    return any(tally[number][0] != ALL for tally in tallies for number in tally.keys() & plan.capped)


def again(
    plan: Plan, row: Standing, tallies: Sequence[Tally], due: int, aged: Sequence[int], places: Sequence[int]
) -> tuple[int, int, int]:
    """Conditions, when to look again (ms), and slacks of a standing after an event, from what it may have changed.

    Parameters
    ----------
    due : the high bits of the lanes whose slack is used up.
    aged : numbers of series whose first or last event may be of another day.
    places : places in `plan.looked`.
    """
    leaf, wake, slack, hours = row.leaf, row.wake, row.slack, plan.hours
    while due:
        low = due & -due
        due ^= low
        at = low.bit_length() - LANE
        gauge = plan.gauges[at // LANE]
        if gauge is None:
            slack += FAR << at
            continue
        number = gauge.number
        bits, left, turn = gauge.read([one[number] for one in tallies if number in one], hours)
        slack += left << at
        leaf = leaf & ~gauge.mask | bits
        if turn < wake:  # noqa: PLR1730 - a call would cost more
            wake = turn
    for number in aged:
        ages = plan.ages[number]
        bits, turn = ages.read([one[number] for one in tallies if number in one], hours)
        leaf = leaf & ~ages.mask | bits
        if turn < wake:  # noqa: PLR1730 - a call would cost more
            wake = turn
    for place in places:
        looked = plan.looked[place]
        bits, turn = looked.look(tallies, hours)
        leaf = leaf & ~looked.mask | bits
        if turn < wake:  # noqa: PLR1730 - a call would cost more
            wake = turn
    return leaf, wake, slack
