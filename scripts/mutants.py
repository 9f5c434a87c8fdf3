"""Break the product by hand, one line at a time; some test must notice each time.

Every `tests/**/MUTANTS.txt` lists mutants, one a line, three fields split by tabs:

    file<TAB>old<TAB>new

`file` is relative to the project, `old` a substring that occurs on exactly one line of it, `new` what takes its
place. Lines that are empty or start with `#` are passed over; `# tests: PATH ...` names the tests that judge the
mutants below it (default: the folder of the MUTANTS.txt). Each mutant runs in a copy of src and tests.

Exit code 0 when all are killed; 1 when one survives or no longer applies, or when the tests fail without any.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 600
SKIPPED = shutil.ignore_patterns("__pycache__", "node_modules", ".pytest_cache", ".hypothesis", "*.pyc")


class Mutant(NamedTuple):
    """One broken line and the tests that must notice it."""

    listed: str
    """`MUTANTS.txt:line`, for people."""
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


class Faulty(Exception):
    """A line of a MUTANTS.txt that cannot be used as it stands."""


def read(listing: Path) -> list[Mutant]:
    """The mutants of one file. Raises Faulty with the line's number."""
    tests: tuple[str, ...] = (str(listing.parent.relative_to(ROOT)),)
    found = []
    for number, line in enumerate(listing.read_text("utf-8").splitlines(), 1):
        where = f"{listing.relative_to(ROOT)}:{number}"
        if line.startswith("# tests:"):
            tests = tuple(line.removeprefix("# tests:").split())
        elif line.strip() and not line.startswith("#"):
            fields = line.split("\t")
            if len(fields) != 3 or not fields[1]:
                raise Faulty(f"{where}: write file<TAB>old<TAB>new")
            found.append(Mutant(where, *fields, tests))
    return found


def broken(mutant: Mutant, folder: Path) -> str:
    """Apply the mutant in `folder`; gives the text to put back. Raises Faulty when it no longer applies."""
    path = folder / mutant.file
    if not path.exists():
        raise Faulty(f"{mutant.listed}: there is no {mutant.file}")
    text = path.read_text("utf-8")
    hits = text.count(mutant.old)
    if hits != 1:
        raise Faulty(f"{mutant.listed}: {mutant.old!r} occurs {hits} times in {mutant.file}, not once")
    if mutant.old == mutant.new:
        raise Faulty(f"{mutant.listed}: old and new are the same")
    path.write_text(text.replace(mutant.old, mutant.new), "utf-8")
    return text


def passes(folder: Path, tests: tuple[str, ...], profile: str) -> tuple[bool, str]:
    """Whether the tests pass in `folder`, and the last lines they printed."""
    environment = {**os.environ, "PYTHONPATH": str(folder / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    environment.update(HYPOTHESIS_PROFILE=profile, CI="")
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False, f"no end within {SECONDS} s"
    if done.returncode in {3, 4, 5}:  # pytest itself failed, or ran nothing: that kills no mutant
        sys.exit(f"pytest could not run {' '.join(tests)}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.returncode == 0, "\n".join(done.stdout.splitlines()[-4:])


def copy(folder: Path) -> None:
    """Copy what tests need."""
    for name in ("src", "tests", "docs", "scripts"):
        if (ROOT / name).exists():
            shutil.copytree(ROOT / name, folder / name, ignore=SKIPPED)
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, folder / name)


def judge(mutants: list[Mutant], folder: Path, profile: str) -> list[str]:
    """Run every mutant; gives what went wrong."""
    wrong = []
    for tests in dict.fromkeys(mutant.tests for mutant in mutants):
        fine, said = passes(folder, tests, profile)
        if not fine:
            return [f"without any mutant the tests {' '.join(tests)} do not pass:\n{said}"]
    for mutant in mutants:
        began = time.monotonic()
        try:
            original = broken(mutant, folder)
        except Faulty as fault:
            wrong.append(str(fault))
            print(f"no longer applies  {fault}")
            continue
        fine, _ = passes(folder, mutant.tests, profile)
        (folder / mutant.file).write_text(original, "utf-8")
        verdict = "SURVIVED" if fine else "killed"
        print(
            f"{verdict:10} {time.monotonic() - began:5.1f} s  {mutant.file}: {mutant.old.strip()} -> {mutant.new.strip()}"
        )
        if fine:
            wrong.append(f"{mutant.listed} survived")
    return wrong


def main() -> None:
    """Find, run, report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("only", nargs="*", help="only mutants of files whose path holds one of these words")
    parser.add_argument("--profile", default="dev", help="Hypothesis profile (dev, ci)")
    chosen = parser.parse_args()
    listings = sorted((ROOT / "tests").rglob("MUTANTS.txt"))
    try:
        mutants = [mutant for listing in listings for mutant in read(listing)]
    except Faulty as fault:
        sys.exit(str(fault))
    if chosen.only:
        mutants = [m for m in mutants if any(word in m.file for word in chosen.only)]
    if not mutants:
        sys.exit("no mutant found: list some in a tests/**/MUTANTS.txt")
    with tempfile.TemporaryDirectory(prefix="patron-mutants-") as folder:
        copy(Path(folder))
        wrong = judge(mutants, Path(folder), chosen.profile)
    print(f"{len(mutants)} mutants, {len(mutants) - len(wrong)} killed")
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
