"""The live execution: each event into its node's tally, and from there into what its person belongs to.

    an event -> its series -> the node's tally -> thresholds met? -> conditions -> rules -> who entered, who left

A person's standing is a function of the tallies of their nodes, their traits and consents, the rules and the clock. It is
moved along by events; whenever in doubt it is found anew from those, with the same result.
"""

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from heapq import heappop, heappush
from typing import Any, NamedTuple, Protocol

from patron.model.clock import HOUR
from patron.model.events import Event
from patron.model.people import Key, Person
from patron.model.ports import Table
from patron.rules.consent import Consents
from patron.segments.feeds import Feed
from patron.segments.folding import Folding
from patron.segments.hours import NEVER
from patron.segments.plan import Plan
from patron.segments.standing import Standing, numbers_of
from patron.segments.tally import (
    ALL,
    Row,
    Tally,
    fold_count,
    fold_hour,
    shared_hour,
)

KEPT = 10_000
"""Entries and exits remembered."""
SLICE = 25
"""People looked at before a caller may do something else."""


class Moved(NamedTuple):
    """Somebody entered a segment, or left it."""

    position: int
    """Of the log, when it happened."""
    time: int
    person: str
    segment: str
    entered: bool
    cause: str
    """`event`, `time`, `identity`, `rule`, `consent` or `erasure`."""


class People(Protocol):
    """Who is who, and what is known of them beside their tallies."""

    def id_of(self, node: Key) -> str | None:
        """The id of the person who has a node now."""
        ...

    def members_of(self, person: str) -> tuple[Key, ...]:
        """All identifiers of a person; none when there is no such person now."""
        ...

    def is_blank(self, key: Key) -> bool:
        """Whether nothing at all is known of an identifier as a node."""
        ...

    def traits(self, members: Sequence[Key], names: Collection[str]) -> Mapping[str, Any]:
        """The traits of these names, deleted ones left out."""
        ...

    def consents(self, members: Sequence[Key]) -> Consents:
        """What stands on every purpose and channel."""
        ...


class Execution:
    """All people against all rules.

    Parameters
    ----------
    tallies, standings : where the rows live, by node and by person id.
    plan : the rules. `use` takes another one.
    """

    def __init__(self, tallies: Table[Tally], standings: Table[Standing], people: People, plan: Plan) -> None:
        self.tallies = tallies
        self.standings = standings
        self._people = people
        self.plan = plan
        self.folding = Folding(plan.calendar)
        self.now = 0
        self.position = 0
        """Of the last event or fact taken in."""
        self.moved: deque[Moved] = deque(maxlen=KEPT)
        self.dropped = 0
        """Time of the last entry or exit that is no longer remembered."""
        self.events = 0
        self.moving = 0
        """Events so far, and those that changed a membership: the reach of all rules together."""
        self.members: dict[int, int] = {}
        self.barred: dict[int, int] = {}
        self.short: dict[int, int] = {}
        """Segment number -> people in it; without a basis; with an answer from the lake."""
        self._due: dict[int, list[str]] = {}
        self._hours: list[int] = []
        self._held: dict[str, None] | None = None

    # --- start, rules, time --------------------------------------------------------------------------------------

    def load(self, rows: Iterable[tuple[str, Standing]]) -> int:
        """Count what was kept and note when to wake whom; gives how many stand by this plan's rules."""
        self.members, self.barred, self.short, self._due, self._hours = {}, {}, {}, {}, []
        current = 0
        for person, row in rows:
            self._tell(self.members, row.bits, 1)
            self._tell(self.barred, row.barred, 1)
            self._tell(self.short, row.short, 1)
            current += row.plan == self.plan.fingerprint
            if row.wake < NEVER:
                self._wake(person, row.wake)
        return current

    def use(self, plan: Plan) -> None:
        """Take other rules. Everybody is judged by them when next looked at: walk through all people with `review`."""
        hour = self.plan.hours.hour
        self.plan = plan
        plan.hours.turn(max(hour, self.now // HOUR))

    def turn(self, now: int, position: int) -> None:
        """Time goes on to `now` (ms), the log to `position`."""
        self.position = position
        if now > self.now:
            self.now = now
            self.plan.hours.turn(now // HOUR)

    def sweep(self, now: int) -> Iterator[None]:
        """Let time pass until `now`: who leaves by time alone leaves, hour by hour. Yields between slices of people."""
        count = 0
        while self._hours and self._hours[0] * HOUR <= now:
            hour = self._hours[0]
            self.turn(hour * HOUR, self.position)
            people = self._due.get(hour)
            while people:
                person = people.pop()
                row = self.standings.get(person)
                if row is not None and row.wake <= self.now:
                    self.find(person, "time")
                    count += 1
                    if count % SLICE == 0:
                        yield
            heappop(self._hours)
            self._due.pop(hour, None)
        self.turn(now, self.position)

    def review(self, people: Iterable[str]) -> Iterator[None]:
        """Judge people by the rules in force, those who already are passed over. Yields between slices."""
        for count, person in enumerate(people):
            row = self.standings.get(person)
            if row is None or row.plan != self.plan.fingerprint:
                self.find(person, "rule")
            if count % SLICE == SLICE - 1:
                yield

    def _wake(self, person: str, wake: int) -> None:
        hour = wake // HOUR
        people = self._due.get(hour)
        if people is None:
            self._due[hour] = [person]
            heappush(self._hours, hour)
        else:
            people.append(person)

    # --- events --------------------------------------------------------------------------------------------------

    def event(self, event: Event, node: Key) -> None:
        """Take in one event that is in its node's profile already."""
        self.events += 1
        plan = self.plan
        feed = plan.feeds.of(event)
        about = bool(event.consents) or (
            bool(plan.told) and (bool(event.traits) or "traits" in event.context)
        )
        if feed is None and not about:
            return
        person = self._people.id_of(node)
        if person is None:
            return
        row = self.standings.get(person)
        if row is not None and row.slack is not None and row.plan == plan.fingerprint and self.now < row.wake:
            self._advance(person, row, event, node, feed)
            if about:
                self._hear(person, row, event)
            return
        if row is not None and self.now >= row.wake:
            self.find(person, "time")
        if feed is not None:
            tally = self._tally(node)
            self.folding.fold(tally, event, feed)
        self.find(person, "event")

    def _tally(self, node: Key) -> Tally:
        tally = self.tallies.get(node)
        if tally is None:
            tally = {}
            self.tallies.put(node, tally)
        else:
            self.tallies.touch(node)
        return tally

    def _advance(self, person: str, row: Standing, event: Event, node: Key, feed: Feed | None) -> None:
        """Move a standing by one event."""
        if feed is None:
            return
        nodes, slack = row.nodes, row.slack
        assert slack is not None
        tally = self.tallies.get(node)
        if tally is None:
            tally = {}
            self.tallies.put(node, tally)
            row.nodes = nodes = (*nodes, node)
        else:
            self.tallies.touch(node)
        due = []
        time = event.time
        if feed.hours:
            hour = time // HOUR
            for number, slot in feed.hours:
                held = tally.get(number)
                if held is None:
                    tally[number] = [shared_hour(hour), 1]
                elif held[-2] == hour:
                    held[-1] += 1
                else:
                    fold_hour(held, hour)
                left = slack[slot] - 1
                if left:
                    slack[slot] = left
                else:
                    due.append(slot)
        for number, slot in feed.counts:
            held = tally.get(number)
            if held is None:
                tally[number] = [1, time, time]
            else:
                fold_count(held, time)
            left = slack[slot] - 1
            if left:
                slack[slot] = left
            else:
                due.append(slot)
        if feed.sums or feed.lists:
            self.folding.values(tally, event, feed)
        if due or feed.leaves:
            self._look(person, row, tally, due, feed)

    def _look(self, person: str, row: Standing, tally: Tally, due: list[int], feed: Feed) -> None:
        """Read again what the event may have changed."""
        plan, leaf, wake, slack = self.plan, row.leaf, row.wake, row.slack
        assert slack is not None
        hours = plan.hours
        tallies: list[Tally] = [tally] if len(row.nodes) == 1 else self._tallies(row.nodes)
        for slot in due:
            gauge = plan.gauges[slot]
            if gauge is None:
                slack[slot] = 255
                continue
            number = gauge.number
            rows = [one[number] for one in tallies if number in one]
            bits, slack[slot], turn = gauge.read(rows, hours)
            leaf = leaf & ~gauge.mask | bits
            wake = min(wake, turn)
        for place in feed.leaves:
            looked = plan.looked[place]
            holds, turn = looked.look(tallies, hours)
            leaf = leaf | looked.bit if holds else leaf & ~looked.bit
            wake = min(wake, turn)
        short = row.short
        if feed.lists and any(tally[number][0] != ALL for number, _, _ in feed.lists if number in tally):
            short = plan.missing(tallies)
        self._settle(person, row, leaf, short, wake, "event")

    def _hear(self, person: str, row: Standing, event: Event) -> None:
        """Read traits and consents again, where an event says something of them."""
        plan, leaf, wake, cause = self.plan, row.leaf, row.wake, "event"
        members = self._people.members_of(person)
        if event.consents:
            leaf = leaf & ~plan.consent_mask | plan.consent_bits(self._people.consents(members))
            cause = "consent" if leaf != row.leaf else "event"
        if plan.told and _writes(event, plan.trait_names):
            bits, turn = plan.told_bits(self._people.traits(members, plan.trait_names), self.now)
            leaf, wake = leaf & ~plan.told_mask | bits, min(wake, turn)
        self._settle(person, row, leaf, row.short, wake, cause)

    def _settle(self, person: str, row: Standing, leaf: int, short: int, wake: int, cause: str) -> None:
        """Judge the rules whose conditions changed, and tell."""
        if leaf != row.leaf:
            bits, barred = self.plan.judge_again(leaf, row.leaf, row.bits, row.barred)
            row.leaf = leaf
        else:
            bits, barred = row.bits, row.barred
        if bits != row.bits or barred != row.barred or short != row.short or wake < row.wake:
            self.standings.touch(person)
            self._change(person, row, bits, barred, short, cause)
            if wake < row.wake:
                row.wake = wake
                self._wake(person, wake)

    def _change(self, person: str, row: Standing, bits: int, barred: int, short: int, cause: str) -> None:
        """Take over new bits (of a row that is touched), count and tell."""
        if bits != row.bits:
            self.moving += cause in ("event", "consent", "identity")
            self._move(person, row.bits, bits, cause)
            row.bits = bits
        if barred != row.barred:
            self._tell(self.barred, barred & ~row.barred, 1)
            self._tell(self.barred, row.barred & ~barred, -1)
            row.barred = barred
        if short != row.short:
            self._tell(self.short, short & ~row.short, 1)
            self._tell(self.short, row.short & ~short, -1)
            row.short = short

    def _move(self, person: str, before: int, after: int, cause: str) -> None:
        changed, names, members = before ^ after, self.plan.names, self.members
        moved, position, now = self.moved, self.position, self.now
        while changed:
            low = changed & -changed
            changed ^= low
            number = low.bit_length() - 1
            entered = after & low != 0
            members[number] = members.get(number, 0) + (1 if entered else -1)
            name = names.get(number)
            if name is not None:
                if len(moved) == KEPT:
                    self.dropped = moved[0].time
                moved.append(Moved(position, now, person, name, entered, cause))

    def _tell(self, counts: dict[int, int], bits: int, by: int) -> None:
        for number in numbers_of(bits):
            counts[number] = counts.get(number, 0) + by

    # --- people --------------------------------------------------------------------------------------------------

    def met(self, before: tuple[Person, ...], after: tuple[Person, ...]) -> None:
        """The people of an event are others than before: called before the event is taken in."""
        if len(after) == 1 and len(before) <= 1:
            person, known = after[0], before[0].members if before else ()
            if not before or (before[0].id == person.id and person.id in self.standings):
                fresh = [key for key in person.members if key not in known]
                if len(fresh) + len(known) == len(person.members) and all(map(self._people.is_blank, fresh)):
                    if not before:
                        self._greet(person.id)
                    return
        for one in after:
            self.find(one.id, "identity", one.members)
        stay = {one.id for one in after}
        for one in before:
            if one.id not in stay:
                self._part(one.id, "identity")

    def regrouped(self, ids: Iterable[str]) -> None:
        """People are others than before, by hand or by erasure; `settled` finds them anew."""
        if self._held is None:
            self._held = {}
        self._held.update(dict.fromkeys(ids))

    def settled(self, cause: str = "identity") -> None:
        """Find anew whoever `regrouped` named."""
        held, self._held = self._held, None
        for person in held or ():
            if self._people.members_of(person):
                self.find(person, cause)
            else:
                self._part(person, cause)

    def _greet(self, person: str) -> None:
        """Somebody of whom nothing is known yet."""
        plan = self.plan
        leaf, bits, barred = plan.nothing, plan.nothing_bits, plan.nothing_barred
        if plan.buckets:
            more = leaf | plan.bucket_bits(person)
            bits, barred = plan.judge_again(more, leaf, bits, barred)
            leaf = more
        row = Standing(plan=plan.fingerprint, leaf=leaf, slack=bytearray(plan.slacks))
        self.standings.put(person, row)
        if bits or barred:
            self._change(person, row, bits, barred, 0, "event")

    def _part(self, person: str, cause: str) -> None:
        """Somebody is no more."""
        row = self.standings.get(person)
        if row is not None:
            row.bits &= self.plan.mask
            self._change(person, row, 0, 0, 0, cause)
            self.standings.delete(person)

    def forget(self, people: Collection[str]) -> None:
        """Forget the entries and exits of people (they were erased)."""
        self.moved = deque((one for one in self.moved if one.person not in people), maxlen=KEPT)

    def find(self, person: str, cause: str, members: tuple[Key, ...] | None = None) -> Standing | None:
        """Find somebody's standing anew from the tallies of their nodes; None (and no row) when there is no such person."""
        plan = self.plan
        members = self._people.members_of(person) if members is None else members
        if not members:
            self._part(person, cause)
            return None
        nodes = tuple([key for key in members if key in self.tallies])
        leaf, slack, wake, short = self._read(person, members, self._tallies(nodes))
        row = self.standings.get(person)
        if row is None:
            row = Standing()
            self.standings.put(person, row)
        if row.plan == plan.fingerprint and row.slack is not None:
            bits, barred = plan.judge_again(leaf, row.leaf, row.bits, row.barred)
        else:
            bits, barred = plan.judge(leaf)
        if (bits, barred, short, wake, plan.fingerprint) != (
            row.bits,
            row.barred,
            row.short,
            row.wake,
            row.plan,
        ):
            self.standings.touch(person)
        if row.plan != plan.fingerprint:
            self._retire(row)
        row.leaf, row.slack, row.nodes, row.plan = leaf, slack, nodes, plan.fingerprint
        self._change(person, row, bits, barred, short, cause)
        if wake != row.wake:
            row.wake = wake
            if wake < NEVER:
                self._wake(person, wake)
        return row

    def _retire(self, row: Standing) -> None:
        """Drop the bits of segments that are no more, without a word."""
        mask = self.plan.mask
        for counts, bits in ((self.members, row.bits), (self.barred, row.barred), (self.short, row.short)):
            self._tell(counts, bits & ~mask, -1)
        row.bits, row.barred, row.short = row.bits & mask, row.barred & mask, row.short & mask

    def _tallies(self, nodes: tuple[Key, ...]) -> list[Tally]:
        return [tally for node in nodes if (tally := self.tallies.get(node)) is not None]

    def _read(
        self, person: str, members: tuple[Key, ...], tallies: list[Tally]
    ) -> tuple[int, bytearray, int, int]:
        """Conditions, slacks, when to look again, and what the lake must answer."""
        plan, hours = self.plan, self.plan.hours
        leaf, slack, wake = plan.nothing, bytearray(plan.slacks), NEVER
        numbers = {number: None for tally in tallies for number in tally}
        places: dict[int, None] = {}
        for number in numbers:
            gauge = plan.gauge_of.get(number)
            if gauge is not None:
                rows: list[Row] = [tally[number] for tally in tallies if number in tally]
                bits, slack[plan.slots[number]], turn = gauge.read(rows, hours)
                leaf = leaf & ~gauge.mask | bits
                wake = min(wake, turn)
            places.update(dict.fromkeys(plan.looking.get(number, ())))
        for place in places:
            looked = plan.looked[place]
            holds, turn = looked.look(tallies, hours)
            leaf = leaf | looked.bit if holds else leaf & ~looked.bit
            wake = min(wake, turn)
        leaf = leaf & ~plan.consent_mask | plan.consent_bits(self._people.consents(members))
        if plan.told:
            bits, turn = plan.told_bits(self._people.traits(members, plan.trait_names), self.now)
            leaf, wake = leaf & ~plan.told_mask | bits, min(wake, turn)
        if plan.buckets:
            leaf |= plan.bucket_bits(person)
        short = plan.missing(tallies)
        if short:
            wake = min(wake, hours.begins(hours.today + 1))
        return leaf, slack, wake, short

    # --- reading -------------------------------------------------------------------------------------------------

    def standing(self, person: str) -> Standing | None:
        """Where somebody stands now, by the rules in force; None when there is no such person."""
        row = self.standings.get(person)
        if row is None or row.plan != self.plan.fingerprint:
            return self.find(person, "rule")
        if self.now >= row.wake:
            return self.find(person, "time")
        return row

    def values(self, person: str) -> dict[str, int | float | str]:
        """The computed traits of somebody, those without a value left out. First and last are times (ms)."""
        hours, found = self.plan.hours, {}
        tallies = self._tallies(self._people.members_of(person))
        for name, trait in self.plan.traits.items():
            value = trait.at(tallies, hours) if trait.is_moment else trait.value(tallies, hours)[0]
            if value is not None:
                found[name] = value
        return found


def _writes(event: Event, names: frozenset[str]) -> bool:
    told = event.context.get("traits")
    return not names.isdisjoint(event.traits) or (isinstance(told, dict) and not names.isdisjoint(told))
