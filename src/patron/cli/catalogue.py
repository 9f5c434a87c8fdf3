"""Commands about the catalogue: what can be decided for, where it may be shown, and under which limits."""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click

from patron.cli.client import call, part
from patron.cli.options import data_option, example, json_option
from patron.cli.output import emit, table, text_of

BASE = "/v1/catalogue"
BAD = 2
"""Exit code for a catalogue that has faults."""
_PARTS = ("offers", "placements", "caps")
_file = click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))


@click.group(
    epilog=example(
        "patron catalogue check offers.toml\npatron catalogue load offers.toml --dry-run --data shop\n"
        "patron catalogue load offers.toml --data shop"
    )
)
def catalogue() -> None:
    """What can be decided for: check, load, show, every version and what changed."""


@catalogue.command("check", epilog=example("patron catalogue check offers.toml"))
@_file
@json_option
def check(file: Path, as_json: bool) -> None:
    """Check a catalogue file; names every fault by its line and path. Exit code 2 when there is one.

    Needs no workspace, so names of segments are taken as they are: `load --dry-run` looks them up too.
    """
    from patron.decide.changes import tried

    trial = tried(text_of(file))
    found = trial.catalogue
    counts = (
        _count(len(found.offers), "offer"), _count(len(found.placements), "placement"), _count(len(found.caps), "cap"),
    )  # fmt: skip
    faults = [{"line": one.line, "path": one.path, "problem": one.problem} for one in trial.faults]
    value = {
        "ok": trial.ok,
        "faults": faults,
        "offers": len(found.offers),
        "placements": len(found.placements),
    }
    if as_json or trial.ok:
        emit(value, as_json=as_json, text=f"{', '.join(counts)}, no fault.")
    _end_of_faults(file, [] if as_json else faults, ok=trial.ok)


@catalogue.command(
    "load",
    epilog=example(
        "patron catalogue load offers.toml --dry-run --data shop\npatron catalogue load offers.toml --data shop"
    ),
)
@_file
@click.option(
    "--dry-run", is_flag=True, help="Say which faults it has and what it would change, and do nothing."
)
@data_option
@json_option
def load(file: Path, dry_run: bool, data: Path, as_json: bool) -> None:
    """Make a catalogue the one in force, at once. Exit code 2 when it has faults; then the old one stays."""
    text = text_of(file)
    # a trial first: it tells the line of each fault, a refusal only the path
    value = call(data, "PUT", f"{BASE}?dry=true", {"text": text})
    if value["ok"] and not dry_run:
        value = call(data, "PUT", BASE, {"text": text})
    head = f"{_count(len(value['offers']), 'offer')}, {_count(len(value['placements']), 'placement')}"
    done = "Would be in force" if dry_run else "In force"
    lines = [f"{done}: {head}, version {value['version']}.", *change_lines(value["changes"])]
    if as_json or value["ok"]:
        emit(value, as_json=as_json, text="\n".join(lines))
    _end_of_faults(file, [] if as_json else value["faults"], ok=value["ok"])


@catalogue.command(
    "show", epilog=example("patron catalogue show --data shop\npatron catalogue show --text --data shop")
)
@click.option("--text", "as_text", is_flag=True, help="The catalogue as it was written.")
@click.option("--version", "name", default="", help="An earlier version, as it was written.")
@data_option
@json_option
def show(as_text: bool, name: str, data: Path, as_json: bool) -> None:
    """List the offers in force, or print the catalogue as it was written."""
    if name:
        value = call(data, "GET", f"{BASE}/versions/{part(name)}")
        emit(value, as_json=as_json, text=value["text"].rstrip("\n"))
        return
    value = call(data, "GET", BASE)
    cells = [
        [
            o["id"], o["name"], o["family"] or "-", " ".join(o["placements"]) or "everywhere",
            f"{o['value']:g}", f"{o['cost']:g}", f"{o['priority']:g}", "-" if o["stock"] is None else o["stock"],
        ]
        for o in value["offers"]
    ]  # fmt: skip
    heads = ["id", "name", "family", "placements", "value", "cost", "priority", "stock"]
    told = table(heads, cells) if cells else "No offer yet. See: patron catalogue load --help"
    emit(value, as_json=as_json, text=value["text"].rstrip("\n") if as_text else told)


@catalogue.command("versions", epilog=example("patron catalogue versions --data shop"))
@data_option
@json_option
def versions(data: Path, as_json: bool) -> None:
    """Every version, newest first: since when, until when, by whom."""
    rows = call(data, "GET", f"{BASE}/versions")["data"]
    cells = [
        [r["version"], r["since"] or "-", r["until"] or "-", r["by"] or "-", r["offers"], r["placements"]]
        for r in rows
    ]
    emit(
        rows, as_json=as_json, text=table(["version", "since", "until", "by", "offers", "placements"], cells)
    )


@catalogue.command("diff", epilog=example("patron catalogue diff 570997e1ac28 f49052cc7105 --data shop"))
@click.argument("before")
@click.argument("after", required=False, default="")
@data_option
@json_option
def diff(before: str, after: str, data: Path, as_json: bool) -> None:
    """What changed from one version to another, or to the one in force: by part, then line by line."""
    query = urlencode({"from": before, **({"to": after} if after else {})})
    value = call(data, "GET", f"{BASE}/diff?{query}")
    lines = [*change_lines(value["changes"]), *_text_lines(value["before"], value["after"])]
    emit(value, as_json=as_json, text="\n".join(lines) or "They say the same.")


def change_lines(changes: Mapping[str, Any]) -> list[str]:
    """What differs between two catalogues, a line each.

    >>> none = {"added": [], "changed": [], "removed": []}
    >>> change_lines({"offers": {**none, "added": ["tea"]}, "placements": none, "caps": none, "other": ["quiet"]})
    ['+ offer tea', '~ quiet hours']
    """
    lines = []
    for name in _PARTS:
        word, rows = name.removesuffix("s"), changes[name]
        lines += [f"+ {word} {one}" for one in rows["added"]]
        lines += [f"~ {word} {one['id']}: {', '.join(one['keys'])}" for one in rows["changed"]]
        lines += [f"- {word} {one}" for one in rows["removed"]]
    words = {"quiet": "quiet hours", "scoring": "scoring", "order": "order of offers"}
    return lines + [f"~ {words.get(one, one)}" for one in changes["other"]]


def _text_lines(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    old, new = before["text"].splitlines(), after["text"].splitlines()
    return list(difflib.unified_diff(old, new, before["version"], after["version"], lineterm="", n=2))


def _end_of_faults(file: Path, faults: Sequence[Mapping[str, Any]], *, ok: bool) -> None:
    for fault in faults:
        where = f"{file}:{fault['line']}" if fault["line"] else str(file)
        click.echo(
            f"{where}: {fault['path']}: {fault['problem']}"
            if fault["path"]
            else f"{where}: {fault['problem']}",
            err=True,
        )
    if not ok:
        raise SystemExit(BAD)


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"
