"""`patron sim generate`: a world into a folder."""

import datetime as dt
import json
import os
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from patron.cli.client import Failed
from patron.cli.options import example, json_option
from patron.cli.sim.options import Day, seed_option, size_option, world_options
from patron.model.errors import PatronError

if TYPE_CHECKING:
    from patron.sim.generation.folder import Manifest
    from patron.sim.town import Town


@click.command(
    epilog=example(
        "patron sim generate --out world\n"
        "patron sim generate --world messy --size S --seed 1001 --until 2026-03-31 --out messy-1001\n"
        "patron sim generate --size M --processes 8 --parameters mine.toml --out large"
    )
)
@world_options
@size_option("S")
@seed_option
@click.option("--until", type=Day(), default=None, help="The last day told [default: yesterday, UTC].")
@click.option(
    "--days", type=click.IntRange(1, 5_000), default=None, help="Days told [default: those of the size]."
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
    file: Path | None,
    jitter: float,
    size: str | int,
    seed: int,
    until: dt.date | None,
    days: int | None,
    processes: int | None,
    out: Path,
    as_json: bool,
) -> None:
    """Write what a retailer's systems would have sent into a folder, and the truth into its `truth/`.

    events/ holds one file a source, by arrival; feeds/ the CSV files of other systems; truth/ what nobody but
    `patron sim score` may read.
    """
    import msgspec

    from patron.sim import make_town
    from patron.sim.generation.folder import MANIFEST

    # SIGTERM is Ctrl C, too: processes that tell must not outlive this one
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    last = until or dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)
    fresh = False
    try:
        fresh = not out.exists() or not any(out.iterdir())
        town = make_town(seed, last + dt.timedelta(days=1), size, days, world, file=file, jitter=jitter)
        manifest = _write(town, out, str(size), processes or os.cpu_count() or 1)
    except PatronError as error:
        raise Failed(str(error)) from error
    except OSError as error:
        raise Failed(f"{out} cannot be written: {error.strerror}. Give another folder, with room.") from error
    finally:
        if fresh and not (out / MANIFEST).exists():
            _remove(out)
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(manifest), indent=2))
    else:
        click.echo(
            f"{manifest.messages:,} messages of {manifest.people:,} people over {manifest.days} days: {out}"
        )


def _remove(out: Path) -> None:
    """Half a world is of no use, and would stand in the way of the next try."""
    from patron.sim.generation.folder import EVENTS, FEEDS, TRUTH

    for part in (EVENTS, FEEDS, TRUTH):
        shutil.rmtree(out / part, ignore_errors=True)


def _write(town: "Town", out: Path, size: str, processes: int) -> "Manifest":
    from rich.console import Console
    from rich.progress import Progress

    from patron.sim.generation.generate import generate as write

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Living", total=None)
        return write(
            town,
            out,
            size,
            processes=processes,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
