"""`patron sim parameters`: everything that shapes a world, to read and to change."""

import click

from patron.cli.client import Failed
from patron.cli.options import example
from patron.model.errors import PatronError


@click.command(
    epilog=example(
        "patron sim parameters                       # all, with what they mean\n"
        "patron sim parameters --world messy         # what differs in another world\n"
        "patron sim parameters > mine.toml && patron sim generate --parameters mine.toml --out world"
    )
)
@click.option("--world", default="default", show_default=True, help="What differs in this world.")
def parameters(world: str) -> None:
    """Print every parameter of the simulator as TOML, with its meaning.

    A file of the same shape, whole or in part, goes over them with --parameters.
    """
    from patron.sim.world.worlds import text

    try:
        click.echo(text(world), nl=False)
    except PatronError as error:
        raise Failed(str(error)) from error
