"""`patron sim generate`: a world into a folder."""

import datetime as dt
from pathlib import Path

import click

from patron.cli.client import Failed
from patron.cli.options import example, json_option
from patron.model.errors import PatronError


@click.command(
    epilog=example(
        "patron sim generate --out world\n"
        "patron sim generate --world messy --size XS --seed 1001 --until 2026-03-31 --out messy-1001"
    )
)
@click.option("--world", default="default", show_default=True, help="Which world.")
@click.option("--size", default="XS", show_default=True, help="How large.")
@click.option("--seed", default=7, show_default=True, help="Names all luck.")
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d"]),
    default=None,
    help="The last day told [default: yesterday, UTC].",
)
@click.option("--days", default=90, show_default=True, help="Days told.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="A new folder.")
@json_option
def generate(
    world: str, size: str, seed: int, until: dt.datetime | None, days: int, out: Path, as_json: bool
) -> None:
    """Write what a retailer's systems would have sent into a folder, and the truth into its `truth/`."""
    import json

    import msgspec

    from patron.sim import make_town
    from patron.sim.generate import generate as write

    last = until.date() if until else dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)
    try:
        town = make_town(
            seed, last + dt.timedelta(days=1), int(size) if size.isdigit() else size, days, world
        )
        manifest = write(town, out, size)
    except (PatronError, ValueError) as error:
        raise Failed(str(error)) from error
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(manifest), indent=2))
    else:
        click.echo(f"{manifest.messages:,} messages of {manifest.people:,} people over {days} days: {out}")
