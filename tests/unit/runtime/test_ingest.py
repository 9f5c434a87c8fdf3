"""Taking bodies in: copies wait for their original, what was not stored may come again, and nobody waits for ever."""

import asyncio
import errno
import json
from pathlib import Path
from typing import Any

import pytest

from patron.model.access import Source
from patron.model.errors import Busy
from patron.model.ingest import Receipt
from patron.runtime.backend import LocalBackend
from patron.runtime.serving import entrance
from patron.storage.embedded import committer
from tests.flow.inprocess import play, running, source

NOW = 1_800_000_000_000


def _message(number: int, **more: Any) -> dict[str, Any]:
    return {"messageId": f"m{number}", "type": "track", "event": "Viewed", "userId": f"u{number % 7}", **more}


async def _accept(backend: LocalBackend, messages: list[dict[str, Any]]) -> Receipt:
    held = backend.workspace.sources.get("shop")
    assert isinstance(held, Source)
    return await backend.app.ingest.accept(held, "batch", json.dumps({"batch": messages}).encode())


def test_a_copy_is_answered_after_its_original_and_counts_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path / "d") as backend:
            await source(backend, "shop")
            first, copy = await asyncio.gather(
                _accept(backend, [_message(1)]), _accept(backend, [_message(1), _message(2)])
            )
            assert (first.accepted, copy.accepted, copy.duplicates) == (1, 1, 1)
            only = await _accept(backend, [_message(1), _message(2)])
            assert (only.accepted, only.duplicates, only.position) == (0, 2, backend.workspace.applied)

    play(story())


def test_what_the_disk_refused_is_forgotten_and_so_are_its_copies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = True

    def write_all(fd: int, data: bytes) -> None:
        if full:
            raise OSError(errno.ENOSPC, "No space left on device")
        honest(fd, data)

    honest = committer.write_all

    async def story() -> None:
        nonlocal full
        async with running(tmp_path / "d") as backend:
            await source(backend, "shop")
            monkeypatch.setattr(committer, "write_all", write_all)
            answers = await asyncio.gather(
                _accept(backend, [_message(1)]), _accept(backend, [_message(1)]), return_exceptions=True
            )
            assert [type(answer) for answer in answers] == [Busy, Busy]
            full = False
            again = await _accept(backend, [_message(1)])
            assert (again.accepted, again.duplicates) == (1, 0)
            assert backend.app.pipeline.waiting == 0

    play(story())


def test_a_request_that_is_given_up_is_applied_all_the_same(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path / "d") as backend:
            await source(backend, "shop")
            task = asyncio.ensure_future(_accept(backend, [_message(1)]))
            await asyncio.sleep(0)
            task.cancel()
            copy = await _accept(backend, [_message(1)])
            assert (copy.accepted, copy.duplicates) == (0, 1)
            assert backend.workspace.nodes.get("user_id:u1") is not None

    play(story())


def test_bodies_wait_in_order_while_much_is_ahead_and_none_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entrance, "AHEAD", 3)
    monkeypatch.setattr(entrance, "LARGE", 200)

    async def story() -> None:
        async with running(tmp_path / "d") as backend:
            await source(backend, "shop")
            bodies = [[_message(10 * n + i) for i in range(1 + n % 5)] for n in range(40)]
            tasks = [asyncio.ensure_future(_accept(backend, body)) for body in bodies]
            await asyncio.sleep(0)
            for task in tasks[20:25]:  # clients that go away pass their turn on
                task.cancel()
            facts = [backend.app.record("Audited", ("a", "b", "c")) for _ in range(5)]
            await asyncio.gather(*facts)
            done = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 30)
            kept = [answer for answer in done if isinstance(answer, Receipt)]
            assert len(kept) == 35
            assert [r.position for r in kept] == sorted(r.position for r in kept)
            assert sum(r.accepted for r in kept) == sum(len(bodies[n]) for n in range(40) if not 20 <= n < 25)

    play(story())


def test_too_many_bytes_at_the_entrance_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entrance, "AHEAD", -1)
    monkeypatch.setattr(entrance, "WAITING_BYTES", 400)

    async def story() -> None:
        async with running(tmp_path / "d") as backend:
            await source(backend, "shop")
            tasks = [asyncio.ensure_future(_accept(backend, [_message(n)])) for n in range(9)]
            await asyncio.sleep(0)
            refused = [task for task in tasks if task.done()]
            assert refused
            assert all(isinstance(task.exception(), Busy) for task in refused)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    play(story())


def test_an_event_judged_before_a_cut_lands_where_a_replay_puts_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path / "d") as backend:
            await source(backend, "shop")
            tablet = {"anonymousId": "tablet", "userId": None, "timestamp": "2026-03-01T10:00:00Z"}
            await _accept(backend, [_message(1, **tablet)])
            person = backend.workspace.graph.person_of("anonymous_id:tablet")
            assert person is not None
            at = 1_772_000_000_000
            cut = backend.split(person.id, [], "anonymous_id:tablet", at, "ana")
            made, late = await asyncio.gather(cut, _accept(backend, [_message(2, **tablet)]))
            assert (made is not None, late.accepted) == (True, 1)
            live = {key: part.events for key, part in backend.workspace.nodes.items()}
            report = await backend.verify_replay()
            assert live == {f"anonymous_id:tablet~{at}": 2}
            assert report["equal"], report

    play(story())
