"""What may be saved and what it says: the rule room's checks over all definitions at once."""

from collections.abc import Mapping

from patron.model.errors import BadRequest, Fault
from patron.rules.check import parse
from patron.rules.references import Definitions as Written
from patron.rules.references import Item, dependants, order, reference_problems
from patron.rules.resolve import resolve
from patron.rules.tree import Segment
from patron.runtime.segments.definitions import TYPES, Active, Kind, in_force

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
    faults = [
        fault for kind, item in changes for fault in _faults(kind, item, written, many=len(changes) > 1)
    ]
    if faults:
        raise refused(tuple(faults))
    return in_force(written, active.version)


def _faults(kind: Kind, item: Item, written: Written, *, many: bool) -> list[Fault]:
    found = list(reference_problems(item, written))
    if not found and isinstance(item, Segment):
        try:
            resolve(item.rule, written.conditions)
        except BadRequest as error:
            found = list(error.faults)
    return [Fault(f"{kind} {item.id}: {f.path}", f.problem) for f in found] if many else found


def broken(before: Active, after: Active) -> tuple[Fault, ...]:
    """Definitions that could be run before and could not after."""
    return tuple(
        Fault(name.replace("/", " ", 1), problem)
        for name, problem in sorted(after.unread.items())
        if name not in before.unread
    )


def users(kind: Kind, name: str, written: Written) -> tuple[str, ...]:
    """What names a definition and would be left without it: `segment a`, `condition b`."""
    item = all_of(kind, written).get(name)
    return () if item is None else dependants(item, written)


def all_of(kind: Kind, written: Written) -> Mapping[str, Item]:
    """All definitions of a kind as they were saved, by id."""
    if kind == "segment":
        return written.segments
    return written.computed if kind == "trait" else written.conditions


def in_order(changes: Changes, written: Written) -> Changes:
    """Each definition after those that it is made of, so that what is in force is whole between two of them."""
    rank = {name: at for at, name in enumerate(order(written))}
    place = {"condition": 0, "trait": 1, "segment": 2}
    return sorted(changes, key=lambda one: (place[one[0]], rank.get(one[1].id, 0), one[1].id))


def refused(faults: tuple[Fault, ...]) -> BadRequest:
    """The error for definitions with these faults."""
    more = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
    return BadRequest("bad_rule", f"{faults[0].path}: {faults[0].problem}{more}", faults)
