"""A whole workspace inside the test's process: the real log, state and rooms, without HTTP."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from patron.runtime.backend import LocalBackend
from patron.runtime.create import create
from patron.runtime.workspace import Workspace

LAWFUL = ("nodes", "accounts", "members", "homes", "shown")
"""Tables whose bytes are a function of the set of events."""


@contextlib.asynccontextmanager
async def running(
    path: Path, clock: str = "stepped", now: int = 1_800_000_000_000
) -> AsyncIterator[LocalBackend]:
    """Make (or open again) a workspace and run it, on a stepped clock that stands at `now`."""
    if not path.exists():
        create(path)
    backend = await LocalBackend.start(path, clock)
    try:
        if clock == "stepped" and backend.workspace.clock.now() < now:
            await backend.step_clock(now)
        yield backend
    finally:
        await backend.app.stop(checkpoint=False)


async def source(backend: LocalBackend, name: str, channel: str = "web", **options: Any) -> None:
    """Add a source."""
    await backend.add_source(name, channel, options.get("kind", "live"), options.get("assurance", "asserted"))


async def send(backend: LocalBackend, name: str, messages: Sequence[dict[str, Any]]) -> int:
    """Send one body of messages from a source; gives its position."""
    held = backend.workspace.sources.get(name)
    assert held is not None
    receipt = await backend.app.ingest.accept(held, "batch", json.dumps({"batch": list(messages)}).encode())
    return receipt.position


def partition(workspace: Workspace) -> set[frozenset[str]]:
    """The people, each as the set of their identifiers."""
    found = set()
    for key in list(workspace.idents.keys()):
        person = workspace.graph.person_of(key)
        if person is not None:
            found.add(frozenset(person.members))
    return found


def rows(workspace: Workspace, tables: Sequence[str] = LAWFUL) -> dict[tuple[str, str], bytes]:
    """The encoded rows of some tables."""
    return {(t, k): bytes(v) for t, k, v in workspace.state.dump() if t in tables}


def play(work: Any) -> Any:
    """Run a coroutine to its end."""
    return asyncio.run(work)
