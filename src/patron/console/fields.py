"""The fields of a rule's form: how a value is written in an input, and what a form that was sent says.

Field names are `r.PLACE.NAME`: `r.0.event`, `r.1.2.within.n`, `r.0.where.0.field`. A field that was not sent changes
nothing, so a form may leave out what it cannot show.
"""

import copy
import csv
import io
import re
from collections.abc import Callable, Mapping
from typing import Any

from patron.console.drafts import MODES, Node, at, rows
from patron.rules.tree import MEASURES
from patron.rules.values import plain as plain_number

KINDS = {
    "did": "Did",
    "not:did": "Did not do",
    "fact": "Trait",
    "segment": "In segment",
    "not:segment": "Not in segment",
    "sequence": "Did in order",
    "not:sequence": "Did not do in order",
    "consent": "Consent",
    "not:consent": "No such consent",
    "bucket": "Random part",
    "not:bucket": "Not in random part",
    "use": "Condition",
    "not:use": "Not condition",
}
MEASURE_WORDS = {
    "count": "times",
    "sum": "sum of",
    "average": "average of",
    "min": "smallest",
    "max": "largest",
    "distinct": "different values of",
    "most_frequent": "most frequent",
    "first": "first time, days ago",
    "last": "last time, days ago",
}
AMOUNTS = {
    ">=": "at least",
    "<=": "at most",
    "=": "exactly",
    ">": "more than",
    "<": "less than",
    "!=": "other than",
}
RELATIONS = {
    "=": "is",
    "!=": "is not",
    "in": "is one of",
    "not_in": "is none of",
    ">=": "is at least",
    ">": "is over",
    "<=": "is at most",
    "<": "is under",
    "has": "contains",
    "starts_with": "begins with",
    "ends_with": "ends with",
    "exists": "is there",
    "missing": "is missing",
}
DATES = {"in_last": "in the last, days", "in_next": "in the next, days"}
NEAR = {"near": "within"}
WHERE_FIELDS = {
    "channel": "channel",
    "store": "store",
    "source": "source",
    "touchpoint": "touchpoint",
    "account": "account",
    "weekday": "weekday (1 Monday to 7)",
    "hour": "hour (0 to 23)",
    "place": "place",
}
UNITS = {"days": "days", "hours": "hours", "ever": "all time"}
NO_VALUE = ("exists", "missing")
LISTS = ("in", "not_in")
ANOTHER = "?"
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,9})?")
_START: dict[str, Node] = {
    "did": {"event": "", "op": ">=", "value": 1, "within": {"days": 30}},
    "fact": {"field": "", "op": "=", "value": ""},
    "segment": {"segment": ""},
    "sequence": {"steps": [{"event": ""}, {"event": ""}], "limit": {"days": 7}},
    "consent": {"purpose": "", "channel": "*", "granted": True},
    "bucket": {"salt": "part", "start": 0.0, "end": 0.5},
    "use": {"condition": ""},
}


def written(value: Any) -> str:
    """A value of a rule as it stands in an input; a text that looks like a number stands in quotes.

    >>> written(30), written(0.5), written("7"), written("Coffee"), written(["web", "app"]), written(True)
    ('30', '0.5', '"7"', 'Coffee', 'web, app', 'true')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return plain_number(round(value * 1_000_000)) if abs(value) < 1e9 else repr(value)
    if isinstance(value, list | tuple):
        return ", ".join(_quoted(written(one)) for one in value)
    text = str(value)
    plain = (
        _NUMBER.fullmatch(text) or text in ("true", "false") or text.startswith('"') or text != text.strip()
    )
    return f'"{text}"' if plain else text


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if "," in text or text.startswith('"') else text


def value_of(text: str) -> Any:
    """What was typed, as a value of a rule: a number, true, false, or a text (in quotes: always a text).

    >>> value_of("30"), value_of(" 0.5"), value_of('"7"'), value_of("Coffee"), value_of("true")
    (30, 0.5, '7', 'Coffee', True)
    """
    text = text.strip()
    if _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    if text in ("true", "false"):
        return text == "true"
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1]
    return text


def listed(text: str) -> list[Any]:
    """Values with commas between; one with a comma in it stands in quotes.

    >>> listed('web, app'), listed('"a, b", 7'), listed("")
    (['web', 'app'], ['a, b', 7], [])
    """
    found = next(csv.reader(io.StringIO(text.replace("\n", " ")), skipinitialspace=True), [])
    # What the reader took out of its quotes is a text unless it could have stood without them.
    return [value_of(one) for one in found if one.strip()]


def name_of(place: str, path: str) -> str:
    """The field of the form that shows what stands at a JSON path inside a row.

    >>> name_of("0", "within.days"), name_of("1.0", "where[0].value")
    ('r.0.within.n', 'r.1.0.where.0.value')
    """
    plain = path.replace("[", ".").replace("]", "")
    return f"r.{place}.{re.sub(r'[.](days|hours)$', '.n', plain)}"


def kind_of(node: Node) -> str:
    """The choice of `KINDS` that a row is.

    >>> kind_of({"kind": "did", "not": True}), kind_of({"kind": "fact", "not": False})
    ('not:did', 'fact')
    """
    kind = str(node.get("kind", "did"))
    name = f"not:{kind}" if node.get("not") else kind
    return name if name in KINDS or name == "not:fact" else kind


def merge(tree: Node, sent: Mapping[str, str]) -> Node:
    """The tree with what the fields of a form say.

    >>> merge({"mode": "all", "of": [{"kind": "did", "event": "A", "not": False}]}, {"r.0.event": "B", "r.0.op": "<"})["of"][0]
    {'kind': 'did', 'event': 'B', 'not': False, 'op': '<'}
    """
    tree = copy.deepcopy(tree)
    for name, text in sent.items():
        if name.startswith("m."):
            group = at(tree, name[2:])
            if group is not None and "mode" in group and text in MODES:
                group["mode"] = text
    if sent.get("m.") in MODES:
        tree["mode"] = sent["m."]
    for place, row in list(rows(tree)):
        given = {n[len(place) + 3 :]: t.strip() for n, t in sent.items() if n.startswith(f"r.{place}.")}
        # A row `1` and a row `1.0` cannot both be rows, so a prefix with its dot is enough.
        if given:
            _row(row, given)
    return tree


def _row(row: Node, given: dict[str, str]) -> None:
    chosen = given.pop("kind", "")
    if chosen and chosen != kind_of(row) and chosen in KINDS:
        negated, kind = chosen.startswith("not:"), chosen.removeprefix("not:")
        row["not"] = negated
        if kind != row.get("kind"):
            row.clear()
            row.update({"kind": kind, **copy.deepcopy(_START[kind]), "not": negated})
            return
    fill = _FILL.get(str(row.get("kind")))
    if fill is not None:
        fill(row, given)


def _did(row: Node, given: dict[str, str]) -> None:
    if "event" in given:
        row["event"] = given["event"]
    if given.get("measure") in MEASURES:
        row["measure"] = given["measure"]
        if row["measure"] == "count":
            del row["measure"]
    if "property" in given:
        row["property"] = "" if given["property"] == ANOTHER else given["property"]
    if row.get("measure", "count") in ("count", "first", "last"):
        row.pop("property", None)
    elif "property" not in row:
        row["property"] = ""
    _compared(row, given)
    _window(row, "within", given)
    _filters(row, given)


def _fact(row: Node, given: dict[str, str]) -> None:
    if "field" in given:
        row["field"] = "traits." if given["field"] == ANOTHER else given["field"]
    _compared(row, given)


def _compared(row: Node, given: dict[str, str]) -> None:
    """Operator and value; a list only where the operator takes one."""
    before = row.get("op", "=")
    if "op" in given:
        row["op"] = given["op"]
    op = row.get("op", "=")
    if op in NO_VALUE:
        row.pop("value", None)
        return
    if op == "near":
        row["value"] = _spot(row.get("value"), given)
        return
    if "value" in given:
        row["value"] = listed(given["value"]) if op in LISTS else value_of(given["value"])
    elif before == "near" or ("value" not in row and (row.get("kind") != "did" or op in LISTS)):
        row["value"] = [] if op in LISTS else ""


def _spot(held: Any, given: dict[str, str]) -> dict[str, Any]:
    """The centre of a radius as its fields say: a point, or a store.

    >>> _spot({"km": 5, "lat": 44.5, "lon": 11.3}, {"value.at": "store", "value.km": "0.5"})
    {'km': 0.5, 'store': ''}
    """
    spot = dict(held) if isinstance(held, Mapping) else {"km": 5, "store": ""}
    at = given.get("value.at", "store" if "store" in spot else "point")
    names = ("store",) if at == "store" else ("lat", "lon")
    found = {name: spot.get(name, "") for name in ("km", *names)}
    for name in found:
        if (text := given.get(f"value.{name}")) is not None:
            found[name] = text.strip() if name == "store" else value_of(text)
    return found


def _window(row: Node, name: str, given: dict[str, str]) -> None:
    number, unit = given.get(f"{name}.n"), given.get(f"{name}.unit")
    if unit == "ever":
        row.pop(name, None)
    elif number is not None or unit is not None:
        held = row.get(name) or {}
        before = next((key for key in ("days", "hours") if held.get(key) is not None), "days")
        length = value_of(number) if number else held.get(before, 30)
        row[name] = {unit if unit in ("days", "hours") else before: length}


def _filters(row: Node, given: dict[str, str], prefix: str = "") -> None:
    for number, one in enumerate(row.get("where", ())):
        start = f"{prefix}where.{number}."
        mine = {n[len(start) :]: t for n, t in given.items() if n.startswith(start)}
        if "field" in mine:
            one["field"] = "properties." if mine["field"] == ANOTHER else mine["field"]
            if one["field"] == "place" and one.get("op") != "near":
                mine["op"] = "near"
            elif one["field"] != "place" and one.get("op") == "near":
                mine["op"] = "="
        _compared(one, mine)


def _sequence(row: Node, given: dict[str, str]) -> None:
    for number, step in enumerate(row.get("steps", ())):
        if f"steps.{number}.event" in given:
            step["event"] = given[f"steps.{number}.event"]
        _filters(step, given, f"steps.{number}.")
    _window(row, "limit", given)
    _window(row, "within", given)


def _member(row: Node, given: dict[str, str]) -> None:
    row["segment"] = given.get("segment", row.get("segment", ""))


def _consent(row: Node, given: dict[str, str]) -> None:
    row["purpose"] = given.get("purpose", row.get("purpose", ""))
    row["channel"] = given.get("channel", row.get("channel", "*"))
    if "granted" in given:
        row["granted"] = given["granted"] != "no"


def _bucket(row: Node, given: dict[str, str]) -> None:
    row["salt"] = given.get("salt", row.get("salt", ""))
    for name in ("start", "end"):
        if name in given:
            value = value_of(given[name])
            number = isinstance(value, int | float) and not isinstance(value, bool)
            row[name] = round(value / 100, 6) if number else value


def _use(row: Node, given: dict[str, str]) -> None:
    row["condition"] = given.get("condition", row.get("condition", ""))
    said = {n.removeprefix("given."): value_of(t) for n, t in given.items() if n.startswith("given.") and t}
    if said:
        row["given"] = {**row.get("given", {}), **said}


_FILL: dict[str, Callable[[Node, dict[str, str]], None]] = {
    "did": _did,
    "fact": _fact,
    "segment": _member,
    "sequence": _sequence,
    "consent": _consent,
    "bucket": _bucket,
    "use": _use,
}
