"""Commands about messages that were not accepted."""

from pathlib import Path

import click

from patron.cli.client import call, part
from patron.cli.options import data_option, example, json_option
from patron.cli.output import emit, moment, table, text_of
from patron.model.events import CHANNELS

BASE = "/v1/admin/deadletters"


@click.group(
    epilog=example(
        "patron deadletter list --data shop\npatron deadletter replay 812 --edit fixed.json --data shop"
    )
)
def deadletter() -> None:
    """Messages that were not accepted: list, edit, replay."""


@deadletter.command("list", epilog=example("patron deadletter list --code unknown_channel --data shop"))
@click.option("--code", default="", help="Only this reason.")
@click.option("--limit", default=50, show_default=True)
@data_option
@json_option
def letters(code: str, limit: int, data: Path, as_json: bool) -> None:
    """List open dead letters, newest first, and the count of each reason."""
    value = call(data, "GET", f"{BASE}?limit={limit}&code={part(code)}")
    cells = [
        [r["id"], moment(r["time"]), r["source"], r["code"], r["path"], r["message"]] for r in value["data"]
    ]
    total = ", ".join(f"{n} {c}" for c, n in sorted(value["counts"].items())) or "none"
    text = table(["id", "received", "source", "code", "path", "message"], cells) if cells else "All fitted."
    emit(value, as_json=as_json, text=f"{text}\nOpen: {total}")


@deadletter.command("show", epilog=example("patron deadletter show 812 --data shop"))
@click.argument("letter")
@data_option
@json_option
def show(letter: str, data: Path, as_json: bool) -> None:
    """Show one with its message."""
    value = call(data, "GET", f"{BASE}/{part(letter)}")
    row = value["letter"]
    emit(
        value,
        as_json=as_json,
        text=f"{row['code']} at {row['path'] or 'the message'}: {row['message']}\n{value['message']}",
    )


@deadletter.command(
    "replay",
    epilog=example(
        "patron deadletter replay 812 --data shop\npatron deadletter replay 812 --edit fixed.json --data shop"
    ),
)
@click.argument("letter")
@click.option(
    "--edit",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file with the mended message.",
)
@data_option
@json_option
def replay(letter: str, edit: Path | None, data: Path, as_json: bool) -> None:
    """Send it again, as it is or mended. Exit code 2 when it is refused again."""
    body = {"message": text_of(edit) if edit else None}
    value = call(data, "POST", f"{BASE}/{part(letter)}/replay", body)
    emit(value, as_json=as_json, text=value["message"])
    if not value["accepted"]:
        raise SystemExit(2)


@deadletter.command("map", epilog=example("patron deadletter map pos-lite pos --data shop"))
@click.argument("unknown")
@click.argument("channel", type=click.Choice(CHANNELS))
@data_option
@json_option
def remap(unknown: str, channel: str, data: Path, as_json: bool) -> None:
    """Say what an unknown channel is, and replay the messages that wait for it."""
    value = call(data, "POST", "/v1/admin/channels", {"unknown": unknown, "channel": channel})
    emit(value, as_json=as_json, text=f"{value['replayed']} replayed, {value['failing']} still refused.")
