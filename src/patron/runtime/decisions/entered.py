"""Who came in: events that a placement waits for, from the moment they are applied until something was decided for each.

A row waits from its event on and goes with the decision (or the note that none is made), which are facts of the log under an id
that follows from the event. So a process that is killed goes on where it was, and replay acts on nobody.
"""

import asyncio
from collections.abc import Iterable

from msgspec import Struct

from patron.decide.grants import RESERVED
from patron.decide.index import CatalogueIndex
from patron.model.events import Event
from patron.model.people import Key
from patron.model.ports import Table
from patron.runtime.decisions.trends import store_of
from patron.runtime.sends.sent import decision_id
from patron.runtime.tables import DecisionRow

PASSED = "Entry Passed"
"""The fact that nothing is decided for an entry: its data is the id that the decision would have had."""
FRESH = RESERVED
"""An event that is told of later than this, ms, begins nothing: whoever came in has gone."""


class Waiting(Struct, frozen=True, array_like=True):
    """An event that a placement waited for."""

    placement: str
    position: int
    """Of the event, in the log: what is decided stands in the outbox in this order."""
    time: int
    store: str = ""


class Last(Struct, frozen=True, array_like=True):
    """The latest decision that an event began at a placement."""

    time: int
    decision: str


class Entry(Struct):
    """What waits for a node, by the id of the decision that it will have, and the latest decision by placement."""

    waiting: dict[str, Waiting] = {}
    last: dict[str, Last] = {}


def outbox(placement: str) -> str:
    """Where the decisions of a placement that events begin stand among sends; no send has this id.

    >>> outbox("entry_push")
    'entry/entry_push'
    """
    return f"entry/{placement}"


class Entered:
    """Entries of one workspace.

    Parameters
    ----------
    secret : of the workspace, for ids that nobody outside foresees.
    """

    def __init__(self, rows: Table[Entry], secret: bytes) -> None:
        self._rows = rows
        self._secret = secret
        self.triggers: dict[str, tuple[str, ...]] = {}
        """Event -> the placements that wait for it."""
        self.came = asyncio.Event()
        """Set when something waits: whoever decides need not look again and again."""
        self._nodes = {name: node for node, row in rows.items() for name in row.waiting}

    def use(self, index: CatalogueIndex) -> None:
        """Another catalogue is in force."""
        self.triggers = {}
        for place in index.places_of.values():
            if place.trigger:
                self.triggers[place.trigger] = (*self.triggers.get(place.trigger, ()), place.id)

    # --- what the log tells -------------------------------------------------------------------------------------------

    def event(self, event: Event, node: Key) -> None:
        """Take in one event of `triggers`."""
        if event.received - event.time >= FRESH:
            return
        row = self._row(node)
        for placement in self.triggers[event.name]:
            name = decision_id(self._secret, outbox(placement), event.uid)
            row.waiting[name] = Waiting(placement, event.position, event.time, store_of(event))
            self._nodes[name] = node
        self.came.set()

    def decided(self, decision: str, made: DecisionRow) -> None:
        """A decision is in force; those of no entry are passed over."""
        if made.sent is None or not made.sent.send.startswith(outbox("")):
            return
        self._gone(decision)
        self._row(made.node).last[made.sent.send.removeprefix(outbox(""))] = Last(made.time, decision)

    def passed(self, decision: str) -> None:
        """Nothing is decided for an entry."""
        self._gone(decision)

    def drop(self, node: Key) -> None:
        """A node is erased."""
        row = self._rows.get(node)
        for name in () if row is None else row.waiting:
            self._nodes.pop(name, None)
        self._rows.delete(node)

    def _gone(self, decision: str) -> None:
        node = self._nodes.pop(decision, None)
        row = None if node is None else self._rows.get(node)
        if node is None or row is None:
            return
        del row.waiting[decision]
        if row.waiting or row.last:
            self._rows.touch(node)
        else:
            self._rows.delete(node)

    def _row(self, node: Key) -> Entry:
        row = self._rows.get(node)
        if row is None:
            row = Entry()
            self._rows.put(node, row)
        else:
            self._rows.touch(node)
        return row

    # --- reading ------------------------------------------------------------------------------------------------------

    def waiting(self) -> list[tuple[str, Key, Waiting]]:
        """What waits: id of its decision, node, event; as they came in, and of one event as the catalogue names its placements."""
        rows = ((name, node, self._rows.get(node)) for name, node in self._nodes.items())
        found = [(name, node, row.waiting[name]) for name, node, row in rows if row is not None]
        return sorted(found, key=lambda one: one[2].position)

    @property
    def any(self) -> bool:
        """Whether anything waits."""
        return bool(self._nodes)

    def last(self, nodes: Iterable[Key], placement: str) -> Last | None:
        """The latest decision that an event began for somebody at a placement."""
        rows = (self._rows.get(node) for node in nodes)
        found = [row.last[placement] for row in rows if row is not None and placement in row.last]
        return max(found, key=lambda one: (one.time, one.decision), default=None)
