"""The six analytic queries of the lake: CPU seconds of the product's expressions against SQL written by hand, and peak memory.

Run as ``python -m patron.cli.bench.analytics --events 5000000``. It makes a seeded lake, asks each question as the product's
expression and as SQL for DuckDB in turn, each time in a process of its own, compares the rows, and takes the least CPU seconds of
each. Then the product asks it in the process that its console uses (`patron.runtime.analysis`) within the default
`lake.query_memory_mb`: the table shows that process's whole CPU seconds, wall seconds and peak memory.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from patron.cli.bench import machine, peer
from patron.cli.bench.by_hand import NOW, by_hand
from patron.insights import Funnel, Insight, Pairs, Paths, Rfm, Sessions
from patron.rules.calendar import Calendar
from patron.rules.tree import AllOf, Did, Not, Segment, Where, Window
from patron.runtime.analysis import Asked, Moment, Reach
from patron.runtime.settings import LakeSettings
from patron.storage.lake.asking import Head, Query

ZONE = "Europe/Rome"
STATED = {"segment": 2.1, "rfm": 1.0, "funnel": 2.3, "sessions": 2.5, "paths": 3.2, "pairs": 1.0}
"""CPU seconds of a first DuckDB version at 5 million events of another generated town, on the machine of `peer.REFERENCE`."""
QUERIES = tuple(STATED)
MOST = 1.3
"""How many times the CPU seconds of the SQL by hand an expression may take."""
LOYAL = Segment(
    "loyal",
    "Loyal coffee drinkers",
    AllOf(
        (
            Did("Order Completed", ">=", 2, within=Window(days=90)),
            Did("Order Completed", ">=", 100, "sum", "revenue", within=Window(days=90)),
            Did(
                "Product Viewed", where=(Where("properties.category", "=", "coffee"),), within=Window(days=30)
            ),
            Not(Did("Checkout Started", "<", 7, "last")),
        )
    ),
)
_MODULE = "patron.cli.bench.analytics"
_SECONDS = 600.0
"""Longest time of one question here: machines that run a bench may be busy."""


class Ran(NamedTuple):
    """A process that ended well: what it wrote, and what it took."""

    output: bytes
    cpu: float
    wall: float
    peak_mb: float


def question(query: str) -> Reach | Insight:
    """The question as the console's pages ask it."""
    steps = ("Product Viewed", "Product Added", "Order Completed")
    asked: dict[str, Reach | Insight] = {
        "segment": Reach((LOYAL,)),
        "rfm": Rfm(),
        "funnel": Funnel(steps),
        "sessions": Sessions(),
        "paths": Paths(),
        "pairs": Pairs(),
    }
    return asked[query]


def expression(query: str) -> Any:
    """The product's expression; of the segment its members, one row each."""
    from patron.rules.expressions import At, members, unbound

    at = At(NOW, Calendar(ZONE))
    asked = question(query)
    return members(LOYAL, unbound(), at) if isinstance(asked, Reach) else asked.expression(unbound(), at)


def run_one(folder: Path, query: str, way: str, memory_mb: int) -> dict[str, Any]:
    """Ask one question in this process, as `expression` or by `hand`."""
    import duckdb

    from patron.storage.lake.duck import create_views, lake_files

    connection = duckdb.connect(
        config={"threads": 2, "memory_limit": f"{memory_mb}MB", "temp_directory": str(folder / "spill")}
    )
    create_views(connection, lake_files(str(folder)))
    began = time.process_time()
    if way == "expression":
        from patron.rules.expressions import definitions, sql_of

        for statement in definitions("duckdb"):
            connection.execute(statement)
        sql = sql_of(expression(query))
    else:
        sql = by_hand(query)
    asked, clock = time.process_time(), time.perf_counter()
    rows = connection.sql(sql).fetchall()
    return {
        "seconds": time.process_time() - asked,
        "wall": time.perf_counter() - clock,
        "building": asked - began,
        "rows": len(rows),
        "digest": digest(rows),
    }


def digest(rows: Sequence[Any]) -> int:
    """The same for the same rows in any order, in any process."""
    return sum(zlib.crc32(repr(tuple(map(str, row))).encode()) for row in rows)


def run(*arguments: str, given: bytes = b"") -> Ran:
    """Run a module of Python in a process of its own. Raises RuntimeError when it fails.

    Its peak memory is that of the kernel's account, which begins with the memory of this process: so this one stays small.
    """
    began = time.perf_counter()
    with tempfile.TemporaryFile() as told, tempfile.TemporaryFile() as failed:
        told.write(given)
        told.seek(0)
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", *arguments], stdin=told, stdout=subprocess.PIPE, stderr=failed
        )
        assert process.stdout is not None
        output = process.stdout.read()
        process.stdout.close()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            failed.seek(0)
            raise RuntimeError(f"{' '.join(arguments)} failed:\n{failed.read()[-2000:].decode()}")
    unit = 1 if sys.platform == "darwin" else 1024
    wall = time.perf_counter() - began
    return Ran(output, used.ru_utime + used.ru_stime, wall, used.ru_maxrss * unit / 2**20)


def best(folder: Path, query: str, memory_mb: int, repeats: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """The expression and the SQL in turn: of each the run with the least CPU seconds."""
    found: dict[str, dict[str, Any]] = {}
    for _ in range(repeats):
        for way in ("expression", "hand"):
            ran = run(_MODULE, "--one", query, way, "--folder", str(folder), "--memory", str(memory_mb))
            one = json.loads(ran.output)
            found[way] = min(found.get(way, one), one, key=lambda each: float(each["seconds"]))
    return found["expression"], found["hand"]


def as_product(folder: Path, query: str, memory_mb: int) -> tuple[Ran, int]:
    """Ask in the process that the console uses. Its rows are counted; of the segment, its members.

    Raises RuntimeError when it refuses.
    """
    lake = LakeSettings()
    with tempfile.TemporaryDirectory(prefix="patron-spill-") as spill:
        bounds = Query(str(folder), rows=lake.query_rows, seconds=_SECONDS, memory_mb=memory_mb, spill=spill)
        asked = Asked(question(query), Moment(NOW, ZONE), bounds)
        ran = run("patron.runtime.analysis", given=msgspec.json.encode(asked))
    line, _, content = ran.output.partition(b"\n")
    head = msgspec.json.decode(line, type=Head)
    if head.code:
        raise RuntimeError(f"{query}: {head.message}")
    return ran, msgspec.json.decode(content)[0][1] if query == "segment" else head.rows


def report(folder: Path, queries: Sequence[str], memory_mb: int, repeats: int, *, check: bool) -> int:
    """Print the table; 1 when rows differ, or with `check` when an expression takes more than `MOST` of the SQL by hand."""
    speed = peer.measure()["batch"] / peer.REFERENCE["batch"]
    print(f"{machine.describe()}; a memory limit of {memory_mb} MB; the least of {repeats} runs")
    print(
        f"{'':10}{'CPU s':>27}{'':8}{'wall s':>18}{'CPU s':>10}{'stated,':>10}{'':8}{'process':>24}{'rows':>9}"
    )
    print(
        f"{'query':10}{'expression':>14}{'by hand':>13}{'ratio':>8}{'expr.':>9}{'hand':>9}{'building':>10}{'here':>10}{'ratio':>8}"
        f"{'CPU s':>8}{'wall':>8}{'peak MB':>8}{'':>9}"
    )
    wrong = 0
    for query in queries:
        ours, theirs = best(folder, query, memory_mb, repeats)
        ran, rows = as_product(folder, query, memory_mb)
        same = (ours["rows"], ours["digest"]) == (theirs["rows"], theirs["digest"]) and rows == ours["rows"]
        ratio, stated = ours["seconds"] / theirs["seconds"], STATED[query] / speed
        wrong += not same or (check and ratio > MOST)
        print(
            f"{query:10}{ours['seconds']:14.2f}{theirs['seconds']:13.2f}{ratio:8.2f}{ours['wall']:9.2f}{theirs['wall']:9.2f}"
            f"{ours['building']:10.2f}{stated:10.2f}{ours['seconds'] / stated:8.2f}{ran.cpu:8.2f}{ran.wall:8.2f}{ran.peak_mb:8.0f}"
            f"{ours['rows']:9d}{'' if same else '  ROWS DIFFER'}{'  ABOVE 1.3' if ratio > MOST else ''}"
        )
    print(
        f"stated, here: what was stated for 5 million events, at this machine's speed now ({speed:.2f} of the one it was stated for)"
    )
    return 1 if wrong else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Generate, ask, compare, print. 1 when rows differ or a query is too slow."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=500_000)
    parser.add_argument("--people", type=int, default=0, help="default: 239 for each 5,000 events")
    parser.add_argument("--folder", type=Path, help="keep the lake here, and use it when it is there")
    parser.add_argument(
        "--memory", type=int, default=LakeSettings().query_memory_mb, help="of a query, MB; default: Patron's"
    )
    parser.add_argument("--repeats", type=int, default=3, help="runs of each; the least counts")
    parser.add_argument("--check", action="store_true", help="exit code 1 also when a ratio lies above 1.3")
    parser.add_argument("--only", nargs="*", default=QUERIES, choices=QUERIES)
    parser.add_argument("--one", nargs=2, metavar=("QUERY", "WAY"), help=argparse.SUPPRESS)
    parser.add_argument("--make", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    people = options.people or options.events * 239 // 5000
    if options.one:
        query, way = options.one
        print(json.dumps(run_one(options.folder, query, way, options.memory)), flush=True)
        return 0
    if options.make:
        from patron.cli.bench.lakes import generate

        generate(options.folder, options.events, people)
        return 0
    with tempfile.TemporaryDirectory(prefix="patron-analytics-") as scratch:
        folder = options.folder or Path(scratch)
        if not (folder / "members" / "_delta_log").exists():
            sizes = ("--events", str(options.events), "--people", str(people))
            run(_MODULE, "--make", "--folder", str(folder), *sizes)
            shutil.rmtree(folder / "spill", ignore_errors=True)
        return report(folder, options.only, options.memory, options.repeats, check=options.check)


if __name__ == "__main__":
    sys.exit(main())
