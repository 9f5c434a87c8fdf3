"""Processes over a real lake: their turns, their end, and that an erasure waits for all of them."""

import asyncio
import json
import tempfile
from pathlib import Path

import pytest

from patron.model.errors import BadRequest, Busy
from patron.rules.tree import Did, Segment
from patron.runtime.analysis import Analyst, Moment, Reach
from patron.runtime.lake.processes import LakeProcesses
from patron.storage.lake.asking import Query
from patron.storage.lake.store import LakeStore

QUERY = "patron.storage.lake.query"
FOR_EVER = "SELECT count(*) FROM range(100000000000) a, range(1000) b WHERE a.range * b.range % 7 = 3"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Query:
    folder = tmp_path_factory.mktemp("data") / "lake"
    LakeStore(str(folder), {}, "test")
    return Query(str(folder), FOR_EVER, seconds=60.0, memory_mb=256, threads=1)


@pytest.fixture
def spills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def children() -> set[int]:
    """Processes over the lake that this one started and that are still there; other tests may have children of their own."""
    found = set()
    for task in Path("/proc/self/task").iterdir():
        found |= {int(pid) for pid in (task / "children").read_text().split() if _is_ours(pid)}
    return found


def _is_ours(pid: str) -> bool:
    try:
        told = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return QUERY.encode() in told or b"patron.runtime.analysis" in told


async def _started(spills: Path, count: int) -> None:
    while len(list(spills.iterdir())) < count or len(children()) < count:
        await asyncio.sleep(0.01)


def test_who_erases_waits_for_a_query_and_for_a_question_alike(lake: Query, spills: Path) -> None:
    async def story() -> None:
        processes = LakeProcesses()
        short = Query(lake.url, FOR_EVER, seconds=1.0, memory_mb=256, threads=1)
        buyers = Segment("buyers", "Buyers", Did("Order Completed", ">=", 2))
        asked = [
            asyncio.create_task(processes.run(QUERY, short)),
            asyncio.create_task(
                Analyst(processes, lake).run(Reach((buyers,)), Moment(1_774_778_400_000, "UTC"))
            ),
        ]
        await _started(spills, 2)
        await asyncio.wait_for(processes.drained(), 60)
        assert not children()
        assert not list(spills.iterdir())
        slow, answered = await asyncio.gather(*asked, return_exceptions=True)
        assert isinstance(slow, BadRequest)
        assert slow.code == "too_slow"
        assert not isinstance(answered, BaseException)
        assert answered[1] == [["buyers", 0, 0]]

    asyncio.run(story())


def test_who_erases_does_not_wait_for_what_starts_later(lake: Query, spills: Path) -> None:
    async def story() -> None:
        processes = LakeProcesses()
        short = Query(lake.url, FOR_EVER, seconds=0.5, memory_mb=256, threads=1)
        first = asyncio.create_task(processes.run(QUERY, short))
        await _started(spills, 1)
        waiting = asyncio.create_task(processes.drained())
        await asyncio.sleep(0)
        later = asyncio.create_task(processes.run(QUERY, lake))
        await asyncio.wait_for(waiting, 60)
        assert first.done()
        assert not later.done()
        later.cancel()
        await asyncio.gather(first, later, return_exceptions=True)

    asyncio.run(story())


def test_a_cancelled_one_ends_its_process_and_leaves_nothing(lake: Query, spills: Path) -> None:
    async def story() -> None:
        processes = LakeProcesses(at_once=1)
        task = asyncio.create_task(processes.run(QUERY, lake))
        await _started(spills, 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not children()
        assert not list(spills.iterdir())
        await asyncio.wait_for(processes.drained(), 5)
        _, content = await asyncio.wait_for(processes.run(QUERY, Query(lake.url, "SELECT 1")), 60)
        assert json.loads(content) == [[1]]

    asyncio.run(story())


def test_too_many_at_once_are_told_to_come_again(lake: Query, spills: Path) -> None:
    async def story() -> None:
        processes = LakeProcesses(at_once=1, queue=2)
        tasks = [asyncio.create_task(processes.run(QUERY, lake)) for _ in range(2)]
        await _started(spills, 1)
        with pytest.raises(Busy, match="again") as refused:
            await processes.run(QUERY, lake)
        assert (refused.value.status, refused.value.retry_after) == (503, 5)
        assert len(children()) == 1, "the second waits for its turn"
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await processes.run(QUERY, Query(lake.url, "SELECT 1"))

    asyncio.run(story())


def test_the_process_spills_into_its_own_folder(lake: Query, spills: Path) -> None:
    async def story() -> str:
        sql = "SELECT value FROM duckdb_settings() WHERE name = 'temp_directory'"
        _, content = await LakeProcesses().run(QUERY, Query(lake.url, sql))
        return str(json.loads(content)[0][0])

    assert Path(asyncio.run(story())).parent == spills


def test_a_lake_that_cannot_be_read_is_a_sentence_also_to_a_question(tmp_path: Path) -> None:
    folder = tmp_path / "lake"
    LakeStore(str(folder), {}, "test")
    log = next((folder / "events" / "_delta_log").iterdir())
    log.write_text("no json")
    buyers = Segment("buyers", "Buyers", Did("Order Completed", ">=", 2))

    async def story() -> None:
        analyst = Analyst(LakeProcesses(), Query(str(folder)))
        with pytest.raises(BadRequest, match="The lake cannot be read"):
            await analyst.run(Reach((buyers,)), Moment(0, "UTC"))

    asyncio.run(story())
