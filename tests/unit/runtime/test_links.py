"""Rows of people on their way to the lake: when too many wait, none that nobody was told of goes without a snapshot."""

import pytest

from patron.identity.change import Change
from patron.model.people import Person
from patron.runtime.lake import links
from patron.runtime.lake.links import Links
from patron.testing.tables import MemoryTable


class _Hashes(dict[str, int]):
    def __missing__(self, key: str) -> int:
        return int(key.partition(":")[2])


def _links(monkeypatch: pytest.MonkeyPatch, limit: int) -> Links:
    monkeypatch.setattr(links, "LIMIT", limit)
    return Links(lambda _key: None, MemoryTable(), _Hashes(), 0)


def _meet(one: Links, position: int) -> None:
    key = f"user_id:{position}"
    one.fresh.append(Change((), (Person(f"p_{position}", key, (key,)),)))
    one.settle(position, position)


def test_only_what_was_told_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    one = _links(monkeypatch, 5)
    for position in range(1, 5):
        _meet(one, position)
    one.told = 3
    for position in range(5, 8):
        _meet(one, position)
    assert [row[4] for row in one.waiting] == [4, 5, 6, 7]
    assert (one.since, one.lost) == (3, False), "should the jobs process die, a snapshot is asked for"


def test_what_nobody_was_told_of_calls_for_a_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    one = _links(monkeypatch, 5)
    for position in range(1, 7):
        _meet(one, position)
    assert (len(one.waiting), one.since, one.lost) == (0, 6, True)
