"""What one person is in and what their computed traits are worth, as the live execution has it and as far as a key may know."""

from typing import Any

from patron.model.access import ApiKey
from patron.model.people import Person
from patron.profiles.public import iso
from patron.rules.tree import Computed
from patron.runtime.segments.readable import may_read_segment, may_read_trait
from patron.runtime.workspace import Workspace


def belonging(workspace: Workspace, person: Person, key: ApiKey | None) -> dict[str, Any]:
    """The segments that a person is in; `hidden` counts those that the key may not know of."""
    active = workspace.definitions.active()
    held = workspace.live.of(person)
    rows = [one for one in held if may_read_segment(key, one.segment, active)]
    names = {name: segment.name for name, segment in active.segments.items()}
    return {
        "data": [
            {
                "id": one.segment,
                "name": names.get(one.segment, one.segment),
                "since": iso(one.since),
                "until": iso(one.until),
            }
            for one in rows
        ],
        "hidden": len(held) - len(rows),
    }


def computed(workspace: Workspace, person: Person, key: ApiKey | None) -> dict[str, Any]:
    """The computed traits of a person that the key may read, by id."""
    active = workspace.definitions.active()
    values = workspace.live.computed(person)
    return {
        name: shown(active.traits.get(name), value)
        for name, value in sorted(values.items())
        if may_read_trait(key, name, active)
    }


def is_moment(trait: Computed) -> bool:
    """Whether profiles show a time for a trait (that of the first or last event) where rules compare days ago."""
    return trait.per is None and trait.measure.measure in ("first", "last")


def shown(trait: Computed | None, value: Any) -> Any:
    """A value of the live execution as the API gives it: times are ISO."""
    return iso(value) if trait is not None and is_moment(trait) and isinstance(value, int) else value
