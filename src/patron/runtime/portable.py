"""The rows of a state as two runs over the same log must have them, whenever each had time for what waits beside events.

Numbers of series and of segments are given as these come into force, so they tell of a run's pace. Here series stand in the order of
their ids and memberships are names; when a standing is looked at next, and by which rules it was found last, is left out. So is
what the events of a person above a cap were last found to say of a segment (`short`): when that is asked is told by no log.
"""

from collections.abc import Iterator

from msgspec import msgpack

from patron.runtime.workspace import Workspace
from patron.segments import standing, tally
from patron.segments.reach import numbers_of

_encode = msgpack.Encoder(order="deterministic").encode
Place = tuple[str, str]
"""Table and key."""


def rows(workspace: Workspace) -> dict[Place, bytes]:
    """Every row of the state. Call `segments.finish` first: what waits there is not in it."""
    return {place: data for place, data in _rows(workspace) if data is not None}


def _rows(workspace: Workspace) -> Iterator[tuple[Place, bytes | None]]:
    series = {row.number: at for at, row in enumerate(workspace.segments.series().values())}
    names = {} if workspace.segments.live is None else workspace.segments.live.plan.names
    served = {key: row for key, row in workspace.segments.served() if row.segment or row.trait}
    for table, key, data in workspace.state.dump():
        if table == "tallies":
            held = {series[number]: row for number, row in tally.decode(bytes(data)).items()}
            yield (table, key), tally.encode(held)
        elif table == "standings":
            row = standing.decode(bytes(data))
            known = ~row.short
            held_bits = (row.bits & known, row.barred & known, row.short)
            told = [sorted(names[n] for n in numbers_of(bits)) for bits in held_bits]
            yield (table, key), _encode(told)
        elif table == "series":
            yield (table, key), b""
        elif table == "served":
            yield (table, key), _encode([served[key].segment, served[key].trait]) if key in served else None
        else:
            yield (table, key), bytes(data)
