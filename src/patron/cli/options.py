"""Options that many commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

Command = Callable[..., Any]


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


def example(text: str) -> str:
    """An epilog with examples, kept as written."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in text.strip().splitlines())
