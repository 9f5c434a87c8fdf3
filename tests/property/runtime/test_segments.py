"""Segments over the whole staircase: filling, restarts, splits, erasure and time end as the reference says."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from patron.runtime import portable
from patron.runtime.backend import LocalBackend
from patron.runtime.create import create
from patron.runtime.segments.subjects import of_person
from patron.runtime.workspace import Workspace
from tests.flow.inprocess import play, running, send, source
from tests.property.costly import costly, quick_folder

NOW = 1_800_000_000_000
DAY = 86_400_000
SEGMENTS: dict[str, dict[str, Any]] = {
    "buyers": {"kind": "did", "event": "Order Completed", "within": {"days": 10}},
    "regulars": {"kind": "did", "event": "*", "op": ">=", "value": 3},
    "quiet": {"kind": "did", "event": "*", "op": ">=", "value": 2, "measure": "last"},
    "spenders": {
        "kind": "did", "event": "Order Completed", "measure": "sum", "property": "revenue", "op": ">", "value": 50,
        "within": {"days": 30},
    },
    "romans": {"kind": "fact", "field": "traits.city", "op": "=", "value": "Rome"},
    "both": {"kind": "all", "of": [{"kind": "segment", "segment": "buyers"}, {"kind": "segment", "segment": "regulars"}]},
    "tempted": {
        "kind": "sequence",
        "steps": [{"event": "Product Viewed"}, {"event": "Order Completed"}],
        "within": {"days": 20},
    },
    "half": {"kind": "bucket", "salt": "x", "start": 0.0, "end": 0.5},
}  # fmt: skip


async def save(backend: LocalBackend, name: str, rule: dict[str, Any] | None, version: int = 1) -> None:
    definition = None if rule is None else {"id": name, "name": name, "rule": rule}
    verb = "Removed" if rule is None else "Saved"
    data = {"id": name, "version": version, "by": "test", "definition": definition}
    await backend.app.record(f"Segment {verb}", data)


async def settled(backend: LocalBackend) -> Workspace:
    """Wait until nothing is filled or judged any more."""
    for _ in range(2_000):
        await asyncio.sleep(0.001)
        if not backend.workspace.segments.waiting:
            return backend.workspace
    raise AssertionError("segments are never done")


async def agrees(workspace: Workspace) -> dict[str, list[str]]:
    """Everybody's segments, each as the reference over their events in the log says; and the counts and pages of members."""
    found: dict[str, list[str]] = {}
    for key in list(workspace.groups.keys()):
        person = workspace.graph.person_by_id(key)
        if person is None or person.id != key:
            continue
        subject = await of_person(workspace, person)
        expected = sorted(name for name in workspace.definitions.active().segments if subject.is_in(name))
        assert workspace.segments.memberships(person.id) == expected
        found[person.id] = expected
    for name in workspace.definitions.active().segments:
        members = sorted(pid for pid, held in found.items() if name in held)
        assert workspace.segments.members(name) == members
        assert workspace.segments.count(name) == len(members)
    return found


moments = st.integers(0, 60).map(lambda n: NOW - n * 7 * 3_600_000) | st.just(NOW - 405 * DAY)
calls = st.one_of(
    st.fixed_dictionaries({"type": st.just("track"), "event": st.just("Product Viewed")}),
    st.fixed_dictionaries(
        {
            "type": st.just("track"),
            "event": st.just("Order Completed"),
            "properties": st.fixed_dictionaries({"revenue": st.sampled_from([10, 45.5, 60])}),
        }
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("identify"),
            "traits": st.fixed_dictionaries({"city": st.sampled_from(["Rome", "Bari", None])}),
        }
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("track"),
            "event": st.just("Consent Changed"),
            "properties": st.fixed_dictionaries(
                {"purpose": st.just("personalization"), "granted": st.booleans()}
            ),
        }
    ),
)
who = st.fixed_dictionaries(
    {"anonymousId": st.sampled_from(["d1", "d2", "d3"])}, optional={"userId": st.sampled_from(["u1", "u2"])}
)
steps = st.one_of(
    st.tuples(st.just("send"), st.lists(st.tuples(calls, who, moments), min_size=1, max_size=4)),
    st.tuples(st.just("send"), st.lists(st.tuples(calls, who, moments), min_size=1, max_size=4)),
    st.tuples(st.just("save"), st.sampled_from(sorted(SEGMENTS))),
    st.tuples(st.just("remove"), st.sampled_from(sorted(SEGMENTS))),
    st.tuples(st.just("clock"), st.sampled_from([3_600_000, DAY, 5 * DAY, 40 * DAY])),
    st.tuples(st.just("split"), st.integers(0, 5)),
    st.tuples(st.just("cut"), st.sampled_from(["d1", "d2"])),
    st.tuples(st.just("erase"), st.integers(0, 5)),
    st.tuples(st.just("stop"), st.booleans()),
)


class End(NamedTuple):
    """Where a story ends."""

    memberships: dict[tuple[str, ...], list[str]]
    """By the identifiers of each person."""
    kept: dict[tuple[str, str], bytes]
    """The rows of tallies by node, and of standings by person."""


async def ended(workspace: Workspace) -> End:
    found = await agrees(workspace)
    members = {pid: workspace.groups.get(pid) for pid in found}
    by_person = {
        tuple(sorted(group.members)): found[pid] for pid, group in members.items() if group is not None
    }
    assert len(by_person) == len(found)
    tables = ("tallies", "standings", "series", "served")
    return End(
        by_person, {place: row for place, row in portable.rows(workspace).items() if place[0] in tables}
    )


class Story:
    """One workspace living through some steps; `stops` says whether it is stopped and started where told."""

    def __init__(self, path: Path, *, stops: bool) -> None:
        self.path, self.stops = path, stops
        self.count, self.now = 0, NOW
        self.versions: dict[str, int] = {}

    async def replayed(self) -> "End":
        """Where it ends when the state is lost: everything comes from the log."""
        for file in self.path.glob("state.db*"):
            file.unlink()
        async with running(self.path, now=NOW) as backend:
            return await ended(await settled(backend))

    async def live(self, told: list[tuple[str, Any]]) -> "End":
        opened = running(self.path, now=NOW)
        backend = await opened.__aenter__()
        try:
            await source(backend, "shop")
            await self.step(backend, "save", "both")
            for kind, what in told:
                if kind != "stop":
                    await self.step(backend, kind, what)
                elif self.stops:
                    if what:
                        await backend.app.checkpoint()
                    await opened.__aexit__(None, None, None)
                    opened = running(self.path, now=NOW)
                    backend = await opened.__aenter__()
            return await ended(await settled(backend))
        finally:
            await opened.__aexit__(None, None, None)

    async def step(self, backend: LocalBackend, kind: str, what: Any) -> None:
        workspace = backend.workspace
        if kind == "send":
            await send(backend, "shop", [self.message(*one) for one in what])
        elif kind in ("save", "remove"):
            number = self.versions[what] = self.versions.get(what, 0) + 1
            if kind == "save" and what == "both":
                for part in ("buyers", "regulars"):
                    if part not in workspace.definitions.active().segments:
                        await self.step(backend, "save", part)
            await save(backend, what, SEGMENTS[what] if kind == "save" else None, number)
        elif kind == "clock":
            self.now += what
            await backend.step_clock(self.now)
        else:
            await self.by_hand(backend, kind, what)

    def message(self, call: dict[str, Any], ids: dict[str, str], time: int) -> dict[str, Any]:
        from patron.profiles.public import iso

        self.count += 1
        return {**call, **ids, "messageId": f"m{self.count}", "timestamp": iso(time)}

    async def by_hand(self, backend: LocalBackend, kind: str, what: Any) -> None:
        workspace = backend.workspace
        people = sorted(
            {p.id: p for key in workspace.idents.keys() if (p := workspace.graph.person_of(key))}.values(),
            key=lambda p: p.members,
        )
        if not people:
            return
        person = (
            people[what % len(people)]
            if isinstance(what, int)
            else workspace.graph.person_of(f"anonymous_id:{what}")
        )
        if person is None:
            return
        if kind == "erase":
            from patron.runtime.privacy.erasures import erase

            await erase(backend.app, person, "test")
            return
        from patron.model.errors import BadRequest
        from patron.runtime.people import splits

        try:
            if kind == "split":
                record = splits.plan(workspace, person, person.members[:1], "", 0, "test")
            else:
                record = splits.plan(workspace, person, (), f"anonymous_id:{what}", NOW - 5 * DAY, "test")
        except BadRequest:
            return
        await backend.app.record("Identity Split", record)


@pytest.fixture(scope="module")
def memory() -> Iterator[Path]:
    with quick_folder() as folder:
        yield folder


BOUGHT = (
    "send",
    [
        (
            {"type": "track", "event": "Order Completed", "properties": {"revenue": 10}},
            {"userId": "u1", "anonymousId": "d1"},
            NOW,
        )
    ]
    * 3,
)
ONCE = ("send", BOUGHT[1][:1])
AGAIN = [
    ("save", "spenders"),
    BOUGHT,
    ("stop", True),
    ("remove", "spenders"),
    ONCE,
    ("save", "spenders"),
    BOUGHT,
]
NONE_FOR_A_WHILE = [
    ONCE, ("stop", True), ("remove", "both"), ("remove", "buyers"), ("remove", "regulars"), BOUGHT, ("save", "both"),
]  # fmt: skip


@costly
@given(st.lists(steps, min_size=1, max_size=10))
@example([("stop", True)])
@example(AGAIN)
@example([*AGAIN, ("stop", False)])
@example(NONE_FOR_A_WHILE)
@example([*NONE_FOR_A_WHILE, ("stop", False)])
def test_whatever_happens_everybody_stands_where_the_reference_says(
    memory: Path, told: list[tuple[str, Any]]
) -> None:
    home = Path(tempfile.mkdtemp(dir=memory))
    create(home / "plain")  # one copied, so that both name people alike
    shutil.copytree(home / "plain", home / "stopped")
    plain = play(Story(home / "plain", stops=False).live(told))
    story = Story(home / "stopped", stops=True)
    assert play(story.live(told)) == plain
    assert play(story.replayed()) == plain
    shutil.rmtree(home)
