"""What followed each decision, taught to the model: by the decision's id, or by the person within the placement's window.

A reward is worked out anew from all that is known whenever something may have changed it (a late order, a return, a merge, a
split), and the model gets the difference to what it was taught before: returns subtract, nothing counts twice.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct

from patron.decide.encoding import Record, look
from patron.decide.fallback import OWN
from patron.decide.index import CatalogueIndex
from patron.decide.kinds import kind_of
from patron.decide.learn.grid import REWARD_LIMIT, REWARD_STEP, reward_steps
from patron.decide.pace import MONTH
from patron.model.clock import DAY, HOUR
from patron.model.events import Event
from patron.model.money import UNIT
from patron.model.offers import NOTHING
from patron.model.people import Key
from patron.model.ports import Table
from patron.profiles.orders import Purchase
from patron.runtime.decisions.given import CLICKED_BY, SHOWN_BY
from patron.runtime.decisions.launches import UNSUBSCRIBED, Launches, is_goodbye
from patron.runtime.decisions.model import Looked, Model, looked_at, place_of
from patron.runtime.decisions.pace import Pace, is_paced
from patron.runtime.tables import DecisionRow

ORDERS = frozenset({"Order Completed", "Order Refunded", "Order Cancelled", "Order Updated"})
VISITS = frozenset({"Store Entered", "Card Scanned"})
_FRESH = 10_000
"""Decisions that may be on their way to the log."""
RETRACTED = "Outcome Retracted"
"""Says that what was told of a decision did not happen: its `kind` is one of `_FIELDS`."""
_FIELDS = {"view": "shown", "click": "clicked", "accept": "clicked", "visit": "visit"}
_NEVER = -1
"""As a time: it did not happen, whatever else is told."""
TOLD = frozenset({RETRACTED, *ORDERS, *VISITS, *SHOWN_BY, *CLICKED_BY, *UNSUBSCRIBED})
"""Events that may be a reward, or a goodbye."""


class Taught(Struct):
    """What the model was taught of one decision."""

    steps: int = 0
    """The reward so far, in steps of 2**-16."""
    visit: int = 0
    shown: int = 0
    clicked: int = 0
    """Times of the first of each after the decision, ms; 0 = none."""
    lost: bool = False
    """Whether the model was taught that a consent was withdrawn after it."""
    covered: int = 0
    """Of a question of the message budget: the time since the person was asked about before, ms; 0 = of none."""


class Rewards:
    """The rewards of one workspace.

    Parameters
    ----------
    asked : node -> its latest decisions.
    orders_of : the orders of a person, over all their nodes, as known now.
    members_of : all nodes of the person who has one.
    version : the catalogue that a decision was made with.
    launches : told of what followed, where policies are compared.
    pace : told of the questions about messages, where these have a budget.
    """

    def __init__(
        self,
        model: Model,
        taught: Table[Taught],
        decisions: Table[DecisionRow],
        asked: Table[list[str]],
        members_of: Callable[[Key], Iterable[Key]],
        orders_of: Callable[[Iterable[Key]], list[Purchase]],
        version: Callable[[str], CatalogueIndex],
        launches: Launches,
        pace: Pace,
    ) -> None:
        self._model = model
        self._taught = taught
        self._decisions = decisions
        self._asked = asked
        self._members_of = members_of
        self._orders_of = orders_of
        self._version = version
        self._launches = launches
        self._pace = pace
        self._fresh: dict[str, Looked] = {}

    def expect(self, decision: str, looked: Looked | None) -> None:
        """What a decision looked at that is on its way to the log: `decided` need not unpack it then."""
        if looked is not None:
            if len(self._fresh) >= _FRESH:
                self._fresh.clear()
            self._fresh[decision] = looked

    def decided(self, decision: str, row: DecisionRow) -> None:
        """A decision is durable: its choice was made at its features, and nothing has followed so far."""
        record = look(row.record)
        looked = self._fresh.pop(decision, None)
        if looked is None and record.rating is not None:
            looked = looked_at(record.rating.features)
        if looked is not None:
            place = place_of(self._version(row.catalogue), record.placement)
            self._model.observe(kind_of(place), row.action, looked, row.time)
            if place.outbound:
                self._model.sent(_sent(row), looked, row.time)
            self._taught.put(decision, Taught(covered=self._paced(row, record)))

    def _paced(self, row: DecisionRow, record: Record) -> int:
        """Count a question of the message budget; gives the time since the person was asked about before, 0 for others."""
        index = self._version(row.catalogue)
        wanted = index.catalogue.scoring.messages_a_month is not None
        if not wanted or row.held_out or not is_paced(place_of(index, record.placement)):
            return 0
        before = max(
            (one.time for one in self._questions(self._members_of(row.node))), default=row.time - DAY
        )
        covered = max(1, min(MONTH, row.time - before))
        self._pace.decided(row, record, index.catalogue, covered)
        return covered

    def _questions(self, members: Iterable[Key]) -> Iterator[DecisionRow]:
        """The latest question of the message budget of each node."""
        for key in members:
            for decision in reversed(self._asked.get(key) or ()):
                taught = self._taught.get(decision)
                row = self._decisions.get(decision) if taught is not None and taught.covered else None
                if row is not None:
                    yield row
                    break

    def forget(self, decision: str) -> None:
        """A decision is erased: what was learned from it is unlearned, to the last bit. Call it before its row goes."""
        row, taught = self._decisions.get(decision), self._taught.get(decision)
        if row is None or taught is None:
            return
        record, looked = self._looked_of(row)
        if looked is not None:
            place = place_of(self._version(row.catalogue), record.placement)
            if taught.steps:
                self._model.reward(kind_of(place), row.action, looked, -taught.steps, row.time)
            self._model.observe(kind_of(place), row.action, looked, row.time, -1)
            if taught.lost:
                self._model.left(_sent(row), looked, row.time, -1)
            if place.outbound:
                self._model.sent(_sent(row), looked, row.time, -1)
            if taught.covered:
                self._pace.decided(row, record, self._version(row.catalogue).catalogue, taught.covered, -1)
        self._taught.delete(decision)

    def of(self, decision: str) -> float:
        """What followed a decision so far; 0 for one that nothing was learned from."""
        taught = self._taught.get(decision)
        return 0.0 if taught is None else taught.steps * REWARD_STEP

    def steps(self, decision: str) -> int:
        """The same in whole steps of 2**-16."""
        taught = self._taught.get(decision)
        return 0 if taught is None else taught.steps

    def event(self, event: Event, node: Key) -> None:
        """Take in one event of `TOLD` that is in its node's profile already."""
        told = event.properties
        named = told.get("decision_id") or told.get("decisionId")
        if isinstance(named, str) and (event.name in SHOWN_BY or event.name in CLICKED_BY):
            self._by_name(named, event)
        if isinstance(named, str) and event.name == RETRACTED:
            self._retract(named, told.get("kind"))
        if event.name in UNSUBSCRIBED:
            if is_goodbye(event.name, (claim.granted for claim in event.consents)):
                self._launches.left(node, event.time)
                self._withdrawn(tuple(self._members_of(node)), event.time)
        elif event.name in ORDERS or event.name in VISITS:
            self._by_person(node, event if event.name in VISITS else None)

    def regrouped(self, people: Iterable[Iterable[Key]]) -> None:
        """These people are others than before: what followed is theirs together now."""
        for members in people:
            self._of_people(tuple(members), None)

    def _by_name(self, decision: str, event: Event) -> None:
        row, taught = self._decisions.get(decision), self._taught.get(decision)
        if row is None or taught is None:
            return
        self._taught.touch(decision)
        time = max(event.time, row.time)
        if event.name in SHOWN_BY or not taught.shown:
            taught.shown = min(taught.shown or time, time)
        if event.name in CLICKED_BY:
            taught.clicked = min(taught.clicked or time, time)
        # what a touchpoint decided by itself is heard of late: the orders may be here already
        late = self._orders_of(tuple(self._members_of(row.node))) if decision.startswith(OWN) else None
        self._teach(decision, row, taught, late)

    def _retract(self, decision: str, kind: object) -> None:
        row, taught = self._decisions.get(decision), self._taught.get(decision)
        if row is not None and taught is not None and isinstance(kind, str) and kind in _FIELDS:
            self._taught.touch(decision)
            setattr(taught, _FIELDS[kind], _NEVER)
            self._teach(decision, row, taught, None)

    def _by_person(self, node: Key, visit: Event | None) -> None:
        self._of_people(tuple(self._members_of(node)), visit)

    def _of_people(self, members: tuple[Key, ...], visit: Event | None) -> None:
        orders: list[Purchase] | None = None
        times: list[int] = []
        for decision, row, taught in self._open(members):
            if visit is not None:
                if visit.time > row.begins and (not taught.visit or visit.time < taught.visit):
                    self._taught.touch(decision)
                    taught.visit = visit.time
                    self._teach(decision, row, taught, None)
                continue
            if orders is None:
                orders = self._orders_of(members)
                times = sorted([order.time for order in orders])
            # what nothing was bought after has nothing to unlearn either, as long as it was taught nothing
            if taught.steps or self._is_followed(row, times):
                self._teach(decision, row, taught, orders)

    def _is_followed(self, row: DecisionRow, times: list[int]) -> bool:
        """Whether one of these times (ascending) is soon enough after a decision to be credited to it."""
        at = bisect_right(times, row.begins)
        return at < len(times) and times[at] <= row.begins + self._version(row.catalogue).window

    def _withdrawn(self, members: tuple[Key, ...], time: int) -> None:
        """Somebody withdrew a consent: put down to what was sent to them in its window, or to the silence of that time."""
        before: list[tuple[str, DecisionRow, Taught, Looked]] = []
        for decision, row, taught in self._open(members):
            record, looked = self._looked_of(row)
            place = place_of(self._version(row.catalogue), record.placement)
            if place.outbound and looked is not None and 0 <= time - row.begins <= place.window_hours * HOUR:
                before.append((decision, row, taught, looked))
        sent = any(row.action != NOTHING for _, row, _, _ in before)
        for decision, row, taught, looked in before:
            if not taught.lost and (row.action != NOTHING) == sent:
                self._taught.touch(decision)
                taught.lost = True
                self._model.left(_sent(row), looked, row.time)

    def _looked_of(self, row: DecisionRow) -> tuple[Record, Looked | None]:
        record = look(row.record)
        return record, looked_at(record.rating.features) if record.rating is not None else None

    def _open(self, members: Iterable[Key]) -> Iterator[tuple[str, DecisionRow, Taught]]:
        for key in members:
            for decision in self._asked.get(key) or ():
                taught = self._taught.get(decision)
                row = None if taught is None else self._decisions.get(decision)
                if row is not None and taught is not None:
                    yield decision, row, taught

    def _teach(
        self, decision: str, row: DecisionRow, taught: Taught, orders: Iterable[Purchase] | None
    ) -> None:
        """Bring the model up to what is known of a decision now; without `orders` those are as they were.

        An order is put before all decisions of its person: what one looked at is unpacked only where its reward changed.
        """
        record = look(row.record)
        if record.rating is None:
            return
        index = self._version(row.catalogue)
        place = place_of(index, record.placement)
        end = row.begins + place.window_hours * HOUR
        if place.reward in ("order", "margin"):
            if orders is None:
                return
            worth = _bought(index, row, place.reward, end, orders)
        else:
            at = {"view": taught.shown, "click": taught.clicked, "visit": taught.visit}[place.reward]
            worth = 1.0 if row.time <= at <= end and at else 0.0
        steps = reward_steps(max(-REWARD_LIMIT, min(REWARD_LIMIT, worth)))
        if steps == taught.steps:
            return
        looked = looked_at(record.rating.features)
        if looked is not None:
            self._taught.touch(decision)
            self._model.reward(kind_of(place), row.action, looked, steps - taught.steps, row.time)
            self._launches.taught(row, record, steps - taught.steps)
            taught.steps = steps


def _sent(row: DecisionRow) -> str:
    """Under what it is learned whether people leave: the channel that was used, or that nothing was sent."""
    return NOTHING if row.action == NOTHING else row.channel


def _bought(
    index: CatalogueIndex, row: DecisionRow, reward: str, end: int, orders: Iterable[Purchase]
) -> float:
    """Orders inside the window: whether there was one, or what stayed of their revenue."""
    since = row.begins
    net = sum(order.net for order in orders if since < order.time <= end and not order.cancelled)
    if reward == "order":
        return 1.0 if net > 0 else 0.0
    offer = index.by_id.get(row.action)
    margins = [one.margin for one in index.offers] if offer is None else [offer.margin]
    return net / UNIT * (sum(margins) / len(margins) if margins else 1.0)
