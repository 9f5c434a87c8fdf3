"""Carrying one run to its target: batch by batch, each noted when the other side has it, tried again while it makes sense."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Protocol

from patron.exports.outbox import Outbox
from patron.model.exports import Difference, Run

Sleep = Callable[[float], Awaitable[None]]
TRIES = 5
"""Times that a batch is tried in one run."""
FIRST_WAIT = 1.0
"""Seconds before the second try; each further wait is twice as long."""


class Undelivered(Exception):
    """A batch was not taken. `again`: whether trying the same once more may help."""

    def __init__(self, reason: str, *, again: bool, wait: float | None = None) -> None:
        super().__init__(reason)
        self.again = again
        self.wait = wait
        """Seconds that the other side asked to be left alone."""


class Gate:
    """Lets runs be held up while people are erased: none starts, and those under way stop after their batch.

    >>> gate = Gate()
    >>> with gate.run(): gate.running
    1
    """

    def __init__(self) -> None:
        self.running = 0
        self.closed = 0

    @contextlib.contextmanager
    def run(self) -> Iterator[None]:
        """A run is under way."""
        self.running += 1
        try:
            yield
        finally:
            self.running -= 1

    @contextlib.contextmanager
    def shut(self) -> Iterator[None]:
        """Nobody may go on; whoever shuts it waits until `running` is 0."""
        self.closed += 1
        try:
            yield
        finally:
            self.closed -= 1


class Sender(Protocol):
    """A target that takes changes. A batch with an id that it took before must change nothing."""

    batch: int

    async def send(self, batch_id: str, changes: Sequence[Difference]) -> dict[str, str]:
        """Deliver; gives key -> reason for rows that the other side refused. Raises Undelivered."""
        ...

    async def finish(self) -> None:
        """All is delivered. Raises Undelivered."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


async def deliver(
    name: str,
    box: Outbox,
    sender: Sender,
    clock: Callable[[], int],
    gate: Gate,
    sleep: Sleep = asyncio.sleep,
) -> Run:
    """Carry out the pending run of an export from where it stands, and end it, with the reason if it could not be finished."""
    pending = box.pending
    if pending is None:
        raise ValueError("no run is under way")
    error = ""
    try:
        while (start := box.progress.done) < len(pending.changes):
            batch = pending.changes[start : start + sender.batch]
            refused = await _tried(sender, f"{name}-{pending.number}-{start}", batch, gate, sleep)
            box.deliver(start + len(batch), refused)
        _may_go_on(gate)
        await sender.finish()
    except Undelivered as failure:
        error = str(failure)
    finally:
        await sender.close()
    return box.end(clock(), error)


def _may_go_on(gate: Gate) -> None:
    if gate.closed:
        raise Undelivered("an erasure came between; the rest is told in the next run", again=False)


async def _tried(
    sender: Sender, batch_id: str, batch: list[Difference], gate: Gate, sleep: Sleep
) -> dict[str, str]:
    wait = FIRST_WAIT
    for left in reversed(range(TRIES)):
        _may_go_on(gate)
        try:
            return await sender.send(batch_id, batch)
        except Undelivered as failure:
            if not (failure.again and left):
                raise
            await sleep(min(failure.wait, 300.0) if failure.wait is not None else wait)
            wait *= 2
    raise AssertionError("unreachable")
