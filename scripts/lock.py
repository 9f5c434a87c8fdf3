"""Write the lock files: exact versions, one `name==version` a line, nothing else.

Run by `make lock`. One clean virtual environment gets everything (run time, development, demo, the build
backend) so that all three files agree; then two smaller ones, constrained to those versions, say what run time
and demo need by themselves. No hashes and no index addresses are written: the files work with whatever index
the user's pip is set up for.
"""

import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEAD = "# Exact versions, made by `make lock`; do not edit by hand.\n"
BUILD = ["editables"]  # what hatchling asks for when the project is installed editable


def freeze(requirements: list[str], constraint: Path | None = None) -> list[str]:
    """Install `requirements` into a clean environment; return its `name==version` lines, sorted."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / "bin" / "python"
        command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements]
        if constraint is not None:
            command += ["--constraint", constraint]
        subprocess.run(command, check=True)
        command = [python, "-m", "pip", "freeze", "--exclude", "pip", "--exclude", "setuptools"]
        frozen = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    lines = sorted((line.strip() for line in frozen.splitlines()), key=str.lower)
    odd = [line for line in lines if "==" not in line or "@" in line]
    if odd:
        sys.exit(f"these are not plain name==version lines: {odd}; pin them by name in pyproject.toml")
    return lines


def main() -> None:
    """Write requirements.lock, requirements-dev.lock and requirements-demo.lock."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    build = project["build-system"]["requires"] + BUILD
    run = project["project"]["dependencies"]
    demo = project["project"]["optional-dependencies"]["demo"]
    dev = project["dependency-groups"]["dev"]
    everything = freeze([*build, *run, *demo, *dev])
    with tempfile.TemporaryDirectory() as folder:
        constraint = Path(folder) / "all.txt"
        constraint.write_text("\n".join(everything) + "\n")
        parts = {
            "requirements.lock": freeze([*build, *run], constraint),
            "requirements-demo.lock": freeze([*build, *run, *demo], constraint),
            "requirements-dev.lock": everything,
        }
    for name, lines in parts.items():
        (ROOT / name).write_text(HEAD + "\n".join(lines) + "\n")
        print(f"{name}: {len(lines)} packages")


if __name__ == "__main__":
    main()
