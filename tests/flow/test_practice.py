"""`patron sim practice` as a trainee uses it: a world, its questions, answers by two ways, the truth at the end."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.flow.serving import PATRON, free_port, request, run_patron

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@contextmanager
def practising(folder: Path, *arguments: str, log: str = "out") -> Iterator[Path]:
    """A running practice; gives the file with what it printed."""
    out = folder.parent / f"{log}.log"
    with out.open("wb") as file:
        process = subprocess.Popen(
            [PATRON, "sim", "practice", "--dir", str(folder), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env={**os.environ, "COLUMNS": "200"},
        )
    try:
        until = time.monotonic() + 200
        while "In the terminal" not in out.read_text("utf-8"):
            assert process.poll() is None, out.read_text("utf-8")
            assert time.monotonic() < until
            time.sleep(0.1)
        yield out
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def waited_for(out: Path, text: str) -> str:
    """What was printed once it holds a text."""
    until = time.monotonic() + 60
    while text not in out.read_text("utf-8"):
        assert time.monotonic() < until, out.read_text("utf-8")
        time.sleep(0.1)
    return out.read_text("utf-8")


def test_a_world_is_found_out_about_and_revealed(tmp_path: Path) -> None:
    folder, port = tmp_path / "practice", free_port()
    with practising(folder, "--seed", "1002", "--port", str(port), "--until-done") as out:
        told = out.read_text("utf-8")
        assert f"http://127.0.0.1:{port}/console/practice" in told
        assert re.search(r"name trainee, password \S{10,}", told)
        asked = json.loads((folder / "patron" / "practice.json").read_text("utf-8"))
        truth = folder / "world" / "truth"
        assert oct(truth.stat().st_mode & 0o777) == "0o700"
        keys = {key["question"]: key for key in json.loads((truth / "key.json").read_text("utf-8"))}
        questions = {one["id"]: one for one in asked["questions"]}
        assert questions.keys() == keys.keys()
        assert {"stray", "gone", "pick-up", "gaming"} <= keys.keys(), (
            "also those that need what Patron made of it"
        )
        assert len(keys) >= 8
        assert not any(one["truth"] or one["seen"] for one in asked["questions"])
        assert not (folder / "world" / "manifest.json").exists(), "nobody sees the seed"
        assert "1002" not in (folder / "patron" / "practice.json").read_text("utf-8")
        # what Patron holds is what the questions ask about
        page = request("GET", f"http://127.0.0.1:{port}/console/practice")
        assert (page.status, page.headers["location"]) == (303, "/console/signin?next=/console/practice")
        wrong = run_patron("sim", "practice", "answer", str(folder), "pick-up", "S99", check=False)
        assert wrong.returncode == 2
        assert "none of the choices: S01" in wrong.stderr
        unknown = run_patron("sim", "practice", "answer", str(folder), "weather", "rain", check=False)
        assert (unknown.returncode, "pick-up" in unknown.stderr) == (3, True)
        for name, key in keys.items():
            run_patron("sim", "practice", "answer", str(folder), name, ",".join(key["values"]))
        said = waited_for(out, "The console stays open")
        assert "100 of 100 points, world of seed 1002, size XS" in said
        late = run_patron("sim", "practice", "answer", str(folder), "offline", "1", check=False)
        assert (late.returncode, "over" in late.stderr) == (1, True)
    again = json.loads(run_patron("sim", "practice", "reveal", str(folder), "--json").stdout)
    assert (again["seed"], again["size"], again["points"]) == (1002, "XS", 100.0)
    html = (folder / "reveal.html").read_text("utf-8")
    assert "100 of 100 points" in html
    assert "{" not in re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL), "every slot has a name"
    with practising(folder, "--port", str(port), log="again") as out:
        assert "It is over; the console shows the truth." in out.read_text("utf-8")
    other = run_patron(
        "sim", "practice", "--dir", str(folder), "--seed", "3", "--port", str(port), check=False
    )
    assert (other.returncode, "leave --seed out" in other.stderr) == (1, True)


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep", "utf-8")
    done = run_patron("sim", "practice", "--dir", str(tmp_path), "--port", str(free_port()), check=False)
    assert (done.returncode, "left alone" in done.stderr) == (1, True)
    for command in ("answer", "reveal"):
        none = run_patron("sim", "practice", command, str(tmp_path), check=False)
        assert (none.returncode, "is no practice" in none.stderr) == (1, True)
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]
