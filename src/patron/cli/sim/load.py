"""`patron sim load`: a generated world into a running Patron."""

import json
import sys
from pathlib import Path

import click
import msgspec

from patron.cli.client import Failed
from patron.cli.options import example
from patron.cli.sim.reach import server
from patron.model.errors import PatronError


@click.command(
    epilog=example(
        "patron sim load world --data shop\n"
        "patron sim load world --to http://127.0.0.1:8080 --key sk_...     # or PATRON_KEY"
    )
)
@click.argument("world", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--to", "url", default=None, help="Address of the server's administration.")
@click.option("--key", envvar="PATRON_KEY", default=None, help="A secret key of scope admin (or PATRON_KEY).")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Instead of --to and --key: the data directory that the server holds.",
)
@click.option("--tracking", default="", help="Where messages are taken, when that is another listener.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def load(
    world: Path, url: str | None, key: str | None, data: Path | None, tracking: str, as_json: bool
) -> None:
    """Send a world that `patron sim generate` wrote into a running Patron, in the order in which it arrived.

    Its sources are made as imports named SOURCE-history, so that times of receipt are believed. Running it again doubles
    nothing. The truth stays shut.
    """
    if (url is None) == (data is None):
        raise Failed("Say where: either --to URL with --key, or --data DIR of a running server.")
    from patron.sim.filling import fill
    from patron.sim.folder import read_manifest
    from patron.sim.load import Loaded

    place, secret = server(url if url is not None else str(data), key)
    try:
        total = read_manifest(world).messages
        with click.progressbar(
            length=total, label=f"Loading {world.name}", show_pos=True, file=sys.stderr
        ) as bar:
            done: Loaded = fill(
                world, place, secret, tracking=tracking, progress=lambda n: bar.update(n - bar.pos)
            )
    except PatronError as error:
        raise Failed(str(error)) from error
    if as_json:
        click.echo(json.dumps({**msgspec.to_builtins(done), "rate": round(done.rate)}, indent=2))
        return
    click.echo(
        f"{done.sent:,} messages at {done.rate:,.0f} a second, each on disk before it was acknowledged; "
        f"{done.duplicates:,} were there already, {done.rejected:,} are dead letters."
    )
