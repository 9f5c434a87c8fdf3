"""Commands about one person: find, show, events, why, split, merge, export, erase."""

from pathlib import Path

import click

from patron.cli.client import Failed, call, part
from patron.cli.options import data_option, example, json_option
from patron.cli.output import emit, table, write_private

BASE = "/v1/profiles"


@click.group(
    epilog=example(
        "patron person find 3331234 --data shop\npatron person show email:anna@mail.example --data shop"
    )
)
def person() -> None:
    """Look at one person; undo a wrong merge; export; erase."""


@person.command(
    "find", epilog=example("patron person find 3331234 --data shop\npatron person find rossi --data shop")
)
@click.argument("query")
@data_option
@json_option
def find(query: str, data: Path, as_json: bool) -> None:
    """Find people by any part of an identifier or name."""
    rows = call(data, "GET", f"/v1/admin/people?q={part(query)}")
    cells = [[r["id"], r["name"], r["matched"], r["orders"]] for r in rows]
    emit(
        rows,
        as_json=as_json,
        text=table(["id", "name", "matched", "orders"], cells) if rows else "Nobody found.",
    )


@person.command(
    "show",
    epilog=example(
        "patron person show email:anna@mail.example --data shop\npatron person show p_7f3k2q --json --data shop"
    ),
)
@click.argument("who")
@data_option
@json_option
def show(who: str, data: Path, as_json: bool) -> None:
    """Show one profile by any identifier (type:value) or id."""
    value = call(data, "GET", f"{BASE}/{part(who)}")
    lines = [
        value["id"],
        *(f"  {i['type']}: {i['value']}" for i in value["identifiers"]),
        *(f"  {name} = {v}" for name, v in value["traits"].items()),
        f"  orders {value['totals']['orders']}, revenue {value['totals']['revenue'] or 'none'}",
        f"  seen {value['first_seen']} to {value['last_seen']}",
    ]
    emit(value, as_json=as_json, text="\n".join(lines))


@person.command(
    "events", epilog=example("patron person events email:anna@mail.example --limit 20 --data shop")
)
@click.argument("who")
@click.option("--limit", default=20, show_default=True)
@click.option("--order", type=click.Choice(["asc", "desc"]), default="desc", show_default=True)
@click.option("--channel", default="", help="Only this channel.")
@data_option
@json_option
def events(who: str, limit: int, order: str, channel: str, data: Path, as_json: bool) -> None:
    """The timeline, by event time over all channels."""
    query = f"limit={limit}&order={order}" + (f"&channel={part(channel)}" if channel else "")
    value = call(data, "GET", f"{BASE}/{part(who)}/events?{query}")
    cells = [[e["timestamp"], e["channel"], e["sentence"], e["money"]] for e in value["data"]]
    emit(value, as_json=as_json, text=table(["time", "channel", "what", "money"], cells))


@person.command("why", epilog=example("patron person why email:anna@mail.example card:29004471 --data shop"))
@click.argument("a")
@click.argument("b")
@data_option
@json_option
def why(a: str, b: str, data: Path, as_json: bool) -> None:
    """Why two identifiers are one person, or why they are not."""
    value = call(data, "GET", f"{BASE}/{part(a)}/why?a={part(a)}&b={part(b)}")
    head = "One person:" if value["joined"] else "Not one person:"
    emit(value, as_json=as_json, text="\n".join([head, *(f"  {step}" for step in value["steps"])]))


@person.command(
    "split",
    epilog=example(
        "patron person split p_7f3k2q card:29004471 --data shop\npatron person split p_7f3k2q --cut anonymous_id:c17 --at 2026-05-04T10:00:00Z --data shop"
    ),
)
@click.argument("who")
@click.argument("nodes", nargs=-1)
@click.option("--cut", "node", default="", help="One identifier that two people used, cut at a time.")
@click.option("--at", default="", help="The time of the cut (ISO 8601).")
@data_option
@json_option
def split(who: str, nodes: tuple[str, ...], node: str, at: str, data: Path, as_json: bool) -> None:
    """Move identifiers out of a person, exactly; prints the id that undoes it."""
    if bool(nodes) == bool(node) or bool(node) != bool(at):
        raise Failed("Give the identifiers to move out, or --cut with --at.", 2)
    body = {"nodes": list(nodes), "cut": {"node": node, "at": at} if node else None}
    value = call(data, "POST", f"{BASE}/{part(who)}/split", body)
    emit(
        value,
        as_json=as_json,
        text=f"{value['message']}\nUndo: patron person undo {value['id']} --data {data}",
    )


@person.command("undo", epilog=example("patron person undo split-812 --data shop"))
@click.argument("split_id")
@data_option
@json_option
def undo(split_id: str, data: Path, as_json: bool) -> None:
    """Take a split back."""
    value = call(data, "DELETE", f"/v1/splits/{part(split_id)}")
    emit(value, as_json=as_json, text=value["message"])


@person.command(
    "merge", epilog=example("patron person merge email:anna@mail.example phone:+393331234567 --data shop")
)
@click.argument("who")
@click.argument("other")
@data_option
@json_option
def merge(who: str, other: str, data: Path, as_json: bool) -> None:
    """Join two people by hand; refused with the limit it would break."""
    value = call(data, "POST", f"{BASE}/{part(who)}/merge", {"other": other})
    emit(value, as_json=as_json, text=value["message"])


@person.command(
    "export", epilog=example("patron person export email:anna@mail.example --out anna.zip --data shop")
)
@click.argument("who")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The archive to write."
)
@data_option
def export(who: str, out: Path, data: Path) -> None:
    """Write all that is held about a person to one ZIP archive."""
    write_private(out, call(data, "GET", f"{BASE}/{part(who)}/export", raw=True))
    click.echo(f"Wrote {out}.")


@person.command("erase", epilog=example("patron person erase email:anna@mail.example --yes --data shop"))
@click.argument("who")
@click.option("--yes", is_flag=True, help="Do not ask.")
@data_option
@json_option
def erase(who: str, yes: bool, data: Path, as_json: bool) -> None:
    """Erase a person from every store. It cannot be undone; prints a receipt per store."""
    if not yes:
        click.confirm(f"Erase {who} everywhere? This cannot be undone", abort=True)
    value = call(data, "DELETE", f"{BASE}/{part(who)}")
    cells = [[store, count, text] for store, count, text in value["stores"]]
    emit(value, as_json=as_json, text=table(["store", "n", "what"], cells))
