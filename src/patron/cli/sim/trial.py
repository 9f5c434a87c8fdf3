"""`patron sim trial`: many worlds, each against a Patron of its own that is started for it, and what came out of each."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click

from patron.cli.client import Failed
from patron.cli.options import example, json_option
from patron.cli.output import table
from patron.cli.sim.options import SeedRange, size_option, world_options

_PATRON = (sys.executable, "-m", "patron.cli")
_LAST_WORDS = 30.0
FIRST = "2026-01-05"
"""The first day lived: the Monday of the calibration, so that 180 days end before the season."""
HEADS = (
    *("seed", "treated", "revenue", "95 %", "margin", "messages", "unsubscribed", "95 %"),
    *("holdout lift", "95 %", "truth", "covered", "regret", "CPU s"),
)


@click.command(
    epilog=example(
        "patron sim trial --seeds 1001-1003\n"
        "patron sim trial --seeds 1001-1100 --world null --processes 2 --out null.ndjson\n"
        "patron sim trial --seeds 1001 --world drift --days 140 --json"
    )
)
@world_options
@size_option("S")
@click.option("--seeds", type=SeedRange(), required=True, help="Such as 1001-1100, or 1001,1007.")
@click.option(
    "--history", type=click.IntRange(0, 2_000), default=90, show_default=True, help="Days as usual before."
)
@click.option(
    "--days", type=click.IntRange(1, 2_000), default=90, show_default=True, help="Days decided by Patron."
)
@click.option(
    "--holdout", type=click.FloatRange(0.0, 1.0), default=0.5, show_default=True, help="Share held out."
)
@click.option(
    "--processes", type=click.IntRange(1, 64), default=1, show_default=True, help="Worlds side by side."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="A file that gets a line a world; seeds that stand in it are not run again.",
)
@json_option
def trial(
    world: str,
    file: Path | None,
    jitter: float,
    size: str | int,
    seeds: tuple[int, ...],
    history: int,
    days: int,
    holdout: float,
    processes: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Run the closed loop on many seeds: each world against an empty Patron of its own, with the card of each.

    A world is lived in a temporary directory that is removed at the end. All seeds run are in the table, those that
    failed too. Exit code 2 when one failed.
    """
    run = [
        "--world",
        world,
        "--size",
        str(size),
        "--jitter",
        str(jitter),
        "--history",
        str(history),
        "--days",
        str(days),
    ]
    run += ["--parameters", str(file)] if file else []
    done = {row["seed"]: row for row in _lines(out)}
    left, lock = [seed for seed in seeds if seed not in done], threading.Lock()
    worlds = _Worlds()

    def one(seed: int) -> None:
        row = {"seed": seed, "world": world, **_lived(seed, run, holdout, worlds)}
        with lock:
            done[seed] = row
            click.echo(f"  seed {seed}: {_said(row)}", err=True)
            if out is not None:
                with out.open("a", encoding="utf-8") as lines:
                    lines.write(json.dumps(row) + "\n")

    # SIGTERM is Ctrl C too: no server outlives the trial
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with ThreadPoolExecutor(processes) as pool:
            try:
                list(pool.map(one, left))
            except KeyboardInterrupt:
                worlds.end()
                raise
    finally:
        signal.signal(signal.SIGTERM, before)
    rows = [done[seed] for seed in seeds]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    else:
        click.echo(table(HEADS, [_cells(row) for row in rows if "card" in row]))
        click.echo(_summary(rows))
    if any("error" in row for row in rows):
        sys.exit(2)


class _Worlds:
    """The processes in which worlds are lived, and how to end them all."""

    def __init__(self) -> None:
        self._alive: set[subprocess.Popen[str]] = set()
        self._over = False
        self._lock = threading.Lock()

    def live(self, command: list[str]) -> tuple[int, str, str]:
        """Run a command: its code, what it said and what it complained of."""
        with subprocess.Popen(  # noqa: S603 - our own command
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as world:
            with self._lock:
                self._alive.add(world)
                if self._over:
                    world.terminate()
            told, complaint = world.communicate()
            with self._lock:
                self._alive.discard(world)
        return world.returncode, told, complaint

    def end(self) -> None:
        """End those that are under way, and each that begins later."""
        with self._lock:
            self._over = True
            for world in self._alive:
                world.terminate()


def _lived(seed: int, run: list[str], holdout: float, worlds: _Worlds) -> dict[str, Any]:
    """One world against a server of its own; what went wrong instead, when something did."""
    from patron.cli import hosting
    from patron.runtime.create import create

    folder = Path(tempfile.mkdtemp(prefix=f"patron-trial-{seed}-"))
    data, began = folder / "shop", time.monotonic()
    command = [
        *_PATRON,
        "sim",
        "run",
        "--data",
        str(data),
        "--seed",
        str(seed),
        "--first",
        FIRST,
        "--by-day",
        "--json",
    ]
    try:
        create(data)
        _settle(data, holdout)
        port = hosting.free_port()
        server = hosting.serve(data, port, "--clock", "stepped")
        try:
            hosting.wait(server, f"http://127.0.0.1:{port}", data)
            code, told, complaint = worlds.live([*command, *run])
            served = _cpu(server.pid)
        finally:
            server.kill()  # nobody reads what it would write in an orderly end
            server.wait()
        if code:
            return {"error": complaint.strip()[-500:] or f"it ended with {code}"}
        return {
            **json.loads(told),
            "server_cpu": served,
            "seconds": round(time.monotonic() - began, 1),
        }
    except (Failed, OSError, ValueError) as error:
        return {"error": str(error)}
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    """The server's child may write on until it finds that its parent is gone."""
    until = time.monotonic() + _LAST_WORDS
    while folder.exists() and time.monotonic() < until:
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.1)


def _settle(data: Path, holdout: float) -> None:
    """The holdout of the trial; no lake, as nobody analyses this one, and few checkpoints, as nobody starts it again."""
    from patron.runtime.settings import FILE

    text = (data / FILE).read_text("utf-8")
    lines = [f"holdout = {holdout}" if line.startswith("holdout = ") else line for line in text.splitlines()]
    (data / FILE).write_text(
        "\n".join([*lines, "", "[lake]", "enabled = false", "[storage]", "checkpoint_seconds = 3600", ""]),
        "utf-8",
    )


def _cpu(process: int) -> float | None:
    """CPU seconds of a process; None where the system does not say."""
    try:
        told = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()
        return round((int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK"), 1)
    except (OSError, ValueError, IndexError):
        return None


def _lines(out: Path | None) -> list[dict[str, Any]]:
    """What an earlier run of the same trial left."""
    if out is None or not out.exists():
        return []
    try:
        rows = [json.loads(line) for line in out.read_text("utf-8").splitlines() if line]
    except (ValueError, OSError) as error:
        raise Failed(f"{out} cannot be read as the lines of a trial ({error}); give another file.") from None
    return [row for row in rows if "error" not in row]


def _said(row: dict[str, Any]) -> str:
    return str(row["error"]) if "error" in row else " ".join(_cells(row)[2:])


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    card = row["card"]
    left, held = card["unsubscribed"], card["holdout"]
    lift, regret = held["adjusted"], card["weekly_regret"]
    missed = {True: "yes", False: "no", None: "-"}[held["covered"]]
    return (
        str(row["seed"]),
        f"{card['treated']:,}",
        _percent(card["revenue"]["value"]),
        _between(card["revenue"]),
        _percent(card["margin"]["value"]),
        f"{card['sent']:.1f} / {card['sent_usual']:.1f}",
        f"{100 * left['value']:+.2f}",
        f"{100 * left['low']:+.2f} .. {100 * left['high']:+.2f}",
        "-" if lift is None else _percent(lift["value"]),
        "-" if lift is None else _between(lift),
        _percent(held["truth"]),
        missed,
        f"{sum(regret[-4:]) / max(1, len(regret[-4:])):.1%}",
        f"{row['cpu'] + (row['server_cpu'] or 0.0):.0f}",
    )


def _summary(rows: list[dict[str, Any]]) -> str:
    """All seeds together: how often the holdout's interval held the truth, and 0."""
    cards = [row["card"] for row in rows if "card" in row]
    held = [card["holdout"] for card in cards if card["holdout"]["adjusted"] is not None]
    covered = sum(one["covered"] for one in held)
    zero = sum(one["adjusted"]["low"] <= 0.0 <= one["adjusted"]["high"] for one in held)
    mean = sum(card["revenue"]["value"] for card in cards) / max(1, len(cards))
    challenged = [row for card in cards for row in card["challengers"]]
    judged = [row for row in challenged if row["covered"] is not None]
    lines = [
        f"{len(cards)} {'world' if len(cards) == 1 else 'worlds'}, revenue {_percent(mean)} on average; {len(rows) - len(cards)} failed.",
        f"The holdout's interval held the truth in {covered} of {len(held)}, and 0 in {zero}.",
        _paged(cards),
        f"Challengers: {len(judged)} of {len(challenged)} judged, {sum(row['covered'] for row in judged)} of them held the truth.",
    ]
    return "\n".join(lines + [f"seed {row['seed']} failed: {row['error']}" for row in rows if "error" in row])


def _paged(cards: list[dict[str, Any]]) -> str:
    """What the decisions pages said."""
    pages = [page for card in cards if (page := card.get("page"))]
    verdicts = sorted(Counter(page["verdict"] for page in pages).items())
    told = [page for page in pages if page["covered"] is not None]
    zero = sum(page["low"] <= 0.0 <= page["high"] for page in told)
    said = ", ".join(f"{name} {count}" for name, count in verdicts) or "nothing"
    covered = sum(page["covered"] for page in told)
    return f"The decisions page says: {said}; its interval of revenue held the truth in {covered} of {len(told)}, and 0 in {zero}."


def _percent(value: float) -> str:
    return f"{100 * value:+.1f} %"


def _between(one: dict[str, float]) -> str:
    return f"{100 * one['low']:+.1f} .. {100 * one['high']:+.1f}"
