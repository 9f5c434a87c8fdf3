"""`patron sim`: the ground-truth retailer. Commands are imported when they are asked for."""

import click

from patron.cli.lazy import Lazy
from patron.cli.options import example

COMMANDS: dict[str, tuple[str, str]] = {
    "generate": ("generate", "Write a world into a folder, its truth apart."),
    "oracle": ("oracle", "Add what only the truth can know: every action's value, lifetimes, effects."),
    "identity": ("identity", "How well its people can be told apart, by each method."),
    "parameters": ("parameters", "Everything that shapes a world, to read and to change."),
    "calibrate": ("calibrate", "What the built-in policies bring, on the same luck."),
    "load": ("load", "Send a world into a running Patron."),
    "run": ("run", "Live day by day against a running Patron, on its decisions."),
    "trial": ("trial", "The same on many seeds, each against a Patron of its own."),
    "score": ("score", "Hold a running Patron against the truth of its world."),
    "practice": ("practice", "A world to find things out about; the truth comes at the end."),
    "compare": ("compare", "A world beside real baskets, and why they differ."),
}
"""Name -> the module beside this one that holds it, and one line of help."""


@click.group(
    cls=Lazy,
    package="patron.cli.sim",
    table=COMMANDS,
    epilog=example("patron sim generate --out world"),
)
def sim() -> None:
    """A retailer whose truth is known: generate its data, run it against a server, score what was understood.

    The platform sees what a real retailer would send, through the same doors. The truth lies in files of its own.
    """
