"""One send, one person: the best offer over the send's channels and the hours they are reached at, decided as any ask is.

The placement is that whose best offer scores highest, the one named first where none does; the hour is the one at which
the person mostly visits and answers. Then the decision engine draws, with the chance that is recorded.
"""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import NamedTuple

from msgspec import structs

from patron.decide.compare import Tried, best, mixed_successes
from patron.decide.eligible import Known
from patron.decide.habits import ENOUGH, Slot, habit, is_open, ranked
from patron.decide.index import CatalogueIndex
from patron.decide.learn.ridge import Ridge
from patron.decide.limits import is_quiet
from patron.decide.record import Drawn, weigh
from patron.decide.stocks import Stock
from patron.experiments.assign import CONTROL, TREATED, arm
from patron.model.clock import HOUR, MINUTE
from patron.model.offers import Ahead, Ask, Catalogue, Placement
from patron.model.people import Key, Person
from patron.model.sends import Send, Sent
from patron.profiles.partial import Partial
from patron.rules.calendar import Calendar
from patron.runtime.decisions.answer import Answers
from patron.runtime.decisions.arms import JOINED
from patron.runtime.decisions.model import Model
from patron.runtime.sends.sent import decision_id
from patron.runtime.tables import DecisionRow
from patron.runtime.workspace import Workspace

ADDRESSES: Mapping[str, tuple[str, ...]] = {
    "email": ("email:",),
    "sms": ("phone:",),
    "call_centre": ("phone:",),
    "push": ("push_token:",),
}
"""Channel -> the identifiers that are an address of it; any other channel reaches everybody."""
ANSWERS = frozenset({"Message Opened", "Message Clicked", "Message Replied", "Offer Clicked", "Offer Accepted", "Offer Redeemed"})  # fmt: skip
"""Events by which somebody answers."""
_OURS = frozenset({"Message Sent", "Message Delivered", "Message Failed", "Message Suppressed", "Message Not Sent", "Offer Shown", "Decision Exposed"})  # fmt: skip
"""Events that say what we did, not what they did."""
_SILENT = frozenset({"backend", "crm", "paid_media"})
"""Channels on which nobody does anything by themselves."""
_FIRST = ("user_id:", "crm_id:", "email:", "phone:", "card:", "push_token:")
"""The identifier that a decision hangs on, the best first; then any other."""
_ZONES = 1_000


class Made(NamedTuple):
    """What was decided for one person."""

    drawn: Drawn
    sent: Sent
    row: DecisionRow


class StillModel(Model):
    """The model as it stands: what a send decides does not teach the rest of it, so a dry run foretells it."""

    def __init__(self, model: Model) -> None:
        self.__dict__.update(model.__dict__)
        self._of = model
        self._rows = {}
        self._still: dict[str, Ridge] = {}

    def ridge(self, kind: str) -> Ridge:
        """The regressions of a kind of reward."""
        found = self._still.get(kind)
        if found is None:
            found = self._still[kind] = deepcopy(self._of.ridge(kind))
        return found

    def joined(self, kind: str) -> Ridge:
        """The joint regression of a kind of reward."""
        found = self._still.get(f"{JOINED}:{kind}")
        if found is None:
            found = self._still[f"{JOINED}:{kind}"] = deepcopy(self._of.joined(kind))
        return found

    def refresh(self, kind: str) -> None:
        """Nothing is learned meanwhile."""


class Sender:
    """Decides for the people of one send.

    Parameters
    ----------
    started : when it began, ms: it is over `within` hours later.
    books : stocks and budgets of one's own, of a dry run; None = those that everybody shares.
    """

    def __init__(
        self,
        workspace: Workspace,
        answers: Answers,
        send: Send,
        started: int,
        books: dict[str, Stock] | None = None,
    ) -> None:
        self.send = send
        self.end = started + send.within * HOUR
        self._workspace = workspace
        self._answers = answers
        self._books = books
        self._model = StillModel(workspace.model)
        self._slots: dict[tuple[str, int], list[Slot]] = {}
        self.index = CatalogueIndex(Catalogue())
        """The catalogue that `ready` took up."""
        self._took_up = False
        self._places: list[Placement] = []
        self._mask = -1

    def ready(self) -> str:
        """Take up the catalogue in force; what is in the way of sending, in a sentence, or nothing."""
        index = self._answers.index
        if self._took_up and index is self.index:
            return ""
        problem = obstacle(self.send, index)
        if not problem:
            self.index, self._took_up = index, True
            self._places = [index.places_of[name] for name in self.send.placements]
            named = [1 << index.places[name] for name in self.send.offers]
            self._mask = sum(set(named)) if named else -1
        return problem

    def reach(self, person: Person) -> list[Placement]:
        """The placements by which a person can be reached: an address that is theirs alone is known."""
        return [place for place in self._places if has_address(self._workspace, person, place.channel)]

    def is_done(self, person: Person, beside: Iterable[str] = ()) -> bool:
        """Whether any identifier of theirs was decided for already; `beside` are decisions on their way to the log."""
        made, secret, send = self._workspace.decisions, self._workspace.secret, self.send.id
        names = [decision_id(secret, send, key) for key in person.members]
        return any(name in made or name in beside for name in names)

    def decide(self, person: Person, places: list[Placement]) -> Made:
        """The decision for one person over the placements that reach them. Nothing is recorded or reserved yet."""
        index, now = self.index, self._workspace.clock.now()
        key = _node_of(person)
        name = decision_id(self._workspace.secret, self.send.id, key)
        known = self._answers.foresee(Ask(places[0].id, channel=places[0].channel), key, person, now)
        slots, moments = self._hours(person, known.zone, now)
        model, tried = self._model.of(person.members), []
        for place in places:
            ask = self._ask(place, slots, known.zone, now)
            about = self._about(known, ask, now)
            terms = self._answers.terms(ask, name, key, person, known, place)
            policy = self._answers.policy(index, model, place.id, key, person)
            made = weigh(index, ask, about, terms, policy)
            tried.append((Tried(made, ask, about, self._answers.default(index, model)), terms, policy))
        one, terms, policy = tried[best(index, [one for one, *_ in tried])]
        drawn, ask, about = one.made, one.ask, one.known
        would, side = drawn.would, self._arm(key, person)
        if side == CONTROL:
            ahead = structs.replace(_ahead(ask), held=True)
            drawn = weigh(index, structs.replace(ask, ahead=ahead), about, terms, policy)
        due = _ahead(ask).at
        sent = Sent(self.send.id, due, known.zone.minute(due) // 60, side, would if side == CONTROL else drawn.would, moments)  # fmt: skip
        return Made(drawn, sent, self._answers.row(drawn, index, sent))

    def enter(self, made: Made) -> None:
        """Take what was decided from the books of a dry run."""
        if self._books is not None:
            self._workspace.given.try_out(self._books, made.row.grants)

    def _arm(self, key: Key, person: Person) -> str:
        """The sticky arm of this send's own holdout, drawn apart from all others."""
        if not self.send.holdout:
            return TREATED
        unit = self._answers.unit(key, person)
        return arm(self._workspace.secret, f"send/{self.send.id}", unit, self.send.holdout)

    def _ask(self, place: Placement, slots: list[Slot], zone: Calendar, now: int) -> Ask:
        quiet = self.index.catalogue.quiet
        loud = [at for _, at in slots if quiet is None or not is_quiet(quiet, place.channel, zone, at)]
        at = loud[0] if loud else slots[0][1] if slots else now
        return Ask(place.id, channel=place.channel, ahead=Ahead(at, self._mask, closed=not slots))

    def _about(self, known: Known, ask: Ask, now: int) -> Known:
        """The same person with what is left for the day on which it will be shown."""
        index = self.index
        if not index.limited:
            return known
        spent = self._workspace.given.spent(index, now, _ahead(ask).at, self._books)
        return structs.replace(known, spent=spent)

    def _hours(self, person: Person, zone: Calendar, now: int) -> tuple[list[Slot], int]:
        """The hours that are open, the likeliest first, and how many moments say so (0: nothing is known)."""
        visits, answers = _moments(self._workspace, person, zone)
        count = len(visits) + len(answers)
        slots = self._open(zone, now)
        if count < ENOUGH:
            return slots, 0
        return ranked(slots, habit(visits, answers)), count

    def _open(self, zone: Calendar, now: int) -> list[Slot]:
        """The next coming of each hour of the window before the send is over; the present hour begins now."""
        beginning = now // MINUTE
        found = self._slots.get((zone.zone, beginning))
        if found is None:
            if len(self._slots) >= _ZONES:
                self._slots.clear()
            first: dict[int, int] = {}
            at = now
            while at < self.end and at < now + 25 * HOUR:
                hour = zone.minute(at) // 60
                if is_open(self.send.hours, hour):
                    first.setdefault(hour, at)
                at = (at // HOUR + 1) * HOUR
            found = self._slots[zone.zone, beginning] = list(first.items())
        return found


def has_address(workspace: Workspace, person: Person, channel: str) -> bool:
    """Whether an address for a channel is known that is theirs alone."""
    kinds, graph = ADDRESSES.get(channel), workspace.graph
    if kinds is None:
        return True
    return any(key.startswith(kinds) and not graph.is_shared(key) for key in person.members)


def obstacle(send: Send, index: CatalogueIndex) -> str:
    """What of a catalogue is in the way of a send, in a sentence; empty when nothing is."""
    places = []
    for name in send.placements:
        place = index.places_of.get(name)
        if place is None:
            return f"there is no placement `{name[:64]}` in the catalogue"
        if not place.outbound or not place.channel:
            return f"the placement `{name}` is not for sending: give it `outbound = true` and a `channel`"
        places.append(place)
    mixed = mixed_successes(places)
    if mixed:
        return f"{mixed}: make a send of each"
    unknown = [name for name in send.offers if name not in index.by_id]
    return f"there is no offer `{unknown[0][:64]}` in the catalogue" if unknown else ""


def _ahead(ask: Ask) -> Ahead:
    if ask.ahead is None:
        raise RuntimeError("an ask of a send without the moment it is for")
    return ask.ahead


def _node_of(person: Person) -> Key:
    """The identifier that a person's decision hangs on: the same as long as the person is."""
    for kind in _FIRST:
        found = [key for key in person.members if key.startswith(kind)]
        if found:
            return min(found)
    return min(person.members)


def _moments(workspace: Workspace, person: Person, zone: Calendar) -> tuple[list[int], list[int]]:
    """The hours, where they are, of what somebody did lately, and of their answers."""
    visits: list[int] = []
    answers: list[int] = []
    for key in person.members:
        part: Partial | None = workspace.nodes.get(key)
        for time, name, channel, _, _ in () if part is None else part.recents:
            if name in _OURS or channel in _SILENT:
                continue
            (answers if name in ANSWERS else visits).append(zone.minute(time) // 60)
    return visits, answers
