"""Definitions as files and as text: read from TOML or JSON, saved, shown. What `patron segment` and `patron trait` share."""

import difflib
import json
import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from patron.cli.client import Failed, call, part
from patron.cli.output import emit, text_of

BAD = 2
"""Exit code for a definition that has faults."""
LISTS = {"condition": "conditions", "trait": "traits", "segment": "segments"}
"""Kind -> how a bundle and the addresses of the API name many of them."""


file_argument = click.argument(
    "file", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True)
)
definition_option = click.option(
    "--definition", default="", help="The definition itself, TOML or JSON, instead of a file."
)


def given(file: Path | None, text: str) -> Any:
    """The definition that a command was given: a file, a text, or standard input. Raises Failed (2)."""
    if file is not None and text:
        raise Failed("Give a file or --definition, not both.", BAD)
    if text:
        return parsed(text, "--definition")
    if file is None or str(file) == "-":
        return parsed(sys.stdin.read(), "standard input")
    return parsed(text_of(file), str(file))


def parsed(text: str, place: str) -> Any:
    """Read TOML or JSON: what begins with a brace is JSON. Raises Failed (2) naming the place.

    >>> parsed('id = "tea"', "tea.toml"), parsed('{"id": "tea"}', "tea.json")
    ({'id': 'tea'}, {'id': 'tea'})
    """
    if not text.strip():
        raise Failed(f"{place} is empty; a definition is an object with `id`, `name` and what it says.", BAD)
    try:
        if text.lstrip()[0] == "{":
            return json.loads(text)
        # TOML has dates and times of its own; rules write them as texts
        return json.loads(json.dumps(tomllib.loads(text), default=str))
    except (ValueError, RecursionError) as error:
        why = "nested too deep" if isinstance(error, RecursionError) else str(error)
        raise Failed(f"{place} is neither TOML nor JSON: {why}.", BAD) from error


def name_of(value: Any, place: str = "The definition") -> str:
    """The id in a definition. Raises Failed (2) when there is none."""
    name = value.get("id") if isinstance(value, dict) else None
    if not isinstance(name, str) or not name:
        raise Failed(f'{place} needs an `id`, for example id = "tea-lovers".', BAD)
    return name


def save(data: Path, kind: str, value: Any, *, as_json: bool) -> None:
    """Save one definition and say what it is."""
    name = name_of(value)
    made = call(data, "PUT", f"/v1/{LISTS[kind]}/{part(name)}", value)
    head = (
        f"Saved {name}, version {made['version']}."
        if made["changed"]
        else f"{name} says just this already; version {made['version']} stays."
    )
    emit(made, as_json=as_json, text="\n".join([head, made["sentence"], *run_lines(made["runs"])]))


def remove(data: Path, kind: str, name: str, *, as_json: bool) -> None:
    """Take one definition out of force."""
    value = call(data, "DELETE", f"/v1/{LISTS[kind]}/{part(name)}")
    emit(value, as_json=as_json, text=f"{name} is out of force; its versions stay.")


def run_lines(runs: Mapping[str, Any] | None) -> list[str]:
    """How something is run, for people.

    >>> run_lines({"way": "live", "bytes_per_person": 24, "most_bytes": 240, "reasons": [], "costs": []})
    ['Live, exact; about 24 bytes a person.']
    """
    if runs is None:
        return []
    if runs["way"] == "live":
        head = f"Live, exact; about {runs['bytes_per_person']} bytes a person."
    else:
        head = "From the lake, some minutes behind:"
    return [head, *(f"  {line}" for line in (*runs["reasons"], *runs["costs"]))]


def check(data: Path, kind: str, value: Any, *, as_json: bool) -> None:
    """Try a definition; each problem on a line. Exit code 2 when there is one."""
    found = call(data, "POST", f"/v1/{LISTS[kind]}/check", value)
    if as_json:
        emit(found, as_json=True, text="")
    elif found["ok"]:
        click.echo("\n".join([found["sentence"], *run_lines(found["runs"]), *_reach_lines(found["reach"])]))
    for problem in () if as_json else found["problems"]:
        click.echo(f"{problem['path'] or kind}: {problem['problem']}", err=True)
    if not found["ok"]:
        raise SystemExit(BAD)


def _reach_lines(reach: Mapping[str, Any] | None) -> list[str]:
    if reach is None:
        return []
    span = f"{reach['low']:,} to {reach['high']:,}; estimated from {reach['sampled']:,} of them"
    lines = [f"About {reach['estimate']:,} of {reach['people']:,} people ({span})."]
    if reach["without_basis"]:
        lines.append(
            f"{reach['without_basis']:,} of the {reach['sampled']:,} have no lawful basis for its purpose."
        )
    return lines


def show(value: Mapping[str, Any]) -> list[str]:
    """One definition in full, for people."""
    definition = value["definition"]
    written = json.dumps(definition, ensure_ascii=False, indent=2)
    return [
        f"{definition.get('name', value['id'])} ({value['id']}, version {value['version']})",
        f"saved {value['saved']} by {value['by'] or 'nobody'}",
        *([value["sentence"]] if value["sentence"] else []),
        *run_lines(value["runs"]),
        "",
        written,
    ]


def versions(data: Path, kind: str, name: str, *, as_json: bool) -> None:
    """Every version of a definition, with what each changed."""
    rows = call(data, "GET", f"/v1/{LISTS[kind]}/{part(name)}/versions")["data"]
    lines: list[str] = []
    for at, row in enumerate(rows):
        before = rows[at + 1]["definition"] if at + 1 < len(rows) else None
        what = "removed" if row["removed"] else ("saved" if before else "made")
        lines.append(f"v{row['version']}  {row['saved']}  {what} by {row['by'] or 'nobody'}")
        if before and row["definition"]:
            lines += [f"    {line}" for line in difference(before, row["definition"])]
    emit(rows, as_json=as_json, text="\n".join(lines))


def difference(before: Any, after: Any) -> list[str]:
    """The lines of two definitions that differ, as `-` and `+`, with a line around.

    >>> difference({"id": "a", "n": 1}, {"id": "a", "n": 2})
    ['  "id": "a",', '-  "n": 1', '+  "n": 2']
    """
    old, new = (json.dumps(one, ensure_ascii=False, indent=2).splitlines() for one in (before, after))
    found = difflib.unified_diff(old, new, lineterm="", n=1)
    return [
        line[1:] if line[0] == " " else line
        for line in found
        if not line.startswith(("---", "+++", "@@")) and line.strip() not in ("{", "}")
    ]


def bundle(files: Iterable[tuple[str, str]]) -> dict[str, list[Any]]:
    """Definitions of some files (path, text), by kind. A file holds one definition, or lists under `segment`, `trait`, `condition`.

    A definition by itself is a trait when it has a `measure`, a condition when it has `parameters` or lies in a folder
    `conditions`, else a segment. Raises Failed (2).

    >>> found = bundle([("a.toml", 'id = "a"'), ("b.json", '{"trait": [{"id": "b", "measure": {}}]}')])
    >>> found["segments"], found["traits"]
    ([{'id': 'a'}], [{'id': 'b', 'measure': {}}])
    """
    found: dict[str, list[Any]] = {name: [] for name in LISTS.values()}
    seen: dict[tuple[str, str], str] = {}
    for path, text in files:
        for kind, value in _within(path, parsed(text, path)):
            name = name_of(value, path)
            first = seen.setdefault((kind, name), path)
            if first != path or any(one["id"] == name for one in found[LISTS[kind]]):
                raise Failed(f"{path}: the {kind} `{name}` stands in {first} already; ids are unique.", BAD)
            found[LISTS[kind]].append(value)
    return found


def _within(path: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict) and value and set(value) <= set(LISTS):
        for kind, rows in value.items():
            if not isinstance(rows, list):
                raise Failed(f"{path}: `{kind}` is a list of definitions: write [[{kind}]] above each.", BAD)
        return [(kind, one) for kind, rows in value.items() for one in rows]
    name_of(value, path)
    if "measure" in value:
        return [("trait", value)]
    is_condition = "parameters" in value or Path(path).parent.name == LISTS["condition"]
    return [("condition" if is_condition else "segment", value)]
