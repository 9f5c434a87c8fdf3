"""Commands about sends: try one, begin it, see what it came to, fetch its decisions, stop it."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
import msgspec

from patron.cli import definitions
from patron.cli.client import call, part
from patron.cli.options import data_option, example, json_option
from patron.cli.output import emit, table
from patron.model.sends import SentRow
from patron.serve.sends import csv_of, ndjson_of

BASE = "/v1/sends"
_MOST = 12
"""Rows of a table on the screen."""


@click.group(
    epilog=example(
        "patron send try spring.toml --data shop\npatron send start spring.toml --data shop\npatron send decisions spring --format csv --data shop"
    )
)
def send() -> None:
    """Sends: decisions for many people at once, by e-mail, text, push or call, with a dry run first."""


@send.command(
    "try",
    epilog=example(
        'patron send try --definition \'{"id": "spring", "name": "Spring", "segment": "vip", "placements": ["newsletter"], "holdout": 0.1}\''
    ),
)
@definitions.file_argument
@definitions.definition_option
@data_option
@json_option
def dry(file: Path | None, definition: str, data: Path, as_json: bool) -> None:
    """Say who would get what, where and when, and who not and why. Nothing is reserved, nothing recorded."""
    value = call(data, "POST", f"{BASE}/dry-run", definitions.given(file, definition))
    emit(value, as_json=as_json, text=_report(value))


@send.command("start", epilog=example("patron send start spring.toml --data shop"))
@definitions.file_argument
@definitions.definition_option
@data_option
@json_option
def start(file: Path | None, definition: str, data: Path, as_json: bool) -> None:
    """Begin a send from FILE (TOML or JSON), --definition, or standard input. The server carries it on."""
    made = call(data, "POST", BASE, definitions.given(file, definition))
    emit(made, as_json=as_json, text=f"Begun {made['id']}. Follow it: patron send show {made['id']}")


@send.command("list", epilog=example("patron send list --data shop"))
@data_option
@json_option
def sends(data: Path, as_json: bool) -> None:
    """List sends, the newest first."""
    value = call(data, "GET", BASE)
    cells = [
        [row["id"], row["state"], row["looked"], row["decided"], row["unreachable"], row["started"]]
        for row in value["data"]
    ]
    none = "No sends yet. See: patron send try --help"
    heads = ["id", "state", "looked at", "decided", "no address", "started"]
    emit(value, as_json=as_json, text=table(heads, cells) if cells else none)


@send.command("show", epilog=example("patron send show spring --data shop"))
@click.argument("name")
@data_option
@json_option
def show(name: str, data: Path, as_json: bool) -> None:
    """Show how far a send is, what it changed, who got what, where and when, and who did not and why."""
    value = call(data, "GET", f"{BASE}/{part(name)}")
    report = call(data, "GET", f"{BASE}/{part(name)}/report")
    effect = call(data, "GET", f"{BASE}/{part(name)}/effect")
    head = f"{value['definition']['name']} ({name}): {value['state']}, {value['decided']:,} decided for."
    text = f"{head}\n{effect['bought']['sentence']}\n{_report(report)}"
    emit({**value, "report": report, "effect": effect}, as_json=as_json, text=text)


@send.command("stop", epilog=example("patron send stop spring --data shop"))
@click.argument("name")
@data_option
@json_option
def stop(name: str, data: Path, as_json: bool) -> None:
    """Decide for nobody else. What is decided stays, and so do its reservations until they end."""
    value = call(data, "POST", f"{BASE}/{part(name)}/stop")
    emit(value, as_json=as_json, text=f"{name} is stopped after {value['decided']:,} decisions.")


@send.command("decisions", epilog=example("patron send decisions spring --format ndjson --data shop"))
@click.argument("name")
@click.option("--format", "form", type=click.Choice(["ndjson", "csv"]), default="ndjson", show_default=True)
@click.option("--everyone", is_flag=True, help="Also who gets nothing, with the reason.")
@data_option
def decisions(name: str, form: str, everyone: bool, data: Path) -> None:
    """Print the decisions of a send, for whoever sends them, to the end of what there is."""
    cursor, heads = "", True
    while True:
        asked = f"limit=1000&everyone={str(everyone).lower()}&cursor={quote(cursor)}"
        page = call(data, "GET", f"{BASE}/{part(name)}/decisions?{asked}")
        rows = msgspec.convert(page["data"], list[SentRow])
        click.echo((csv_of(rows, heads=heads) if form == "csv" else ndjson_of(rows)).decode(), nl=False)
        heads = False
        if page["cursor"] in (None, cursor):
            return
        cursor = page["cursor"]


@send.command("distinct", epilog=example("patron send distinct web_home --days 7 --data shop"))
@click.argument("placement")
@click.option(
    "--days", type=click.IntRange(1, 366), default=28, show_default=True, help="How far back to look."
)
@data_option
@json_option
def distinct(placement: str, days: int, data: Path, as_json: bool) -> None:
    """Say how different what PLACEMENT gave lately is: product, content, channel, hour."""
    value = call(data, "GET", f"/v1/placements/{part(placement)}/distinctness?days={days}")
    emit(value, as_json=as_json, text=value["sentence"])


def _report(value: dict[str, Any]) -> str:
    of = f" of {value['audience']:,}, a sample" if value["sampled"] else ""
    lines = [
        f"{value['looked']:,} people looked at{of}: {value['given']:,} get something.",
        f"{value['held_out']:,} are held out from it.",
        f"Costs {value['cost']:,.2f}; expected to be worth {value['expected']:,.2f} more than doing nothing.",
        value["mix"]["sentence"],
    ]
    parts = [
        (f"what ({len(value['what'])})", value["what"]),
        ("where", value["where"]),
        ("when", value["when"]),
        ("who not", value["why_not"]),
    ]
    for head, rows in parts:
        if rows:
            lines += ["", table([head, "people"], [[row["name"], row["people"]] for row in rows[:_MOST]])]
    return "\n".join(lines)
