"""The sends of a workspace as facts of the log tell them, and which decisions each made."""

import asyncio
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b

from msgspec import Struct
from msgspec.structs import replace

from patron.model.ports import Table
from patron.model.sends import Send, SendRow, State
from patron.runtime.tables import DecisionRow

STARTED, ADVANCED, CLOSED = "Send Started", "Send Advanced", "Send Closed"
_ID_BYTES = 12
Place = tuple[int, str]
"""Time (of what an event began the event's log position) and id of a decision: where it stands in the order of its send."""


class Start(Struct, frozen=True):
    """Data of the fact that begins a send."""

    send: Send
    by: str


class Advance(Struct, frozen=True):
    """Data of the fact that notes how far a send is: everybody before `cursor`, of whom `unreachable` have no address."""

    id: str
    cursor: str
    pass_: int
    looked: int
    unreachable: int


class Close(Struct, frozen=True):
    """Data of the fact that ends a send."""

    id: str
    state: State
    by: str


class Sent:
    """Every send of one workspace.

    Parameters
    ----------
    rows : send id -> how it stands.
    """

    def __init__(self, rows: Table[SendRow]) -> None:
        self._rows = rows
        self._made: dict[str, list[Place]] = {}
        self._running = {name for name, row in rows.items() if row.state == "running"}
        self.begun = asyncio.Event()
        """Set when a send begins: who carries them on waits for it."""

    # --- what the log tells ---------------------------------------------------------------------------------------

    def started(self, told: Start, time: int) -> None:
        """Somebody began a send."""
        if told.send.id not in self._rows:
            self._rows.put(told.send.id, SendRow(told.send, "running", time, told.by))
            self._running.add(told.send.id)
            self.begun.set()

    def advanced(self, told: Advance) -> None:
        """It went on."""
        row = self._rows.get(told.id)
        if row is not None:
            self._rows.put(
                told.id,
                replace(
                    row,
                    cursor=told.cursor,
                    pass_=told.pass_,
                    looked=row.looked + told.looked,
                    unreachable=row.unreachable + told.unreachable,
                ),
            )

    def closed(self, told: Close, time: int) -> None:
        """It ended, or somebody stopped it."""
        row = self._rows.get(told.id)
        if row is not None and row.state == "running":
            self._rows.put(told.id, replace(row, state=told.state, ended=time))
            self._running.discard(told.id)

    def note(self, decision: str, row: DecisionRow) -> None:
        """A decision is in force; those of no send are passed over."""
        if row.sent is not None:
            insort(self._made.setdefault(row.sent.send, []), _place(decision, row))

    def noting(self, rows: Iterable[tuple[str, DecisionRow]]) -> Iterator[Place]:
        """Time and id of decisions, each noted on the way."""
        for decision, row in rows:
            self.note(decision, row)
            yield row.time, decision

    def forget(self, decision: str, row: DecisionRow) -> None:
        """A decision is erased."""
        made = [] if row.sent is None else self._made.get(row.sent.send, [])
        place = _place(decision, row)
        at = bisect_left(made, place)
        if made[at : at + 1] == [place]:
            del made[at]

    # --- reading ----------------------------------------------------------------------------------------------------

    def all(self) -> list[SendRow]:
        """Every send, the newest first."""
        return sorted((row for _, row in self._rows.items()), key=lambda row: (-row.started, row.send.id))

    def running(self) -> list[SendRow]:
        """Those that go on, by id."""
        return [row for name in sorted(self._running) if (row := self._rows.get(name)) is not None]

    def get(self, name: str) -> SendRow | None:
        """One send."""
        return self._rows.get(name)

    def count(self, name: str) -> int:
        """How many decisions it made."""
        return len(self._made.get(name, ()))

    def made(self, name: str, after: Place | None = None, limit: int = 10**9) -> Sequence[Place]:
        """Its decisions after a place, in the order of time and id."""
        made = self._made.get(name, [])
        at = 0 if after is None else bisect_right(made, after)
        return made[at : at + limit]


def _place(decision: str, row: DecisionRow) -> Place:
    return (row.sent.position if row.sent is not None and row.sent.position else row.time), decision


def decision_id(secret: bytes, send: str, node: str) -> str:
    """The id of a send's decision for a node: always the same, so nobody is decided for twice, and foreseen by nobody outside.

    >>> decision_id(b"k", "spring", "user_id:7") == decision_id(b"k", "spring", "user_id:7"), len(decision_id(b"k", "a", "b"))
    (True, 26)
    """
    key = secret if len(secret) <= 64 else blake2b(secret).digest()
    name, who = send.encode("utf-8", "surrogatepass"), node.encode("utf-8", "surrogatepass")
    data = len(name).to_bytes(4) + name + who
    return f"d_{blake2b(data, key=key, digest_size=_ID_BYTES, person=b'patron.send').hexdigest()}"
