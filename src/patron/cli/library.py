"""Commands about ready segments and computed traits."""

from pathlib import Path

import click

from patron.cli.client import call, part
from patron.cli.definitions import run_lines
from patron.cli.options import data_option, example, json_option
from patron.cli.output import emit, table


@click.group(epilog=example("patron library list --data shop\npatron library use lapsing --data shop"))
def library() -> None:
    """Ready segments and computed traits: list, use."""


@library.command("list", epilog=example("patron library list --data shop"))
@data_option
@json_option
def ready(data: Path, as_json: bool) -> None:
    """List what is ready, with whether its data has been seen here."""
    rows = call(data, "GET", "/v1/library")["data"]
    cells = [
        [
            row["id"],
            row["kind"],
            "in force"
            if row["saved"]
            else ("ready" if row["ready"] else f"needs {', '.join(row['missing'])}"),
            row["sentence"],
        ]
        for row in rows
    ]
    emit(rows, as_json=as_json, text=table(["id", "kind", "data", "what"], cells))


@library.command(
    "use", epilog=example("patron library use lapsing --data shop\npatron library use lapsing --as sleepy")
)
@click.argument("name")
@click.option("--as", "other", default="", help="Save it under another id.")
@data_option
@json_option
def use(name: str, other: str, data: Path, as_json: bool) -> None:
    """Put a ready definition in force."""
    value = call(data, "POST", f"/v1/library/{part(name)}/use", {"id": other})
    head = f"{value['id']} is in force, version {value['version']}."
    emit(value, as_json=as_json, text="\n".join([head, value["sentence"], *run_lines(value["runs"])]))
