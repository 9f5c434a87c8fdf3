"""What definitions say and how they are run, for people: sentence, class and cost of each."""

from typing import Any

import msgspec

from patron.rules.classify import Execution, classify
from patron.rules.describe import Names, describe, describe_rule
from patron.rules.references import Item, order
from patron.rules.tree import AllOf, AnyOf, Computed, Condition, Not, Rule, Segment
from patron.runtime.definitions import Active

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

    def old(self, item: Item) -> dict[str, Any]:
        """The same of a version that is not in force: its sentence only, for it is not run."""
        return {"sentence": self._sentence(item), "runs": None}

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
    >>> from patron.runtime.definitions import in_force
    >>> slow = Did("Page Viewed", ">", 3, "distinct", "path")
    >>> made = in_force(Definitions({"a": Segment("a", "A", slow), "b": Segment("b", "B", Member("a"))}))
    >>> {name: one.live for name, one in executions(made)[0].items()}
    {'a': False, 'b': False}
    """
    traits = {
        name: classify(*(m for m in (trait.measure, trait.per) if m is not None))
        for name, trait in active.traits.items()
    }
    slow_traits = {name for name, one in traits.items() if not one.live}
    segments: dict[str, Execution] = {}
    for name in order(active.written):
        segment = active.segments.get(name)
        if segment is not None:
            slow = {other for other, one in segments.items() if not one.live}
            segments[name] = classify(segment.rule, slow_segments=slow, slow_traits=slow_traits)
    return segments, traits


def names_of(active: Active) -> Names:
    """What people call the definitions in force, by id."""
    written = active.written
    return Names(
        {name: one.name for name, one in written.segments.items()},
        {name: one.name for name, one in written.computed.items()},
        {name: one.name for name, one in written.conditions.items()},
    )


def phrase(rule: Rule, names: Names | None = None) -> str:
    """One part of a rule in a few words, as a line of an explanation.

    >>> from patron.rules.tree import Did, Fact
    >>> phrase(Did("Store Entered", ">=", 2)), phrase(Fact("traits.city", "=", "Bari")), phrase(AllOf(()))
    ('visited a store at least 2 times', 'city is Bari', 'all of these')
    """
    if isinstance(rule, AllOf | AnyOf | Not):
        return {AllOf: "all of these", AnyOf: "at least one of these", Not: "not"}[type(rule)]
    text = describe_rule(rule, names).text.removeprefix("People ").removesuffix(".")
    return text.removeprefix("whose ").removeprefix("who ")


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
    """A definition as it is saved: what has its default is left out."""
    value: dict[str, Any] = msgspec.to_builtins(item)
    return value
