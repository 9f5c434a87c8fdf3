"""Options that many commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

Command = Callable[..., Any]
PORT = click.IntRange(1, 65_535)


def data_option(command: Command) -> Command:
    """`--data DIR`: the workspace; PATRON_DATA or ./patron-data when left out."""
    return click.option(
        "--data",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="PATRON_DATA",
        default="patron-data",
        show_default=True,
        help="Data directory of the workspace (or PATRON_DATA).",
    )(command)


def json_option(command: Command) -> Command:
    """`--json`: machine-readable output."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def port_option(default: int, what: str = "Port of everything.") -> Callable[[Command], Command]:
    """`--port`: where a server listens."""
    return click.option("--port", type=PORT, default=default, show_default=True, help=what)


def folder_option(what: str, default: str) -> Callable[[Command], Command]:
    """`--dir`, handed over as `folder`: where a command that brings its own server keeps what is its; None when left out."""
    return click.option(
        "--dir",
        "folder",
        type=click.Path(path_type=Path, file_okay=False),
        default=None,
        help=f"{what} [default: {default}].",
    )


PEOPLE = {"XS": "400 people in six stores", "S": "3,000 in 24", "M": "30,000 in 48"}
"""About how large a town of each size is."""


def town_option(largest: str) -> Callable[[Command], Command]:
    """`--size`: how large the town is that a command brings with it, up to a size that it can show."""
    names = list(PEOPLE)[: list(PEOPLE).index(largest) + 1]
    *some, last = (PEOPLE[name] for name in names)
    return click.option(
        "--size",
        type=click.Choice(names),
        default=names[0],
        show_default=True,
        help=f"How large the town is: about {', '.join(some)} or {last}.",
    )


def example(text: str) -> str:
    """An epilog with examples, kept as written."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in text.strip().splitlines())
