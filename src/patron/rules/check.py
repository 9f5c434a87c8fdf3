"""Reading segments, computed traits, conditions and bare rules: bytes or plain data in, checked values out.

Nothing is guessed: each fault is named by its JSON path with what to write instead, all of them at once.
What a definition refers to is checked in `references`, for that takes the other definitions.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar, get_args

import msgspec

from patron.model.errors import Fault
from patron.rules.check_tree import MAX_DEPTH, TreeCheck
from patron.rules.check_values import MAX_LIST, scalar_problem
from patron.rules.faults import Faults, clip, id_problem, one_of, refuse, show, text_problem
from patron.rules.tree import Computed, Condition, Did, Hat, Rule, Segment, Subject

MAX_BYTES = 262_144
MAX_TAGS = 20
Form = Literal["segment", "trait", "condition", "rule"]
Written = bytes | str | Mapping[str, Any]
"""A definition as JSON, or as the plain data of JSON or TOML."""

_T = TypeVar("_T", Segment, Computed, Condition)
_FORMS: dict[type, Form] = {Segment: "segment", Computed: "trait", Condition: "condition"}
_decode = msgspec.json.Decoder().decode


def parse(data: Written, form: type[_T]) -> _T:
    """Read a definition.

    Raises
    ------
    BadRequest : code `bad_rule`, with one fault for everything that is wrong.

    >>> parse(b'{"id": "visitors", "name": "Visitors", "rule": {"kind": "did", "event": "Store Entered"}}', Segment).rule
    Did(event='Store Entered', op='>=', value=1, measure='count', property=None, where=(), within=None)
    """
    plain, faults = read(data, _FORMS[form])
    refuse(_FORMS[form], faults)
    return msgspec.convert(plain, form)


def parse_rule(data: Written) -> Rule:
    """Read a rule by itself: an eligibility, a step of a journey, a check while typing. Raises as `parse` does.

    >>> parse_rule('{"kind": "segment", "segment": "visitors"}')
    Member(segment='visitors')
    """
    plain, faults = read(data, "rule")
    refuse("rule", faults)
    return msgspec.convert(plain, Rule)  # type: ignore[no-any-return]


def problems(data: Written, form: Form = "segment") -> tuple[Fault, ...]:
    """Everything that is wrong with what was written; empty when `parse` takes it.

    >>> problems({"id": "a", "name": "A", "rule": {"kind": "did", "event": "X", "within": {"days": -3}}})[0].path
    '$.rule.within.days'
    """
    return read(data, form)[1]


def read(data: Written, form: Form) -> tuple[Any, tuple[Fault, ...]]:
    """The plain data, and what is wrong with it."""
    if isinstance(data, bytes | str):
        size = len(data)
        if size > MAX_BYTES:
            return None, (Fault("$", f"at most {MAX_BYTES // 1024} KiB, this has {size // 1024}"),)
        try:
            data = _decode(data)
        except RecursionError:
            return None, (Fault("$", f"is nested deeper than {MAX_DEPTH} rules; name a part as a condition"),)
        except (msgspec.DecodeError, UnicodeError) as error:
            return None, (Fault("$", f"this is not JSON: {error}"),)
    faults = Faults()
    if form == "rule":
        TreeCheck(faults).rule(data, "$")
    elif not isinstance(data, Mapping):
        faults.add("$", f"needs an object with `id`, `name` and what it says, not {show(data)}")
    else:
        _CHECKS[form](data, faults)
    return data, tuple(faults.list)


def _segment(data: Mapping[str, Any], faults: Faults) -> None:
    check = TreeCheck(faults)
    complete = check.fields(data, Segment, "$")
    _named(data, faults)
    _about(data, faults)
    if "hat" in data and data["hat"] not in get_args(Hat):
        faults.add("$.hat", one_of(data["hat"], get_args(Hat)))
    if complete:
        check.rule(data["rule"], "$.rule")


def _trait(data: Mapping[str, Any], faults: Faults) -> None:
    check = TreeCheck(faults)
    check.fields(data, Computed, "$")
    _named(data, faults)
    _about(data, faults)
    if "unit" in data:
        faults.add("$.unit", text_problem(data["unit"], 40, blank=True))
    for name in ("measure", "per"):
        if data.get(name) is not None:
            _measure(data[name], f"$.{name}", check, faults)
    measures = [m.get("measure") for n in ("measure", "per") if isinstance(m := data.get(n), Mapping)]
    if data.get("per") is not None and "most_frequent" in measures:
        faults.add("$.per", "a ratio is of two numbers; `most_frequent` is a text")


def _measure(data: Any, path: str, check: TreeCheck, faults: Faults) -> None:
    """A measure: as a `did`, with or without its kind."""
    if not isinstance(data, Mapping) or data.get("kind", "did") != "did":
        faults.add(path, f"needs a measure, an object of kind `did`, not {show(data)}")
        return
    rest = {name: value for name, value in data.items() if name != "kind"}
    if check.fields(rest, Did, path):
        check.did(rest, path, compared=False)


def _condition(data: Mapping[str, Any], faults: Faults) -> None:
    given = data.get("parameters", {})
    if not isinstance(given, Mapping):
        faults.add("$.parameters", f"needs an object of names and defaults, not {show(given)}")
        given = {}
    check = TreeCheck(faults, given)
    complete = check.fields(data, Condition, "$")
    _named(data, faults)
    for name, default in given.items():
        faults.add(f"$.parameters.{clip(str(name))}", id_problem(name) or _default_problem(default))
    if complete:
        check.rule(data["rule"], "$.rule")
        for name in given:
            if name not in check.used and not faults.list:
                faults.add(f"$.parameters.{name}", "nothing in the rule uses it; take it out")


def _default_problem(default: Any) -> str | None:
    """None means that there is no default: it must be given."""
    if default is None:
        return None
    if not isinstance(default, list | tuple):
        return scalar_problem(default)
    if len(default) > MAX_LIST:
        return f"at most {MAX_LIST} values, this has {len(default)}"
    return next((problem for one in default if (problem := scalar_problem(one))), None)


def _named(data: Mapping[str, Any], faults: Faults) -> None:
    if "id" in data:
        faults.add("$.id", id_problem(data["id"]) or _taken(data["id"]))
    if "name" in data:
        faults.add("$.name", text_problem(data["name"], 200))


def _about(data: Mapping[str, Any], faults: Faults) -> None:
    """Purpose, subject, description and tags."""
    if "purpose" in data:
        faults.add("$.purpose", text_problem(data["purpose"], 64))
    subject = data.get("subject", "person")
    if subject not in get_args(Subject):
        faults.add("$.subject", one_of(subject, get_args(Subject)))
    faults.add("$.description", text_problem(data.get("description", ""), 2000, blank=True))
    tags = data.get("tags", ())
    if not isinstance(tags, list | tuple) or len(tags) > MAX_TAGS:
        faults.add("$.tags", f"needs a list of at most {MAX_TAGS} texts")
        return
    for at, tag in enumerate(tags):
        faults.add(f"$.tags[{at}]", text_problem(tag, 64))


_CHECKS: dict[Form, Callable[[Mapping[str, Any], Faults], None]] = {
    "segment": _segment,
    "trait": _trait,
    "condition": _condition,
}


def _taken(name: str) -> str | None:
    """Names of columns that the lake's answers have beside those of definitions."""
    return (
        f"`{name}` is a column of the lake's answers; take another id"
        if name in ("subject", "subject_right")
        else None
    )
