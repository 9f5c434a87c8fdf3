"""Commands about the event lake: SQL over it, its files, how it is."""

import datetime as dt
import json
import sys
from pathlib import Path
from typing import Any

import click

from patron.cli.client import call
from patron.cli.options import data_option, example, json_option
from patron.cli.output import emit, table

_MB = 1 << 20


@click.group(
    epilog=example(
        'patron lake query "SELECT name, count(*) FROM events GROUP BY name" --data shop\npatron lake files events --data shop'
    )
)
def lake() -> None:
    """The event lake: SQL over it, its files, how it is."""


@lake.command("status", epilog=example("patron lake status --data shop"))
@data_option
@json_option
def status(data: Path, as_json: bool) -> None:
    """How far the lake is, and what each of its tables holds."""
    value = call(data, "GET", "/v1/lake")
    cells = [
        [
            t["table"],
            f"{t['rows']:,}",
            len(t["files"]),
            f"{t['bytes'] / _MB:.1f}",
            t["oldest"] or "",
            t["newest"] or "",
        ]
        for t in value["tables"]
    ]
    lines = [
        f"{value['url']}: position {value['position']:,}, {value['lag']:,} messages on their way",
        *([f"Problem: {value['problem']}"] if value["problem"] else []),
        table(["table", "rows", "files", "MB", "from", "to"], cells),
    ]
    emit(value, as_json=as_json, text="\n".join(lines))


@lake.command(
    "files", epilog=example("patron lake files --data shop\npatron lake files events --json --data shop")
)
@click.argument("name", metavar="[TABLE]", required=False)
@data_option
@json_option
def files(name: str | None, data: Path, as_json: bool) -> None:
    """The Parquet files that make up a table now, for engines without Delta. Others in the folder do not count."""
    found = {t["table"]: t["files"] for t in call(data, "GET", "/v1/lake")["tables"]}
    if name is not None and name not in found:
        raise click.BadParameter(f"there is no table {name[:40]}; the lake has {', '.join(found)}")
    chosen = found if name is None else {name: found[name]}
    emit(
        chosen if name is None else chosen[name],
        as_json=as_json,
        text="\n".join(p for f in chosen.values() for p in f),
    )


@lake.command("flush", epilog=example("patron lake flush --data shop"))
@data_option
@json_option
def flush(data: Path, as_json: bool) -> None:
    """Write everything that is applied to the lake now, and wait for it."""
    value = call(data, "POST", "/v1/lake/flush")
    emit(value, as_json=as_json, text=f"The lake has everything up to position {value['position']:,}.")


@lake.command("compact", epilog=example("patron lake compact --data shop"))
@data_option
@json_option
def compact(data: Path, as_json: bool) -> None:
    """Merge small files, drop what retention does not keep, remove files that nobody reads any more."""
    value = call(data, "POST", "/v1/lake/compact")
    emit(
        value,
        as_json=as_json,
        text=f"{value['before']} files became {value['after']}; {value['removed']} removed.",
    )


@lake.command(
    "query",
    epilog=example(
        'patron lake query "SELECT name, count(*) AS n FROM events GROUP BY name ORDER BY n DESC" --data shop\n'
        'patron lake query "FROM people_now" --format parquet --out people.parquet --data shop'
    ),
)
@click.argument("sql")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json", "parquet"]),
    default="table",
    show_default=True,
    help="How to print the answer.",
)
@click.option("--rows", default=10_000, show_default=True, type=click.IntRange(1), help="Most rows.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file.")
@data_option
def query(sql: str, form: str, rows: int, out: Path | None, data: Path) -> None:
    """Run one read-only SELECT over the lake: tables events, people, people_now, members, decisions, profiles."""
    if form == "parquet" and out is None and sys.stdout.isatty():
        raise click.UsageError("Parquet is not for a terminal: give --out FILE.")
    asked = {"sql": sql, "rows": rows, "format": "json" if form == "table" else form}
    if form in {"csv", "parquet"}:
        content: bytes = call(data, "POST", "/v1/lake/query", asked, raw=True)
    else:
        answer = call(data, "POST", "/v1/lake/query", asked)
        content = (
            _table(answer) if form == "table" else json.dumps(_objects(answer), ensure_ascii=False)
        ).encode() + b"\n"
    if out is None:
        sys.stdout.buffer.write(content)
    else:
        out.write_bytes(content)


@click.group(epilog=example("patron log prune --before 2026-01-01 --data shop"))
def log() -> None:
    """The durable log: take out of its old part what the lake has."""


@log.command("prune", epilog=example("patron log prune --before 2026-01-01 --data shop"))
@click.option(
    "--before", required=True, type=click.DateTime(), help="Messages received before this time (UTC)."
)
@data_option
@json_option
def prune(before: dt.datetime, data: Path, as_json: bool) -> None:
    """Take the text of old messages out of the log; the lake has them, and a replay takes them from there.

    Facts, decisions and refused messages stay. Only sealed segments that are wholly older are touched.
    """
    moment = int(before.replace(tzinfo=dt.UTC).timestamp() * 1000)
    value = call(data, "POST", "/v1/admin/log/prune", {"before": moment})
    emit(
        value,
        as_json=as_json,
        text=f"{value['segments']} segments thinned, {value['bytes'] / _MB:.1f} MB freed.",
    )


def _objects(answer: Any) -> list[dict[str, Any]]:
    names = [name for name, _ in answer["columns"]]
    return [dict(zip(names, row, strict=True)) for row in answer["rows"]]


def _table(answer: Any) -> str:
    shown = table(
        [name for name, _ in answer["columns"]], [[_cell(v) for v in row] for row in answer["rows"]]
    )
    return shown + ("\n... more rows: raise --rows, or aggregate" if answer["truncated"] else "")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.replace("\n", " ")[:120]
