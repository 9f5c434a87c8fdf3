"""Commands about exports: who and what goes where, how often, and what each run did."""

from pathlib import Path
from typing import Any

import click

from patron.cli import definitions
from patron.cli.client import call, part
from patron.cli.options import data_option, example, json_option
from patron.cli.output import emit, table

BASE = "/v1/exports"


@click.group(
    epilog=example(
        "patron export create crm.toml --data shop\npatron export run crm --data shop\npatron export show crm --data shop"
    )
)
def export() -> None:
    """Exports: segments and facts to files, webhooks and PostgreSQL, only what changed."""


@export.command(
    "create",
    epilog=example(
        'patron export create --definition \'{"id": "vips", "name": "VIPs", "segment": "vip", "fields": '
        '["identifiers.email", "computed.spent_90d"], "target": {"kind": "file", "format": "csv"}}\''
    ),
)
@definitions.file_argument
@definitions.definition_option
@data_option
@json_option
def create(file: Path | None, definition: str, data: Path, as_json: bool) -> None:
    """Save an export from FILE (TOML or JSON), --definition, or standard input."""
    value = definitions.given(file, definition)
    made = call(data, "PUT", f"{BASE}/{part(definitions.name_of(value))}", value)
    emit(made, as_json=as_json, text=f"Saved {made['id']}; the first run is due {made['due']}.")


@export.command("list", epilog=example("patron export list --data shop"))
@data_option
@json_option
def exports(data: Path, as_json: bool) -> None:
    """List exports with their last run."""
    value = call(data, "GET", BASE)
    cells = [
        [row["id"], row["definition"]["target"]["kind"], _outcome(row["last"]), row["due"]]
        for row in value["data"]
    ]
    none = "No exports yet. See: patron export create --help"
    emit(value, as_json=as_json, text=table(["id", "to", "last run", "next"], cells) if cells else none)


@export.command("show", epilog=example("patron export show vips --data shop"))
@click.argument("name")
@data_option
@json_option
def show(name: str, data: Path, as_json: bool) -> None:
    """Show an export and its runs, newest first."""
    value = call(data, "GET", f"{BASE}/{part(name)}")
    runs = call(data, "GET", f"{BASE}/{part(name)}/runs")["data"]
    lines = [f"{value['definition']['name']} ({name}), next run {value['due']}"]
    lines += [f"files in {value['files']}"] if value["files"] else []
    lines += [f"  {run['number']:>4}  {run['started']}  {_outcome(run)}" for run in runs[:20]]
    lines += [f"        {row['key']}: {row['reason']}" for run in runs[:1] for row in run["rejected"][:20]]
    emit({**value, "runs": runs}, as_json=as_json, text="\n".join(lines))


@export.command("run", epilog=example("patron export run vips --data shop"))
@click.argument("name")
@data_option
@json_option
def run(name: str, data: Path, as_json: bool) -> None:
    """Run an export now. Exit code 1 when it could not be finished; it goes on where it stood."""
    value = call(data, "POST", f"{BASE}/{part(name)}/run")
    emit(value, as_json=as_json, text=_outcome(value))
    if value["error"]:
        raise SystemExit(1)


@export.command("remove", epilog=example("patron export remove vips --data shop"))
@click.argument("name")
@data_option
@json_option
def remove(name: str, data: Path, as_json: bool) -> None:
    """Take an export away; the other side keeps what it has."""
    value = call(data, "DELETE", f"{BASE}/{part(name)}")
    emit(value, as_json=as_json, text=f"{name} is gone; the other side keeps what it has.")


def _outcome(run: dict[str, Any] | None) -> str:
    """One run in a line.

    >>> _outcome({"added": 3, "changed": 0, "removed": 1, "refused": 0, "without_basis": 2, "error": ""})
    '3 added, 0 changed, 1 removed; 2 left out: no lawful basis'
    """
    if run is None:
        return "not run yet"
    text = f"{run['added']:,} added, {run['changed']:,} changed, {run['removed']:,} removed"
    text += f", {run['refused']:,} refused" if run["refused"] else ""
    text += f"; {run['without_basis']:,} left out: no lawful basis" if run["without_basis"] else ""
    return f"{text}; stopped: {run['error']}" if run["error"] else text
