"""What may be saved and what it says: the rule room's checks over all definitions at once."""

from collections.abc import Mapping
from typing import Any

from patron.model.errors import BadRequest, Fault
from patron.rules.check import parse
from patron.rules.references import Item, dependants, reference_problems
from patron.rules.resolve import resolve
from patron.rules.tree import Computed, Condition, Segment
from patron.runtime.definitions import TYPES, Active, Kind, Written, in_force

Changes = list[tuple[Kind, Item]]


def read(kind: Kind, value: object, name: str = "") -> Item:
    """Read one definition; `name` is its id where it states none, and must be the same where it does.

    Raises BadRequest (`bad_rule`) with every fault at its path.
    """
    if isinstance(value, Mapping) and name:
        value = {"id": name, **value}
    found: Item = parse(value, TYPES[kind])  # type: ignore[arg-type,type-var]
    if name and found.id != name:
        problem = f"is `{found.id}`, and the address says `{name[:64]}`: write the same"
        raise refused((Fault("$.id", problem),))
    return found


def with_all(active: Active, changes: Changes) -> Active:
    """What would be in force with some definitions saved.

    Raises
    ------
    BadRequest : `bad_rule`, a definition refers to what is not there, or in a circle; with more than one change each path
        begins with the kind and the id.
    """
    written = active.written
    for _, item in changes:
        written = written.including(item)
    faults = [fault for kind, item in changes for fault in _faults(kind, item, written, many=len(changes) > 1)]
    if faults:
        raise refused(tuple(faults))
    return in_force(written, active.version)


def _faults(kind: Kind, item: Item, written: Written, *, many: bool) -> list[Fault]:
    found = list(reference_problems(item, written))
    if not found and not isinstance(item, Computed):
        try:
            resolve(item.rule, written.conditions if isinstance(item, Segment) else _closed(item, written))
        except BadRequest as error:
            found = list(error.faults)
    return [Fault(f"{kind} {item.id}: {f.path}", f.problem) for f in found] if many else found


def _closed(item: Condition, written: Written) -> Mapping[str, Condition]:
    return written.conditions


def broken(before: Active, after: Active) -> tuple[Fault, ...]:
    """Definitions that could be run before and could not after."""
    return tuple(
        Fault(name.replace("/", " ", 1), problem)
        for name, problem in sorted(after.unread.items())
        if name not in before.unread
    )


def users(kind: Kind, name: str, written: Written) -> tuple[str, ...]:
    """What names a definition and would be left without it: `segment a`, `condition b`."""
    item = item_of(kind, name, written)
    return () if item is None else dependants(item, written)


def item_of(kind: Kind, name: str, written: Written) -> Item | None:
    """One definition as it was saved."""
    of: dict[Kind, Mapping[str, Any]] = {
        "segment": written.segments,
        "trait": written.computed,
        "condition": written.conditions,
    }
    found: Item | None = of[kind].get(name)
    return found


def refused(faults: tuple[Fault, ...]) -> BadRequest:
    """The error for definitions with these faults."""
    more = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
    return BadRequest("bad_rule", f"{faults[0].path}: {faults[0].problem}{more}", faults)
