"""`patron bench`: run the rows, print the table, and with `--check` fail below a floor."""

import json
import sys
from collections.abc import Callable, Iterator

import click
from msgspec import structs

from patron.cli.bench import answers, audiences, ingest, machine, memory, peer
from patron.cli.bench.figures import Figure
from patron.cli.options import example
from patron.cli.output import table

ROWS: dict[str, Callable[[bool], Iterator[Figure]]] = {
    "uniform": ingest.uniform,
    "zipf": ingest.zipf,
    "single": ingest.single,
    "handlers": answers.handlers,
    "actions": answers.actions,
    "half": answers.half,
    "mixed": answers.mixed,
    "changed": answers.changed,
    "dedup": memory.dedup,
    "worst": ingest.worst,
    "segments": audiences.segments,
}
"""Name -> what measures it; `uniform` also gives memory, disk, load and replay, `handlers` reads and decisions."""

COMPARED = ("uniform", "zipf", "single", "handlers")
"""Names of those with a rate that the bare server (`peer`) has, too."""
HEADS = ("row", "figure", "unit", "floor", "goal", "", "x baseline", "of the peer", "note")


@click.command(
    epilog=example(
        "patron bench\npatron bench --quick\npatron bench --row uniform --row zipf --json\npatron bench --check"
    )
)
@click.option("--quick", is_flag=True, help="Smaller sizes, about a minute; figures are rougher.")
@click.option("--check", is_flag=True, help="Exit code 1 when a row lies below its floor.")
@click.option(
    "--row", "rows", multiple=True, type=click.Choice(list(ROWS)), help="Only these; may be repeated."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def bench(quick: bool, check: bool, rows: tuple[str, ...], as_json: bool) -> None:
    """Measure the online path of this machine against its floors and goals.

    A real server with the default configuration runs in a temporary directory; load comes over HTTP from another
    process; rates are per CPU second of the server, until all that it accepted is applied.
    """
    figures = list(_measure(rows or tuple(ROWS), quick))
    if as_json:
        value = {
            "machine": machine.describe(),
            "memory_ns": round(machine.memory_nanoseconds(), 1),
            "quick": quick,
            "rows": [figure.plain() for figure in figures],
        }
        click.echo(json.dumps(value, indent=2))
    else:
        click.echo(f"{machine.describe()}{', quick sizes' if quick else ''}\n")
        click.echo(table(HEADS, [_cells(figure) for figure in figures]))
        bases = [figure.baseline for figure in figures if figure.baseline]
        click.echo(
            f"\nbaseline: {min(bases, default=0):,.0f} to {max(bases, default=0):,.0f} JSON decodes per CPU second"
        )
        click.echo(
            f"memory: {machine.memory_nanoseconds():,.0f} ns an access that waits for another, beyond the caches"
        )
        click.echo(_peers(figures))
    below = [figure.promise.title for figure in figures if figure.verdict == "below"]
    if check and below:
        click.echo(f"patron: below the floor: {'; '.join(below)}", err=True)
        sys.exit(1)


def _measure(rows: tuple[str, ...], quick: bool) -> Iterator[Figure]:
    for name in rows:
        click.echo(f"measuring {name} ...", err=True)
        speeds = peer.measure() if name in COMPARED else {}
        for figure in ROWS[name](quick):
            click.echo(f"  {figure.promise.title}: {_number(figure.value)} {figure.promise.unit}", err=True)
            yield structs.replace(figure, peer=speeds.get(figure.promise.peer, 0.0))


def _peers(figures: list[Figure]) -> str:
    """What the bare server did here, and on the machine whose floors these are."""
    lines = []
    for kind, unit in (("batch", "events in bodies of 100"), ("single", "requests")):
        seen = [figure.peer for figure in figures if figure.peer and figure.promise.peer == kind]
        if seen:
            here = f"{min(seen):,.0f} to {max(seen):,.0f}"
            lines.append(
                f"peer: a bare ASGI server that only decodes: {here} {unit} per CPU second; {peer.REFERENCE[kind]:,.0f} "
                "where the floors were set"
            )
    return "\n".join(lines)


def _cells(figure: Figure) -> list[str]:
    promise = figure.promise
    sign = {"goal": "goal", "floor": "ok", "short": "short of goal", "below": "BELOW", "printed": ""}[
        figure.verdict
    ]
    ratio = "" if figure.ratio is None else f"{figure.ratio:.4g}"
    bars = ["" if bar is None else _number(bar) for bar in (promise.floor, promise.goal)]
    part = [f"{100 * found:.1f} %" for found in (figure.of_peer, promise.floor_of_peer) if found is not None]
    peers = f"{part[0]} (floor {part[1]})" if len(part) > 1 else "".join(part)
    return [promise.title, _number(figure.value), promise.unit, *bars, sign, ratio, peers, figure.note]


def _number(value: float) -> str:
    """A figure with as many digits as it deserves.

    >>> _number(45000.0), _number(12.34), _number(0.1234)
    ('45,000', '12.3', '0.123')
    """
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
