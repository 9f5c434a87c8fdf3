"""Backups: a consistent copy of a serving directory, checked when restored, reached by later erasures."""

import errno
import os
import shutil
import stat
import threading
from pathlib import Path

import pytest

from patron.model.errors import ConfigError, StorageError
from patron.storage.embedded import backup, directory
from patron.storage.embedded.dedup import Dedup
from patron.storage.embedded.log import SegmentLog
from patron.storage.embedded.state import State, TableSpec
from tests.unit.storage.logs import everything, files, put

SPECS = [TableSpec("people", dict[str, int])]


class Shop:
    """A serving directory with all its stores."""

    def __init__(self, path: Path) -> None:
        directory.create(path)
        self.path = path
        (path / "patron.toml").write_text("[workspace]\n")
        self.log = SegmentLog.open(path / "log", segment_bytes=3000)
        self.state = State.open(path, SPECS)
        self.dedup = Dedup.open(path / "dedup")

    def serve(self, count: int) -> None:
        for _ in range(count):
            position = self.log.last + 1
            put(self.log, b'{"n":%d}' % position + b" " * 900)
            self.log.note(position % 3, position, position, True)
            self.log.applied(position)
            self.dedup.add("shop", f"m{position}", 19_700, position, position)
            self.state.table("people").put(f"p{position % 5}", {"n": position})

    def checkpoint(self) -> None:
        self.dedup.flush(self.log.last)
        self.state.checkpoint_now(self.log.last, {"now": 5})

    def close(self) -> None:
        self.log.close()
        self.state.close()
        self.dedup.close()


@pytest.fixture
def shop(tmp_path: Path) -> "Shop":
    made = Shop(tmp_path / "shop")
    made.serve(10)
    made.checkpoint()
    made.serve(3)
    yield made
    made.close()


@pytest.mark.parametrize("with_log", [True, False])
def test_a_restored_copy_is_the_directory_as_it_was(shop: Shop, tmp_path: Path, with_log: bool) -> None:
    assert shop.log.settle()
    given = list(shop.log.read())
    report = backup.backup(shop.path, tmp_path / "copy", log=shop.log if with_log else None)
    assert report.position == 13
    shop.serve(4)
    shop.checkpoint()
    assert backup.restore(tmp_path / "copy", tmp_path / "again") == 0
    again = tmp_path / "again"
    assert directory.secret(again) == directory.secret(shop.path)
    assert (again / "patron.toml").read_text() == "[workspace]\n"
    assert not (again / "lock").exists()
    directory.hold(again).release()
    assert everything(again / "log", segment_bytes=3000) == given
    state = State.open(again, SPECS)
    assert (state.offset, state.meta) == (10, {"now": 5})
    assert state.table("people").get("p0") == {"n": 10}
    state.close()
    dedup = Dedup.open(again / "dedup")
    assert [dedup.seen("shop", f"m{n}", 19_700, n) for n in (1, 10, 11)] == [1, 1, 0]
    dedup.close()
    modes = {stat.S_IMODE(p.stat().st_mode) for p in again.rglob("*") if p.is_file()}
    assert modes == {0o600}
    assert {stat.S_IMODE(p.stat().st_mode) for p in (again, again / "log", again / "dedup")} == {0o700}


def test_a_copy_taken_under_load_is_consistent(shop: Shop, tmp_path: Path) -> None:
    stop = threading.Event()

    def load() -> None:
        while not stop.is_set():
            shop.serve(1)

    thread = threading.Thread(target=load)
    thread.start()
    try:
        reports = [backup.backup(shop.path, tmp_path / f"copy{n}", record=n % 2 == 0) for n in range(4)]
    finally:
        stop.set()
        thread.join()
    whole = list(shop.log.read())
    for number, report in enumerate(reports):
        assert report.position >= 13
        backup.restore(tmp_path / f"copy{number}", tmp_path / f"again{number}")
        assert everything(tmp_path / f"again{number}" / "log") == whole[: report.position]
    assert [line.path for line in backup.backups(shop.path)] == [
        str(tmp_path / "copy0"),
        str(tmp_path / "copy2"),
    ]


def test_sealed_files_are_linked_and_the_copy_does_not_change_with_the_original(
    shop: Shop, tmp_path: Path
) -> None:
    shop.log.applied(13)
    assert shop.log.settle()
    backup.backup(shop.path, tmp_path / "copy", log=shop.log)
    linked = [p.name for p in files(tmp_path / "copy" / "log", ".zst") if p.stat().st_nlink > 1]
    assert linked
    before = backup.verify(tmp_path / "copy")
    shop.log.rewrite([1, 2, 13], lambda entry, _body, _hit: (entry, b"null"), [0, 1, 2])
    shop.serve(5)
    shop.checkpoint()
    shop.log.drop(1)
    assert backup.verify(tmp_path / "copy") == before
    assert [body[:7] for _, body in everything(tmp_path / "copy" / "log")][:2] == [b'{"n":1}', b'{"n":2}']


def test_without_hard_links_files_are_copied(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_names: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    assert shop.log.settle()
    monkeypatch.setattr(os, "link", refuse)
    backup.backup(shop.path, tmp_path / "copy")
    assert {p.stat().st_nlink for p in (tmp_path / "copy").rglob("*") if p.is_file()} == {1}
    backup.restore(tmp_path / "copy", tmp_path / "again")


def test_folders_that_hold_something_are_refused(shop: Shop, tmp_path: Path) -> None:
    backup.backup(shop.path, tmp_path / "copy")
    for dest in (tmp_path / "copy", shop.path / "inside", tmp_path):
        with pytest.raises(ConfigError):
            backup.backup(shop.path, dest)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("kept")
    with pytest.raises(ConfigError, match="not empty"):
        backup.restore(tmp_path / "copy", tmp_path / "full")
    assert [p.name for p in (tmp_path / "full").iterdir()] == ["x"]
    (tmp_path / "empty").mkdir()
    backup.restore(tmp_path / "copy", tmp_path / "empty")


@pytest.mark.parametrize("harm", ["change", "remove", "no manifest", "bad manifest", "outside"])
def test_a_damaged_backup_is_refused_by_name(shop: Shop, tmp_path: Path, harm: str) -> None:
    backup.backup(shop.path, tmp_path / "copy")
    copy = tmp_path / "copy"
    victim = copy / "secret"
    if harm == "change":
        victim.write_bytes(bytes(32))
    elif harm == "remove":
        victim.unlink()
    elif harm == "no manifest":
        (copy / "manifest.json").unlink()
    elif harm == "bad manifest":
        (copy / "manifest.json").write_text("{")
    else:
        text = (copy / "manifest.json").read_text().replace('"secret"', '"../secret"')
        (copy / "manifest.json").write_text(text)
    with pytest.raises(StorageError, match=r"secret|manifest"):
        backup.restore(copy, tmp_path / "again")
    assert not (tmp_path / "again").exists()
    assert [p.name for p in tmp_path.iterdir() if "restoring" in p.name] == []


def test_a_restore_cut_short_leaves_nothing_that_opens(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup.backup(shop.path, tmp_path / "copy")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            backup.restore(tmp_path / "copy", tmp_path / "again")
    assert not directory.exists(tmp_path / "again")
    backup.restore(tmp_path / "copy", tmp_path / "again")
    assert directory.exists(tmp_path / "again")
    assert [p.name for p in tmp_path.iterdir() if "restoring" in p.name] == []


# --- tombstones ----------------------------------------------------------------------------------------------

ANA, BEN, CLO = "a1" * 32 + " 100", "b2" * 32 + " 200", "c3" * 32 + " 300"


def test_erasures_reach_every_backup_that_is_there(shop: Shop, tmp_path: Path) -> None:
    backup.add_tombstones(shop.path, [ANA])
    for name in ("one", "two", "three"):
        backup.backup(shop.path, tmp_path / name)
    shutil.rmtree(tmp_path / "two")
    assert backup.add_tombstones(shop.path, [BEN, ANA]) == [str(tmp_path / "one"), str(tmp_path / "three")]
    assert backup.tombstones(shop.path) == [ANA, BEN]
    assert backup.tombstones(tmp_path / "one") == [ANA, BEN]
    backup.verify(tmp_path / "one")  # tombstones are no damage
    assert backup.restore(tmp_path / "one", tmp_path / "again", [BEN, CLO]) == 3
    assert backup.tombstones(tmp_path / "again") == [ANA, BEN, CLO]
    assert backup.tombstones(tmp_path / "again" / "tombstones") == [ANA, BEN, CLO]
    assert backup.tombstones(tmp_path / "nowhere") == []


def test_a_line_cut_off_by_a_crash_is_not_counted(tmp_path: Path) -> None:
    (tmp_path / "tombstones").write_text(f"{ANA}\n{BEN[:20]}")
    assert backup.tombstones(tmp_path) == [ANA]
    backup.add_tombstones(tmp_path, [CLO])
    assert backup.tombstones(tmp_path) == [ANA, CLO]


@pytest.mark.parametrize("line", ["", "a\nb", "é", "a\x00"])
def test_a_line_that_would_break_the_file_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(ValueError, match="one line"):
        backup.add_tombstones(tmp_path, [line])


def test_a_lake_that_has_an_owner_and_no_table_yet_is_copied(shop: Shop, tmp_path: Path) -> None:
    (shop.path / "lake").mkdir()
    (shop.path / "lake" / "owner").write_bytes(b"me")
    backup.backup(shop.path, tmp_path / "copy", log=shop.log)
    assert (tmp_path / "copy" / "lake" / "owner").read_bytes() == b"me"


def test_the_log_reaches_beyond_the_lake_also_when_both_grow_meanwhile(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = shop.path / "lake" / "events" / "_delta_log"
    commits.mkdir(parents=True)
    (commits / f"{0:020d}.json").write_text("13")
    copy_log, copy_lake = backup._copy_log, backup._copy_lake

    def grow() -> None:
        shop.serve(1)
        (commits / f"{shop.log.last:020d}.json").write_text(str(shop.log.last))

    def log(*args: object) -> None:
        copy_log(*args)
        grow()

    def lake(*args: object) -> None:
        copy_lake(*args)
        grow()

    monkeypatch.setattr(backup, "_copy_log", log)
    monkeypatch.setattr(backup, "_copy_lake", lake)
    made = backup.backup(shop.path, tmp_path / "copy", log=shop.log)
    known = [int(path.read_text()) for path in (tmp_path / "copy").glob("lake/events/_delta_log/*.json")]
    assert known
    assert max(known) <= made.position
