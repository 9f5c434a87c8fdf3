"""The platform runs as a user who may not read the truth, and is scored all the same: the two meet over HTTP only."""

import json
import os
import shutil
import site
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from patron.cli.sim import sim
from tests.flow.serving import PatronServer

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65_534
READ = "import sys; open(sys.argv[1]).read()"
WORKS = "import subprocess, sys, patron.runtime.serving.server, uvloop, numpy; subprocess.run([sys.executable, '-c', ''], check=True)"
"""Whether Python runs Patron, and can start itself again, as the state's writer is."""
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may run something as another user")


class Confined(NamedTuple):
    """How to run Python as somebody else: the words before its arguments, who then owns the platform's data, who the truth."""

    python: list[str]
    data: int
    truth: int

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Python to its end."""
        return subprocess.run(
            [*self.python, *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd="/",
            env=ENV,
        )


ENV = {
    **os.environ,
    "HOME": "/",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), *site.getsitepackages()]),
}


def as_nobody() -> Confined | None:
    """As `nobody`, with this interpreter or the system's of the same version; None when nobody may run either."""
    switch = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    same = shutil.which(f"python3.{sys.version_info.minor}", path="/usr/bin:/usr/local/bin") or sys.executable
    for python in (sys.executable, same):
        one = Confined([*switch, python], NOBODY, 0)
        if one.run("-c", WORKS).returncode == 0:
            return one
    return None


def without_rights() -> Confined:
    """As root without any capability, for machines whose Python lies in root's own folder: the truth is then nobody's."""
    return Confined(["setpriv", "--bounding-set=-all", "--inh-caps=-all", sys.executable], 0, NOBODY)


class ServerOfOther(PatronServer):
    """A server that runs confined."""

    def __init__(self, data: Path, who: Confined) -> None:
        super().__init__(data)
        self.who = who

    def start(self, timeout: float = 60) -> None:
        """Make the directory as that user, start the server and wait until it takes traffic."""
        made = self.who.run("-m", "patron.cli", "init", str(self.data))
        assert made.returncode == 0, made.stderr
        command = ["-m", "patron.cli", "serve", "--data", str(self.data), "--port", str(self.port)]
        with self.stderr.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.who.python, *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=ENV,
                cwd="/",
            )
        self.wait_ready(timeout)

    def secret(self, *scopes: str) -> str:
        """A secret key, made as that user."""
        done = self.who.run(
            "-m", "patron.cli", "key", "add", "score", "--scope", *scopes, "--data", str(self.data)
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that others may pass through; pytest's own is closed to them."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_a_platform_that_may_not_read_the_truth_is_scored(place: Path) -> None:
    who = as_nobody() or without_rights()
    world = place / "world"
    arguments = [
        "--size",
        "30",
        "--days",
        "14",
        "--seed",
        "1005",
        "--until",
        "2026-03-31",
        "--out",
        str(world),
    ]
    assert CliRunner().invoke(sim, ["generate", *arguments]).exit_code == 0
    for path in (world / "truth", *(world / "truth").iterdir()):
        os.chown(path, who.truth, who.truth)
    (place / "data").mkdir()
    os.chown(place / "data", who.data, who.data)
    server = ServerOfOther(place / "data" / "shop", who)
    server.start()
    try:
        denied = who.run("-c", READ, str(world / "truth" / "person_map.ndjson"))
        assert "PermissionError" in denied.stderr
        status = dict(
            line.split(":\t", 1) for line in Path(f"/proc/{server.pid}/status").read_text().splitlines()
        )
        assert (status["Uid"].split()[1], int(status["CapEff"], 16)) == (str(who.data), 0)
        reach = ["--key", server.admin]
        assert CliRunner().invoke(sim, ["load", str(world), "--to", server.url, *reach]).exit_code == 0
        card = place / "card.json"
        told = ["--truth", str(world / "truth"), "--against", server.url, "--json", str(card), *reach]
        scored = CliRunner().invoke(sim, ["score", *told])
        assert card.exists(), scored.output
    finally:
        ended = server.close()
    assert not ended
    rows = {row["name"]: row for row in json.loads(card.read_text())["rows"]}
    assert rows["messages missing"]["value"] == rows["totals off what was sent"]["value"] == 0
    assert rows["person precision"]["value"] > 0.8
