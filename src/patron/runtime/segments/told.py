"""What definitions say and how they are run, for people: sentence, class and cost of each."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, structs
from msgspec.structs import FieldInfo, fields

from patron.rules.classify import Execution, classify
from patron.rules.describe import Names, describe, describe_rule
from patron.rules.references import Item, order
from patron.rules.tree import Computed, Condition, Segment
from patron.runtime.segments.definitions import Active

LIVE, LAKE = "live", "lake"


class Teller:
    """Sentences and classes of the definitions in force at one version; each is worked out when first asked for."""

    def __init__(self, active: Active) -> None:
        self.active = active
        self._said: dict[tuple[str, str], dict[str, Any]] = {}
        self._executions: tuple[dict[str, Execution], dict[str, Execution]] | None = None
        self.names = names_of(active)

    def of(self, kind: str, item: Item | None) -> dict[str, Any]:
        """`sentence` and `runs` of a definition in force; None: one that cannot be read."""
        if item is None:
            return {"sentence": "", "runs": None}
        said = self._said.get((kind, item.id))
        if said is None:
            said = self._said[kind, item.id] = {"sentence": self._sentence(item), "runs": self._runs(item)}
        return said

    def old(self, item: Item | None) -> dict[str, Any]:
        """The same of a version that is not in force: its sentence only, for it is not run."""
        return {"sentence": "" if item is None else self._sentence(item), "runs": None}

    def _sentence(self, item: Item) -> str:
        if isinstance(item, Condition):
            return describe_rule(item.rule, self.names).text
        return describe(item, self.names).text

    def _runs(self, item: Item) -> dict[str, Any] | None:
        segments, traits = self.executions()
        found = segments.get(item.id) if isinstance(item, Segment) else None
        if isinstance(item, Computed):
            found = traits.get(item.id)
        return runs(found) if found is not None else None

    def executions(self) -> tuple[dict[str, Execution], dict[str, Execution]]:
        """How each segment and each computed trait is run, what they are made of first."""
        if self._executions is None:
            self._executions = executions(self.active)
        return self._executions


def executions(active: Active) -> tuple[dict[str, Execution], dict[str, Execution]]:
    """How each segment and each computed trait in force is run, by id.

    >>> from patron.rules.references import Definitions
    >>> from patron.rules.tree import Did, Member
    >>> from patron.runtime.segments.definitions import in_force
    >>> slow = Did("Page Viewed", ">", 3, "distinct", "path")
    >>> made = in_force(Definitions({"a": Segment("a", "A", slow), "b": Segment("b", "B", Member("a"))}))
    >>> {name: one.live for name, one in executions(made)[0].items()}
    {'a': False, 'b': False}
    """
    traits = {
        name: _of_subject(trait, classify(*(m for m in (trait.measure, trait.per) if m is not None)))
        for name, trait in active.traits.items()
    }
    slow_traits = {name for name, one in traits.items() if not one.live}
    segments: dict[str, Execution] = {}
    for name in order(active.written):
        segment = active.segments.get(name)
        if segment is not None:
            slow = {other for other, one in segments.items() if not one.live}
            found = classify(segment.rule, slow_segments=slow, slow_traits=slow_traits)
            segments[name] = _of_subject(segment, found)
    return segments, traits


def _of_subject(item: Segment | Computed, found: Execution) -> Execution:
    """Profiles are kept of people; whatever is of others is answered from the lake."""
    if item.subject == "person":
        return found
    reason = f"What is of {item.subject}s is answered from the lake."
    return structs.replace(found, live=False, bytes=0, most=0, reasons=(reason, *found.reasons))


def names_of(active: Active) -> Names:
    """What people call the definitions in force, by id."""
    written = active.written
    return Names(
        {name: one.name for name, one in written.segments.items()},
        {name: one.name for name, one in written.computed.items()},
        {name: one.name for name, one in written.conditions.items()},
    )


def runs(execution: Execution) -> dict[str, Any]:
    """How something is run, as the API tells it."""
    return {
        "way": LIVE if execution.live else LAKE,
        "bytes_per_person": execution.bytes,
        "most_bytes": execution.most,
        "reasons": list(execution.reasons),
        "costs": list(execution.costs),
    }


def plain(item: Item) -> dict[str, Any]:
    """A definition as it is saved and read again: plain JSON without what has its default, so that the same is always the same.

    >>> from patron.rules.tree import AllOf, Fact
    >>> plain(Segment("a", "A", AllOf((Fact("traits.x", "=", True),)), purpose="".join(["personal", "ization"])))["rule"]["of"]
    [{'kind': 'fact', 'field': 'traits.x', 'op': '=', 'value': True}]
    """
    value: dict[str, Any] = _lean(item)
    return value


def _lean(value: Any) -> Any:
    if isinstance(value, Struct):
        config = value.__struct_config__
        kept = {config.tag_field: config.tag} if config.tag_field else {}
        for field in fields(value):
            held = getattr(value, field.name)
            if not (config.omit_defaults and _is_default(held, field)):
                kept[field.name] = _lean(held)
        return kept
    if isinstance(value, Mapping):
        return {name: _lean(one) for name, one in value.items()}
    return [_lean(one) for one in value] if isinstance(value, list | tuple) else value


def _is_default(held: Any, field: FieldInfo) -> bool:
    made = field.default_factory() if callable(field.default_factory) else field.default
    return type(held) is type(made) and bool(held == made)
