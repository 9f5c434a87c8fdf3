"""What one person is in and what their computed traits are worth, as the live execution has it and as far as a key may know."""

from typing import Any

from patron.model.access import ApiKey
from patron.model.people import Person
from patron.profiles.public import iso
from patron.runtime.readable import may_read_segment, may_read_trait
from patron.runtime.workspace import Workspace


def belonging(workspace: Workspace, person: Person, key: ApiKey) -> dict[str, Any]:
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


def computed(workspace: Workspace, person: Person, key: ApiKey) -> dict[str, Any]:
    """The computed traits of a person that the key may read, by id."""
    active = workspace.definitions.active()
    values = workspace.live.computed(person)
    return {name: value for name, value in sorted(values.items()) if may_read_trait(key, name, active)}
