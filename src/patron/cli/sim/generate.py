"""`patron sim generate`: a world into a folder."""

import datetime as dt
import json
import os
from pathlib import Path

import click

from patron.cli.client import Failed
from patron.cli.options import example, json_option
from patron.model.errors import PatronError


@click.command(
    epilog=example(
        "patron sim generate --out world\n"
        "patron sim generate --world messy --size S --seed 1001 --until 2026-03-31 --out messy-1001\n"
        "patron sim generate --size M --processes 8 --parameters mine.toml --out large"
    )
)
@click.option(
    "--world",
    default="default",
    show_default=True,
    help="default, null, perverse, simpson, drift, messy, sparse.",
)
@click.option("--size", default="S", show_default=True, help="XS, S, M, L, or a number of households.")
@click.option(
    "--seed", default=7, show_default=True, help="Names all luck; the same seed gives the same bytes."
)
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d"]),
    default=None,
    help="The last day told [default: yesterday, UTC].",
)
@click.option(
    "--days", type=click.IntRange(1, 5_000), default=None, help="Days told [default: those of the size]."
)
@click.option(
    "--parameters",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="A TOML file with parameters of your own, over those of the world.",
)
@click.option(
    "--processes",
    type=click.IntRange(1, 256),
    default=None,
    help="How many tell side by side [default: all cores].",
)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="A new folder.")
@json_option
def generate(
    world: str,
    size: str,
    seed: int,
    until: dt.datetime | None,
    days: int | None,
    file: Path | None,
    processes: int | None,
    out: Path,
    as_json: bool,
) -> None:
    """Write what a retailer's systems would have sent into a folder, and the truth into its `truth/`.

    events/ holds one file a source, by arrival; feeds/ the CSV files of other systems; truth/ what nobody but
    `patron sim score` may read.
    """
    import msgspec
    from rich.console import Console
    from rich.progress import Progress

    from patron.sim import make_town
    from patron.sim.generate import generate as write

    last = until.date() if until else dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)
    try:
        households = int(size) if size.isdigit() else size
        town = make_town(seed, last + dt.timedelta(days=1), households, days, world, file=file)
        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("Living", total=None)
            manifest = write(
                town,
                out,
                size,
                processes=processes or os.cpu_count() or 1,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
    except (PatronError, ValueError) as error:
        raise Failed(str(error)) from error
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(manifest), indent=2))
    else:
        click.echo(
            f"{manifest.messages:,} messages of {manifest.people:,} people over {manifest.days} days: {out}"
        )
