"""The live execution: each event into its node's tally, and from there into what its person belongs to.

    an event -> its series -> the node's tally -> thresholds met? -> conditions -> rules -> who entered, who left

A person's standing is a function of the tallies of their nodes, their traits and consents, the rules and the clock. It is
moved along by events; whenever in doubt it is found anew from those, with the same result.
"""

from collections.abc import Collection, Iterable, Iterator

from patron.model.clock import HOUR
from patron.model.events import Event
from patron.model.people import Key, Person
from patron.model.ports import Table
from patron.segments.alarms import Alarms
from patron.segments.anew import again, read
from patron.segments.chains import ends_after
from patron.segments.feeds import Feed
from patron.segments.folding import Folding, fold_counted
from patron.segments.hours import NEVER
from patron.segments.people import People
from patron.segments.plan import Plan
from patron.segments.reach import Reach
from patron.segments.standing import Standing
from patron.segments.tally import (
    Tally,
)

SLICE = 25
"""People looked at before a caller may do something else."""


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
        self.reach = Reach()
        self.events = 0
        """Events taken in."""
        self.over: dict[str, None] = {}
        """People of whom some list was cut off where a segment looks; whoever no longer is goes with `answered`."""
        self.unanswered: dict[str, None] = {}
        """Those of them of whom other segments are in doubt than when their events were last asked."""
        self._alarms = Alarms()
        self._held: dict[str, None] | None = None

    # --- start, rules, time --------------------------------------------------------------------------------------

    def load(self, rows: Iterable[tuple[str, Standing]]) -> int:
        """Count what was kept and note when to wake whom; gives how many stand by this plan's rules."""
        self.reach, self._alarms = Reach(), Alarms()
        self.over, self.unanswered = {}, {}
        self.reach.complete_since = self.now
        current = 0
        for person, row in rows:
            self.reach.members.change(0, row.bits)
            self.reach.barred.change(0, row.barred)
            self.reach.short.change(0, row.short)
            if row.short:
                self.over[person] = self.unanswered[person] = None
            current += row.plan == self.plan.fingerprint
            if row.wake < NEVER:
                self._alarms.add(person, row.wake)
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
        while (hour := self._alarms.first) * HOUR <= now:
            self.turn(hour * HOUR, self.position)
            for person in self._alarms.ring(hour):
                row = self.standings.get(person)
                if row is not None and row.wake <= self.now:
                    self.find(person, "time")
                    count += 1
                    if count % SLICE == 0:
                        yield
        self.turn(now, self.position)

    def review(self, people: Iterable[str]) -> Iterator[None]:
        """Judge people by the rules in force, those who already are passed over. Yields between slices."""
        for count, person in enumerate(people):
            row = self.standings.get(person)
            if row is None or row.plan != self.plan.fingerprint:
                self.find(person, "rule")
            if count % SLICE == SLICE - 1:
                yield

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
        if row is not None and row.slack and row.plan == plan.fingerprint and self.now < row.wake:
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
        tally = self.tallies.get(node)
        if tally is None:
            tally = {}
            self.tallies.put(node, tally)
            row.nodes = (*row.nodes, node)
        else:
            self.tallies.touch(node)
        time = event.time
        aged = fold_counted(tally, time, feed)
        valued = feed.sums or feed.times or feed.texts or feed.numbers
        full = self.folding.values(tally, event, feed) if valued else False
        slack = row.slack - feed.ones
        row.slack = slack
        due = feed.highs & ~slack
        places = feed.leaves
        if not (due or aged or places or full or feed.starts):
            return
        tallies = [tally] if len(row.nodes) == 1 else self._tallies(row.nodes)
        for place, last in feed.starts:
            if full or ends_after(time, last, tallies):
                places += (place,)
        if due or aged or places or full:
            leaf, wake, row.slack = again(self.plan, row, tallies, due, aged, places)
            short = row.short
            row.cut |= full
            if row.cut and feed.relying:
                short = self.plan.missing(tallies)
                wake = min(wake, self.plan.hours.tomorrow) if short else wake
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
        if leaf != row.leaf or short != row.short:
            judging = self.plan.judging
            if row.short or short:
                bits, barred = judging.beside(leaf, short, row.bits, row.barred)
            else:
                bits, barred = judging.again(leaf, row.leaf, row.bits, row.barred)
            row.leaf = leaf
        else:
            bits, barred = row.bits, row.barred
        if bits != row.bits or barred != row.barred or short != row.short or wake < row.wake:
            self.standings.touch(person)
            self._change(person, row, bits, barred, short, cause)
            if wake < row.wake:
                row.wake = wake
                self._alarms.add(person, wake)

    def _change(self, person: str, row: Standing, bits: int, barred: int, short: int, cause: str) -> None:
        """Take over new bits (of a row that is touched), count and tell."""
        if bits != row.bits:
            self.reach.move(self.position, self.now, person, row.bits, bits, cause)
            row.bits = bits
        if barred != row.barred:
            self.reach.barred.change(row.barred, barred)
            row.barred = barred
        if short != row.short:
            self.reach.short.change(row.short, short)
            row.short = short
            if short:
                self.over[person] = self.unanswered[person] = None

    # --- people --------------------------------------------------------------------------------------------------

    def met(self, before: tuple[Person, ...], after: tuple[Person, ...]) -> None:
        """The people of an event are others than before: called before the event is taken in."""
        if len(after) == 1 and len(before) <= 1:
            person, known = after[0], set(before[0].members if before else ())
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
            bits, barred = plan.judging.again(more, leaf, bits, barred)
            leaf = more
        row = Standing(plan=plan.fingerprint, leaf=leaf, slack=plan.nothing_slack)
        self.standings.put(person, row)
        if bits or barred:
            self._change(person, row, bits, barred, 0, "event")

    def _part(self, person: str, cause: str) -> None:
        """Somebody is no more."""
        row = self.standings.get(person)
        if row is not None:
            self._retire(row)
            self._change(person, row, 0, 0, 0, cause)
            self.standings.delete(person)

    def forget(self, people: Collection[str]) -> None:
        """Forget the entries and exits of people (they were erased)."""
        self.reach.forget(people)

    def find(self, person: str, cause: str, members: tuple[Key, ...] | None = None) -> Standing | None:
        """Find somebody's standing anew from the tallies of their nodes; None (and no row) when there is no such person."""
        plan = self.plan
        members = self._people.members_of(person) if members is None else members
        if not members:
            self._part(person, cause)
            return None
        nodes = tuple([key for key in members if key in self.tallies])
        found = read(plan, self._people, person, members, self._tallies(nodes), self.now)
        leaf, wake, short = found.leaf, found.wake, found.short
        row = self.standings.get(person)
        if row is None:
            row = Standing()
            self.standings.put(person, row)
        if row.short or short:
            bits, barred = plan.judging.beside(leaf, short, row.bits, row.barred)
        elif row.plan == plan.fingerprint and row.slack:
            bits, barred = plan.judging.again(leaf, row.leaf, row.bits, row.barred)
        else:
            bits, barred = plan.judging.judge(leaf)
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
            if short:
                self.over[person] = self.unanswered[person] = None
        row.leaf, row.slack, row.cut = leaf, found.slack, found.cut
        row.nodes, row.plan = nodes, plan.fingerprint
        self._change(person, row, bits, barred, short, cause)
        if wake != row.wake:
            row.wake = wake
            if wake < NEVER:
                self._alarms.add(person, wake)
        return row

    def _retire(self, row: Standing) -> None:
        """Drop the bits of segments that are no more, without a word."""
        mask, reach = self.plan.judging.mask, self.reach
        for tellers, bits in (
            (reach.members, row.bits),
            (reach.barred, row.barred),
            (reach.short, row.short),
        ):
            tellers.change(bits, bits & mask)
        row.bits, row.barred, row.short = row.bits & mask, row.barred & mask, row.short & mask

    def _tallies(self, nodes: tuple[Key, ...]) -> list[Tally]:
        return [tally for node in nodes if (tally := self.tallies.get(node)) is not None]

    def answered(self, person: str, bits: int, barred: int, cause: str) -> None:
        """Take over how somebody stands to the segments in doubt (`Standing.short`), as their own events say.

        Other bits are left alone. It stands until the next answer, but for the lawful basis, which is heeded at once.
        """
        row = self.standing(person)
        short = 0 if row is None else row.short
        if row is None or not short:
            self.over.pop(person, None)
            return
        bits, barred = row.bits & ~short | bits & short, row.barred & ~short | barred & short
        if bits != row.bits or barred != row.barred:
            self.standings.touch(person)
            self._change(person, row, bits, barred, short, cause)

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

    def missing(self, person: str) -> Iterator[str]:
        """The computed traits of somebody that `values` cannot tell: a list was cut off inside the window."""
        tallies = self._tallies(self._people.members_of(person))
        return (name for name, trait in self.plan.traits.items() if trait.missing(tallies, self.plan.hours))


def _writes(event: Event, names: frozenset[str]) -> bool:
    told = event.context.get("traits")
    return not names.isdisjoint(event.traits) or (isinstance(told, dict) and not names.isdisjoint(told))
