"""The shape of a rule as it was written: every part, field by field, before it becomes a value of `tree`."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, get_args

from patron.rules.check_fields import (
    MAX_NAME,
    fact_field_problem,
    path_problem,
    where_field_problem,
    window_problem,
)
from patron.rules.check_values import did_problem, fact_problem, where_problem
from patron.rules.faults import Faults, clip, near, one_of, show, text_problem
from patron.rules.filters import PLACE
from patron.rules.tree import (
    MEASURES,
    AllOf,
    AnyOf,
    Bucket,
    Consented,
    Did,
    Fact,
    Member,
    Not,
    Rule,
    Sequence,
    Step,
    Use,
    Where,
    Window,
)  # fmt: skip

MAX_DEPTH = 30
MAX_NODES = 500
MAX_WHERE = 50
MAX_STEPS = 20

MAX_DAYS = 3650
"""Windows beyond 400 days come from the lake; none reaches beyond ten years."""
MAX_HOURS = 24 * MAX_DAYS
MEASURED = ("sum", "average", "min", "max", "distinct", "most_frequent")
"""Measures of a field of the events."""

_FORMS: dict[str, type] = {str(form.__struct_config__.tag): form for form in get_args(Rule)}
_MEANT = {
    "and": "all", "or": "any", "event": "did", "count": "did", "trait": "fact", "exclude": "not", "none": "not",
    "member": "segment", "in_segment": "segment", "funnel": "sequence", "random": "bucket", "condition": "use",
}  # fmt: skip
"""What people of other products write."""


class TreeCheck:
    """Goes through what was written for one rule and notes every fault.

    Parameters
    ----------
    parameters : names that may stand as `{"param": NAME}`; None where there are no parameters (anywhere but in a condition).
    """

    def __init__(self, faults: Faults, parameters: Mapping[str, Any] | None = None) -> None:
        self._faults = faults
        self._parameters = parameters
        self.used: set[str] = set()
        """Parameters that the rule has holes for."""
        self._nodes = 0

    def rule(self, data: Any, path: str, depth: int = 1) -> None:
        """Check a rule. Stops at what is nested too deep, and when there are too many parts."""
        if self._faults.full or not self._fits(path, depth):
            return
        if not isinstance(data, Mapping):
            self._faults.add(path, f"needs a rule, an object with `kind`, not {show(data)}")
            return
        kind = data.get("kind")
        form = _FORMS.get(kind) if isinstance(kind, str) else None
        if form is None:
            self._faults.add(f"{path}.kind", _kind_problem(kind))
            return
        rest = {name: value for name, value in data.items() if name != "kind"}
        if self.fields(rest, form, path):
            self._CHECKS[form](self, rest, path, depth)

    def fields(self, data: Mapping[str, Any], form: type, path: str) -> bool:
        """Check the names of an object's fields; False when a needed one is missing."""
        names = form.__struct_fields__  # type: ignore[attr-defined]
        for name in data:
            if name not in names:
                known = f"fields here are {' '.join(names)}"
                problem = (
                    f"there is no such field{near(name, names) or '; ' + known}"
                    if isinstance(name, str)
                    else known
                )
                self._faults.add(f"{path}.{clip(name)}" if isinstance(name, str) else path, problem)
        required = names[: len(names) - len(form.__struct_defaults__)]  # type: ignore[attr-defined]
        missing = [name for name in required if name not in data]
        for name in missing:
            self._faults.add(f"{path}.{name}", "is missing")
        return not missing

    def did(self, data: Mapping[str, Any], path: str, *, compared: bool = True) -> None:
        """Check a measure; in a computed trait nothing is compared."""
        self._event(data["event"], f"{path}.event")
        measure = data.get("measure", "count")
        if measure not in MEASURES:
            self._faults.add(f"{path}.measure", one_of(measure, MEASURES))
            measure = None
        self._property(measure, data.get("property"), f"{path}.property")
        self._filters(data.get("where", ()), f"{path}.where")
        self._window(data.get("within"), f"{path}.within")
        if compared and measure:
            self._compared(data, path, lambda op, value: did_problem(measure, op, value), (">=", 1))

    def _fits(self, path: str, depth: int) -> bool:
        self._nodes += 1
        if depth > MAX_DEPTH:
            self._faults.add(
                path, f"is nested deeper than {MAX_DEPTH} rules; name a part as a condition or a segment"
            )
        elif self._nodes == MAX_NODES + 1:
            self._faults.add(
                path, f"a rule has at most {MAX_NODES} parts; make segments of some and refer to them"
            )
        return depth <= MAX_DEPTH and self._nodes <= MAX_NODES

    def _group(self, data: Mapping[str, Any], path: str, depth: int) -> None:
        of = data["of"]
        if not isinstance(of, list | tuple):
            self._faults.add(f"{path}.of", f"needs a list of rules, not {show(of)}")
        elif not of:
            self._faults.add(f"{path}.of", "is empty; put a rule into the group or take the group out")
        else:
            for at, one in enumerate(of):
                if self._nodes > MAX_NODES:
                    return
                self.rule(one, f"{path}.of[{at}]", depth + 1)

    def _not(self, data: Mapping[str, Any], path: str, depth: int) -> None:
        self.rule(data["rule"], f"{path}.rule", depth + 1)

    def _did(self, data: Mapping[str, Any], path: str, _: int) -> None:
        self.did(data, path)

    def _fact(self, data: Mapping[str, Any], path: str, _: int) -> None:
        field = data["field"]
        problem = fact_field_problem(field)
        self._faults.add(f"{path}.field", problem)
        if not problem:
            self._compared(data, path, lambda op, value: fact_problem(field, op, value))

    def _sequence(self, data: Mapping[str, Any], path: str, _: int) -> None:
        steps = data["steps"]
        if not isinstance(steps, list | tuple) or not 2 <= len(steps) <= MAX_STEPS:
            self._faults.add(f"{path}.steps", f"a sequence has 2 to {MAX_STEPS} steps, each with an `event`")
            steps = ()
        for at, step in enumerate(steps):
            here = f"{path}.steps[{at}]"
            if not isinstance(step, Mapping):
                self._faults.add(here, f"needs an object with `event`, not {show(step)}")
            elif self.fields(step, Step, here):
                self._event(step["event"], f"{here}.event")
                self._filters(step.get("where", ()), f"{here}.where")
        self._window(data.get("limit"), f"{path}.limit")
        self._window(data.get("within"), f"{path}.within")

    def _member(self, data: Mapping[str, Any], path: str, _: int) -> None:
        self._faults.add(f"{path}.segment", text_problem(data["segment"], 64))

    def _consent(self, data: Mapping[str, Any], path: str, _: int) -> None:
        self._faults.add(f"{path}.purpose", text_problem(data["purpose"], MAX_NAME))
        self._faults.add(f"{path}.channel", text_problem(data.get("channel", "*"), MAX_NAME))
        if not isinstance(data.get("granted", True), bool):
            self._faults.add(f"{path}.granted", f"needs true or false, not {show(data['granted'])}")

    def _bucket(self, data: Mapping[str, Any], path: str, _: int) -> None:
        self._faults.add(f"{path}.salt", text_problem(data["salt"], MAX_NAME))
        for name in ("start", "end"):
            if not _is_share(data[name]):
                self._faults.add(f"{path}.{name}", f"needs a number from 0 to 1, not {show(data[name])}")
                return
        if data["start"] >= data["end"]:
            self._faults.add(f"{path}.end", "needs to be above `start`: nobody is in an empty share")

    def _use(self, data: Mapping[str, Any], path: str, _: int) -> None:
        self._faults.add(f"{path}.condition", text_problem(data["condition"], 64))
        given = data.get("given", {})
        if not isinstance(given, Mapping):
            self._faults.add(f"{path}.given", f"needs an object of parameters, not {show(given)}")
            return
        for name, value in given.items():
            self._hole(value, f"{path}.given.{clip(str(name))}")

    def _filters(self, where: Any, path: str) -> None:
        if not isinstance(where, list | tuple):
            self._faults.add(
                path,
                f'needs a list such as [{{"field": "channel", "op": "=", "value": "web"}}], not {show(where)}',
            )
            return
        if len(where) > MAX_WHERE:
            self._faults.add(path, f"at most {MAX_WHERE} filters, this has {len(where)}")
        for at, one in enumerate(where[:MAX_WHERE]):
            here = f"{path}[{at}]"
            if not isinstance(one, Mapping):
                self._faults.add(here, f"needs an object with `field` and `op`, not {show(one)}")
            elif self.fields(one, Where, here):
                self._filter(one, here)

    def _filter(self, one: Mapping[str, Any], path: str) -> None:
        field = one["field"]
        problem = where_field_problem(field)
        self._faults.add(f"{path}.field", problem)
        if not problem:
            self._compared(one, path, lambda op, value: where_problem(field, op, value))

    def _compared(
        self,
        data: Mapping[str, Any],
        path: str,
        check: Callable[[str, Any], tuple[str, str] | None],
        usual: tuple[str, Any] = ("", None),
    ) -> None:
        """Check an operator with its value, which may be a hole."""
        op = data.get("op", usual[0])
        value = data.get("value", None if op in ("exists", "missing") else usual[1])
        if not isinstance(op, str):
            self._faults.add(f"{path}.op", f"needs an operator as text, not {show(op)}")
        elif not self._hole(value, f"{path}.value"):
            found = check(op, value)
            if found:
                self._faults.add(f"{path}.{found[0]}", found[1])

    def _event(self, name: Any, path: str) -> None:
        self._faults.add(path, text_problem(name, MAX_NAME))

    def _property(self, measure: str | None, name: Any, path: str) -> None:
        if measure in MEASURED:
            if name is None:
                self._faults.add(
                    path, f"is missing: `{measure}` of what? A field of the event, as `revenue` or `channel`"
                )
                return
            problem = text_problem(name, MAX_NAME) or path_problem(name)
            if name == PLACE:
                problem = "a place has no value to measure; filter by it in `where`"
            self._faults.add(path, problem)
        elif measure and name is not None:
            other = "`distinct` counts values" if measure == "count" else "filter by it in `where`"
            self._faults.add(path, f"`{measure}` is of the events themselves; leave `property` out ({other})")

    def _window(self, window: Any, path: str) -> None:
        if window is None:
            return
        if not isinstance(window, Mapping):
            self._faults.add(path, f'needs {{"days": 30}} or {{"hours": 6}}, not {show(window)}')
            return
        self.fields(window, Window, path)
        said = [name for name in ("days", "hours") if window.get(name) is not None]
        if len(said) != 1:
            self._faults.add(path, f"needs either days or hours, and has {'both' if said else 'neither'}")
        for name in said:
            value, most = window[name], MAX_DAYS if name == "days" else MAX_HOURS
            if not self._hole(value, f"{path}.{name}"):
                self._faults.add(f"{path}.{name}", window_problem(value, most))

    def _hole(self, value: Any, path: str) -> bool:
        """Whether a value is a parameter; notes the fault when it may not be."""
        if not isinstance(value, Mapping) or "param" not in value:
            return False
        name = value["param"]
        if self._parameters is None:
            self._faults.add(path, "only a reusable condition has parameters; write the value itself")
        elif len(value) != 1 or not isinstance(name, str):
            self._faults.add(path, 'a parameter is written {"param": "NAME"} and nothing else')
        elif name not in self._parameters:
            declared = " ".join(sorted(self._parameters)) or "none"
            self._faults.add(path, f"`{clip(name)}` is not among the condition's `parameters` ({declared})")
        else:
            self.used.add(name)
        return True

    _CHECKS: ClassVar[dict[type, Callable[..., None]]] = {
        AllOf: _group,
        AnyOf: _group,
        Not: _not,
        Did: _did,
        Fact: _fact,
        Sequence: _sequence,
        Member: _member,
        Consented: _consent,
        Bucket: _bucket,
        Use: _use,
    }


def _kind_problem(kind: Any) -> str:
    if kind is None:
        return f"is missing; it is one of {' '.join(_FORMS)}"
    meant = _MEANT.get(kind.lower()) if isinstance(kind, str) else None
    return one_of(kind, _FORMS) if meant is None else f"`{kind}` is not a kind; write `{meant}`"


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
