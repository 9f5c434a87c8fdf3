"""Commands about segments: define, look, explain, and apply a folder of definitions."""

from pathlib import Path
from typing import Any

import click

from patron.cli import compared, definitions
from patron.cli.client import Failed, call, part
from patron.cli.explained import drawn
from patron.cli.options import data_option, example, json_option
from patron.cli.output import emit, table, text_of

BASE = "/v1/segments"
KIND = "segment"
SUFFIXES = (".toml", ".json")


@click.group(
    epilog=example(
        "patron segment check tea.toml --data shop\npatron segment create tea.toml --data shop\n"
        "patron segment explain tea-lovers email:anna@mail.example --data shop"
    )
)
def segment() -> None:
    """Segments: define, list, explain, who came and who left."""


@segment.command(
    "create",
    epilog=example(
        "patron segment create tea.toml --data shop\n"
        "patron segment create --data shop < tea.json\n"
        'patron segment create --definition \'{"id": "buyers", "name": "Buyers", "rule": {"kind": "did", "event": "Order Completed"}}\''
    ),
)
@definitions.file_argument
@definitions.definition_option
@data_option
@json_option
def create(file: Path | None, definition: str, data: Path, as_json: bool) -> None:
    """Save a segment from FILE (TOML or JSON), --definition, or standard input. An id that is there gets a new version."""
    definitions.save(data, KIND, definitions.given(file, definition), as_json=as_json)


@segment.command("check", epilog=example("patron segment check tea.toml --data shop"))
@definitions.file_argument
@definitions.definition_option
@data_option
@json_option
def check(file: Path | None, definition: str, data: Path, as_json: bool) -> None:
    """Say what saving would say: problems by path, else the sentence, the cost and the reach. Exit code 2 for problems."""
    definitions.check(data, KIND, definitions.given(file, definition), as_json=as_json)


@segment.command("list", epilog=example("patron segment list --data shop"))
@data_option
@json_option
def segments(data: Path, as_json: bool) -> None:
    """List segments with their members and how each is run."""
    value = call(data, "GET", BASE)
    cells = [
        [
            row["id"],
            row["definition"].get("name", ""),
            *_standing(row["status"]),
            f"v{row['version']}",
        ]
        for row in value["data"]
    ]
    none = "No segments yet. Ready ones: patron library list"
    emit(
        value,
        as_json=as_json,
        text=table(["id", "name", "members", "state", "version"], cells) if cells else none,
    )


@segment.command("show", epilog=example("patron segment show tea-lovers --data shop"))
@click.argument("name")
@click.option("--version", "number", type=int, default=0, help="An earlier version.")
@data_option
@json_option
def show(name: str, number: int, data: Path, as_json: bool) -> None:
    """Show one segment: its sentence, how it stands, its definition."""
    value = call(data, "GET", f"{BASE}/{part(name)}" + (f"?version={number}" if number else ""))
    lines = definitions.show(value)
    emit(value, as_json=as_json, text="\n".join([*lines[:2], *_stands(value["status"]), *lines[2:]]))


def _stands(status: dict[str, Any] | None) -> list[str]:
    if status is None:
        return []
    line = f"{status['members']:,} members, {status['state']}"
    line += f" ({status['progress']:.0%} of the past read)" if status["state"] == "filling" else ""
    more = []
    if status["without_basis"]:
        more.append(f"{status['without_basis']:,} left out: no lawful basis for its purpose")
    if status["capped"]:
        more.append(f"{status['capped']:,} with very long lists, found from their own events within minutes")
    return [line, *more]


@segment.command("versions", epilog=example("patron segment versions tea-lovers --data shop"))
@click.argument("name")
@data_option
@json_option
def versions(name: str, data: Path, as_json: bool) -> None:
    """Every version, newest first, with what each changed."""
    definitions.versions(data, KIND, name, as_json=as_json)


def _standing(status: dict[str, Any] | None) -> tuple[Any, str]:
    """Members, as far as they are known, and the state."""
    if status is None:
        return "-", "-"
    known = status["members"] or status["state"] in ("live", "lake")
    return status["members"] if known else "-", status["state"]


@segment.command("members", epilog=example("patron segment members tea-lovers --limit 50 --data shop"))
@click.argument("name")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@click.option("--cursor", default="", help="The cursor of the page before.")
@data_option
@json_option
def members(name: str, limit: int, cursor: str, data: Path, as_json: bool) -> None:
    """List members by id, a page at a time."""
    more = f"&cursor={part(cursor)}" if cursor else ""
    value = call(data, "GET", f"{BASE}/{part(name)}/members?limit={limit}{more}")
    text = table(["id", "identifiers"], [[row["id"], _ids(row)] for row in value["data"]])
    tail = f"\nNext page: --cursor {value['cursor']}" if value["cursor"] else ""
    emit(
        value,
        as_json=as_json,
        text=f"{text}\n{value['total']:,} {'member' if value['total'] == 1 else 'members'}.{tail}"
        if value["data"]
        else "Nobody.",
    )


def _ids(row: dict[str, Any]) -> str:
    return " ".join(f"{i['type']}:{i['value']}" for i in row["identifiers"][:3])


@segment.command(
    "explain", epilog=example("patron segment explain tea-lovers email:anna@mail.example --data shop")
)
@click.argument("name")
@click.argument("who")
@data_option
@json_option
def explain(name: str, who: str, data: Path, as_json: bool) -> None:
    """Why somebody (type:value or id) is in a segment, or is not: each part of the rule with its events."""
    value = call(data, "GET", f"{BASE}/{part(name)}/explain?person={part(who)}")
    emit(value, as_json=as_json, text=drawn(value))


@segment.command(
    "diff",
    epilog=example(
        "patron segment diff tea-lovers --from 2026-03-01 --data shop\npatron segment diff tea-lovers --from v1 --to v2"
    ),
)
@click.argument("name")
@click.option("--from", "since", required=True, help="A time (ISO 8601) or a version (v1).")
@click.option("--to", "until", default="", help="The same; now when left out.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@data_option
@json_option
def diff(name: str, since: str, until: str, limit: int, data: Path, as_json: bool) -> None:
    """Who came in and who left between two times, or since a version was last in force."""
    more = f"&to={part(until)}" if until else ""
    value = call(data, "GET", f"{BASE}/{part(name)}/diff?from={part(since)}{more}&limit={limit}")
    lines = [f"{value['since']} to {value['until']}"]
    if not value["complete"]:
        lines.append("Changes are not kept this far back: the lists may lack some.")
    for sign, side in (("+", "entered"), ("-", "left")):
        lines += [f"{sign} {row['id']}  {row['time']}  {_ids(row)}" for row in value[side]]
    lines.append(f"{value['entered_total']:,} entered, {value['left_total']:,} left.")
    emit(value, as_json=as_json, text="\n".join(lines))


@segment.command(
    "compare",
    epilog=example("patron segment compare --data shop\npatron segment compare --json --data shop"),
)
@click.option("--all", "everything", is_flag=True, help="List what agrees too.")
@data_option
@json_option
def compare(everything: bool, data: Path, as_json: bool) -> None:
    """Compare what is live with what the lake alone says, for all segments and computed traits. Exit code 2 when they differ."""
    value = call(data, "POST", "/v1/rules/compare", seconds=compared.SECONDS)
    shown = [
        row for row in value["rows"] if everything or row["differ"] or row["capped"] or row["way"] != "live"
    ]
    lines = [compared.table_of(shown)] if shown else []
    for row in value["rows"]:
        if row["example"]:
            path = f"/v1/{row['kind']}s/{part(row['id'])}/explain?person={part(row['example']['person'])}"
            lines += ["", *compared.example(row, call(data, "GET", path))]
    emit(value, as_json=as_json, text="\n".join([*lines, compared.verdict(value)]))
    if value["differ"]:
        raise SystemExit(definitions.BAD)


@segment.command("remove", epilog=example("patron segment remove tea-lovers --data shop"))
@click.argument("name")
@data_option
@json_option
def remove(name: str, data: Path, as_json: bool) -> None:
    """Take a segment out of force; its versions stay. Refused while others use it."""
    definitions.remove(data, KIND, name, as_json=as_json)


@segment.command("schema", epilog=example("patron segment schema --data shop > rules.schema.json"))
@click.option(
    "--kind",
    type=click.Choice(["segment", "trait", "condition", "rule"]),
    default="segment",
    show_default=True,
)
@data_option
def schema(kind: str, data: Path) -> None:
    """Print the JSON Schema of a segment, computed trait, condition or bare rule."""
    emit(call(data, "GET", f"/v1/rules/schema?kind={kind}"), as_json=True, text="")


@segment.command(
    "apply",
    epilog=example(
        "patron segment apply rules/ --dry-run --data shop\npatron segment apply rules/ --data shop"
    ),
)
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@data_option
@json_option
def apply(folder: Path, dry_run: bool, data: Path, as_json: bool) -> None:
    """Save every definition (*.toml, *.json) below FOLDER: all of them, or none when one has a fault. Nothing is removed."""
    files = sorted(f for f in folder.rglob("*") if f.suffix in SUFFIXES and f.is_file())
    if not files:
        raise Failed(f"{folder} holds no .toml and no .json file.", definitions.BAD)
    value = call(
        data,
        "POST",
        "/v1/rules/apply",
        {**definitions.bundle((str(f), text_of(f)) for f in files), "dry": dry_run},
    )
    lines: list[str] = []
    for row in value["changes"]:
        if row["change"] != "same":
            lines.append(f"{_SIGNS[row['change']]} {row['kind']} {row['id']} (version {row['version']})")
        if row["change"] == "changed":
            lines += [f"    {line}" for line in definitions.difference(row["before"], row["after"])]
    same = sum(1 for row in value["changes"] if row["change"] == "same")
    tail = "Nothing was saved (dry run)." if dry_run else "Saved."
    lines.append(f"{len(value['changes']) - same} to save, {same} as they are. {tail}")
    emit(value, as_json=as_json, text="\n".join(lines))


_SIGNS = {"new": "+", "changed": "~"}
