"""Bodies read lately: the same events as from the log, never more than a few, and never what was erased or dropped."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from patron.collect.limits import Limits
from patron.model.errors import PatronError
from patron.model.log import Entry
from patron.runtime.bodies import Bodies
from patron.runtime.workspace import Workspace
from patron.storage.embedded.log import SegmentLog
from tests.flow.inprocess import running, send, source

ANNA, BRUNO = "anna@posta.example", "bruno@posta.example"


def view(number: int, email: str, **context: Any) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Product Viewed",
        "messageId": f"m{number}",
        "anonymousId": f"cookie-{email}",
        "properties": {"number": number},
        "context": {"externalIds": [{"type": "email", "id": email}], **context},
    }


def all_events(workspace: Workspace) -> dict[int, Any]:
    """Every event by position, from bodies read whole."""
    return {
        event.position: (event, place)
        for entry, body in workspace.log.read(1)
        if entry.kind != "fact"
        for event, place, _ in workspace.decode(entry, body)
    }


def one_by_one(workspace: Workspace) -> dict[int, Any]:
    hits = ((position, workspace.event_at(position)) for position in range(workspace.log.last + 2))
    return {position: hit for position, hit in hits if hit is not None}


def test_an_event_read_alone_is_the_one_of_its_body(tmp_path: Path) -> None:
    async def case() -> None:
        async with running(tmp_path / "shop") as backend:
            await source(backend, "web")
            for at in range(5):
                consent = {"consent": {"categoryPreferences": {"analytics": at % 2 == 0}}}
                odd: dict[str, Any] = {"type": "track", "event": "", "userId": "7"}
                nobody = {"type": "track", "event": "Seen", "messageId": f"n{at}"}
                nameless = {"type": "page", "name": "Home", "anonymousId": "x", "context": {"ip": "1.2.3.4"}}
                rich = view(10 * at, ANNA, **consent), view(10 * at + 1, BRUNO)
                await send(backend, "web", [*rich, odd, nobody, nameless, view(7, ANNA)])
            workspace = backend.workspace
            assert one_by_one(workspace) == all_events(workspace)
            assert len(all_events(workspace)) > 15

    asyncio.run(case())


def test_what_was_erased_is_not_read_again(tmp_path: Path) -> None:
    async def case() -> None:
        async with running(tmp_path / "shop") as backend:
            await source(backend, "web")
            await send(backend, "web", [view(1, ANNA), view(2, BRUNO), view(3, ANNA)])
            workspace = backend.workspace
            before = one_by_one(workspace)
            assert [e.properties["number"] for e, _ in before.values()] == [1, 2, 3]
            held = workspace.bodies
            assert ANNA.encode() in b"".join(held.at(position).body for position in before)
            await backend.erase(f"email:{ANNA}", "test")
            assert len(held) == 0
            after = one_by_one(workspace)
            assert [e.properties["number"] for e, _ in after.values()] == [2]
            assert ANNA.encode() not in b"".join(held.at(position).body for position in before)

    asyncio.run(case())


def log_of(folder: Path, bodies: int, size: int = 0) -> SegmentLog:
    """A log of bodies with three messages each, the first of its segments sealed."""
    log = SegmentLog.open(folder, segment_bytes=4_000)
    for number in range(bodies):
        text = b'{"batch":[{"n":%d},null,{"t":"%s"}]}' % (number, b"x" * size)
        log.append(Entry("track", log.last + 1, 3, "shop", 1_700_000_000_000 + number), text, lambda _: None)
        while log.durable < log.last:
            pass
    return log


def test_few_are_kept_and_the_least_recently_used_goes_first(tmp_path: Path) -> None:
    log = log_of(tmp_path / "log", 12)
    bodies = Bodies(log, Limits(), most=4)
    first = bodies.at(1)
    for number in range(12):
        found = bodies.at(3 * number + 2)
        assert (found.entry.base, found.entry.last) == (3 * number + 1, 3 * number + 3)
        assert b"%d" % number in bytes(found.parts.messages[0])
        assert bodies.at(1) is first
        assert len(bodies) <= 4
    log.close()


def test_their_bytes_are_bounded_and_a_huge_one_is_not_kept(tmp_path: Path) -> None:
    log = log_of(tmp_path / "log", 6, 500)
    bodies = Bodies(log, Limits(), most_bytes=1_200)
    for position in range(1, 19):
        bodies.at(position)
        assert len(bodies) <= 2
    small = Bodies(log, Limits(), most_bytes=100)
    assert bytes(small.at(4).parts.messages[0]) == b'{"n":1}'
    assert len(small) == 0
    log.close()


def test_what_the_log_gave_up_is_let_go(tmp_path: Path) -> None:
    log = log_of(tmp_path / "log", 30, 500)
    log.applied(log.last)
    assert log.settle()
    bodies, first = Bodies(log, Limits()), log.segments()[0]
    assert bodies.at(1).entry.base == 1
    log.drop(first.first)
    with pytest.raises(KeyError):
        bodies.at(1)
    kept = bodies.at(first.last + 1)

    def edit(entry: Entry, body: bytes, _: list[int]) -> tuple[Entry, bytes]:
        if entry.base > kept.entry.base:
            raise PatronError("the disk is full")
        return entry, b'{"batch":[null,null,null]}'

    # the first entry is in another segment than the last: what was done when it fails stays done
    with pytest.raises(PatronError):
        log.rewrite([kept.entry.base, log.last], edit)
    assert [bytes(one) for one in bodies.at(kept.entry.base).parts.messages] == [b"null"] * 3
    log.close()


def test_a_position_that_is_none_is_none(tmp_path: Path) -> None:
    log = log_of(tmp_path / "log", 2)
    bodies = Bodies(log, Limits())
    bodies.at(5)
    for position in (-1, 0, 7, 10**12):
        with pytest.raises(KeyError):
            bodies.at(position)
    log.close()
