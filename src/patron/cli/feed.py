"""Commands about reference feeds: stock, prices, stores, weather, days."""

import csv
import io
from collections.abc import Generator, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click

from patron.cli.client import Failed, Request, call, calls, part
from patron.cli.options import data_option, example, json_option
from patron.cli.output import emit, moment, table, write

PART = 2_000
"""Records of one request."""
SHOWN = 10
"""Rejects that are printed; all of them are in the reject file."""
_REJECT = ("row", "column", "problem", "hint", "value")


@click.group(
    epilog=example(
        "patron feed kinds\npatron feed load stock.csv --kind stock --dry-run\npatron feed show stock S01/P0101"
    )
)
def feed() -> None:
    """Reference feeds: load stock, prices, stores, weather; show what held when."""


@feed.command("kinds", epilog=example("patron feed kinds\npatron feed kinds stock"))
@click.argument("kind", required=False)
@json_option
def kinds(kind: str | None, as_json: bool) -> None:
    """List the kinds of feeds; with a KIND its columns, with types and an example."""
    from patron.feeds.kinds import KINDS, unknown_kind

    if kind is None:
        cells = [[k.name, "/".join(k.key), k.about] for k in KINDS.values()]
        value: Any = [{"kind": k.name, "key": list(k.key), "about": k.about} for k in KINDS.values()]
        emit(value, as_json=as_json, text=table(["kind", "key", "about"], cells))
        return
    if kind not in KINDS:
        raise Failed(unknown_kind(kind), 3)
    found = KINDS[kind]
    columns = [found.column(name) for name in found.names]
    value = [
        {"column": c.name, "type": c.type, "required": c.required, "about": c.about, "example": c.example}
        for c in columns
    ]
    cells = [[c.name, c.type, "yes" if c.required else "", c.example, c.about] for c in columns]
    head = f"{found.name}: {found.about}. Key: {'/'.join(found.key)}\n\n"
    emit(value, as_json=as_json, text=head + table(["column", "type", "needed", "example", "about"], cells))


@feed.command(
    "load",
    epilog=example(
        "patron feed load stock.csv --kind stock --dry-run\n"
        "patron feed load filialen.csv --kind stores --mapping Filiale=store --encoding cp1252\n"
        "patron feed load weather-2025.parquet --kind weather --known-at 2026-01-02"
    ),
)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--kind", help="What it holds: `patron feed kinds`. The file's name, when left out.")
@click.option("--dry-run", is_flag=True, help="Say what it would do, and do nothing.")
@click.option("--known-at", help="Since when its rows were known, if they do not say. [default: now]")
@click.option("--mapping", multiple=True, metavar="NAME=COLUMN", help="Where names differ; several times.")
@click.option("--format", "form", type=click.Choice(["csv", "jsonl", "parquet"]), help="What the file is.")
@click.option("--encoding", default="", help="Of its text, for example cp1252. [default: UTF-8]")
@click.option(
    "--rejects",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where rows that were not taken are written, with reasons. [default: FILE.rejects.csv]",
)
@data_option
@json_option
def load(
    file: Path,
    kind: str | None,
    dry_run: bool,
    known_at: str | None,
    mapping: tuple[str, ...],
    form: str | None,
    encoding: str,
    rejects: Path | None,
    data: Path,
    as_json: bool,
) -> None:
    """Load a file: CSV, JSON lines or Parquet. In force at once; loading it again changes nothing.

    Rows that cannot be taken are written to a file with row, column, problem and what to write; the others are loaded. Exit
    code 2 when there are such.
    """
    from patron.collect.importers.feeds import UnreadableFile, open_file

    name = _kind(kind, file)
    terms = {"mapping": _mapping(mapping), "known_at": known_at, "dry_run": dry_run, "file": file.name}
    try:
        with open_file(file, form or "", encoding) as records:
            total, rejected = calls(data, _parts(name, records.columns, records.rows, terms))
    except UnreadableFile as error:
        raise Failed(str(error)) from error
    place = rejects or file.with_name(file.name + ".rejects.csv")
    if rejected:
        write(place, _reject_file(rejected))
    total["rejects"] = rejected
    emit(total, as_json=as_json, text=_report(total, rejected, place))
    if rejected:
        raise SystemExit(2)


@feed.command("list", epilog=example("patron feed list --data shop"))
@data_option
@json_option
def listed(data: Path, as_json: bool) -> None:
    """List the feeds: how much there is, how fresh it is, what the last load did."""
    value = call(data, "GET", "/v1/feeds")["data"]
    cells = [
        [s["kind"], s["keys"], s["versions"], moment(s["known"]), moment(s["confirmed"]), _last(s["last"])]
        for s in value
    ]
    heads = ["kind", "keys", "versions", "known until", "last load", "which"]
    emit(value, as_json=as_json, text=table(heads, cells))


@feed.command(
    "show",
    epilog=example(
        "patron feed show stock S01/P0101\n"
        "patron feed show weather Bologna --at 2026-09-03T10:00:00Z --known 2026-09-02"
    ),
)
@click.argument("kind")
@click.argument("key", required=False)
@click.option("--at", default="", help="When it holds. [default: now]")
@click.option("--known", default="", help="As it was known then. [default: now]")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="Keys shown.")
@data_option
@json_option
def show(kind: str, key: str | None, at: str, known: str, limit: int, data: Path, as_json: bool) -> None:
    """Show what holds for a KEY and how it came to be; without one, for the first keys of the KIND."""
    asked = {"at": at, "known": known, **({"key": key} if key else {"limit": str(limit)})}
    query = urlencode({name: value for name, value in asked.items() if value})
    value = call(data, "GET", f"/v1/feeds/{part(kind)}?{query}")
    text = _values(value["data"]) if value["data"] else "Nothing holds at that moment, as known then."
    if value["history"]:
        text += "\n\nHistory, newest knowledge first:\n" + _values(value["history"])
    elif value["total"] > len(value["data"]) and not key:
        text += f"\n\n{value['total']:,} keys."
    emit(value, as_json=as_json, text=text)


def _kind(given: str | None, file: Path) -> str:
    from patron.feeds.kinds import KINDS

    name = given or file.name.partition(".")[0].lower()
    if given is None and name not in KINDS:
        raise Failed(f"Say what {file.name} holds: --kind, one of {', '.join(KINDS)}.")
    return name


def _mapping(pairs: Iterable[str]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        name, sign, column = pair.partition("=")
        if not sign or not name or not column:
            raise Failed(f"--mapping {pair}: write NAME=COLUMN, the file's name first.")
        found[name] = column
    return found


Rejects = list[dict[str, Any]]


def _parts(
    kind: str, columns: tuple[str, ...], records: Iterator[Any], terms: Mapping[str, Any]
) -> Generator[Request, Any, tuple[dict[str, Any], Rejects]]:
    """The requests of one load, each told whether more follow; gives the sums and everything rejected."""
    total: dict[str, Any] = dict.fromkeys(("rows", "added", "unchanged", "rejected", "later"), 0)
    rejected: Rejects = []
    load = ""
    batch = list(islice(records, PART))
    while True:
        following = list(islice(records, PART))
        read = [record for record in batch if not record.problem]
        body = {
            **terms,
            "columns": columns,
            "rows": [[r.cells[name] for name in columns] if columns else r.cells for r in read],
            "numbers": [record.row for record in read],
            "unread": [
                {"row": r.row, "column": "", "problem": r.problem, "hint": r.hint} for r in batch if r.problem
            ],
            "load": load,
            "more": bool(following),
        }
        answer = yield "POST", f"/v1/feeds/{part(kind)}", body
        load = "" if terms["dry_run"] else answer["load"]
        for name in total:
            total[name] += answer[name]
        rejected += answer["rejects"]
        if not following:
            last = {name: answer[name] for name in ("kind", "load", "ignored", "dry_run", "position")}
            return {**total, **last}, sorted(rejected, key=lambda one: one["row"])
        batch = following


def _reject_file(rejected: Rejects) -> str:
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(_REJECT)
    for one in rejected:
        # a spreadsheet runs a cell that begins with = + - @ as a formula
        lines.writerow(
            [f"'{c}" if (c := str(one[name])).startswith(("=", "+", "-", "@")) else c for name in _REJECT]
        )
    return out.getvalue()


def _report(total: Mapping[str, Any], rejected: Rejects, place: Path) -> str:
    done = "would be new" if total["dry_run"] else "new"
    lines = [
        (
            f"{total['kind']}: {total['rows']:,} rows, {total['added']:,} {done}, "
            f"{total['unchanged']:,} known already, {total['rejected']:,} rejected."
        )
    ]
    if total["ignored"]:
        lines.append(f"Passed over: {', '.join(total['ignored'])}. Use --mapping where one is a column.")
    if total["later"]:
        lines.append(f"{total['later']:,} rows are known only in the future; nobody sees them before.")
    lines += [
        f"  row {one['row']}, {one['column'] or 'as a whole'}: {one['problem']}; {one['hint']}"
        for one in rejected[:SHOWN]
    ]
    if rejected:
        lines.append(f"All rejects: {place}")
    return "\n".join(lines)


def _last(last: Mapping[str, Any] | None) -> str:
    if last is None:
        return "-"
    state = "" if last["ended"] else ", not finished"
    return f"{last['file'] or 'API'}: {last['added']:,} new, {last['rejected']:,} rejected{state}"


def _values(values: list[dict[str, Any]]) -> str:
    names = list(dict.fromkeys(name for value in values for name in (value["values"] or {})))
    items = any(value["item"] for value in values)
    rows = [
        [
            value["key"],
            *([value["item"]] if items else []),
            moment(value["valid_from"]),
            moment(value["known_at"]),
            *(("" if cell is None else cell) for cell in ((value["values"] or {}).get(n) for n in names)),
            *(["withdrawn"] if value["values"] is None else []),
        ]
        for value in values
    ]
    heads = ["key", *(["item"] if items else []), "valid from", "known at", *names]
    width = max(len(heads), *(len(row) for row in rows))
    return table([*heads, *[""] * (width - len(heads))], [[*row, *[""] * (width - len(row))] for row in rows])
