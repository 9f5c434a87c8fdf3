"""A rule with its reusable conditions filled in, ready for any execution: no `use`, no parameter, no hat, full field names."""

from collections.abc import Mapping
from typing import Any

import msgspec

from patron.rules.check_tree import MAX_NODES, TreeCheck
from patron.rules.faults import Faults, near, refuse
from patron.rules.filters import canonical
from patron.rules.tree import Computed, Condition, Did, Hat, Rule, Segment

Conditions = Mapping[str, Condition]
_Plain = dict[str, Any]

_HATS: dict[str, _Plain] = {
    "business": {"field": "account", "op": "exists"},
    "consumer": {"field": "account", "op": "missing"},
}


def resolve(rule: Rule, conditions: Conditions, *, hat: Hat = "any", path: str = "$.rule") -> Rule:
    """The rule with every `use` replaced by what its condition says, and the hat as filters of its events.

    Raises
    ------
    BadRequest : a condition is unknown or leads back to itself, a parameter is missing, unknown or of no use, or the whole
        is too large. Faults stand at the path of the `use`.

    >>> from patron.rules.tree import Use, Window, Param
    >>> regular = Condition("regular", "Comes often", Did("Store Entered", ">=", {"param": "times"}), {"times": 2})
    >>> resolve(Use("regular", {"times": 5}), {"regular": regular})
    Did(event='Store Entered', op='>=', value=5, measure='count', property=None, where=(), within=None)
    """
    faults = Faults()
    filling = _Filling(conditions, faults, _HATS.get(hat))
    plain = filling.rule(msgspec.to_builtins(rule), path, ())
    if not faults.list:
        TreeCheck(faults).rule(plain, path)
    refuse("rule", faults.list)
    return msgspec.convert(plain, Rule)  # type: ignore[no-any-return]


def resolved(item: Segment, conditions: Conditions) -> Segment:
    """The segment as executions run it: its rule resolved, its hat in the rule. Raises as `resolve` does.

    >>> resolved(Segment("firm", "Firm", Did("Order Completed"), hat="business"), {}).rule.where[0].field
    'account'
    """
    rule = resolve(item.rule, conditions, hat=item.hat)
    return msgspec.structs.replace(item, rule=rule, hat="any")


def resolved_trait(item: Computed) -> Computed:
    """The computed trait with full field names. A trait uses no conditions.

    >>> resolved_trait(Computed("spent", "Spent", Did("Order Completed", measure="sum", property="revenue"))).measure.property
    'properties.revenue'
    """
    per = None if item.per is None else _full(item.per)
    return msgspec.structs.replace(item, measure=_full(item.measure), per=per)


def _full(did: Did) -> Did:
    return did if did.property is None else msgspec.structs.replace(did, property=canonical(did.property))


class _Filling:
    """Replaces while it counts: conditions that use each other twice over would double without end."""

    def __init__(self, conditions: Conditions, faults: Faults, hat: _Plain | None) -> None:
        self._conditions = conditions
        self._faults = faults
        self._hat = hat
        self._nodes = 0

    def rule(self, data: _Plain, path: str, above: tuple[str, ...]) -> _Plain:
        """The rule at `path`, inside the conditions `above`."""
        self._nodes += 1
        if self._nodes > MAX_NODES:
            if self._nodes == MAX_NODES + 1:
                self._faults.add(
                    path, f"with its conditions filled in the rule has more than {MAX_NODES} parts"
                )
            return data
        kind = data["kind"]
        if kind in ("all", "any"):
            of = [self.rule(one, _at(path, f".of[{at}]", above), above) for at, one in enumerate(data["of"])]
            return {**data, "of": of}
        if kind == "not":
            return {**data, "rule": self.rule(data["rule"], _at(path, ".rule", above), above)}
        if kind == "use":
            return self._use(data, path, above)
        return self._events(data)

    def _use(self, data: _Plain, path: str, above: tuple[str, ...]) -> _Plain:
        name, given = data["condition"], data.get("given", {})
        condition = self._conditions.get(name)
        if condition is None:
            hint = near(name, self._conditions) or "; make it first"
            self._faults.add(f"{path}.condition", f"there is no condition `{name}`{hint}")
            return data
        if name in above:
            ring = " uses ".join(f"`{one}`" for one in (*above[above.index(name) :], name))
            self._faults.add(f"{path}.condition", f"goes round in a circle: {ring}")
            return data
        values = self._values(condition, given, path)
        if values is None:
            return data
        filled = _fill(msgspec.to_builtins(condition.rule), values)
        inner = Faults()
        TreeCheck(inner).rule(filled, "$.rule")
        for fault in inner.list:
            self._faults.add(path, f"in the condition `{name}` at {fault.path}: {fault.problem}")
        return data if inner.list else self.rule(filled, path, (*above, name))

    def _values(self, condition: Condition, given: _Plain, path: str) -> _Plain | None:
        """What each parameter stands for; None when one is missing or unknown."""
        sound = True
        for name in given:
            if name not in condition.parameters:
                known = " ".join(sorted(condition.parameters)) or "none"
                hint = near(name, condition.parameters) or f"; it has {known}"
                problem = f"`{condition.id}` has no parameter `{name}`{hint}"
                self._faults.add(f"{path}.given.{name}", problem)
                sound = False
        values = {**condition.parameters, **given}
        for name, value in values.items():
            if value is None:
                self._faults.add(
                    f"{path}.given.{name}", f"is missing: `{condition.id}` needs it and has no default"
                )
                sound = False
        return values if sound else None

    def _events(self, data: _Plain) -> _Plain:
        """A leaf with full field names and the filter of the hat."""
        if data.get("property") is not None:
            data = {**data, "property": canonical(data["property"])}
        if self._hat is None:
            return data
        if data["kind"] == "did":
            return self._worn(data)
        if data["kind"] == "sequence":
            return {**data, "steps": [self._worn(step) for step in data["steps"]]}
        return data

    def _worn(self, data: _Plain) -> _Plain:
        return {**data, "where": [*data.get("where", ()), self._hat]}


def _at(path: str, below: str, above: tuple[str, ...]) -> str:
    """Inside a condition every fault stands at the path of its `use`, which is what its user can see."""
    return path if above else path + below


def _fill(data: Any, values: _Plain) -> Any:
    """Plain data with `{"param": NAME}` replaced."""
    if isinstance(data, dict):
        if data.keys() == {"param"}:
            return values[data["param"]]
        return {name: _fill(value, values) for name, value in data.items()}
    if isinstance(data, list | tuple):
        return [_fill(one, values) for one in data]
    return data
