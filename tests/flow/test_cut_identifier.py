"""A shared identifier that was cut at a time is two people's: what is said to whoever splits by it."""

from pathlib import Path
from typing import Any

import pytest

from patron.model.errors import BadRequest
from tests.flow.inprocess import play, running, send, source

TABLET = "device_id:tablet-1"


def _message(number: int, user: str, month: int) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Seen",
        "userId": user,
        "messageId": f"m{number}",
        "timestamp": f"2026-{month:02d}-02T10:00:00Z",
        "context": {"device": {"id": "tablet-1"}},
    }


async def _story(folder: Path) -> None:
    async with running(folder) as backend:
        await source(backend, "app", "app")
        await send(backend, "app", [_message(1, "anna", 1), _message(2, "anna", 2)])
        await backend.split("user_id:anna", [], TABLET, "2026-03-01T00:00:00Z", "tester")
        await send(backend, "app", [_message(3, "bob", 4)])
        workspace = backend.workspace
        first, latest = (
            workspace.graph.person_of(TABLET),
            workspace.graph.person_by_id(backend.resource(TABLET, "profile", backend._local)["id"]),
        )
        assert first is not None
        assert latest is not None
        assert first.id != latest.id
        with pytest.raises(BadRequest) as refused:
            await backend.split(TABLET, [TABLET], "", 0, "tester")
        assert refused.value.code == "not_theirs"
        assert f"it belongs to {first.id}; it was cut, and its parts are {TABLET}, {TABLET}~" in str(
            refused.value
        )
        assert "name the person by that id" in str(refused.value)
        made = await backend.split(first.id, [TABLET], "", 0, "tester")
        assert first.id in made.people
        with pytest.raises(BadRequest, match=r"nobody else.*GET /v1/profiles/p_"):
            await backend.split("user_id:anna", ["email:nobody@mail.example"], "", 0, "tester")


def test_whoever_splits_by_the_part_of_somebody_else_is_told_whose_it_is(tmp_path: Path) -> None:
    play(_story(tmp_path / "shop"))
