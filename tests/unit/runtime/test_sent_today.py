"""Messages of today by source: counted as they are applied, with the state."""

from pathlib import Path

from tests.flow.inprocess import play, running, send, source

DAY = 86_400_000


def pages(first: int, last: int) -> list[dict[str, str]]:
    return [{"type": "page", "userId": "u", "messageId": f"m{n}"} for n in range(first, last)]


async def a_day(path: Path) -> None:
    async with running(path) as backend:
        await source(backend, "one")
        await source(backend, "two")
        await send(backend, "one", [*pages(0, 3), {"type": "page", "messageId": "nobody"}])
        await send(backend, "one", pages(2, 5))
        await send(backend, "two", pages(0, 1))
        assert backend.workspace.sent_today() == {"one": 5, "two": 1}, "copies and refused ones do not count"
    async with running(path) as backend:
        await send(backend, "two", pages(1, 3))
        assert backend.workspace.sent_today() == {"one": 5, "two": 3}
        await backend.step_clock(backend.workspace.clock.now() + DAY)
        assert backend.workspace.sent_today() == {}
        await send(backend, "two", pages(3, 4))
        assert backend.workspace.sent_today() == {"two": 1}
    async with running(path) as backend:
        assert backend.workspace.sent_today() == {"two": 1}, "what came yesterday stays yesterday's"


def test_each_source_has_its_own_count_also_after_a_start(tmp_path: Path) -> None:
    play(a_day(tmp_path / "shop"))


async def a_past(path: Path) -> None:
    async with running(path) as backend:
        await source(backend, "history", kind="import")
        told = [{**page, "receivedAt": "2025-03-01T10:00:00Z"} for page in pages(0, 7)]
        await send(backend, "history", told)
        assert backend.workspace.sent_today() == {"history": 7}
        row = backend.workspace.days.get("20148/web")
        assert row is not None
        assert row.count == 7, "its channel had them when it says so"


def test_what_an_import_brings_today_came_today_however_old_it_is(tmp_path: Path) -> None:
    play(a_past(tmp_path / "shop"))
