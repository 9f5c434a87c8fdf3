"""What a user of `patron sim` is told when something cannot be done: a sentence, and what to do."""

import errno
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from patron.cli.main import main
from patron.sim.generation import chunk
from patron.sim.generation.folder import MANIFEST


def sim(*words: str) -> Result:
    return CliRunner().invoke(main, ["sim", *words], env={"PATRON_KEY": ""})


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> str:
    out = str(tmp_path_factory.mktemp("world") / "w")
    assert sim("generate", "--size", "5", "--days", "2", "--until", "2026-03-31", "--out", out).exit_code == 0
    return out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["generate", "--out", "w", "--size", "0"], "a number of households from 1 to 1,000,000"),
        (["generate", "--out", "w", "--size", "XXL"], "choose one of XS, S, M, L"),
        (["generate", "--out", "w", "--size", "²"], "there is no size '²'"),
        (["generate", "--out", "w", "--until", "9999-12-31"], "choose one from 1990-01-01 to 2199-12-31"),
        (["generate", "--out", "w", "--until", "31.3.2026"], "write it as 2026-03-31"),
        (["generate", "--out", "w", "--world", "gloomy"], "choose one of default, null"),
        (["run", "--data", "nowhere", "--policy", "magic"], "'magic' is not one of"),
        (["run", "--data", "nowhere"], "patron init nowhere"),
        (["load", "nowhere"], "either --to URL with --key, or --data DIR"),
        (["load", "nowhere", "--to", "shop", "--key", "k"], "shop is no address"),
        (["load", "nowhere", "--to", "http://127.0.0.1:1"], "--scope admin"),
        (["load", "nowhere", "--to", "http://127.0.0.1:1", "--key", "ключ"], "copy it again"),
        (["load", "nowhere", "--to", "http://127.0.0.1:1", "--key", "k"], "give the folder that"),
        (["compare", "nowhere"], "give the folder that"),
        (
            ["score", "--truth", "nowhere/truth", "--against", "http://h", "--key", "k"],
            "give the folder that",
        ),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(words: list[str], said: str) -> None:
    done = sim(*words)
    assert done.exit_code in {1, 2}
    assert said in done.output
    assert isinstance(done.exception, SystemExit)


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999", "http://[::1", "http://ключ.example"])
def test_an_address_that_cannot_be_is_said(world: str, url: str) -> None:
    assert "is no address of a server" in sim("load", world, "--to", url, "--key", "k").output


def test_a_server_that_never_answered_is_none(world: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patron.sim.server.api.MEET", 0.2)
    done = sim("load", world, "--to", "http://127.0.0.1:1", "--key", "k")
    assert done.exit_code == 1
    assert "no server at http://127.0.0.1:1" in done.output


def test_a_full_disk_leaves_no_half_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(chunk, "tell", full)
    out = tmp_path / "w"
    done = sim("generate", "--size", "5", "--days", "2", "--out", str(out))
    assert done.exit_code == 1
    assert "No space left on device. Give another folder, with room." in done.output
    assert not list(out.iterdir())


def test_what_was_there_before_stays(tmp_path: Path) -> None:
    (tmp_path / "truth").mkdir()
    (tmp_path / "truth" / "mine").write_text("mine")
    done = sim("generate", "--size", "5", "--days", "2", "--out", str(tmp_path))
    assert "is not empty; give a new folder" in done.output
    assert (tmp_path / "truth" / "mine").read_text() == "mine"


def test_a_world_in_a_data_directory_is_not_scored(world: str, tmp_path: Path) -> None:
    (tmp_path / "patron.toml").write_text("")
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / MANIFEST).write_bytes((Path(world) / MANIFEST).read_bytes())
    done = sim("score", "--truth", str(tmp_path / "w" / "truth"), "--against", "http://h", "--key", "k")
    assert done.exit_code == 1
    assert "lies in the data directory" in done.output
