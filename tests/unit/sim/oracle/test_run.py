"""Oracle files in a world's folder: whole, private, the same in any number of processes, and refused where they cannot be."""

import datetime as dt
import importlib
import json
import os
import shutil
import signal
from pathlib import Path

import pytest
from click.testing import CliRunner

from patron.cli.main import main
from patron.cli.sim.oracle import _NAMES as CHOICES
from patron.sim import make_town
from patron.sim.generation.folder import BadFolder
from patron.sim.generation.generate import generate
from patron.sim.oracle import NAMES, Plan, open_loop, policy_values, read, read_needs, read_report, run
from patron.sim.oracle.files import file_of
from patron.sim.oracle.jobs import Crew, CrewLost
from patron.sim.oracle.rows import ROWS
from tests.unit.sim.score.worlds import world as by_hand

SMALL = Plan(sample=6, branches=2, rollouts=2)
FEW = 3


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world of a few households."""
    out = tmp_path_factory.mktemp("oracle") / "world"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importlib.import_module("patron.sim.telling.history"), "BURN_IN", FEW)
        generate(make_town(1_006, dt.date(2026, 4, 1), 25, 4), out, "25")
    return out


@pytest.fixture(autouse=True)
def little_past(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same few days before the first day told, here and where the world was told."""
    monkeypatch.setattr(open_loop, "BURN_IN", FEW)


@pytest.fixture(scope="module")
def full(told: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with every oracle file, policies over two weeks."""
    with pytest.MonkeyPatch.context() as patch:
        short(patch)
        return with_oracle(told, tmp_path_factory.mktemp("full") / "world")


def short(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(open_loop, "BURN_IN", FEW)
    patch.setattr(policy_values, "HALF", 7)
    patch.setattr(policy_values, "WINDOWS", ((0, 7), (0, 14), (7, 7)))
    patch.setattr("patron.sim.oracle.lifetimes.HORIZON", 20)


def with_oracle(told: Path, out: Path, processes: int = 1) -> Path:
    shutil.copytree(told, out)
    run(out, plan=SMALL, processes=processes)
    return out


def test_parts_of_the_people_in_two_processes_write_the_same_bytes(
    told: Path, full: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short(monkeypatch)
    monkeypatch.setattr(open_loop, "CHUNK", 24)
    other = with_oracle(told, tmp_path / "elsewhere", processes=2)
    for name in NAMES:
        file = Path("truth") / file_of(name)
        assert (other / file).read_bytes() == (full / file).read_bytes(), name


def test_every_file_is_there_private_and_readable(full: Path) -> None:
    truth = full / "truth"
    report = read_report(truth)
    assert set(report.files) == set(NAMES)
    assert (report.world, report.size, report.days) == ("default", "25", 4)
    assert not list(truth.glob("*.part"))
    for name, made in report.files.items():
        assert (truth / made.file).stat().st_mode & 0o777 == 0o600
        if name in ROWS:
            assert len(list(read(truth, name))) == made.rows > 0
    assert (truth / "oracle.json").stat().st_mode & 0o777 == 0o600
    assert len(read_needs(truth)) == read_report(truth).files["person_latent"].rows
    made = report.files["potential"]
    assert (made.sample, made.branches, made.horizon) == (6, 2, 28)
    assert made.error is not None


def test_only_replaces_what_is_named(full: Path, tmp_path: Path) -> None:
    other = tmp_path / "again"
    shutil.copytree(full, other)
    before = read_report(other / "truth")
    run(other, ["potential"], Plan(sample=4, branches=3))
    after = read_report(other / "truth")
    assert (after.files["potential"].rows, after.files["potential"].branches) == (4, 3)
    assert {name: after.files[name] for name in NAMES if name != "potential"} == {
        name: before.files[name] for name in NAMES if name != "potential"
    }


def test_another_world_than_the_one_told_is_refused(told: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(told, mine)
    given = json.loads((mine / "truth" / "parameters.json").read_text())
    given["visits"]["alpha_mean"] += 0.5
    (mine / "truth" / "parameters.json").write_text(json.dumps(given))
    with pytest.raises(BadFolder, match="use the version that generated it"):
        run(mine, ["person_latent"])
    other = tmp_path / "world"
    shutil.copytree(told, other)
    (other / "truth" / "ads_truth.ndjson").write_text('{"acquired":3}\n')
    with pytest.raises(BadFolder, match="tells of 3 new customers"):
        run(other, ["person_latent"])
    assert not (other / "truth" / "oracle.json").exists()


def test_a_world_of_parameters_without_a_name_is_lived_again(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text("[visits]\nalpha_mean = -2.5\n")
    place = make_town(1_006, dt.date(2026, 4, 1), 25, 4, "drift", file=mine, jitter=0.2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importlib.import_module("patron.sim.telling.history"), "BURN_IN", FEW)
        generate(place, tmp_path / "world", "25")
    assert set(run(tmp_path / "world", ["person_latent"]).files) == {"person_latent"}
    rows = list(read(tmp_path / "world" / "truth", "person_latent"))
    assert [row.alpha for row in rows] == place.people.alpha.tolist()


def test_folders_that_cannot_be_used_say_why(told: Path, tmp_path: Path) -> None:
    with pytest.raises(BadFolder, match=r"has no manifest\.json"):
        run(tmp_path)
    made = by_hand(tmp_path / "hand", {}, {})
    with pytest.raises(BadFolder, match=r"parameters\.json cannot be read"):
        run(made)
    shutil.copy(told / "truth" / "parameters.json", made / "truth")
    manifest = json.loads((made / "manifest.json").read_text())
    for change, said in (
        ({}, "people, but living it again gives"),
        ({"size": "huge"}, "has the size 'huge'"),
    ):
        (made / "manifest.json").write_text(json.dumps(manifest | {"world": "default", "people": 7} | change))
        with pytest.raises(BadFolder, match=said):
            run(made)
    inside = tmp_path / "shop"
    shutil.copytree(told, inside / "world")
    (inside / "patron.toml").touch()
    with pytest.raises(BadFolder, match="write the truth somewhere else"):
        run(inside / "world")
    shutil.rmtree(tmp_path / "hand" / "truth")
    with pytest.raises(BadFolder, match="has no truth/"):
        run(tmp_path / "hand")


def test_what_was_not_made_or_is_broken_says_what_to_do(full: Path, told: Path, tmp_path: Path) -> None:
    with pytest.raises(BadFolder, match="run `patron sim oracle` on the world first"):
        list(read(told / "truth", "clv"))
    with pytest.raises(ValueError, match="no rows named 'needs'"):
        list(read(full / "truth", "needs"))
    other = tmp_path / "broken"
    shutil.copytree(full, other)
    (other / "truth" / "clv.ndjson").write_text("{")
    with pytest.raises(BadFolder, match="--only clv"):
        list(read(other / "truth", "clv"))
    (other / "truth" / "needs.npz").write_bytes(b"PK")
    with pytest.raises(BadFolder, match="--only needs"):
        read_needs(other / "truth")
    report = json.loads((other / "truth" / "oracle.json").read_text())
    (other / "truth" / "oracle.json").write_text(json.dumps(report | {"format": 99}))
    with pytest.raises(BadFolder, match="made by a later version"):
        read_report(other / "truth")
    (other / "patron.toml").touch()
    with pytest.raises(BadFolder, match="write the truth somewhere else"):
        list(read(other / "truth", "clv"))


def die(_number: int) -> None:
    """What happens to a process when memory is short."""
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_that_is_killed_is_told_and_no_riddle() -> None:
    with Crew(2) as crew, pytest.raises(CrewLost, match="fewer --processes"):
        list(crew.each(die, [(1,), (2,)]))


def test_plans_and_names_that_cannot_be_are_refused(told: Path) -> None:
    with pytest.raises(ValueError, match="no oracle file 'everything'"):
        run(told, ["everything"])
    with pytest.raises(ValueError, match="branches = 1 is not possible: 2 to 1,000"):
        run(told, plan=Plan(branches=1))


def test_the_command_prints_what_each_file_cost(told: Path, tmp_path: Path) -> None:
    assert CHOICES == NAMES
    other = tmp_path / "world"
    shutil.copytree(told, other)
    words = ["sim", "oracle", str(other), "--only", "potential", "--only", "needs", "--processes", "1"]
    done = CliRunner().invoke(main, [*words, "--sample", "4", "--branches", "2"])
    assert done.exit_code == 0, done.output
    assert "potential.ndjson" in done.stdout
    assert "person-days" in done.stdout
    done = CliRunner().invoke(main, [*words, "--sample", "4", "--branches", "2", "--json"])
    assert set(json.loads(done.stdout)["files"]) == {"needs", "potential"}
    done = CliRunner().invoke(main, ["sim", "oracle", str(tmp_path)])
    assert done.exit_code == 1
    assert "has no manifest.json" in done.stderr
