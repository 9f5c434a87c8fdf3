"""The lake says of every node whose it is, as the graph does; and gives back every event as it was read."""

import asyncio
import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from patron.model.events import Event
from patron.profiles.rules import ProfileRules
from patron.runtime.flow import KeyHash, uncut
from patron.runtime.lake.envelope import event_of
from patron.runtime.lake.keeper import people_table
from patron.runtime.lake.rows import EventRows, signed
from tests.flow.inprocess import running, send, source
from tests.property.costly import quick_folder

WHO = st.sampled_from(["ana", "bob", "cleo"])
DEVICE = st.sampled_from(["tablet", "phone", "laptop"])
MESSAGE = st.builds(
    lambda kind, who, device, mail, hour: {
        "type": kind,
        "event": "Product Viewed",
        "timestamp": f"2026-03-02T{hour:02d}:00:00Z",
        **({"userId": who} if who else {}),
        **({"anonymousId": device} if device or not who else {}),
        **({"traits": {"email": f"{mail}@mail.example"}} if mail and kind == "identify" else {}),
    },
    st.sampled_from(["track", "identify"]),
    st.none() | WHO,
    DEVICE,
    st.none() | WHO,
    st.integers(0, 23),
)
CUT = st.tuples(st.just("cut"), DEVICE, st.integers(0, 23))
HISTORY = st.lists(st.one_of(MESSAGE, MESSAGE, MESSAGE, CUT), min_size=1, max_size=25)


async def _told(folder: Path, history: list[Any]) -> tuple[dict[Any, str], dict[Any, str]]:
    """What the rows that were told say in the end, and what the graph says."""
    told: dict[int, dict[Any, str]] = {}
    async with running(folder) as backend:
        await source(backend, "shop")
        workspace = backend.workspace
        undo: list[str] = []
        for number, step in enumerate(history):
            if isinstance(step, dict):
                await send(backend, "shop", [{**step, "messageId": f"m{number}"}])
                continue
            key = f"anonymous_id:{step[1]}"
            owner = workspace.graph.person_of(key)
            if owner is None or key not in owner.members:
                continue  # nobody was seen with it, or all that it did lies behind an earlier cut
            if undo and step[2] % 3 == 0:
                await backend.undo_split(undo.pop(), "t")
            else:
                done = await backend.split(owner.id, [], key, 1_772_409_600_000 + step[2] * 3_600_000, "t")
                undo.append(done.id)
        latest: dict[int, int] = {}
        for node, since, until, person, position, _ in workspace.links.waiting:
            if position > latest.get(node, -1):
                latest[node], told[node] = position, {}
            told[node][since, until] = person
        graph: dict[Any, str] = {}
        for key in list(workspace.idents.keys()):
            person = workspace.graph.person_of(key)
            whole = uncut(key, workspace.cuts)
            times = workspace.cuts.get(whole) or []
            since = int(key.rpartition("~")[2]) if whole != key else None
            until = next((t for t in times if since is None or t > since), None)
            if person is not None:
                graph[workspace.hashes(whole), since, until] = person.id
    return {(node, *part): person for node, parts in told.items() for part, person in parts.items()}, graph


@given(HISTORY)
def test_the_rows_of_people_say_what_the_graph_says(history: list[Any]) -> None:
    with quick_folder() as folder:
        told, graph = asyncio.run(_told(folder / "w", history))
    assert told == graph
    if told:
        assert len(people_table([(*k[:1], k[1], k[2], p, 1, 1) for k, p in told.items()])) == len(told)


TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
VALUE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
NAMED = st.sampled_from(["price", "revenue", "products", "latitude", "coupon", "order_id"])
LINES = st.lists(
    st.one_of(VALUE, st.fixed_dictionaries({"product_id": VALUE, "price": VALUE, "quantity": VALUE}))
)
PROPERTIES = st.dictionaries(TEXT | NAMED, VALUE | LINES, max_size=4)


@given(
    st.lists(
        st.tuples(PROPERTIES, PROPERTIES, st.integers(0, 2**41), st.none() | TEXT), min_size=1, max_size=5
    )
)
def test_an_event_out_of_the_lake_is_the_event(given_: list[Any]) -> None:
    hashes = KeyHash(b"a secret of sixteen bytes")
    rows = EventRows(ProfileRules(), hashes.__getitem__, lambda _: None)
    events = []
    for place, (properties, context, time, text) in enumerate(given_):
        event = Event(
            *(
                place + 1,
                "shop",
                "web",
                "track",
                "Seen",
                f"m{place}",
                time,
                time + 5,
                None if place % 2 else time - 1,
            ),
            *("7", text, text, None, json.loads(json.dumps(properties)), context, (), (), context, text),
        )
        events.append(event)
        rows.add(event, "user_id:7", time + 9, place)
    table = rows.table()
    for name in ("time", "received"):
        at = table.schema.get_field_index(name)
        table = table.set_column(at, name, table[name].cast("int64"))
    back = [event_of(row) for row in table.to_pylist()]
    assert [kept.event for kept in back] == events
    assert [kept.entry_received for kept in back] == [e.received + 4 for e in events]
    assert table["node"].to_pylist() == [signed(hashes["user_id:7"])] * len(events)
