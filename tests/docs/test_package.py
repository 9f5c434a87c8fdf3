"""`pip install .` gives a `patron` that works from any folder: the wheel carries every file that the code reads."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.docs.documents import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel, built by the locked build backend."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        str(ROOT),
        "--no-deps",
        "--no-build-isolation",
        "--quiet",
    ]
    subprocess.run([*command, "--wheel-dir", str(folder)], check=True, stdin=subprocess.DEVNULL, timeout=110)
    return next(folder.glob("patron-*.whl"))


def test_the_wheel_carries_every_file_of_the_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        inside = set(packed.namelist())
    source = ROOT / "src"
    wanted = {
        str(path.relative_to(source))
        for path in (source / "patron").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert wanted - inside == set()


def test_the_wheel_carries_licence_and_notice(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        names = {Path(name).name for name in packed.namelist() if ".dist-info/" in name}
    assert {"LICENSE", "NOTICE"} <= names


def test_patron_works_from_any_folder(wheel: Path, tmp_path: Path) -> None:
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(installed)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    script = "import patron, sys; from patron.cli.main import main; print(patron.__file__, file=sys.stderr); main()"
    for words in (
        ["--version"],
        ["init", "shop"],
        ["source", "add", "web", "--channel", "web", "--data", "shop"],
    ):
        done = subprocess.run(
            [sys.executable, "-c", script, *words],
            cwd=elsewhere, env=environment, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert str(installed) in done.stderr
    assert (elsewhere / "shop" / "patron.toml").exists()
