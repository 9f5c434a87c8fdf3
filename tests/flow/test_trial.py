"""`patron sim trial`: worlds against servers of their own, listed whatever came of them, and not run twice."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import CliRunner

from patron.cli.sim import trial as trials
from patron.cli.sim.trial import trial

SMALL = ["--size", "25", "--history", "6", "--days", "8"]


def _left(folder: Path) -> list[str]:
    """Processes and folders of trials that are still there."""
    kept = [str(path) for path in folder.glob("patron-trial-*")]
    return kept + [
        " ".join(one.info["cmdline"])
        for one in psutil.process_iter(["cmdline"])
        if any(word.startswith(str(folder)) for word in one.info["cmdline"] or ())
    ]


def test_each_seed_is_lived_once_and_nothing_of_it_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, place = tmp_path / "trial.ndjson", tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    told = CliRunner().invoke(trial, [*SMALL, "--seeds", "9001", "--out", str(out), "--json"])
    assert told.exit_code == 0, told.output
    row = json.loads(out.read_text("utf-8"))
    assert row["seed"] == 9001
    assert row["card"]["treated"] > 0
    assert row["card"]["sent"] > 0, "something was decided and sent"
    assert row["server_cpu"] > 0
    assert isinstance(row["card"]["page"]["in_both"], float)
    assert row["card"]["page"]["sentence"].startswith("Too early"), "two dozen people settle nothing"
    until = time.monotonic() + 30
    while (left := _left(place)) and time.monotonic() < until:
        time.sleep(0.1)  # the server's child ends when it finds that its parent is gone
    assert not left

    def again(seed: int, run: list[str], holdout: float, worlds: object) -> dict[str, Any]:
        return {"error": f"{seed} at {holdout}: no port was free"}

    monkeypatch.setattr(trials, "_lived", again)
    more = CliRunner().invoke(trial, [*SMALL, "--seeds", "9001-9002", "--out", str(out)])
    assert more.exit_code == 2, "a seed that failed is said, and fails"
    assert [json.loads(line)["seed"] for line in out.read_text("utf-8").splitlines()] == [9001, 9002]
    assert "1 world, revenue" in more.output
    assert "1 failed" in more.output
    assert "The decisions page says: early 1; its interval of revenue held the truth in" in more.output


def test_who_ends_a_trial_ends_its_servers(tmp_path: Path) -> None:
    place, out = tmp_path / "temporary", tmp_path / "trial.ndjson"
    place.mkdir()
    words = [*SMALL[:4], "--days", "900", "--seeds", "9001-9009", "--out", str(out)]
    running = subprocess.Popen(
        [sys.executable, "-m", "patron.cli", "sim", "trial", *words], env={**os.environ, "TMPDIR": str(place)}
    )
    until = time.monotonic() + 60
    while not any("sim run" in one for one in _left(place)) and time.monotonic() < until:
        time.sleep(0.1)
    running.send_signal(signal.SIGTERM)
    assert running.wait(60) == 1
    while (left := _left(place)) and time.monotonic() < until + 60:
        time.sleep(0.1)
    assert not left
    assert len(out.read_text("utf-8").splitlines()) == 1, "the one that was under way is told as failed"
