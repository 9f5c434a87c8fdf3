"""Definitions in the log: every version is kept, a replay has the same ones, listeners hear of each change."""

from pathlib import Path

from patron.runtime.segments.definitions import Active, Definitions, Saved
from patron.runtime.tables import DefinitionRow
from patron.testing.tables import MemoryTable
from tests.flow.inprocess import play, rows, running

RULE = {"kind": "did", "event": "Order Completed"}


def buyers(name: str = "Buyers") -> dict[str, object]:
    """A good definition."""
    return {"id": "buyers", "name": name, "rule": RULE}


def test_every_version_is_kept_and_a_removal_is_one() -> None:
    table = MemoryTable[DefinitionRow]()
    held = Definitions(table)
    heard: list[Active] = []
    held.on_change(heard.append)
    held.apply("segment", Saved("buyers", 1, "anna", buyers()), 10)
    held.apply("segment", Saved("buyers", 2, "anna", buyers("All buyers")), 20)
    assert held.active().segments["buyers"].name == "All buyers"
    held.apply("segment", Saved("buyers", 3, "bo"), 30)
    assert held.row("segment", "buyers") is None
    assert [active.version for active in heard] == [1, 2, 3]
    assert not heard[-1].segments
    again = Definitions(table)
    assert again.active() == held.active()
    assert again.versions("segment", "buyers") == held.versions("segment", "buyers")
    assert [(r.version, r.time, r.definition is None) for r in again.versions("segment", "buyers")] == [
        (1, 10, False),
        (2, 20, False),
        (3, 30, True),
    ]


def test_a_version_that_is_there_already_changes_nothing() -> None:
    held = Definitions(MemoryTable[DefinitionRow]())
    heard: list[Active] = []
    held.on_change(heard.append)
    for name in ("Buyers", "Others"):
        held.apply("segment", Saved("buyers", 1, "", buyers(name)), 10)
    assert held.active().segments["buyers"].name == "Buyers"
    assert len(heard) == 1


def test_a_definition_of_another_version_of_patron_is_told_and_the_others_live() -> None:
    held = Definitions(MemoryTable[DefinitionRow]())
    held.apply("segment", Saved("odd", 1, "", {"id": "odd", "name": "O", "rule": {"kind": "spell"}}), 10)
    held.apply("segment", Saved("buyers", 1, "", buyers()), 10)
    assert list(held.active().segments) == ["buyers"]
    assert "spell" in held.active().unread["segment/odd"]


def test_what_is_recorded_is_there_after_a_restart_with_or_without_state(tmp_path: Path) -> None:
    async def work() -> None:
        async with running(tmp_path / "shop") as backend:
            await backend.app.record("Segment Saved", Saved("buyers", 1, "anna", buyers()))
            await backend.app.record("Trait Removed", Saved("spent", 1, "anna"))
            before = rows(backend.workspace, ("definitions",))
            assert len(before) == 2
            await backend.checkpoint()
            assert (await backend.verify_replay())["equal"] is True
        async with running(tmp_path / "shop") as backend:
            assert rows(backend.workspace, ("definitions",)) == before
            assert backend.workspace.definitions.active().version == 2
        (tmp_path / "shop" / "state.db").unlink()
        async with running(tmp_path / "shop") as backend:
            assert rows(backend.workspace, ("definitions",)) == before

    play(work())
