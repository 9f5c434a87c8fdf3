"""Commands that ask ready questions of the lake."""

from pathlib import Path
from typing import Any

import click

from patron.cli.client import call
from patron.cli.options import data_option, example, json_option
from patron.cli.output import emit, table

_DAYS = click.option("--days", type=click.IntRange(1, 3660), help="How far back to look.")
_TOP = click.option("--top", type=click.IntRange(1, 1000), help="Most rows.")
_GAP = click.option(
    "--gap", type=click.IntRange(1, 1440), help="Minutes without an event that end a session."
)


@click.group(
    epilog=example(
        'patron insight funnel "Product Viewed" "Product Added" "Order Completed" --days 30 --data shop\n'
        "patron insight pairs --top 20 --data shop"
    )
)
def insight() -> None:
    """Ask the lake: funnel, retention, sessions, paths, products bought together, RFM."""


@insight.command(
    "funnel", epilog=example('patron insight funnel "Product Viewed" "Order Completed" --data shop')
)
@click.argument("steps", nargs=-1, required=True, metavar="EVENT EVENT...")
@click.option("--within", type=click.IntRange(1, 400), help="Days from the first event to the last.")
@_DAYS
@data_option
@json_option
def funnel(steps: tuple[str, ...], within: int | None, days: int | None, data: Path, as_json: bool) -> None:
    """People who did the first event, then each next one: across channels, and by the channel they came in by."""
    if len(steps) < 2:
        raise click.UsageError("a funnel needs at least two events")
    _ask(data, "funnel", as_json, steps=list(steps), within_days=within, days=days)


@insight.command("retention", epilog=example('patron insight retention "Order Completed" --data shop'))
@click.argument("start")
@click.option("--back", help="The event to come back with; the same as the first when left out.")
@click.option("--every", type=click.IntRange(1, 400), help="Days of a period; 7 when left out.")
@click.option("--periods", type=click.IntRange(1, 60), help="Latest cohorts shown; 12 when left out.")
@data_option
@json_option
def retention(
    start: str, back: str | None, every: int | None, periods: int | None, data: Path, as_json: bool
) -> None:
    """People by the period of their first event, and how many came back in each later one."""
    _ask(data, "retention", as_json, start=start, back=back or start, every=every, periods=periods)


@insight.command("sessions", epilog=example("patron insight sessions --days 7 --data shop"))
@_DAYS
@_GAP
@data_option
@json_option
def sessions(days: int | None, gap: int | None, data: Path, as_json: bool) -> None:
    """Sessions of each day: how many, of how many people, with how many events, how long."""
    _ask(data, "sessions", as_json, days=days, gap_minutes=gap)


@insight.command("paths", epilog=example("patron insight paths --steps 5 --top 20 --data shop"))
@_DAYS
@click.option("--steps", type=click.IntRange(1, 20), help="Events of a path.")
@_TOP
@_GAP
@data_option
@json_option
def paths(
    days: int | None, steps: int | None, top: int | None, gap: int | None, data: Path, as_json: bool
) -> None:
    """The most frequent beginnings of sessions."""
    _ask(data, "paths", as_json, days=days, steps=steps, top=top, gap_minutes=gap)


@insight.command("pairs", epilog=example("patron insight pairs --top 20 --data shop"))
@_DAYS
@_TOP
@data_option
@json_option
def pairs(days: int | None, top: int | None, data: Path, as_json: bool) -> None:
    """Products that are in one order most often, with the orders of both and of each."""
    _ask(data, "pairs", as_json, days=days, top=top)


@insight.command("rfm", epilog=example("patron insight rfm --days 365 --data shop"))
@_DAYS
@data_option
@json_option
def rfm(days: int | None, data: Path, as_json: bool) -> None:
    """How many buyers are in which fifth of recency, frequency and money; 5 is the best."""
    _ask(data, "rfm", as_json, days=days)


def _ask(data: Path, kind: str, as_json: bool, **options: Any) -> None:
    given = {name: value for name, value in options.items() if value is not None}
    answer = call(data, "POST", "/v1/insights", {"kind": kind, "options": given})
    names = [name for name, _ in answer["columns"]]
    rows = [
        ["" if cell is None else f"{cell:,}" if isinstance(cell, int) else cell for cell in row]
        for row in answer["rows"]
    ]
    emit(answer, as_json=as_json, text=table(names, rows) if rows else "Nothing: no event of this time fits.")
