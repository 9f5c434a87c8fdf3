"""Rounds of profile snapshots and what an erasure takes of them, table by table."""

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from patron.identity.households import HouseholdIds
from patron.identity.rules import IdentityRules
from patron.model.errors import StorageError
from patron.runtime.lake.erasing import Wanted, erase
from patron.runtime.lake.keeper import people_table
from patron.runtime.lake.rounds import Rounds, changed, profiles_table
from patron.storage.lake.compaction import Retention, compact, retain
from patron.storage.lake.schema import SCHEMAS
from patron.storage.lake.store import LakeStore

HOUR, DAY = 3_600_000, 86_400_000
NONE = IdentityRules()


def quiet(_name: str) -> None:
    """No crash."""


def row(person: str, position: int = 1, nodes: tuple[int, ...] = (), profile: str = "{}") -> tuple[Any, ...]:
    """What is told of somebody."""
    return person, position, list(nodes), 0, 0, 1, 0, [], profile


def lake(folder: Path, events: list[tuple[int, int]], people: list[tuple[int, str, int]]) -> LakeStore:
    """A lake with events (position, node), and rows of people (node, person, position)."""
    store = LakeStore(str(folder / "lake"), {}, "o")
    rows = [(node, None, None, person, position, 0) for node, person, position in people]
    store["people"].append(people_table(rows, hashed=False), max(p for *_, p in people))
    grow(store, events)
    return store


def grow(store: LakeStore, events: list[tuple[int, int]]) -> None:
    """More events."""
    plain: dict[str, Any] = dict.fromkeys(SCHEMAS["events"].names)
    when = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    full = [
        plain | {"position": p, "node": n, "bucket": n, "day": when.date(), "time": when, "received": when}
        for p, n in events
    ]
    store["events"].append(pa.Table.from_pylist(full, schema=SCHEMAS["events"]), events[-1][0])


def taken(store: LakeStore) -> list[tuple[str, int]]:
    """Person and hour of each snapshot."""
    table = store["profiles"]
    rows = [one for file in table.files() for one in table.read(file, ["person", "taken"]).to_pylist()]
    return sorted((one["person"], int(one["taken"].timestamp() * 1000) // HOUR) for one in rows)


def test_who_had_an_event_who_came_and_who_lost_a_node_have_changed(tmp_path: Path) -> None:
    people = [
        (1, "a", 1),
        (2, "b", 2),
        (3, "c", 3),
        (4, "d", 4),
        (5, "a", 5),
        (5, "e", 12),
        (1, "f", 6),
        (1, "a", 7),
    ]
    store = lake(tmp_path, [(n, n) for n in range(1, 6)] + [(9, 2), (10, 2), (11, 3)], people)
    assert changed(store, 0, 20) == {"a", "b", "c", "d", "e", "f"}
    assert changed(store, 9, 20) == {"b", "c", "e", "a"}, "node 5 went from a to e"
    assert changed(store, 10, 20) == {"c", "e", "a"}
    assert changed(store, 11, 20) == {"e", "a"}
    assert changed(store, 12, 20) == set()


def test_a_second_round_of_an_interval_does_nothing_and_loses_nothing(tmp_path: Path) -> None:
    store = lake(tmp_path, [(1, 1), (2, 2)], [(1, "a", 1), (2, "b", 2)])
    rounds = Rounds(store, quiet)
    assert rounds.begin(10 * HOUR, HOUR) == ["a", "b"]
    assert rounds.take([row("a"), row("b")]) == []
    grow(store, [(3, 1)])
    again = Rounds(LakeStore(store.url, {}, "o"), quiet)
    assert again.taken == 10 * HOUR
    assert again.begin(10 * HOUR + 5, HOUR) == []
    assert again.begin(11 * HOUR, HOUR) == ["a"]
    assert again.take([row("a")]) == []
    assert again.begin(12 * HOUR, HOUR) == []
    assert taken(LakeStore(store.url, {}, "o")) == [("a", 10), ("a", 11), ("b", 10)]


class Died(Exception):
    """The process ended."""


def test_what_somebody_did_after_their_row_of_a_round_that_died_is_in_the_next(tmp_path: Path) -> None:
    def die(name: str) -> None:
        if name == "lake_in_round":
            raise Died

    store = lake(tmp_path, [(1, 1), (2, 2)], [(1, "a", 1), (2, "b", 2)])
    rounds = Rounds(store, die, rows=1)
    assert rounds.begin(10 * HOUR, HOUR) == ["a", "b"]
    with pytest.raises(Died):
        rounds.take([row("a", 2)])
    store = LakeStore(store.url, {}, "o")
    grow(store, [(3, 1), (4, 2)])
    rounds = Rounds(store, quiet)
    assert rounds.begin(10 * HOUR + 9, HOUR) == ["b"], "a has a row of this hour"
    assert rounds.take([row("b", 4)]) == []
    assert rounds.begin(11 * HOUR, HOUR) == ["a", "b"], "position 3 came after the row of a"


def test_rows_are_refused_where_no_round_runs(tmp_path: Path) -> None:
    store = lake(tmp_path, [(1, 1)], [(1, "a", 1)])
    with pytest.raises(StorageError, match="no round"):
        Rounds(store, quiet).take([row("a")])


def test_a_person_told_twice_has_one_row(tmp_path: Path) -> None:
    people = [(n, f"p{n:03d}", n) for n in range(1, 151)]
    store = lake(tmp_path, [(n, n) for n in range(1, 151)], people)
    rounds = Rounds(store, quiet, rows=30)
    ids = rounds.begin(HOUR, HOUR)
    assert len(ids) == 50
    while ids:
        ids = rounds.take([*map(row, ids), row("p001"), row("p001")])
    assert [name for name, _ in taken(store)] == [name for _, name, _ in people]


def test_an_erasure_takes_snapshots_that_hold_a_node_though_no_text_tells(tmp_path: Path) -> None:
    store = LakeStore(str(tmp_path / "lake"), {}, "o")
    rows = [
        row("a", 1, (1, 2)),
        row("b", 1, (2**64 - 3, 9)),
        row("c", 1),
        row("d", 1, (7,)),
        row("e", 1, (), '{"x":"Ann@X.it"}'),
    ]
    store["profiles"].append(profiles_table(rows, DAY), 1)
    wanted = Wanted([(-3, None, None), (1, 5, 9)], [], [], [], ["d"], ["ann@x.it"])
    done = erase(store, wanted, NONE, HouseholdIds(b"sixteen bytes ok"), quiet)
    assert (done.rows, [name for name, _ in taken(store)]) == (4, ["c"])


def test_old_snapshots_go_by_their_own_class_and_many_files_become_few(tmp_path: Path) -> None:
    store = LakeStore(str(tmp_path / "lake"), {}, "o")
    table = store["profiles"]
    for day in range(40):
        table.append(
            profiles_table([row(f"p{n}", day + 1) for n in range(3)], (20_000 + day) * DAY),
            day + 1,
            {"taken": day},
        )
    today = dt.date(1970, 1, 1) + dt.timedelta(days=20_040)
    assert retain(table, Retention(events=1, decisions=1), today) == 0
    assert retain(table, Retention(profiles=20), today) == 60
    assert compact(table, today, quiet) >= 1
    assert len(table.files()) < 10
    assert len(taken(store)) == 60
    table.sweep(0)
    assert (table.note("taken"), table.position) == (39, 40)
    assert (LakeStore(store.url, {}, "o")["profiles"].note("taken"), table.note("other")) == (39, None)
