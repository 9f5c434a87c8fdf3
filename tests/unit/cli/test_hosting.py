"""A server beside a command that ends before it."""

import subprocess
import sys
from pathlib import Path

import pytest

from patron.cli import hosting
from patron.cli.client import Failed

ENDS = "import sys; print('the disk is full', flush=True); sys.exit(3)"


def test_whoever_waits_on_a_server_that_ended_is_told_its_last_words(tmp_path: Path) -> None:
    with (tmp_path / hosting.LOG).open("ab") as log:
        server = subprocess.Popen([sys.executable, "-c", ENDS], stdout=log, stderr=log)
    server.wait(30)
    with pytest.raises(Failed, match=r"ended by itself \(code 3; .*the disk is full"):
        hosting.need_alive(server, tmp_path)
    hosting.stop(server)


def test_a_server_that_lives_is_left_alone(tmp_path: Path) -> None:
    server = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    hosting.need_alive(server, tmp_path)
    hosting.stop(server)
    assert server.returncode is not None
