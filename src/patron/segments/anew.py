"""Where a person stands, read from the tallies of their nodes: what every event in its place must lead to as well."""

from collections.abc import Sequence

from patron.model.people import Key
from patron.segments.gauge import FAR
from patron.segments.hours import NEVER
from patron.segments.people import People
from patron.segments.plan import Plan
from patron.segments.tally import Row, Tally


def read(
    plan: Plan, people: People, person: str, members: Sequence[Key], tallies: Sequence[Tally], now: int
) -> tuple[int, int, int, int]:
    """Conditions, slacks, when to look again (ms), and what the lake must answer, from nothing but what is kept."""
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
    short = plan.missing(tallies)
    if short:
        wake = min(wake, hours.begins(hours.today + 1))
    return leaf, int.from_bytes([*lanes, 1], "little"), wake, short
