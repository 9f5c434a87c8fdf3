"""Commands about named conditions: parts of rules that several segments use."""

from pathlib import Path

import click

from patron.cli import definitions
from patron.cli.client import call, part
from patron.cli.options import data_option, example, json_option
from patron.cli.output import emit, table

BASE = "/v1/conditions"
KIND = "condition"


@click.group(
    epilog=example(
        "patron condition create regular.toml --data shop\npatron condition list --data shop\n"
        'patron segment create --definition \'{"id": "regulars", "name": "Regulars", "rule": {"kind": "use", "condition": "regular", "given": {"times": 5}}}\''
    )
)
def condition() -> None:
    """Named conditions: parts of rules, with parameters, that several segments use."""


@condition.command(
    "create",
    epilog=example(
        "patron condition create regular.toml --data shop\n"
        'patron condition create --definition \'{"id": "regular", "name": "Comes often", "parameters": {"times": 3}, '
        '"rule": {"kind": "did", "event": "Store Entered", "op": ">=", "value": {"param": "times"}, "within": {"days": 30}}}\''
    ),
)
@definitions.file_argument
@definitions.definition_option
@data_option
@json_option
def create(file: Path | None, definition: str, data: Path, as_json: bool) -> None:
    """Save a condition from FILE (TOML or JSON), --definition, or standard input. Segments that use it change with it."""
    definitions.save(data, KIND, definitions.given(file, definition), as_json=as_json)


@condition.command("check", epilog=example("patron condition check regular.toml --data shop"))
@definitions.file_argument
@definitions.definition_option
@data_option
@json_option
def check(file: Path | None, definition: str, data: Path, as_json: bool) -> None:
    """Say what saving would say: problems by path, else the sentence. Exit code 2 for problems."""
    definitions.check(data, KIND, definitions.given(file, definition), as_json=as_json)


@condition.command("list", epilog=example("patron condition list --data shop"))
@data_option
@json_option
def conditions(data: Path, as_json: bool) -> None:
    """List named conditions with what each says and its parameters."""
    value = call(data, "GET", BASE)
    cells = [
        [
            row["id"],
            row["definition"].get("name", ""),
            f"v{row['version']}",
            ", ".join(row["definition"].get("parameters", {})) or "-",
            row["sentence"],
        ]
        for row in value["data"]
    ]
    none = "No named conditions yet. See: patron condition create --help"
    head = ["id", "name", "version", "parameters", "what"]
    emit(value, as_json=as_json, text=table(head, cells) if cells else none)


@condition.command("show", epilog=example("patron condition show regular --data shop"))
@click.argument("name")
@click.option("--version", "number", type=int, default=0, help="An earlier version.")
@data_option
@json_option
def show(name: str, number: int, data: Path, as_json: bool) -> None:
    """Show one condition: its sentence and its definition."""
    value = call(data, "GET", f"{BASE}/{part(name)}" + (f"?version={number}" if number else ""))
    emit(value, as_json=as_json, text="\n".join(definitions.show(value)))


@condition.command("versions", epilog=example("patron condition versions regular --data shop"))
@click.argument("name")
@data_option
@json_option
def versions(name: str, data: Path, as_json: bool) -> None:
    """Every version, newest first, with what each changed."""
    definitions.versions(data, KIND, name, as_json=as_json)


@condition.command("remove", epilog=example("patron condition remove regular --data shop"))
@click.argument("name")
@data_option
@json_option
def remove(name: str, data: Path, as_json: bool) -> None:
    """Take a condition out of force; its versions stay. Refused while others use it."""
    definitions.remove(data, KIND, name, as_json=as_json)
