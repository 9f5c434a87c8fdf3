"""The state: a checkpoint is exactly the moment it began, whatever changed meanwhile and whoever died."""

import os
import signal
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from patron.model.errors import StorageError
from patron.storage.embedded import directory
from patron.storage.embedded.state import State, TableSpec
from patron.storage.embedded.tables import StoredTable


class Partial(Struct):
    """A value that changes in place, as a profile does."""

    name: str
    counts: dict[str, int] = {}


SPECS = [TableSpec("people", Partial, 3), TableSpec("small", int, 2)]


def _settle(state: State) -> None:
    deadline = time.monotonic() + 30
    while not (state.step() and state.poll()):
        assert time.monotonic() < deadline, state.failure
        time.sleep(0.001)


def _stored(path: Path) -> dict[tuple[str, str], bytes]:
    return directory.dump_state(path)


KEYS = st.sampled_from(["a", "b", "c", "d", "e"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("change"), KEYS),
        st.tuples(st.just("put"), KEYS),
        st.tuples(st.just("delete"), KEYS),
        st.tuples(st.just("read"), KEYS),
        st.tuples(st.just("small"), KEYS),
        st.tuples(st.just("step"), st.integers(1, 3)),
        st.tuples(st.just("begin"), st.none()),
    ),
    max_size=60,
)


def _walk(
    steps: list[tuple[str, Any]], people: Any, small: Any, checkpoint: Any, step: Any
) -> dict[str, dict[str, int]]:
    """Change two tables and a plain dict alike; gives the dict."""
    model: dict[str, dict[str, int]] = {}
    for number, (name, value) in enumerate(steps):
        if name == "change" and value in model:
            people.touch(value)
            people.get(value).counts[f"k{number}"] = number
            model[value][f"k{number}"] = number
        elif name == "put":
            people.put(value, Partial(value, {"put": number}))
            model[value] = {"put": number}
        elif name == "delete":
            people.delete(value)
            model.pop(value, None)
        elif name == "read":
            found = people.get(value)
            assert (None if found is None else found.counts) == model.get(value)
        elif name == "small":
            small.put(value, number)
        elif name == "step":
            step(value)
        elif name == "begin":
            checkpoint(number)
        assert {key: value.counts for key, value in people.items()} == model
        assert set(people.keys()) == set(model)
        assert len(people) == len(model)
    return model


@given(steps=STEPS)
def test_what_is_taken_is_the_table_at_the_beginning(steps: list[tuple[str, Any]]) -> None:
    """Changes go on between the slices; the rows taken must be those of the moment of `begin`, byte for byte."""
    people: StoredTable[Partial] = StoredTable(SPECS[0])
    small: StoredTable[int] = StoredTable(SPECS[1])
    database: dict[str, bytes] = {}
    begun: dict[str, bytes] = {}

    def take(limit: int) -> bool:
        rows = people.take(limit)
        for key, raw in rows:
            database.pop(key, None)
            if raw is not None:
                database[key] = raw
        return bool(rows)

    def begin(_number: int) -> None:
        while take(2):
            pass
        assert database == begun
        people.begin()
        begun.clear()
        begun.update({key: raw for key in people.keys() if (raw := people.encoded(key)) is not None})

    _walk(steps, people, small, begin, take)
    begin(0)
    begin(0)
    assert database == {key: people.encoded(key) for key in people.keys()}


def test_a_checkpoint_is_the_state_at_its_offset(tmp_path: Path) -> None:
    """The same through the child and its database, on a long random walk."""
    import random

    rng = random.Random(3)
    names = ["change", "put", "delete", "read", "small", "step", "step"]
    steps: list[tuple[str, Any]] = [
        (name, rng.randint(1, 3) if name == "step" else rng.choice("abcdefgh"))
        for name in (rng.choice(names) for _ in range(1500))
    ]
    for place in range(0, 1500, 50):
        steps[place] = ("begin", None)
    state = State.open(tmp_path, SPECS)
    begun: dict[tuple[str, str], bytes] = {}

    def begin(number: int) -> None:
        if state.writing:
            _settle(state)
            assert _stored(tmp_path) == begun
        state.begin(number, {"n": number})
        begun.clear()
        begun.update({(t, k): raw for t, k, raw in state.dump()})

    model = _walk(steps, state.table("people"), state.table("small"), begin, state.step)
    _settle(state)
    assert (state.offset, _stored(tmp_path)) == (1450, begun)
    state.checkpoint_now(10_000, {})
    last = list(state.dump())
    state.close()
    again = State.open(tmp_path, SPECS)
    assert list(again.dump()) == last
    assert {key: value.counts for key, value in again.table("people").items()} == model
    assert again.offset == 10_000
    again.close()


def test_rows_are_canonical(tmp_path: Path) -> None:
    state = State.open(tmp_path, SPECS)
    state.table("people").put("a", Partial("a", {"x": 1, "y": 2}))
    state.table("people").put("b", Partial("a", {"y": 2, "x": 1}))
    (_, _, one), (_, _, other) = state.dump()
    assert one == other
    state.close()


def test_a_value_is_the_same_object_while_it_is_live(tmp_path: Path) -> None:
    state = State.open(tmp_path, [TableSpec("people", Partial, 100)])
    people = state.table("people")
    people.put("a", Partial("a"))
    value = people.get("a")
    people.touch("a")
    value.counts["n"] = 1
    for number in range(90):
        people.put(f"x{number}", Partial("x"))
    assert people.get("a") is value
    for number in range(400):
        people.put(f"y{number}", Partial("y"))
    assert people.get("a") is not value
    assert people.get("a") == value
    assert people.get("nobody") is None
    assert "a" in people
    assert "nobody" not in people
    state.close()


def test_a_changed_value_that_is_let_go_keeps_its_change(tmp_path: Path) -> None:
    state = State.open(tmp_path, [TableSpec("people", Partial, 1)])
    people = state.table("people")
    for key in "abc":
        people.put(key, Partial(key))
    state.checkpoint_now(1, {})
    for key in "abc":
        value = people.get(key)
        people.touch(key)
        value.counts["n"] = 7
    assert [people.get(key).counts for key in "abc"] == [{"n": 7}] * 3
    state.checkpoint_now(2, {})
    state.close()
    again = State.open(tmp_path, SPECS)
    assert [again.table("people").get(key).counts for key in "abc"] == [{"n": 7}] * 3
    again.close()


def test_hostile_keys_and_values_survive(tmp_path: Path) -> None:
    keys = ["", "a'b\"c", "x\x00y", "x", "\u202egnirts", "😀" * 50, "k" * 10_000, "a;DROP TABLE t_small"]
    state = State.open(tmp_path, SPECS)
    for number, key in enumerate(keys):
        state.table("small").put(key, number)
        state.table("people").put(key, Partial(key, {key: -number}))
    state.checkpoint_now(1, {"k\x00": "v"})
    state.close()
    again = State.open(tmp_path, SPECS)
    assert dict(again.table("small").items()) == {key: number for number, key in enumerate(keys)}
    assert again.table("people").get("x\x00y") == Partial("x\x00y", {"x\x00y": -2})
    assert again.meta == {"k\x00": "v"}
    again.table("small").delete("x\x00y")
    again.checkpoint_now(2, {})
    again.close()
    third = State.open(tmp_path, SPECS)
    assert len(third.table("small")) == len(keys) - 1
    assert "x" in third.table("small")
    third.close()


def test_only_one_checkpoint_at_a_time(tmp_path: Path) -> None:
    state = State.open(tmp_path, SPECS)
    state.table("small").put("a", 1)
    state.begin(1, {})
    with pytest.raises(StorageError, match="under way"):
        state.begin(2, {})
    state.table("small").put("a", 2)
    state.checkpoint_now(3, {})  # finishes the first, then takes its own
    assert state.offset == 3
    assert state.dirty == 0
    state.close()


def test_a_row_that_no_longer_fits_is_refused_with_advice(tmp_path: Path) -> None:
    state = State.open(tmp_path, [TableSpec("people", str)])
    state.table("people").put("a", "no struct")
    state.checkpoint_now(1, {})
    state.close()
    other = State.open(tmp_path, SPECS)
    with pytest.raises(StorageError, match=r"row 'a' of table 'people'.*remove state\.db"):
        other.table("people").get("a")
    other.close()


def test_a_damaged_database_is_refused_with_advice(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(StorageError, match="made anew from the log"):
        State.open(tmp_path, SPECS)


# --- the child ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [0, 1, 3, 6])
def test_a_child_killed_in_mid_checkpoint_loses_nothing(tmp_path: Path, after: int) -> None:
    state = State.open(tmp_path, SPECS)
    small = state.table("small")
    small.put("old", 0)
    state.checkpoint_now(1, {})
    for number in range(300):
        small.put(f"k{number}", number)
    small.delete("old")
    state.begin(2, {"n": 2})
    expected = {(t, k): raw for t, k, raw in state.dump()}
    for _ in range(after):
        state.step(50)
    assert state.writer_pid is not None
    os.kill(state.writer_pid, signal.SIGKILL)
    small.put("k7", -1)
    _settle(state)
    assert state.offset == 2
    assert _stored(tmp_path) == expected
    state.checkpoint_now(3, {})
    state.close()
    again = State.open(tmp_path, SPECS)
    assert (again.offset, again.table("small").get("k7"), "old" in again.table("small")) == (3, -1, False)
    again.close()


def test_a_child_that_dies_idle_is_replaced(tmp_path: Path) -> None:
    state = State.open(tmp_path, SPECS)
    for offset in range(1, 4):
        state.table("small").put("a", offset)
        state.checkpoint_now(offset, {})
        assert state.writer_pid is not None
        os.kill(state.writer_pid, signal.SIGKILL)
        time.sleep(0.05)
    assert state.table("small").get("a") == 3
    state.checkpoint_now(9, {})
    assert state.failure is None
    state.close()


def test_a_write_that_keeps_failing_is_told_and_healed(tmp_path: Path) -> None:
    state = State.open(tmp_path, SPECS)
    state.table("small").put("a", 1)
    blocker = sqlite3.connect(tmp_path / "state.db", isolation_level=None)
    blocker.execute(
        "CREATE TRIGGER no_more BEFORE INSERT ON patron_meta BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
    )
    state.begin(1, {})
    deadline = time.monotonic() + 20
    while state.failure is None:
        assert not (state.step() and state.poll())
        assert time.monotonic() < deadline
        time.sleep(0.005)
    assert "disk is full" in state.failure
    state.table("small").put("a", 2)
    blocker.execute("DROP TRIGGER no_more")
    blocker.close()
    _settle(state)
    assert (state.offset, state.failure) == (1, None)
    assert _stored(tmp_path)["small", "a"] == b"\x01"
    state.close()


def test_stepping_and_polling_never_wait(tmp_path: Path) -> None:
    state = State.open(tmp_path, [TableSpec("people", Partial)])
    for number in range(3000):
        state.table("people").put(f"p{number}", Partial("x" * 5000))
    state.checkpoint_now(1, {})
    assert state.writer_pid is not None
    os.kill(state.writer_pid, signal.SIGSTOP)
    for number in range(3000):
        state.table("people").put(f"p{number}", Partial("y" * 5000))
    state.begin(2, {})
    for _ in range(400):
        state.step()
        state.poll()
    assert state.writing
    os.kill(state.writer_pid, signal.SIGCONT)
    _settle(state)
    assert state.offset == 2
    state.close()


# --- old bytes ------------------------------------------------------------------------------------------------


def test_erased_rows_leave_no_byte(tmp_path: Path) -> None:
    """`secure_delete` alone fails this test: page splits leave copies of rows that it never visits."""
    import random

    rng = random.Random(7)
    state = State.open(tmp_path, [TableSpec("people", str)])
    people = state.table("people")
    keys = [f"p_{rng.getrandbits(64):016x}" for _ in range(4000)]
    for part in range(0, len(keys), 500):
        for key in keys[part : part + 500]:
            people.put(key, f"MARK{key}" + "z" * rng.randint(0, 2500))
        state.checkpoint_now(part, {})
    for key in rng.sample(keys, 1500):
        people.put(key, f"MARK{key}" + "w" * rng.randint(0, 3500))
    state.checkpoint_now(9000, {})
    gone = rng.sample(keys, 500)
    for key in gone:
        people.delete(key)
    state.checkpoint_now(9001, {})
    state.erase_pages()
    data = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert [key for key in gone if key.encode() in data] == []
    kept = next(key for key in keys if key not in gone)
    assert f"MARK{kept}".encode() in data
    assert _stored(tmp_path) == {(t, k): raw for t, k, raw in state.dump()}
    people.put("after", "the erasure")
    state.checkpoint_now(9002, {})
    state.close()
    again = State.open(tmp_path, [TableSpec("people", str)])
    assert (again.offset, again.table("people").get("after"), len(again.table("people"))) == (
        9002,
        "the erasure",
        3501,
    )
    assert sorted(p.name for p in tmp_path.iterdir() if not p.name.endswith(("-wal", "-shm"))) == ["state.db"]
    again.close()


def test_the_database_is_private(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        state = State.open(tmp_path / "d", SPECS)
        state.table("small").put("a", 1)
        state.begin(1, {})
        _settle(state)
        modes = {p.name: oct(p.stat().st_mode & 0o777) for p in (tmp_path / "d").iterdir()}
        state.close()
    finally:
        os.umask(old)
    assert set(modes.values()) == {"0o600"}
