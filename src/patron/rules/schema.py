"""The JSON Schema of what the language takes, made from its types, so that editors and other programs can check as they write."""

from typing import Any, get_args

import msgspec

from patron.rules.check import Form
from patron.rules.check_tree import MAX_STEPS, MAX_WHERE
from patron.rules.check_values import DATES, NEAR
from patron.rules.filters import FIELDS
from patron.rules.tree import ANY_EVENT, Computed, Condition, Rule, Segment, Subject
from patron.rules.values import OPERATORS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_FORMS: dict[Form, tuple[str, Any]] = {
    "segment": ("A segment", Segment),
    "trait": ("A computed trait", Computed),
    "condition": ("A reusable condition", Condition),
    "rule": ("A rule", Rule),
}
_NAME = "An id: 1 to 64 of a-z 0-9 . _ - and it starts with a letter or digit."
_PURPOSE = "The consent purpose it rests on; people without a lawful basis for it are left out and counted."
_FIELDS: dict[str, str] = {
    "Segment.id": _NAME,
    "Computed.id": _NAME,
    "Condition.id": _NAME,
    "Segment.purpose": _PURPOSE,
    "Computed.purpose": _PURPOSE,
    "Segment.subject": "Whom it is of.",
    "Computed.subject": "Whom it is of.",
    "Segment.hat": "Which of their events count: all, only those without an account (consumer), only those for one (business).",
    "Computed.per": "Divide by this measure; there is no value where it is 0.",
    "Condition.parameters": 'Each parameter that stands in the rule as {"param": NAME}, with its default; null has none.',
    "Did.event": f"The event's name; `{ANY_EVENT}` is any.",
    "Did.op": "How the measure compares with `value`.",
    "Did.value": "A number, for `most_frequent` a text; a list for `in` and `not_in`.",
    "Did.measure": "What is measured of the events; `first` and `last` are calendar days ago.",
    "Did.property": "The field of the events that is measured: revenue, products[].category, channel.",
    "Did.where": f"Filters that each event passes; at most {MAX_WHERE}.",
    "Did.within": "How far back; without it, all time.",
    "Fact.field": "traits.NAME (nested by dots), computed.ID or scores.NAME.",
    "Where.field": f"properties.NAME (nested by dots, LIST[].NAME for every item), {', '.join(FIELDS)}.",
    "Sequence.steps": f"2 to {MAX_STEPS} events in order; others may lie between.",
    "Sequence.limit": "The last is at most so long after the first; a day is 24 hours here.",
    "Sequence.within": "All of them lie in this window; without it, all time.",
    "Window.days": "Calendar days of the business's zone; today is the first.",
    "Window.hours": "UTC hours; this hour is the first.",
    "Bucket.start": "From 0, inclusive.",
    "Bucket.end": "To 1, exclusive.",
    "Consented.channel": "A channel, or * for a statement on all of them.",
    "Use.given": "Values for the condition's parameters.",
}


def schema(form: Form = "segment") -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a definition, or of a bare rule.

    It says less than `check`, which also knows which value goes with which operator.

    >>> schema("rule")["title"], "Did" in schema("rule")["$defs"]
    ('A rule', True)
    """
    title, kind = _FORMS[form]
    (top,), parts = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    for name, part in parts.items():
        part["description"] = _plain(part.get("description", ""))
        for field, about in part.get("properties", {}).items():
            told = _FIELDS.get(f"{name}.{field}")
            if told:
                about["description"] = told
        _narrow(name, part.get("properties", {}))
    if "Computed" in parts:
        _measures(parts)
    return {"$schema": DIALECT, "title": title, **top, "$defs": dict(sorted(parts.items()))}


def _narrow(name: str, fields: dict[str, Any]) -> None:
    """Limits that the types do not hold."""
    if "op" in fields:
        more = {"Fact": DATES, "Where": (NEAR,)}.get(name, ())
        fields["op"]["enum"] = [*OPERATORS, *more]
    if name in ("AllOf", "AnyOf"):
        fields["of"]["minItems"] = 1
    if "subject" in fields:
        fields["subject"]["enum"] = list(get_args(Subject))
    if name == "Sequence":
        fields["steps"].update(minItems=2, maxItems=MAX_STEPS)
    for field in ("event", "salt", "purpose", "name"):
        if fields.get(field, {}).get("type") == "string":
            fields[field]["minLength"] = 1


def _measures(parts: dict[str, Any]) -> None:
    """In a computed trait a measure needs no `kind`, and its `op` and `value` are not read."""
    did = parts.pop("Did")
    parts["Measure"] = {**did, "title": "Measure", "required": [n for n in did["required"] if n != "kind"]}
    fields = parts["Computed"]["properties"]
    fields["measure"]["$ref"] = "#/$defs/Measure"
    for choice in fields["per"]["anyOf"]:
        if "$ref" in choice:
            choice["$ref"] = "#/$defs/Measure"


def _plain(docstring: str) -> str:
    """What a docstring says, without its example."""
    return " ".join(docstring.partition(">>>")[0].split())
