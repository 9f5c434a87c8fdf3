"""One person or account as the reference execution of rules sees it: its own events from the log, and what follows from them.

Right by definition and slow: for explanations, estimates from a sample, and whatever is not kept live.
"""

import asyncio
from collections.abc import Callable, Collection, Generator
from typing import Any

from patron.model.errors import BadRequest, NotFound
from patron.model.events import Event
from patron.model.people import Key, Person
from patron.rules.basis import purposes
from patron.rules.calendar import Calendar
from patron.rules.consent import lawful
from patron.rules.evaluate import computed, evaluate
from patron.rules.history import History, history_of
from patron.rules.tree import Computed, Segment
from patron.rules.tree import Subject as Kind
from patron.runtime.people import people
from patron.runtime.segments.definitions import Active
from patron.runtime.workspace import Workspace

MOST_EVENTS = 5_000
"""Newest events of one subject that an answer reads; it says so when there are more."""
BREATH = 50
"""Events read between two breaths."""
RECALLED = 100 * BREATH
"""Events read from the lake at once, where the log no longer has them."""
LOOKED = 2_000
"""Nodes looked through between two breaths."""
GROUPED = ("account:", "household:")


class Subject:
    """A subject with its history, its segments and its computed traits at one moment."""

    def __init__(
        self,
        workspace: Workspace,
        name: str,
        events: list[Event],
        *,
        whole: bool,
        account: bool = False,
    ) -> None:
        self.name = name
        """`p_...` of a person, the group id of an account, `h_...` of a household."""
        self.whole = whole
        """Whether `history` holds all events, not just the newest."""
        self.now = workspace.clock.now()
        self.calendar = calendar_of(workspace)
        self._active = workspace.definitions.active()
        self._opt_in = workspace.settings.decide.opt_in
        self._held: dict[str, bool] = {}
        self._values: dict[str, Any] = {}
        self.history: History = _answering(
            history_of(
                events,
                name,
                now=self.now,
                account=account,
                stores=workspace.feeds.locations(),
                collection=workspace.settings.profiles.collection_purposes,
            ),
            self.is_in,
            self.computed,
        )

    def use(self, active: Active) -> None:
        """Answer by other definitions than those in force (a definition that is only being tried)."""
        self._active, self._held, self._values = active, {}, {}

    def at(self, now: int) -> None:
        """Answer as of another moment, as if no event came until then."""
        self.now, self._held, self._values = now, {}, {}

    def is_in(self, name: str) -> bool:
        """Whether the subject is in a segment in force: its rule holds and its purpose is lawful."""
        if name not in self._held:
            self._held[name] = False  # a cycle is refused when it is saved; a damaged one must end here too
            segment = self._active.segments.get(name)
            self._held[name] = segment is not None and self.matches(segment)
        return self._held[name]

    def matches(self, segment: Segment) -> bool:
        """Whether the subject is in this segment, be it in force or not."""
        return self.has_basis(segment.purpose) and evaluate(
            segment.rule, self.history, self.now, self.calendar
        )

    def has_basis(self, purpose: str) -> bool:
        """Whether a rule of this purpose may see the subject."""
        return lawful(purpose, self.history.consents, self._opt_in)

    def computed(self, name: str) -> Any:
        """The value of a computed trait in force; None where it has none."""
        if name not in self._values:
            trait = self._active.traits.get(name)
            self._values[name] = computed(trait, self.history, self.now, self.calendar) if trait else None
        return self._values[name]


class Grouped(Subject):
    """People together, as if they were one: an account, or a household.

    Parameters
    ----------
    account : its traits are those of group calls.
    """

    barred = False
    """None of its people may be looked at for the purposes it was found for."""

    def has_basis(self, purpose: str) -> bool:  # noqa: ARG002 - only people count who have one
        """Whether anybody of it may be looked at."""
        return not self.barred


def calendar_of(workspace: Workspace) -> Calendar:
    """Days of the business's zone."""
    return Calendar(workspace.settings.business.timezone)


async def find(workspace: Workspace, name: str, item: Segment | Computed) -> Subject:
    """The subject of a definition by `namespace:value`, `p_...`, or for rules about others `account:ID`, `household:ID`.

    Raises NotFound, Gone (an erased person) or BadRequest.
    """
    kind = item.subject
    if kind == "person":
        if name.startswith(GROUPED):
            raise BadRequest(
                "bad_subject",
                "This is about people: write namespace:value, for example email:anna@mail.example.",
            )
        return await of_person(workspace, people.find(workspace, name))
    if not name.startswith(f"{kind}:"):
        raise BadRequest("bad_subject", f"This is about {kind}s: write {kind}:ID.")
    segments = workspace.definitions.active().segments
    needed = purposes(item, segments) if isinstance(item, Segment) else ()
    return await of_group(workspace, kind, name.removeprefix(f"{kind}:"), needed)


async def of_person(workspace: Workspace, person: Person, most: int = MOST_EVENTS) -> Subject:
    """A person with their newest events."""
    members = set(person.members)
    rows = people.rows(workspace, person)
    events = await _read(workspace, [row.position for row in rows][-most:], members.__contains__)
    return Subject(workspace, person.id, events, whole=len(rows) <= most)


def reading(workspace: Workspace, person: Person) -> Generator[None, None, Subject]:
    """A person with all their events, however many; yields between slices."""
    members = set(person.members)
    positions = [row.position for row in people.rows(workspace, person)]
    events = []
    for at, position in enumerate(positions):
        if at % RECALLED == 0:
            workspace.recall(positions[at : at + RECALLED])
        hit = workspace.event_at(position)
        if hit is not None and hit[1].node in members:
            events.append(hit[0])
        if at % BREATH == BREATH - 1:
            yield
    return Subject(workspace, person.id, events, whole=True)


def stand_of(subject: Subject, segment: Segment) -> int:
    """How a subject stands to a segment by its own events, as the lake tells it.

    0: out; 1: in; 2: it would be, had it a lawful basis.
    """
    if not evaluate(segment.rule, subject.history, subject.now, subject.calendar):
        return 0
    return 1 if subject.has_basis(segment.purpose) else 2


async def of_group(
    workspace: Workspace, kind: Kind, name: str, needed: Collection[str] = (), most: int = MOST_EVENTS
) -> Grouped:
    """An account or household with the events of its people, of those who may be looked at for the purposes `needed`."""
    everybody = await _people_of(workspace, kind, name)
    if not everybody:
        raise NotFound(f"unknown_{kind}", f"No {kind} {name[:60]} is known: nobody belongs to it.")
    seen = [person for person in everybody if _may_see(workspace, person, needed)]
    members = {key for person in seen for key in person.members}
    rows = sorted({(r.time, r.position) for person in seen for r in people.rows(workspace, person)})
    events = await _read(workspace, [position for _, position in rows][-most:], members.__contains__)
    found = Grouped(workspace, name, events, whole=len(rows) <= most, account=kind == "account")
    found.barred = not seen
    return found


async def _people_of(workspace: Workspace, kind: Kind, name: str) -> list[Person]:
    """Everybody is looked through, in slices."""
    found = dict[str, Person]()
    nodes = list(workspace.members.keys()) if kind == "account" else workspace.households.nodes()
    for at, node in enumerate(nodes):
        if at % LOOKED == 0:
            await asyncio.sleep(0)
        if _belongs(workspace, kind, node, name) and (person := workspace.graph.person_of(node)) is not None:
            found[person.id] = person
    if kind == "account":
        return list(found.values())
    home = [person for person in found.values() if workspace.households.of(person.members) == name]
    return home if len(home) <= workspace.settings.identity.household_people else []


def _belongs(workspace: Workspace, kind: Kind, node: Key, name: str) -> bool:
    if kind == "household":
        return workspace.households.of([node]) == name
    held = workspace.members.get(node)
    return held is not None and name in held.groups


def _may_see(workspace: Workspace, person: Person, needed: Collection[str]) -> bool:
    said, opt_in = workspace.census.consents(person.members), workspace.settings.decide.opt_in
    return all(lawful(purpose, said, opt_in) for purpose in needed)


async def _read(workspace: Workspace, positions: list[int], own: Callable[[Key], bool]) -> list[Event]:
    """The events at these positions that are of nodes of the subject; takes breaths, so that others are served."""
    found = []
    for at, position in enumerate(positions, 1):
        hit = workspace.event_at(position)
        if hit is not None and own(hit[1].node):
            found.append(hit[0])
        if at % BREATH == 0:
            await asyncio.sleep(0)
    return found


def _answering(history: History, member: Callable[[str], bool], value: Callable[[str], Any]) -> History:
    return History(
        history.subject, history.events, history.traits, history.consents, history.stores, member, value
    )
