"""All active rules compiled to one plan: conditions become bits, thresholds cuts, rules masks."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any
from zlib import crc32

import msgspec

from patron.rules.calendar import Calendar
from patron.rules.consent import Consents, lawful, standing
from patron.rules.evaluate import fact_holds, share
from patron.rules.filters import Stores
from patron.rules.tree import Bucket, Computed, Consented, Did, Fact, Member, Rule, Segment, Window
from patron.rules.tree import Sequence as Order
from patron.rules.values import SCALE, field_of
from patron.segments.ages import Ages, End
from patron.segments.chains import Chains
from patron.segments.compare import Exact, comparison, cuts_of
from patron.segments.conditions import Looked, OfTrait, Told
from patron.segments.feeds import Fed, Feeds
from patron.segments.gauge import FAR, Gauge, Steps
from patron.segments.hours import NEVER, Hours
from patron.segments.judging import Judging, Ruled, in_order
from patron.segments.measures import measured
from patron.segments.meter import Trait
from patron.segments.series import CAPPED, Series, leaves_of, series_of, step_series
from patron.segments.tally import Tally
from patron.segments.trees import care_of, test_of

NOBODY = b"nobody"
"""Stands for membership of a segment that is not in force: a bit that is never set."""
_encode = msgspec.json.Encoder(order="deterministic").encode


class Plan:
    """What the live execution needs to know of all rules.

    Parameters
    ----------
    segments, traits : resolved (no parameters, no conditions by name), of persons, live exact.
    series : every series that is fed, with its number; those of `segments` and `traits` among them.
    numbers : segment id -> number of its membership bit.
    opt_in : purposes that need a yes.
    """

    def __init__(
        self,
        segments: Sequence[Segment],
        traits: Sequence[Computed],
        series: Mapping[Series, int],
        numbers: Mapping[str, int],
        calendar: Calendar,
        opt_in: Collection[str] = (),
        stores: Stores | None = None,
    ) -> None:
        self.hours = Hours(calendar)
        self.calendar = calendar
        self.series = dict(series)
        self.numbers = {segment.id: numbers[segment.id] for segment in segments}
        self.traits = {trait.id: Trait(trait, self._number) for trait in traits}
        self._defined = {trait.id: trait for trait in traits}
        self._bits: dict[bytes, int] = {}
        self.looked: list[Looked] = []
        self._measured: dict[int, list[tuple[Did, int]]] = {}
        self._chains: dict[tuple[int, ...], Chains] = {}
        self.told: list[Told] = []
        self.consents: list[tuple[int, Callable[[Consents], bool]]] = []
        self.buckets: list[tuple[int, str, float, float]] = []
        self.looking: dict[int, list[int]] = {}
        """Number of a series -> places in `looked` of the conditions that any event of it may change."""
        self.starting: dict[int, list[tuple[int, int]]] = {}
        """Number of a series -> sequences that it does not end: their place in `looked`, and the series that ends them."""
        self._opt_in = frozenset(opt_in)
        self._place_leaves(segments)
        self._place_groups()
        self.buckets.sort(key=lambda bucket: bucket[1])
        self.gauges = self._gauges(segments)
        self.ages = self._ages(segments)
        """Number of a series -> its conditions on the first and last event."""
        self.capped = frozenset(number for one, number in self.series.items() if one.kind in CAPPED)
        """Numbers of the series of which a node keeps a bounded number of entries."""
        self.judging = Judging(self._rules(segments), self._members)
        self.names = {number: name for name, number in self.numbers.items()}
        self._settle_templates()
        self.feeds = Feeds(
            [self._fed(one, number) for one, number in self.series.items()], calendar, stores or {}
        )
        self.fingerprint = self._fingerprint(segments)

    def _number(self, series: Series) -> int:
        return self.series[series]

    # --- conditions --------------------------------------------------------------------------------------------

    def _place_leaves(self, segments: Sequence[Segment]) -> None:
        for segment in segments:
            for leaf in leaves_of(segment.rule):
                if not isinstance(leaf, Member):
                    self._bit(leaf)
                elif leaf.segment not in self.numbers and NOBODY not in self._bits:
                    self._new(NOBODY)
            self._basis(segment.purpose)
        self._members = len(self._bits)

    def _new(self, key: bytes) -> int:
        bit = 1 << len(self._bits)
        self._bits[key] = bit
        return bit

    def _basis(self, purpose: str) -> int:
        key = b"basis " + purpose.encode()
        if key not in self._bits:
            opt_in = self._opt_in
            self.consents.append((self._new(key), lambda said: lawful(purpose, said, opt_in)))
        return self._bits[key]

    def _bit(self, leaf: Rule) -> int:
        if isinstance(leaf, Member):
            number = self.numbers.get(leaf.segment)
            return self._bits[NOBODY] if number is None else 1 << (self._members + number)
        key = _encode(leaf)
        if key not in self._bits:
            self._place(leaf, self._new(key))
        return self._bits[key]

    def _place(self, leaf: Rule, bit: int) -> None:
        """Note how a new condition is read. Counts are read by gauges, first and last by ages."""
        if isinstance(leaf, Did):
            if leaf.measure not in ("count", "first", "last"):
                self._measured.setdefault(self._number(series_of(leaf)), []).append((leaf, bit))
        elif isinstance(leaf, Order):
            numbers = tuple(self._number(step_series(step)) for step in leaf.steps)
            self._chains.setdefault(numbers, Chains(numbers)).add(bit, leaf)
        elif isinstance(leaf, Fact):
            self._place_fact(leaf, bit)
        elif isinstance(leaf, Consented):
            purpose, channel, granted = leaf.purpose, leaf.channel, leaf.granted
            self.consents.append((bit, lambda said: standing(said, purpose, channel) is granted))
        elif isinstance(leaf, Bucket):
            self.buckets.append((bit, leaf.salt, leaf.start, leaf.end))
        else:
            raise TypeError(f"a rule must be resolved before it is run: {type(leaf).__name__} is left in it")

    def _place_fact(self, fact: Fact, bit: int) -> None:
        root, _, name = fact.field.partition(".")
        if root == "traits":
            self.told.append(Told(bit, fact, name))
            return
        trait = self.traits.get(name) if root == "computed" else None
        self._look(
            OfTrait(bit, fact, trait, self.hours), [] if trait is None else [m.number for m in trait.meters]
        )

    def _place_groups(self) -> None:
        """Conditions that read the same series are read together."""
        for number, parts in self._measured.items():
            self._look(measured(number, parts), [number])
        for numbers, chains in self._chains.items():
            place = self._look(chains, numbers[-1:])
            for number in dict.fromkeys(numbers):
                if number != chains.last:
                    self.starting.setdefault(number, []).append((place, chains.last))

    def _look(self, looked: Looked, numbers: Iterable[int]) -> int:
        place = len(self.looked)
        self.looked.append(looked)
        for number in dict.fromkeys(numbers):
            self.looking.setdefault(number, []).append(place)
        return place

    def _gauges(self, segments: Sequence[Segment]) -> list[Gauge | None]:
        """A gauge for each slot; slots are given to all series that are counted."""
        self.slots = {
            number: slot
            for slot, number in enumerate(n for s, n in self.series.items() if s.kind in ("count", "hours"))
        }
        steps: dict[int, dict[Window | None, Steps]] = {}
        masks: dict[int, int] = {}
        for did in self._measures(segments, "count"):
            number, bit = self.series[series_of(did)], self._bit(did)
            compare = comparison(did.op, did.value)
            one = steps.setdefault(number, {}).setdefault(did.within, Steps())
            one.add(bit, cuts_of(did.value), partial(_counts_as, compare))
            masks[number] = masks.get(number, 0) | bit
        found: list[Gauge | None] = [None] * len(self.slots)
        for number, windows in steps.items():
            for one in windows.values():
                one.seal()
            found[self.slots[number]] = Gauge(number, windows, masks[number])
        return found

    def _ages(self, segments: Sequence[Segment]) -> dict[int, Ages]:
        ends: dict[int, dict[End, Steps]] = {}
        missing: dict[int, int] = {}
        for did in self._measures(segments, "first", "last"):
            number, bit = self.series[series_of(did)], self._bit(did)
            compare = comparison(did.op, did.value)
            end = (did.measure == "first", did.within)
            steps = ends.setdefault(number, {}).setdefault(end, Steps())
            steps.add(bit, cuts_of(did.value), partial(_counts_as, compare))
            missing[number] = missing.get(number, 0) | (bit if compare(None) else 0)
        found = {}
        for number, some in ends.items():
            mask = 0
            for steps in some.values():
                steps.seal()
                mask |= steps.mask
            found[number] = Ages(number, some, mask, missing[number])
        return found

    def _measures(self, segments: Sequence[Segment], *measures: str) -> list[Did]:
        """The different conditions on these measures."""
        found: dict[bytes, Did] = {}
        for segment in segments:
            for leaf in leaves_of(segment.rule):
                if isinstance(leaf, Did) and leaf.measure in measures:
                    found[_encode(leaf)] = leaf
        return list(found.values())

    def _fed(self, series: Series, number: int) -> Fed:
        dated = number in self.ages
        leaves, starts = tuple(self.looking.get(number, ())), tuple(self.starting.get(number, ()))
        mask = 0
        for place in (*leaves, *(place for place, _ in starts)):
            mask |= self.looked[place].mask
        relying = sum(rule.bit for rule in self.judging.rules if rule.looked & mask)
        return Fed(series, number, self.slots.get(number, -1), leaves, starts, relying, dated=dated)

    # --- rules ---------------------------------------------------------------------------------------------------

    def _rules(self, segments: Sequence[Segment]) -> list[Ruled]:
        """The rules, each behind those it names."""
        looked: dict[str, int] = {}
        found = []
        for segment in in_order(segments):
            care = care_of(segment.rule, self._bit) | self._basis(segment.purpose)
            for leaf in leaves_of(segment.rule):
                if isinstance(leaf, Member):
                    care |= looked.get(leaf.segment, 0)
            looked[segment.id] = care
            number = self.numbers[segment.id]
            found.append(
                Ruled(
                    segment.id,
                    1 << number,
                    test_of(segment.rule, self._bit),
                    self._basis(segment.purpose),
                    1 << (self._members + number),
                    care,
                )
            )
        return found

    # --- people --------------------------------------------------------------------------------------------------

    def _settle_templates(self) -> None:
        """The conditions of somebody without any event, and the slacks."""
        leaf, self.slacks = 0, bytearray([2 * FAR] * len(self.slots))
        for slot, gauge in enumerate(self.gauges):
            if gauge is not None:
                bits, slack = gauge.nothing()
                self.slacks[slot] = FAR + slack
                leaf |= bits
        for ages in self.ages.values():
            leaf |= ages.nothing
        for looked in self.looked:
            leaf |= looked.nothing
        leaf |= self.told_bits({}, 0)[0] | self.consent_bits({})
        self.nothing = leaf
        self.nothing_slack = int.from_bytes([*self.slacks, 1], "little")
        self.nothing_bits, self.nothing_barred = self.judging.judge(leaf)
        self.trait_names = frozenset(n for t in self.told for n in (t.path, t.path.partition(".")[0]))
        self.told_mask = sum(told.bit for told in self.told)
        self.consent_mask = sum(bit for bit, _ in self.consents)
        self.gauge_of = {gauge.number: gauge for gauge in self.gauges if gauge is not None}

    def told_bits(self, traits: Mapping[str, Any], now: int) -> tuple[int, int]:
        """Bits of the conditions on traits, and until when they stand."""
        bits, wake = 0, NEVER
        for told in self.told:
            value = field_of(traits, told.path)
            if value is not None and told.fact.op in ("in_last", "in_next"):
                wake = self.hours.begins(self.hours.today + 1)
            bits |= told.bit if fact_holds(told.fact, value, now, self.calendar) else 0
        return bits, wake

    def consent_bits(self, said: Consents) -> int:
        """Bits of the conditions on consents and of lawful purposes."""
        bits = 0
        for bit, holds in self.consents:
            if holds(said):
                bits |= bit
        return bits

    def bucket_bits(self, person: str) -> int:
        """Bits of the random parts that a person falls into."""
        bits, last, place = 0, None, 0.0
        for bit, salt, start, end in self.buckets:  # those of one salt stand together
            if salt != last:
                last, place = salt, share(salt, person)
            if start <= place < end:
                bits |= bit
        return bits

    def missing(self, tallies: Sequence[Tally]) -> int:
        """Membership bits of the rules whose answer must come from the lake: a list was cut off."""
        short = 0
        for looked in self.looked:
            short |= looked.missing(tallies, self.hours)
        return sum(rule.bit for rule in self.judging.rules if rule.looked & short) if short else 0

    def _fingerprint(self, segments: Sequence[Segment]) -> int:
        """The same for the same rules in every process; never 0."""
        traits = sorted(self._defined.items())
        told = [
            sorted((s.id, self.numbers[s.id], s.purpose, _encode(s.rule).decode()) for s in segments),
            traits,
        ]
        return crc32(_encode([told, self.calendar.zone, sorted(self._opt_in)])) or 1


def _counts_as(compare: Callable[[Exact | None], bool], count: int) -> bool:
    return compare((count * SCALE, 1))
