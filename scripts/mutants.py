"""Break the product by hand, one line at a time; some test must notice each time.

Every `tests/**/MUTANTS.txt` lists mutants, one a line, three fields split by tabs:

    file<TAB>old<TAB>new

`file` is relative to the project, `old` a substring that occurs on exactly one line of it, `new` what takes its
place. Lines that are empty or start with `#` are passed over; `# tests: PATH ...` names the tests that judge the
mutants below it (default: the folder of the MUTANTS.txt), the likeliest first.

Each worker (two, or `--workers`) has a copy of src and tests for itself. The tests that failed last time on a mutant go
first (`.mutants.json` remembers them; it may be deleted), then the named ones one after another, until one fails.

Exit code 0 when all are killed; 1 when one survives or no longer applies, or when the tests fail without any.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
REMEMBERED = ROOT / ".mutants.json"
SECONDS = 180
"""Longest run of one set of tests; a mutant that never ends is killed by it."""
SKIPPED = shutil.ignore_patterns("__pycache__", "node_modules", ".pytest_cache", ".hypothesis", "*.pyc")
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+?\.py)", re.MULTILINE)


class Mutant(NamedTuple):
    """One broken line and the tests that must notice it."""

    listed: str
    """`MUTANTS.txt:line`, for people."""
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    @property
    def name(self) -> str:
        """What it changes, in one line."""
        return f"{self.file}: {self.old.strip()} -> {self.new.strip()}"


class Verdict(NamedTuple):
    """What became of a mutant: `killed`, `SURVIVED` or `no longer applies`, in how many seconds, and by what."""

    mutant: Mutant
    word: str
    seconds: float
    by: str


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
            if missing := [test for test in tests if not (ROOT / test).exists()]:
                raise Faulty(f"{where}: there is no {missing[0]}")
        elif line.strip() and not line.startswith("#"):
            fields = line.split("\t")
            if len(fields) != 3 or not fields[1]:
                raise Faulty(f"{where}: write file<TAB>old<TAB>new")
            found.append(Mutant(where, *fields, tests))
    return found


@contextlib.contextmanager
def broken(mutant: Mutant, folder: Path) -> Iterator[None]:
    """The mutant applied in `folder`, and put back. Raises Faulty when it no longer applies."""
    path = folder / mutant.file
    if not path.exists():
        raise Faulty(f"there is no {mutant.file}")
    text = path.read_text("utf-8")
    hits = text.count(mutant.old)
    if hits != 1:
        raise Faulty(f"{mutant.old!r} occurs {hits} times in {mutant.file}, not once")
    if mutant.old == mutant.new:
        raise Faulty("old and new are the same")
    path.write_text(text.replace(mutant.old, mutant.new), "utf-8")
    try:
        yield
    finally:
        path.write_text(text, "utf-8")


def run(folder: Path, tests: list[str], profile: str) -> str:
    """Run tests in `folder`: empty when all pass, else the file of the first that fails (or `time` after too long)."""
    environment = {**os.environ, "PYTHONPATH": f"{folder / 'src'}{os.pathsep}{folder}", "CI": ""}
    environment.update(HYPOTHESIS_PROFILE=profile, PYTHONDONTWRITEBYTECODE="1")
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=line", "-p", "no:cacheprovider", *tests]
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            return "time"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        output.seek(0)
        said = output.read()
    if code == 0:
        return ""
    if code in {3, 4, 5}:  # pytest itself failed, or ran nothing: that kills no mutant
        raise Faulty(f"pytest could not run {' '.join(tests)}:\n{said[-2000:]}")
    hit = FAILED.search(said)
    return hit[1] if hit else tests[0]


def judge(mutant: Mutant, folder: Path, profile: str, first: str | None) -> Verdict:
    """Break the line and run tests until one notices."""
    began = time.monotonic()
    sets = [first] if first and (folder / first).exists() else []
    sets += [test for test in mutant.tests if test != first]
    try:
        with broken(mutant, folder):
            by = next(filter(None, (run(folder, [tests], profile) for tests in sets)), "")
    except Faulty as fault:
        return Verdict(mutant, "no longer applies", time.monotonic() - began, str(fault))
    return Verdict(mutant, "killed" if by else "SURVIVED", time.monotonic() - began, by)


def copy(folder: Path) -> Path:
    """Copy what tests need."""
    for name in ("src", "tests", "docs", "scripts"):
        if (ROOT / name).exists():
            shutil.copytree(ROOT / name, folder / name, ignore=SKIPPED)
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def judge_all(
    mutants: list[Mutant], folders: list[Path], profile: str, known: dict[str, str]
) -> Iterator[Verdict]:
    """Judge every mutant, one in each folder at a time; verdicts as they come."""
    free: SimpleQueue[Path] = SimpleQueue()
    for folder in folders:
        free.put(folder)

    def one(mutant: Mutant) -> Verdict:
        folder = free.get()
        try:
            return judge(mutant, folder, profile, known.get(mutant.name))
        finally:
            free.put(folder)

    with ThreadPoolExecutor(len(folders)) as pool:
        for done in as_completed([pool.submit(one, mutant) for mutant in mutants]):
            yield done.result()


def check_whole(mutants: list[Mutant], folder: Path, profile: str) -> None:
    """Exit when the tests fail without any mutant: then nothing would be proven."""
    tests = sorted({test for mutant in mutants for test in mutant.tests})
    if by := run(folder, tests, profile):
        sys.exit(f"without any mutant the tests do not pass: {by}")


def remembered() -> dict[str, str]:
    """Which test file killed which mutant last time."""
    try:
        return dict(json.loads(REMEMBERED.read_text("utf-8")))
    except (OSError, ValueError):
        return {}


def chosen_mutants(only: list[str]) -> list[Mutant]:
    """All mutants, or those of files whose path holds one of the words."""
    listings = sorted((ROOT / "tests").rglob("MUTANTS.txt"))
    found = [mutant for listing in listings for mutant in read(listing)]
    return [m for m in found if not only or any(word in m.file for word in only)]


def report(verdicts: list[Verdict], seconds: float) -> None:
    """The table by file, then what is wrong, then the count; exits with 1 when something is wrong."""
    wrong = [v for v in verdicts if v.word != "killed"]
    print(f"\n{'mutants':>8} {'killed':>8} {'seconds':>8}  file")
    for file in sorted({v.mutant.file for v in verdicts}):
        rows = [v for v in verdicts if v.mutant.file == file]
        killed = sum(v.word == "killed" for v in rows)
        print(f"{len(rows):8} {killed:8} {sum(v.seconds for v in rows):8.0f}  {file}")
    for verdict in wrong:
        print(f"{verdict.mutant.listed}: {verdict.word}: {verdict.mutant.name} {verdict.by}".rstrip())
    print(f"{len(verdicts)} mutants, {len(verdicts) - len(wrong)} killed, in {seconds / 60:.1f} minutes")
    if wrong:
        sys.exit(1)


def main() -> None:
    """Find, run, report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("only", nargs="*", help="only mutants of files whose path holds one of these words")
    parser.add_argument("--profile", default="mutants", help="Hypothesis profile (mutants, dev, ci)")
    parser.add_argument("--workers", type=int, default=2, help="how many at a time")
    options = parser.parse_args()
    began, known, verdicts = time.monotonic(), remembered(), []
    try:
        mutants = chosen_mutants(options.only)
        if not mutants:
            sys.exit("no mutant found: list some in a tests/**/MUTANTS.txt")
        with tempfile.TemporaryDirectory(prefix="patron-mutants-") as home:
            folders = [copy(Path(home) / str(number)) for number in range(options.workers)]
            check_whole(mutants, folders[0], options.profile)
            for verdict in judge_all(mutants, folders, options.profile, known):
                verdicts.append(verdict)
                print(
                    f"{verdict.word:10} {verdict.seconds:5.1f} s  {verdict.mutant.name}  {verdict.by}",
                    flush=True,
                )
                if verdict.word == "killed" and verdict.by != "time":
                    known[verdict.mutant.name] = verdict.by
    except Faulty as fault:
        sys.exit(str(fault))
    REMEMBERED.write_text(json.dumps(known, indent=0), "utf-8")
    report(verdicts, time.monotonic() - began)


if __name__ == "__main__":
    main()
