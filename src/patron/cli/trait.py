"""Commands about computed traits: define, list, their values."""

from pathlib import Path

import click

from patron.cli import definitions
from patron.cli.client import call, part
from patron.cli.explained import shown
from patron.cli.options import data_option, example, json_option
from patron.cli.output import emit, table

BASE = "/v1/traits"
KIND = "trait"


@click.group(
    epilog=example("patron trait create spent.toml --data shop\npatron trait values spent_90d --data shop")
)
def trait() -> None:
    """Computed traits: define, list, values."""


@trait.command(
    "create",
    epilog=example(
        "patron trait create spent.toml --data shop\n"
        'patron trait create --definition \'{"id": "orders", "name": "Orders", "measure": {"event": "Order Completed"}}\''
    ),
)
@definitions.file_argument
@definitions.definition_option
@data_option
@json_option
def create(file: Path | None, definition: str, data: Path, as_json: bool) -> None:
    """Save a computed trait from FILE (TOML or JSON), --definition, or standard input."""
    definitions.save(data, KIND, definitions.given(file, definition), as_json=as_json)


@trait.command("check", epilog=example("patron trait check spent.toml --data shop"))
@definitions.file_argument
@definitions.definition_option
@data_option
@json_option
def check(file: Path | None, definition: str, data: Path, as_json: bool) -> None:
    """Say what saving would say: problems by path, else the sentence and the cost. Exit code 2 for problems."""
    definitions.check(data, KIND, definitions.given(file, definition), as_json=as_json)


@trait.command("list", epilog=example("patron trait list --data shop"))
@data_option
@json_option
def traits(data: Path, as_json: bool) -> None:
    """List computed traits with what each says."""
    value = call(data, "GET", BASE)
    cells = [
        [row["id"], row["definition"].get("name", ""), f"v{row['version']}", row["sentence"]]
        for row in value["data"]
    ]
    none = "No computed traits yet. Ready ones: patron library list"
    emit(value, as_json=as_json, text=table(["id", "name", "version", "what"], cells) if cells else none)


@trait.command("show", epilog=example("patron trait show spent_90d --data shop"))
@click.argument("name")
@click.option("--version", "number", type=int, default=0, help="An earlier version.")
@data_option
@json_option
def show(name: str, number: int, data: Path, as_json: bool) -> None:
    """Show one computed trait with its definition."""
    value = call(data, "GET", f"{BASE}/{part(name)}" + (f"?version={number}" if number else ""))
    emit(value, as_json=as_json, text="\n".join(definitions.show(value)))


@trait.command("versions", epilog=example("patron trait versions spent_90d --data shop"))
@click.argument("name")
@data_option
@json_option
def versions(name: str, data: Path, as_json: bool) -> None:
    """Every version, newest first, with what each changed."""
    definitions.versions(data, KIND, name, as_json=as_json)


@trait.command("values", epilog=example("patron trait values spent_90d --limit 50 --data shop"))
@click.argument("name")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@click.option("--cursor", default="", help="The cursor of the page before.")
@data_option
@json_option
def values(name: str, limit: int, cursor: str, data: Path, as_json: bool) -> None:
    """List people who have a value, by id, a page at a time."""
    more = f"&cursor={part(cursor)}" if cursor else ""
    value = call(data, "GET", f"{BASE}/{part(name)}/values?limit={limit}{more}")
    cells = [[row["id"], shown(row["value"])] for row in value["data"]]
    tail = f"\nNext page: --cursor {value['cursor']}" if value["cursor"] else ""
    text = table(["id", "value"], cells) if cells else "Nobody has a value here."
    emit(value, as_json=as_json, text=text + tail)


@trait.command(
    "explain", epilog=example("patron trait explain spent_90d email:anna@mail.example --data shop")
)
@click.argument("name")
@click.argument("who")
@data_option
@json_option
def explain(name: str, who: str, data: Path, as_json: bool) -> None:
    """Somebody's value, with the events it rests on."""
    value = call(data, "GET", f"{BASE}/{part(name)}/explain?person={part(who)}")
    lines = [f"{name} of {value['subject']} = {shown(value['value'])}", f"  {value['sentence']}"]
    if value["hidden"]:
        lines[0] = f"{name} of {value['subject']}: this key may not read it"
    lines += [f"  {e['time']}  {e['event']}  {e['channel']}, {e['source']}" for e in value["events"]]
    lines += [f"  and {value['more_events']:,} more"] if value["more_events"] else []
    emit(value, as_json=as_json, text="\n".join(lines))


@trait.command("remove", epilog=example("patron trait remove spent_90d --data shop"))
@click.argument("name")
@data_option
@json_option
def remove(name: str, data: Path, as_json: bool) -> None:
    """Take a computed trait out of force; its versions stay. Refused while others use it."""
    definitions.remove(data, KIND, name, as_json=as_json)
