"""What no profile can answer is answered from the lake, minutes behind; consents, joins and erasures count at once."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from patron.model.access import ApiKey
from patron.model.errors import BadRequest, Conflict, StorageError
from patron.model.exports import Export, FileTarget
from patron.model.offers import Ask
from patron.profiles.public import iso
from patron.runtime.backend import LocalBackend
from patron.runtime.segments import rounds
from patron.runtime.segments.audiences import LocalAudiences
from patron.runtime.segments.segments import Segments
from patron.runtime.settings import FILE
from tests.flow.inprocess import play, running, send, source
from tests.flow.test_above_cap import define, until

NOW = 1_800_000_000_000
MINUTE, DAY = 60_000, 86_400_000
KEY = ApiKey("all", "", "", ("admin",))
PATHS = {"kind": "did", "event": "Page Seen", "measure": "distinct", "property": "properties.path"}
"""Of all time: a profile keeps a list of events only within a window."""
CURIOUS = {**PATHS, "op": ">=", "value": 2}
CATALOGUE = """
[[offer]]
id = "for-others"
name = "For those who do not look around"
not_segments = ["curious"]

[[offer]]
id = "for-all"
name = "For all"
"""


def saw(who: str, path: str) -> dict[str, Any]:
    return {
        "type": "track", "event": "Page Seen", "userId": who, "messageId": f"{who}-{path}", "properties": {"path": path},
    }  # fmt: skip


def _belongs(who: str, firm: str) -> dict[str, Any]:
    return {
        "type": "group",
        "userId": who,
        "groupId": firm,
        "messageId": f"{who}-{firm}",
        "traits": {"plan": "gold"},
    }


def _denied(who: str) -> dict[str, Any]:
    return {
        "type": "track", "event": "Consent Changed", "userId": who, "messageId": f"{who}-no",
        "properties": {"purpose": "personalization", "granted": False},
    }  # fmt: skip


async def _define(backend: LocalBackend) -> None:
    await source(backend, "web")
    await define(backend, "Trait", "paths", measure=PATHS)
    await define(backend, "Segment", "curious", rule=CURIOUS)
    await define(
        backend,
        "Segment",
        "incurious",
        rule={"kind": "not", "rule": {"kind": "segment", "segment": "curious"}},
    )
    await define(backend, "Segment", "firms", rule={**CURIOUS, "value": 3}, subject="account")
    await define(backend, "Trait", "firm_paths", measure=PATHS, subject="account")


async def members(backend: LocalBackend, segment: str) -> list[list[str]]:
    """The user ids of each member, and the ids of accounts."""
    told = await backend.rules.members(segment, "", 100, KEY)
    assert told["total"] == len(told["data"])
    names = [
        [i["value"] for i in row["identifiers"] if i["type"] == "user_id"] or [row["id"]]
        for row in told["data"]
    ]
    return sorted(sorted(one) for one in names)


def person_id(backend: LocalBackend, who: str) -> str:
    person = backend.workspace.graph.person_of(f"user_id:{who}")
    assert person is not None
    return person.id


def _profile(backend: LocalBackend, who: str) -> tuple[Any, set[str]]:
    computed = backend.resource(f"user_id:{who}", "profile", KEY)["computed"]
    return computed.get("paths"), {
        row["id"] for row in backend.resource(f"user_id:{who}", "segments", KEY)["data"]
    }


async def _answered(path: Path) -> None:
    async with running(path) as backend:
        await _define(backend)
        seen = [saw("anna", "a"), saw("anna", "b"), saw("anna", "b"), saw("bea", "a"), saw("carl", "c")]
        await send(backend, "web", [*seen, *(_belongs(who, "acme") for who in ("anna", "carl"))])
        assert backend.workspace.live.status("curious").state == "filling"
        assert await members(backend, "curious") == [["anna"]], "asked for when somebody wants to know"
        assert await members(backend, "incurious") == [["bea"], ["carl"]]
        assert await members(backend, "firms") == [["acme"]], "a, b of anna and c of carl"
        standing = backend.workspace.live.status("curious")
        assert (standing.state, standing.members, standing.minutes) == ("lake", 1, 1)
        audiences = LocalAudiences(backend)
        shown = {row.id: (row.members, row.state) for row in audiences.segments()}
        assert shown == {"curious": (1, "lake"), "incurious": (2, "lake"), "firms": (1, "lake")}
        firms = audiences.held("segment", "firms")
        assert firms is not None
        assert await audiences.weeks(firms.definition) is None
        with pytest.raises(BadRequest, match="of people"):
            await audiences.overlap("firms", "curious")
        assert _profile(backend, "anna") == (2, {"curious"})
        assert _profile(backend, "bea") == (1, {"incurious"})
        values = await backend.rules.values("paths", "", 10, KEY)
        assert sorted(row["value"] for row in values["data"]) == [1, 1, 2]
        values = await backend.rules.values("firm_paths", "", 10, KEY)
        assert values == {"data": [{"id": "acme", "identifiers": [], "value": 3}], "cursor": None}
        await backend.step_clock(NOW + MINUTE)
        await send(backend, "web", [saw("bea", "b")])
        assert await members(backend, "curious") == [["anna"]], "not before the lake is asked again"
        await backend.step_clock(NOW + 3 * MINUTE)
        await until(lambda: backend.workspace.live.count("curious") == 2, 60.0)
        told = await backend.rules.diff("curious", iso(NOW) or "", "", 10, KEY)
        assert [row["id"] for row in told["entered"]] == [person_id(backend, "bea")]
        assert not told["left"]
        await backend.rules.remove("segment", "incurious", "test")
        assert backend.workspace.live.members("incurious", "", 10) == []
        rows = {row.kind + row.id: row for row in (await backend.rules.compare()).rows}
        assert (rows["segmentcurious"].way, rows["segmentcurious"].batch) == ("lake", 2)


def test_members_values_and_changes_come_from_the_lake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "SHARE", 0)  # however slow this machine is
    play(_answered(tmp_path / "shop"))


async def _at_once(path: Path) -> None:
    async with running(path) as backend:
        await _define(backend)
        for who in ("anna", "bea", "carl", "dora", "erin"):
            await send(backend, "web", [saw(who, "a"), saw(who, "b")])
        assert len(await members(backend, "curious")) == 5
        await send(backend, "web", [_denied("frank")])
        await send(
            backend, "web", [{"type": "alias", "userId": "erin", "previousId": "frank", "messageId": "two"}]
        )
        told = {name for row in await members(backend, "curious") for name in row}
        assert told == {"anna", "bea", "carl", "dora"}, "joined to somebody who may not be looked at"
        await send(backend, "web", [_denied("bea")])
        assert await members(backend, "curious") == [["anna"], ["carl"], ["dora"]], "a consent taken back"
        assert _profile(backend, "bea")[1] == set()
        await send(
            backend, "web", [{"type": "alias", "userId": "dora", "previousId": "carl", "messageId": "one"}]
        )
        both = await members(backend, "curious")
        assert both == [["anna"], ["carl", "dora"]], "joined, they are one"
        assert _profile(backend, "dora")[0] == 2
        await backend.erase(person_id(backend, "anna"), "test")
        assert await members(backend, "curious") == [["carl", "dora"]], "erased"
        await backend.step_clock(NOW + 5 * MINUTE)
        await backend.app.rounds.look()
        assert await members(backend, "curious") == [["carl", "dora"]], "and the lake says the same"
        assert backend.workspace.live.status("curious").without_basis == 2


def test_consents_joins_and_erasures_count_at_once(tmp_path: Path) -> None:
    play(_at_once(tmp_path / "shop"))


async def _told_late(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(path) as backend:
        await _define(backend)
        for who in ("anna", "bea", "carl", "dora"):
            await send(backend, "web", [saw(who, "a"), saw(who, "b")])
        asked = rounds._Asking.traits
        left = [_denied("bea"), {"type": "alias", "userId": "dora", "previousId": "carl", "messageId": "one"}]

        async def late(asking: Any, traits: Any) -> None:
            await asked(asking, traits)
            while left:
                await send(backend, "web", [left.pop()])

        monkeypatch.setattr(rounds._Asking, "traits", late)
        assert await members(backend, "curious") == [["anna"], ["carl", "dora"]]
        assert not left
        page = await backend.rules.members("curious", "", 1, KEY)
        rest = await backend.rules.members("curious", page["cursor"], 5, KEY)
        ids = [row["id"] for row in (*page["data"], *rest["data"])]
        assert ids == sorted({person_id(backend, "anna"), person_id(backend, "carl")})
        values = await backend.rules.values("paths", "", 10, KEY)
        assert {row["id"]: row["value"] for row in values["data"]} == {
            person_id(backend, who): 2 for who in ("anna", "bea", "carl")
        }


def test_what_happens_while_the_lake_is_asked_counts_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(_told_late(tmp_path / "shop", monkeypatch))


async def _firms(path: Path) -> None:
    async with running(path) as backend:
        await _define(backend)
        seen = [saw("anna", "a"), saw("anna", "b"), saw("carl", "c")]
        await send(backend, "web", [*seen, *(_belongs(who, "acme") for who in ("anna", "carl"))])
        assert await members(backend, "firms") == [["acme"]]
        for n, (who, barred) in enumerate({"anna": 0, "carl": 1}.items(), 1):
            await send(backend, "web", [_denied(who)])
            await backend.step_clock(NOW + 5 * n * MINUTE)
            await backend.app.rounds.look()
            assert await members(backend, "firms") == [], (
                "what somebody did who may not be looked at does not count"
            )
            told = await backend.rules.explain("firms", "account:acme", None)
            assert told["member"] is False, told
            assert backend.workspace.live.status("firms").without_basis == barred


def test_of_an_account_only_people_count_who_may_be_looked_at(tmp_path: Path) -> None:
    play(_firms(tmp_path / "shop"))


async def _asked(backend: LocalBackend, who: str) -> list[str]:
    made = await backend.decide(Ask("web_home", user_id=who), trusted=True, source=None, user_hash="")
    return sorted(set(made["eligible"]) - {"nothing"})


async def _gated(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "WATCH", 3_600.0)
    async with running(path) as backend:
        await _define(backend)
        await send(backend, "web", [saw("anna", "a"), saw("anna", "b"), saw("bea", "a")])
        await backend.offers.save(CATALOGUE, "test")
        for who in ("anna", "bea"):
            assert await _asked(backend, who) == ["for-all"], "nobody knows yet whom it is not for"
        await backend.app.rounds.look()
        assert await _asked(backend, "anna") == ["for-all"]
        assert await _asked(backend, "bea") == ["for-all", "for-others"]
        with pytest.raises(BadRequest, match="firms"):
            await backend.offers.save(CATALOGUE.replace('"curious"', '"firms"'), "test")


def test_an_offer_that_is_not_for_a_segment_waits_until_the_lake_has_said_who_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(_gated(tmp_path / "shop", monkeypatch))


async def _unfilled(path: Path) -> None:
    async with running(path) as backend:
        await source(backend, "web")
        await send(backend, "web", [saw("anna", "a"), saw("anna", "b"), saw("bea", "a")])
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(Segments, "work", lambda *_: iter(()))
            within = {**CURIOUS, "within": {"days": 9}}
            await define(backend, "Segment", "curious", rule=within)
            await backend.offers.save(CATALOGUE, "test")
            for who in ("anna", "bea"):
                assert await _asked(backend, who) == ["for-all"], "nobody was judged by it yet"
        await until(lambda: backend.workspace.live.status("curious").state == "live")
        assert await _asked(backend, "anna") == ["for-all"]
        assert await _asked(backend, "bea") == ["for-all", "for-others"]
    async with running(path) as backend:
        assert await _asked(backend, "bea") == ["for-all", "for-others"], "known from the start"


def test_an_offer_that_is_not_for_a_segment_waits_until_everybody_was_judged_by_it(tmp_path: Path) -> None:
    play(_unfilled(tmp_path / "shop"))


async def _exported(path: Path) -> None:
    async with running(path) as backend:
        await _define(backend)
        await send(backend, "web", [saw("anna", "a"), saw("anna", "b"), saw("bea", "a")])
        export = Export("out", "Out", FileTarget(), "curious", ("identifiers.user_id", "computed.paths"))
        await backend.exports.save("out", _plain(export), "test")
        run = await backend.exports.run("out")
        assert run["added"] == 1, run
        with pytest.raises(BadRequest) as refused:
            await backend.exports.save("firms", _plain(Export("firms", "F", FileTarget(), "firms", ("identifiers.user_id",))), "test")  # fmt: skip
        assert refused.value.faults[0].problem == "firms is of accounts; take one of people"


def _plain(export: Export) -> Any:
    from patron.runtime.workspace import plain

    return plain(export)


def test_its_people_are_exported(tmp_path: Path) -> None:
    play(_exported(tmp_path / "shop"))


async def _off(path: Path) -> None:
    async with running(path):
        pass
    (path / FILE).write_text('[workspace]\nzone = "UTC"\n[lake]\nenabled = false\n', "utf-8")
    async with running(path) as backend:
        await _define(backend)
        await asyncio.sleep(0)
        assert backend.workspace.live.status("curious").state == "off"
        assert await members(backend, "curious") == []
        with pytest.raises(BadRequest) as refused:
            await backend.exports.save("out", _plain(Export("out", "Out", FileTarget(), "curious", ("identifiers.user_id",))), "test")  # fmt: skip
        assert "cannot be asked" in refused.value.faults[0].problem


def test_without_a_lake_it_is_said_that_nobody_answers(tmp_path: Path) -> None:
    play(_off(tmp_path / "shop"))


NEWS = {"kind": "consent", "purpose": "news", "channel": "*", "granted": True}


def _said(who: str, purpose: str, number: int, *, granted: bool) -> dict[str, Any]:
    return {
        "type": "track", "event": "Consent Changed", "userId": who, "messageId": f"{who}-{purpose}-{number}",
        "timestamp": iso(NOW - DAY + number), "properties": {"purpose": purpose, "granted": granted},
    }  # fmt: skip


async def _words(path: Path) -> None:
    async with running(path) as backend:
        await _define(backend)
        await define(backend, "Segment", "club", rule=CURIOUS, purpose="ads")
        inside = {"kind": "segment", "segment": "club"}
        await define(backend, "Segment", "inner", rule={"kind": "all", "of": [CURIOUS, inside]})
        await define(backend, "Segment", "reached", rule={"kind": "all", "of": [CURIOUS, NEWS]})
        for who in ("anna", "bea"):
            await send(
                backend,
                "web",
                [saw(who, "a"), saw(who, "b"), _said(who, "news", 1, granted=True)],
            )
        for name in ("inner", "reached"):
            assert await members(backend, name) == [["anna"], ["bea"]]
        await backend.step_clock(NOW + 1)
        await send(backend, "web", [_said("anna", "news", 2, granted=False)])
        await send(backend, "web", [_said("bea", "ads", 2, granted=False)])
        assert await members(backend, "reached") == [["bea"]], "the rule asks for a yes that was taken back"
        assert await members(backend, "inner") == [["anna"]], "made of a segment of that purpose"
        assert await members(backend, "curious") == [["anna"], ["bea"]]
        told = await backend.rules.diff("reached", iso(NOW) or "", "", 10, KEY)
        assert [(row["id"], row["cause"]) for row in told["left"]] == [
            (person_id(backend, "anna"), "consent")
        ]
        anna = person_id(backend, "anna")
        await backend.erase(anna, "test")
        assert backend.workspace.live.changes("reached", 0, NOW + DAY) == [], "nothing tells of the erased"


def test_consents_that_the_rule_rests_on_count_at_once_and_who_left_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "WATCH", 3_600.0)
    play(_words(tmp_path / "shop"))


async def _let_go(path: Path) -> None:
    async with running(path) as backend:
        await source(backend, "web")
        await define(backend, "Segment", "curious", rule=CURIOUS)
        await send(backend, "web", [saw("anna", "a"), saw("anna", "b"), saw("bea", "a")])
        assert await members(backend, "curious") == [["anna"]]
        anna, live = person_id(backend, "anna"), backend.workspace.live
        await define(
            backend,
            "Segment",
            "curious",
            2,
            rule={"kind": "did", "event": "Nothing", "within": {"days": 9}},
        )
        await until(lambda: live.status("curious").state == "live")
        assert live.is_in(anna, "curious") is False, "the lake's answer is no answer any more"
        assert _profile(backend, "anna")[1] == set()


def test_what_became_live_is_not_answered_by_the_lake_any_more(tmp_path: Path) -> None:
    play(_let_go(tmp_path / "shop"))


async def _meanwhile(path: Path) -> None:
    async with running(path) as backend:
        await _define(backend)
        await send(backend, "web", [saw("anna", "a"), saw("anna", "b"), saw("bea", "a")])
        jobs, workspace = backend.app.start_jobs(), backend.workspace
        flush = jobs.flush

        async def slow(seconds: float = 600.0) -> int:
            position = await flush(seconds)
            if not workspace.from_lake.problems and not done:
                done.append(True)
                await send(backend, "web", [_denied("anna"), saw("bea", "b")])
            return position

        done: list[bool] = []
        jobs.flush = slow  # type: ignore[method-assign]
        await backend.app.rounds.look()
        assert done
        # the lake may have been written once more by itself before it was asked
        assert await members(backend, "curious") in ([], [["bea"]]), "anna denied while the lake was written"
        await backend.app.rounds.look()
        assert await members(backend, "curious") == [["bea"]], "what came meanwhile is asked for again"


def test_what_happens_while_the_lake_is_written_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "WATCH", 3_600.0)
    play(_meanwhile(tmp_path / "shop"))


async def _failing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(path) as backend:
        await _define(backend)
        await define(
            backend, "Segment", "lookers", rule={"kind": "did", "event": "Page Seen", "within": {"days": 9}}
        )
        await send(backend, "web", [saw("anna", "a")])

        async def fail(_seconds: float = 600.0) -> int:
            raise StorageError("no lake today")

        monkeypatch.setattr(backend.app.start_jobs(), "flush", fail)
        with pytest.raises(StorageError):
            await members(backend, "curious")
        await until(lambda: backend.workspace.live.status("lookers").state == "live")
        assert await members(backend, "lookers") == [["anna"]], "a live segment needs no lake"


def test_live_segments_are_answered_while_the_lake_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "WATCH", 3_600.0)
    play(_failing(tmp_path / "shop", monkeypatch))


async def _kept(path: Path) -> None:
    async with running(path) as backend:
        await _define(backend)
        await send(backend, "web", [saw("anna", "a"), saw("anna", "b"), saw("bea", "a")])
        await until(lambda: not backend.workspace.segments.waiting)
        export = Export("out", "Out", FileTarget(), "curious", ("identifiers.user_id",))
        await backend.exports.save("out", _plain(export), "test")
        assert (await backend.exports.run("out"))["added"] == 1
        seen = {"kind": "did", "event": "Page Seen", "within": {"days": 9}}
        await define(backend, "Segment", "curious", 2, rule=seen)
        assert backend.workspace.live.status("curious").state == "filling"
        with pytest.raises(Conflict, match="still being filled"):
            await backend.exports.run("out")
        await until(lambda: backend.workspace.live.status("curious").state == "live")
        run = await backend.exports.run("out")
        assert (run["added"], run["removed"]) == (1, 0), "anna stayed"


def test_an_export_takes_nobody_away_while_its_segment_becomes_a_live_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "WATCH", 3_600.0)
    play(_kept(tmp_path / "shop"))
