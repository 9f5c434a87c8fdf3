"""Each class of data is kept as long as it may be, and no longer."""

from pathlib import Path
from typing import Any

from tests.flow.inprocess import play, running, send, source

NOW = 1_800_000_000_000
DAY = 86_400_000


async def _kept(folder: Path) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    async with running(folder, now=NOW) as backend:
        await source(backend, "shop")
        await send(backend, "shop", [{"type": "track", "userId": "u", "messageId": "bad"}])
        backend.audit("giulia", "view", "p_1")
        await send(backend, "shop", [{"type": "track", "event": "Hello", "userId": "u", "messageId": "good"}])
        seen["young"] = await backend.retain()
        await backend.step_clock(NOW + 91 * DAY)
        seen["letters"] = await backend.retain()
        await backend.step_clock(NOW + 731 * DAY)
        seen["audit"] = await backend.retain()
        seen["replay"] = await backend.verify_replay()
    return seen


def test_dead_letters_and_audit_lines_go_when_their_time_is_over_also_in_a_rebuild(tmp_path: Path) -> None:
    seen = play(_kept(tmp_path / "shop"))
    assert seen["young"] == {"segments": 0, "dead_letters": 0, "audit": 0}
    assert seen["letters"]["dead_letters"] == 1
    assert seen["audit"]["audit"] == 1
    assert seen["replay"]["equal"], seen["replay"]


async def _dropped(folder: Path) -> dict[str, Any]:
    async with running(folder, now=NOW) as backend:
        await source(backend, "shop")
        for number in range(3):
            message = {"type": "track", "event": "Hello", "userId": "u", "messageId": f"m{number}"}
            await send(
                backend,
                "shop",
                [
                    {**message, "properties": {"filler": "x" * 30_000, "n": i}, "messageId": f"m{number}-{i}"}
                    for i in range(40)
                ],
            )
        backend.workspace.log.settle()
        await backend.step_clock(NOW + 31 * DAY)
        before = len(backend.workspace.log.segments())
        told = await backend.retain()
        key = backend.api_key(backend.token)
        assert key is not None
        return {"before": before, "told": told, "profile": backend.resource("user_id:u", "profile", key)}


def test_old_segments_go_and_profiles_keep_what_they_learned(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("PATRON_RETENTION_EVENTS_DAYS", "30")
    monkeypatch.setenv("PATRON_STORAGE_SEGMENT_MB", "1")
    seen = play(_dropped(tmp_path / "shop"))
    assert seen["told"]["segments"] >= 1
    assert seen["profile"]["counters"] == {"Hello": 120}
