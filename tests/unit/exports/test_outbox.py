"""What an export told, and what it was about to tell when the power went."""

import asyncio
from pathlib import Path

import pytest

from patron.exports.changes import differences, digest_of
from patron.exports.delivery import TRIES, Gate, Undelivered, deliver
from patron.exports.outbox import Outbox, Pending
from patron.model.exports import Difference, Row


class Crm:
    """The other side: a table that takes batches, remembers their ids, and fails when told to."""

    batch = 2

    def __init__(
        self, failing: int = 0, *, again: bool = True, refusing: frozenset[str] = frozenset()
    ) -> None:
        self.rows: dict[str, tuple] = {}
        self.batches: list[str] = []
        self.failing, self.again, self.refusing = failing, again, refusing

    async def send(self, batch_id, changes):
        if self.failing:
            self.failing -= 1
            raise Undelivered("down", again=self.again)
        self.batches.append(batch_id)
        for c in changes:
            if c.key in self.refusing:
                continue
            if c.op == "removed":
                self.rows.pop(c.key, None)
            else:
                self.rows[c.key] = c.values
        return {c.key: "bad e-mail" for c in changes if c.key in self.refusing}

    async def finish(self):
        pass

    async def close(self):
        pass


async def _no_wait(_seconds: float) -> None:
    pass


def run(box: Outbox, crm: Crm, rows: list[Row]):
    if box.pending is None:
        box.begin(Pending(box.next_number, 0, list(differences(box.told, rows))))
    return asyncio.run(deliver("vips", box, crm, lambda: 9, Gate(), _no_wait))


ROWS = [Row(f"p_{i}", (i,)) for i in range(5)]


def test_only_what_changed_is_told(tmp_path: Path):
    box, crm = Outbox(tmp_path / "x"), Crm()
    assert run(box, crm, ROWS).added == 5
    again = run(box, crm, ROWS)
    assert (again.added, again.changed, again.removed) == (0, 0, 0)
    third = run(box, crm, [Row("p_0", (7,)), *ROWS[2:], Row("p_9", (9,))])
    assert (third.added, third.changed, third.removed) == (1, 1, 1)
    assert crm.rows == {"p_0": (7,), "p_2": (2,), "p_3": (3,), "p_4": (4,), "p_9": (9,)}


def test_a_refused_row_is_reported_and_told_again(tmp_path: Path):
    box = Outbox(tmp_path / "x")
    first = run(box, Crm(refusing=frozenset({"p_3"})), ROWS)
    assert (first.added, first.refused, first.rejected[0].key) == (4, 1, "p_3")
    crm = Crm()
    assert run(box, crm, ROWS).added == 1
    assert crm.rows == {"p_3": (3,)}


def test_a_batch_is_tried_again_under_the_same_id(tmp_path: Path):
    box, crm = Outbox(tmp_path / "x"), Crm(failing=TRIES - 1)
    assert run(box, crm, ROWS).error == ""
    assert crm.batches == ["vips-1-0", "vips-1-2", "vips-1-4"]


@pytest.mark.parametrize(("failing", "again", "tries_left"), [(TRIES, True, 0), (1, False, 0)])
def test_a_run_that_failed_goes_on_in_the_next(tmp_path: Path, failing: int, again: bool, tries_left: int):
    box, crm = Outbox(tmp_path / "x"), Crm(failing, again=again)
    assert run(box, crm, ROWS).error == "down"
    assert crm.failing == tries_left
    assert run(box, crm, ROWS).added == 5
    assert [r.number for r in box.runs()] == [1, 2]


def test_a_crash_after_any_write_loses_and_doubles_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Die at each file written in turn; the next process goes on, and the table ends the same."""

    class Power(Exception):
        pass

    for point in range(1, 9):
        folder, crm = tmp_path / str(point), Crm()
        left = point
        write = Outbox._write_bytes

        def cut(self, name, data, write=write):
            nonlocal left
            left -= 1
            if left == 0:
                raise Power
            write(self, name, data)

        monkeypatch.setattr(Outbox, "_write_bytes", cut)
        died = False
        try:
            run(Outbox(folder), crm, ROWS)
        except Power:
            died = True
        monkeypatch.setattr(Outbox, "_write_bytes", write)
        run(Outbox(folder), crm, ROWS)
        box = Outbox(folder)
        assert crm.rows == {r.key: r.values for r in ROWS}, point
        assert box.told == {r.key: digest_of(r.values) for r in ROWS}, point
        assert died == (point <= 6), point
        assert len({r.number for r in box.runs()}) == len(box.runs())


def test_of_erased_people_only_the_removal_is_left_to_tell(tmp_path: Path):
    box, crm = Outbox(tmp_path / "x"), Crm(refusing=frozenset({"p_1"}))
    run(box, crm, [Row(r.key, (f"secret {r.key}",)) for r in ROWS])
    changes = [
        Difference("changed", "p_0", ("secret p_0",), 1),
        Difference("changed", "p_2", ("secret p_2",), 1),
    ]
    box.begin(Pending(2, 0, changes))
    box.forget(frozenset({"p_0", "p_1"}))
    text = b"".join(p.read_bytes() for p in (tmp_path / "x").iterdir())
    assert b"secret p_0" not in text
    assert b"bad e-mail" not in text
    asyncio.run(deliver("vips", Outbox(tmp_path / "x"), crm, lambda: 9, Gate(), _no_wait))
    assert sorted(crm.rows) == ["p_2", "p_3", "p_4"]
    assert "p_0" not in Outbox(tmp_path / "x").told


def test_a_torn_line_of_runs_is_passed_over(tmp_path: Path):
    box = Outbox(tmp_path / "x")
    run(box, Crm(), ROWS)
    with (tmp_path / "x" / "runs.jsonl").open("ab") as out:
        out.write(b'{"number": 2, "sta')
    assert [r.number for r in Outbox(tmp_path / "x").runs()] == [1]


def test_an_erasure_stops_a_run_after_its_batch(tmp_path: Path):
    box, crm, gate = Outbox(tmp_path / "x"), Crm(), Gate()
    send = crm.send

    async def shut_after(batch_id, changes):
        gate.closed = 1
        return await send(batch_id, changes)

    crm.send = shut_after
    box.begin(Pending(1, 0, list(differences(box.told, ROWS))))
    stopped = asyncio.run(deliver("vips", box, crm, lambda: 9, gate, _no_wait))
    assert (stopped.added, "erasure" in stopped.error) == (2, True)
    crm.send = send
    assert run(box, crm, ROWS).added == 3
