"""A data directory: one holder, a known schema, private files."""

import contextlib
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from patron.model.errors import Busy, ConfigError, DirectoryLocked, NewerSchema
from patron.storage.embedded import directory


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    directory.create(tmp_path / "shop")
    return tmp_path / "shop"


def test_a_new_directory_is_private_and_has_a_secret(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(p.stat().st_mode) for p in folder.iterdir()} == {0o600}
    assert len(directory.secret(folder)) == 32
    assert directory.version(folder) == directory.SCHEMA
    assert directory.exists(folder)


def test_creating_twice_never_touches_the_secret(folder: Path) -> None:
    before = directory.secret(folder)
    with pytest.raises(ConfigError, match="already"):
        directory.create(folder)
    (folder / "schema").unlink()  # as if the first making was cut short
    assert not directory.exists(folder)
    directory.create(folder)
    assert directory.secret(folder) == before


def test_a_second_holder_is_refused_and_told_whom_to_stop(folder: Path) -> None:
    held = directory.hold(folder)
    with pytest.raises(DirectoryLocked, match=rf"held by process {os.getpid()}\. Stop it first"):
        directory.hold(folder)
    held.release()
    held.release()
    directory.hold(folder).release()


_HOLDER = """
import sys, time
from pathlib import Path
from patron.storage.embedded import directory
held = directory.hold(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


def test_another_process_is_refused_until_the_holder_dies(folder: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", _HOLDER, str(folder)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(DirectoryLocked, match=f"process {holder.pid}"):
            directory.hold(folder)
        holder.kill()
        holder.wait()
        held = directory.hold(folder)
        assert (folder / "lock").read_text() == f"{os.getpid()}\n"
        held.release()


def test_a_child_that_inherits_the_lock_holds_the_directory(folder: Path) -> None:
    held = directory.hold(folder)
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"],
        stdin=subprocess.PIPE,
        pass_fds=(held.fileno(),),
    ) as child:
        held.release()
        with pytest.raises(DirectoryLocked):
            directory.hold(folder)
        assert child.stdin is not None
        child.stdin.close()
        child.wait()
    directory.hold(folder).release()


DIED = 9
_PARENT = """
import os, subprocess, sys
from pathlib import Path
from patron.storage.embedded import directory
held = directory.hold(Path(sys.argv[1]))
child = "import sys, time; sys.stdin.read(); time.sleep(float(sys.argv[1]))"
command = [sys.executable, "-c", child, sys.argv[2]]
subprocess.Popen(command, stdin=sys.stdin, stdout=subprocess.DEVNULL, pass_fds=(held.fileno(),))
print("held", flush=True)
os._exit(9)
"""


@contextlib.contextmanager
def _left_by_a_dead_holder(folder: Path, finishing: float) -> Iterator[int]:
    """A holder is dead, and its child still holds: until so many seconds after this block. Gives the dead one's id."""
    command = [sys.executable, "-c", _PARENT, str(folder), str(finishing)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"held\n"
        assert parent.wait() == DIED
        yield parent.pid


def test_who_comes_after_a_dead_holder_waits_for_its_child(folder: Path) -> None:
    with _left_by_a_dead_holder(folder, 2 * directory.LOCK_SECONDS):
        pass
    directory.hold(folder).release()


def test_a_child_that_never_ends_is_not_waited_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "LEFT_SECONDS", 0.1)
    with (
        _left_by_a_dead_holder(folder, 0) as pid,
        pytest.raises(DirectoryLocked, match=f"held by process {pid}"),
    ):
        directory.hold(folder)


def test_what_is_no_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="patron init"):
        directory.hold(tmp_path)


def test_a_newer_directory_is_not_touched(folder: Path) -> None:
    (folder / "schema").write_text("99\n")
    before = {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "lock"}
    with pytest.raises(NewerSchema, match=r"has schema 99, this Patron knows 1\. Start the newer Patron"):
        directory.hold(folder)
    assert {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "lock"} == before
    (folder / "schema").write_text("1\n")
    directory.hold(folder).release()


@pytest.mark.parametrize("text", ["", "one", "-1", "1.5"])
def test_a_damaged_schema_file_is_refused(folder: Path, text: str) -> None:
    (folder / "schema").write_text(text)
    with pytest.raises(ConfigError, match="should hold a number"):
        directory.hold(folder)


def test_a_damaged_secret_is_refused(folder: Path) -> None:
    (folder / "secret").write_bytes(b"short")
    with pytest.raises(ConfigError, match="32 bytes"):
        directory.secret(folder)


def test_each_migration_step_runs_once(folder: Path) -> None:
    ran: list[str] = []

    def step(name: str) -> "directory.Callable[[Path], None]":
        def run(path: Path) -> None:
            ran.append(name)
            (path / name).write_text("done")

        return run

    steps = {1: step("one"), 2: step("two")}
    assert directory.migrate(folder, steps, 3) == 2
    assert ran == ["one", "two"]
    assert directory.version(folder) == 3
    assert directory.migrate(folder, steps, 3) == 0
    assert ran == ["one", "two"]


def test_a_migration_cut_short_goes_on_where_it_stopped(folder: Path) -> None:
    ran: list[str] = []

    def crash(_path: Path) -> None:
        ran.append("two")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        directory.migrate(folder, {1: lambda _p: ran.append("one"), 2: crash}, 3)
    assert directory.version(folder) == 2
    directory.migrate(folder, {1: lambda _p: ran.append("one"), 2: lambda _p: ran.append("two")}, 3)
    assert ran == ["one", "two", "two"]  # the step that was cut short is repeated, the finished one is not
    assert directory.version(folder) == 3


def test_little_space_is_refused_before_anything_is_taken(folder: Path) -> None:
    held = directory.hold(folder)
    held.check_space(1)
    free = directory.shutil.disk_usage(folder).free >> 20
    with pytest.raises(Busy, match="nothing was kept"):
        held.check_space(free * 2)
    held.check_space(1)
    held.release()


def test_a_server_is_found_while_it_lives(folder: Path) -> None:
    assert directory.running(folder) is None
    held = directory.hold(folder)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        directory.announce(folder, url, "token")
        assert stat.S_IMODE((folder / "run.json").stat().st_mode) == 0o600
        assert directory.running(folder) == directory.Running(os.getpid(), url, "token")
    assert directory.running(folder) is None  # it holds the directory and does not answer
    held.release()
    with socket.create_server(("127.0.0.1", 0)) as server:
        directory.announce(folder, f"http://127.0.0.1:{server.getsockname()[1]}", "token")
        assert directory.running(folder) is None  # nobody holds it: what answers there is someone else
    (folder / "run.json").write_bytes(b"{broken")
    assert directory.running(folder) is None
    directory.withdraw(folder)
    directory.withdraw(folder)
    assert not (folder / "run.json").exists()
