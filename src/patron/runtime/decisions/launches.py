"""The launch path at work: who decides at a placement for whom, and what followed, as guards look at it.

Which policies there are and how far each has come are rows of the state, changed by facts. The counts behind the guards are
kept in memory only, and made again from the recorded decisions at every start.
"""

from collections.abc import Callable, Iterable, Iterator

from msgspec import structs

from patron.decide.encoding import Record, look
from patron.decide.gates import GATES
from patron.decide.index import CatalogueIndex
from patron.decide.launch import guards
from patron.decide.launch.ranking import Ranked, catalogue_for
from patron.decide.launch.stages import SHARES, SHOWN_TO_SOME
from patron.decide.launch.tally import CHALLENGER, CHAMPION, Tally
from patron.decide.rating import Model
from patron.decide.rating import Policy as Ranking
from patron.decide.record import POLICY, TREATED
from patron.decide.scoring import Scorer
from patron.experiments.assign import arm
from patron.model.offers import NOTHING
from patron.model.people import Key
from patron.model.policies import GuardFigure, Launch, Move, Policy
from patron.model.ports import Table
from patron.profiles.partial import Partial
from patron.runtime.tables import DecisionRow

UNSUBSCRIBED = frozenset({"Unsubscribed", "Email Marked as Spam", "Consent Changed"})
"""Events by which somebody may leave."""
_UNSCORED = GATES.index("score")
_CATALOGUES = 8
"""Catalogues for which a policy's scorer is remembered."""


class Scored:
    """A policy, with its scorer for each catalogue."""

    def __init__(self, policy: Policy, name: str) -> None:
        self.policy = policy
        self.name = name
        self._scorers: dict[str, Scorer] = {}

    def scorer(self, index: CatalogueIndex) -> Scorer:
        """The scorer of a catalogue under this policy's formula."""
        found = self._scorers.get(index.version)
        if found is None:
            if len(self._scorers) >= _CATALOGUES:
                self._scorers.clear()
            found = self._scorers[index.version] = Scorer(catalogue_for(self.policy, index.catalogue))
        return found

    def ranking(self, index: CatalogueIndex, model: Model) -> Ranking:
        """What ranks for the person of the model."""
        return Ranked(self.policy, self.scorer(index), model, self.name)


class Here:
    """Who decides at one placement, where that is not simply the default."""

    def __init__(self, secret: bytes, *, even: bool) -> None:
        self.champion: Scored | None = None
        """None: the default of the settings."""
        self.challenger: Scored | None = None
        self.share = 0.0
        """Of people for whom the challenger decides."""
        self.watched = False
        """Whether a policy is in shadow, which needs scores in the records."""
        self._secret = secret
        self._even = Scored(Policy(POLICY, "All alike", (), "uniform"), POLICY) if even else None

    def ranks(self, unit: Key, index: CatalogueIndex, model: Model) -> Ranking | None:
        """What ranks for somebody; None: the default. Sticky, and a larger share keeps who was in."""
        chosen = self.champion
        if self.challenger is not None and self.is_in(unit):
            chosen = self.challenger
        if chosen is None and self.watched:
            chosen = self._even
        return None if chosen is None else chosen.ranking(index, model)

    def is_in(self, unit: Key) -> bool:
        """Whether the challenger decides for somebody; never for whom nothing is known to hold on to."""
        if self.challenger is None or not unit:
            return False
        return arm(self._secret, f"policy/{self.challenger.name}", unit, self.share) != TREATED


class Launches:
    """The policies of one workspace.

    Parameters
    ----------
    even : whether the default draws all alike, and so records no scores.
    names_of : a node, the others of its person, and that person.
    """

    def __init__(
        self, table: Table[Launch], secret: bytes, names_of: Callable[[Key], Iterable[str]], *, even: bool
    ) -> None:
        self._table = table
        self._secret = secret
        self._names_of = names_of
        self._even = even
        self.here: dict[str, Here] = {}
        """Placement -> who decides there; placements where only the default does are not in it."""
        self._tallies: dict[str, tuple[Launch, Tally]] = {}
        """Placement -> what is compared there now."""
        self._take()

    # --- what there is ------------------------------------------------------------------------------------------

    def all(self) -> list[Launch]:
        """Every policy, by id."""
        rows = [row for name in self._table.keys() if (row := self._table.get(name)) is not None]
        return sorted(rows, key=lambda row: row.policy.id)

    def get(self, name: str) -> Launch | None:
        """One policy."""
        return self._table.get(name)

    def champion(self, placement: str) -> Launch | None:
        """The policy that decides for everybody at a placement; None: the default of the settings."""
        rows = [one for one in self.all() if one.stage == "100%" and placement in one.policy.placements]
        return max(rows, key=lambda row: row.position, default=None)

    def challenger(self, placement: str) -> Launch | None:
        """The policy that decides there for some."""
        return next(
            (one for one in self.all() if one.stage in SHOWN_TO_SOME and placement in one.policy.placements),
            None,
        )

    def policy_of(self, decided_as: str) -> Policy | None:
        """The policy behind a name in records, of any version; None for the defaults."""
        name, _, version = decided_as.rpartition("-")
        held = self._table.get(name)
        if held is None or not version.isdecimal():
            return None
        versions = (*held.earlier, held.policy)
        at = int(version) - 1
        return versions[at] if 0 <= at < len(versions) else None

    def closed(self, launch: Launch, placement: str, before: int) -> int:
        """Decisions that a policy made in this stage at a placement before a time."""
        of, tally = self._tallies.get(placement, (None, None))
        return (
            tally.before(before)
            if tally is not None and of is not None and of.policy.id == launch.policy.id
            else 0
        )

    def figures(self, launch: Launch) -> list[GuardFigure]:
        """The guards of a policy as they stand; none while it is not shown to some."""
        tallies = {
            place: tally for place, (of, tally) in self._tallies.items() if of.policy.id == launch.policy.id
        }
        return guards.look(launch.policy, tallies) if tallies else []

    @property
    def live(self) -> list[Launch]:
        """Policies that are compared with a champion now."""
        return [one for one in self.all() if one.stage in SHOWN_TO_SOME] if self._tallies else []

    # --- facts --------------------------------------------------------------------------------------------------

    def saved(self, policy: Policy, by: str, time: int, position: int) -> None:
        """A policy was saved: a new version begins as a draft."""
        held = self._table.get(policy.id)
        if held is not None and held.policy == policy:
            return
        version = 1 if held is None else held.version + 1
        move = Move(time, by, "" if held is None else held.stage, "draft", version)
        moves = (move,) if held is None else (*held.moves, move)
        earlier = () if held is None else (*held.earlier, held.policy)
        self._table.put(policy.id, Launch(policy, version, "draft", time, position, moves, earlier))
        self._take()

    def moved(self, name: str, move: Move, position: int) -> None:
        """A policy came to another stage."""
        held = self._table.get(name)
        if held is None:
            return
        changed = {"stage": move.to, "since": move.time, "position": position, "moves": (*held.moves, move)}
        self._table.put(name, structs.replace(held, **changed))
        self._take()

    def _take(self) -> None:
        """Work out who decides where; a stage that began counts anew."""
        here: dict[str, Here] = {}
        tallies: dict[str, tuple[Launch, Tally]] = {}
        for one in sorted(self.all(), key=lambda row: row.position):
            if one.stage != "shadow" and one.stage not in SHARES:
                continue
            for place in one.policy.placements:
                at = here.setdefault(place, Here(self._secret, even=self._even))
                self._place(at, one)
                if one.stage in SHOWN_TO_SOME:
                    before = self._tallies.get(place)
                    same = before is not None and before[0].position == one.position
                    tallies[place] = before if before is not None and same else (one, Tally())
        self.here, self._tallies = here, tallies

    def _place(self, at: Here, one: Launch) -> None:
        if one.stage == "shadow":
            at.watched = True
        elif one.stage == "100%":
            at.champion = Scored(one.policy, one.decides_as)
        else:
            at.challenger, at.share = Scored(one.policy, one.decides_as), SHARES[one.stage]

    # --- what followed ------------------------------------------------------------------------------------------

    def decided(self, row: DecisionRow) -> None:
        """Count a decision where two policies are compared."""
        if not self._tallies or row.group != TREATED or row.held_out:
            return
        record = look(row.record)
        found = self._group(record, row.time)
        if found is not None:
            tally, group = found
            gates = record.gates
            unscored = len(gates) > _UNSCORED and any(gates[_UNSCORED])
            tally.decided(_unit(record), group, row.begins, nothing=row.action == NOTHING, unscored=unscored)

    def taught(self, row: DecisionRow, record: Record, steps: int) -> None:
        """What followed a decision changed, by so many steps of a reward."""
        if not self._tallies or row.group != TREATED or row.held_out or not steps:
            return
        found = self._group(record, row.time)
        if found is not None:
            found[0].rewarded(_unit(record), found[1], steps)

    def left(self, node: Key, time: int) -> None:
        """Somebody unsubscribed."""
        if self._tallies:
            self._left(self._names_of(node), time)

    def _left(self, names: Iterable[str], time: int) -> None:
        for launch, tally in self._tallies.values():
            if time >= launch.since:
                for name in names:
                    if tally.knows(hash(name)):
                        tally.left(hash(name))

    def _group(self, record: Record, time: int) -> tuple[Tally, int] | None:
        held = self._tallies.get(record.placement)
        if held is None:
            return None
        launch, tally = held
        if time < launch.since:
            return None
        return tally, CHALLENGER if record.policy == launch.decides_as else CHAMPION

    def recount(
        self,
        decisions: Iterable[tuple[str, DecisionRow]],
        steps_of: Callable[[str], int],
        nodes: Table[Partial],
    ) -> None:
        """Make the counts again from what is recorded, after a start."""
        self._tallies = {place: (launch, Tally()) for place, (launch, _) in self._tallies.items()}
        if not self._tallies:
            return
        first = min(launch.since for launch, _ in self._tallies.values())
        asked: dict[Key, set[str]] = {}
        for name, row in decisions:
            if row.time >= first:
                self.decided(row)
                record = look(row.record)
                self.taught(row, record, steps_of(name))
                asked.setdefault(row.node, set()).add(record.person)
        for node, people in asked.items():
            for time in _goodbyes(nodes.get(node)):
                self._left((node, *people), time)


def is_goodbye(name: str, granted: Iterable[bool]) -> bool:
    """Whether an event means that somebody left: unsubscribed, called it spam, or took a consent back.

    >>> is_goodbye("Unsubscribed", ()), is_goodbye("Consent Changed", [True]), is_goodbye("Consent Changed", [False])
    (True, False, True)
    """
    return name in UNSUBSCRIBED and (name != "Consent Changed" or not all(granted))


def _goodbyes(part: Partial | None) -> Iterator[int]:
    """When somebody left, as their node remembers."""
    if part is None:
        return
    for time, name, *_ in part.recents:
        if name in UNSUBSCRIBED and name != "Consent Changed":
            yield time
    for change in part.history or ():
        if not change.granted:
            yield change.stamp[0]


def _unit(record: Record) -> int:
    """A number for the person of a record: their name is kept nowhere."""
    return hash(record.person or record.node or record.id)
