"""`patron sim load`: a generated world into a running Patron."""

import json
from pathlib import Path

import click
import msgspec

from patron.cli.client import Failed
from patron.cli.options import example, json_option
from patron.cli.sim.options import progress_bar, server_options
from patron.cli.sim.reach import Server
from patron.model.errors import PatronError


@click.command(
    epilog=example(
        "patron sim load world --data shop\n"
        "patron sim load world --to http://127.0.0.1:8080 --key sk_...     # or PATRON_KEY"
    )
)
@click.argument("world", type=click.Path(path_type=Path, file_okay=False))
@server_options
@json_option
def load(world: Path, server: Server, tracking: str, as_json: bool) -> None:
    """Send a world that `patron sim generate` wrote into a running Patron, in the order in which it arrived.

    Its sources are made as imports named SOURCE-history, so that times of receipt are believed. Running it again doubles
    nothing. The truth stays shut.
    """
    from patron.sim.generation.folder import read_manifest
    from patron.sim.server.filling import fill

    try:
        total = read_manifest(world).messages
        with progress_bar(f"Loading {world.name}", total) as tell:
            done = fill(world, server.url, server.key, tracking=tracking, progress=tell)
    except PatronError as error:
        raise Failed(str(error)) from error
    if as_json:
        click.echo(json.dumps({**msgspec.to_builtins(done), "rate": round(done.rate)}, indent=2))
        return
    click.echo(
        f"{done.sent:,} messages at {done.rate:,.0f} a second, each on disk before it was acknowledged; "
        f"{done.duplicates:,} were there already, {done.rejected:,} are dead letters."
    )
