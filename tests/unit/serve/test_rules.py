"""Definitions over HTTP: saved, refused with paths, tried, explained; no key learns more than it may read."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from patron.model.clock import DAY, HOUR
from tests.flow.inprocess import play, send, source
from tests.unit.serve.door import Door, door

NOW = 1_800_000_000_000
BUYERS = {
    "name": "Buyers",
    "rule": {"kind": "did", "event": "Order Completed", "op": ">=", "value": 2, "within": {"days": 10}},
}
SECRET = {
    "name": "Secret",
    "rule": {
        "kind": "all",
        "of": [
            {"kind": "fact", "field": "traits.city", "op": "=", "value": "Bari"},
            {"kind": "not", "rule": {"kind": "fact", "field": "traits.iban", "op": "starts_with", "value": "IT60"}},
        ],
    },
}  # fmt: skip
SPENT = {"name": "Spent", "measure": {"event": "Order Completed", "measure": "sum", "property": "revenue"}}


def ordered(user: str, at: int, revenue: float = 10.5) -> dict[str, Any]:
    """An order at a time (ms)."""
    from patron.profiles.public import iso

    properties = {"order_id": f"o-{user}-{at}", "revenue": revenue, "currency": "EUR"}
    return {"type": "track", "event": "Order Completed", "userId": user, "timestamp": iso(at), "properties": properties, "messageId": f"m-{user}-{at}"}  # fmt: skip


async def filled(at: Door) -> None:
    """Anna of Bari, who bought 9 and 3 days ago; Bo, who did not."""
    await source(at.backend, "shop", kind="import")
    traits = {"city": "Bari", "iban": "DE1", "email": "anna@mail.example"}
    await send(
        at.backend,
        "shop",
        [
            {"type": "identify", "userId": "anna", "traits": traits, "messageId": "i1"},
            {"type": "identify", "userId": "bo", "traits": {"city": "Rome"}, "messageId": "i2"},
            ordered("anna", NOW - 9 * DAY),
            ordered("anna", NOW - 3 * DAY, 20),
            ordered("bo", NOW - HOUR),
        ],
    )


async def settled(at: Door) -> None:
    """Wait until no segment reads the past any more."""
    while any(row["status"]["state"] == "filling" for row in (await at.get("/v1/segments"))["data"]):
        await asyncio.sleep(0.01)
    while at.backend.workspace.segments.waiting:
        await asyncio.sleep(0.01)


def test_a_segment_is_saved_once_for_each_content_and_removed_with_its_versions_kept(tmp_path: Path) -> None:
    async def work() -> None:
        async with door(tmp_path / "shop", NOW) as at:
            first = await at.put("/v1/segments/buyers", BUYERS)
            assert (first["version"], first["changed"]) == (1, True)
            assert "at least 2 times in the last 10 days" in first["sentence"]
            assert first["runs"]["way"] == "live"
            again = await at.put("/v1/segments/buyers", {**BUYERS, "purpose": "personalization"})
            assert (again["version"], again["changed"]) == (1, False)
            other = await at.put("/v1/segments/buyers", {**BUYERS, "name": "All buyers"})
            assert (other["version"], other["changed"]) == (2, True)
            assert (await at.get("/v1/segments/buyers?version=1"))["definition"]["name"] == "Buyers"
            status, gone = await at.ask("DELETE", "/v1/segments/buyers")
            assert (status, gone["version"]) == (200, 3)
            assert (await at.ask("GET", "/v1/segments/buyers"))[0] == 404
            assert (await at.ask("DELETE", "/v1/segments/buyers"))[0] == 404
            kept = (await at.get("/v1/segments/buyers/versions"))["data"]
            assert [(row["version"], row["removed"]) for row in kept] == [(3, True), (2, False), (1, False)]
            assert (await at.put("/v1/segments/buyers", BUYERS))["version"] == 4

    play(work())


def test_what_is_saved_is_there_after_a_restart(tmp_path: Path) -> None:
    async def work() -> None:
        async with door(tmp_path / "shop", NOW) as at:
            await filled(at)
            await at.put("/v1/segments/z", {**BUYERS, "rule": {**BUYERS["rule"], "value": 1}})  # type: ignore[dict-item]
            await at.put("/v1/segments/buyers", BUYERS)
            await at.put("/v1/traits/spent", SPENT)
            await settled(at)
            before = await at.get("/v1/segments"), await at.get("/v1/traits")
        (tmp_path / "shop" / "state.db").unlink()
        async with door(tmp_path / "shop", NOW) as at:
            await settled(at)
            assert (await at.get("/v1/segments"), await at.get("/v1/traits")) == before
            again = await at.backend.verify_replay()
            assert again["equal"], again["differences"]

    play(work())


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"name": "X"}, "$.rule"),
        ({"name": "X", "rule": {"kind": "did", "evnet": "A"}}, "$.rule.evnet"),
        ({"name": "X", "rule": {"kind": "did", "event": "A", "within": {"days": -3}}}, "$.rule.within.days"),
        ({"name": "X", "rule": {"kind": "did", "event": "A", "value": "two"}}, "$.rule.value"),
        ({"name": "X", "rule": {"kind": "segment", "segment": "nobody"}}, "$.rule.segment"),
        ({"name": "X", "rule": {"kind": "segment", "segment": "x"}}, "$.rule"),
        ({"id": "y", "name": "X", "rule": {"kind": "did", "event": "A"}}, "$.id"),
        (b"{", "$"),
        (b'{"name": "X", "rule": ' + b'{"kind": "not", "rule": ' * 10_000 + b"1" + b"}" * 10_001, "$.rule"),
        (b'{"name": "X", "rule": ' + b'{"kind": "not", "rule": ' * 200 + b"1" + b"}" * 201, "$.rule"),
    ],
)
def test_a_bad_rule_is_refused_with_its_path(tmp_path: Path, body: Any, path: str) -> None:
    async def work() -> None:
        async with door(tmp_path / "shop", NOW) as at:
            status, refused = await at.ask("PUT", "/v1/segments/x", body)
            assert (status, refused["code"]) == (400, "bad_rule"), refused
            assert refused["faults"][0]["path"].startswith(path), refused
            assert refused["faults"][0]["problem"]
            assert (await at.get("/v1/segments"))["data"] == []
            if not isinstance(body, bytes):
                status, checked = await at.ask("POST", "/v1/segments/check", {"id": "x", **body})
                assert status == 200
                assert checked["ok"] is (path == "$.id"), checked

    play(work())


def test_a_circle_is_refused_and_what_others_use_stays(tmp_path: Path) -> None:
    async def work() -> None:
        async with door(tmp_path / "shop", NOW) as at:
            await at.put("/v1/segments/a", BUYERS)
            await at.put("/v1/segments/b", {"name": "B", "rule": {"kind": "segment", "segment": "a"}})
            status, refused = await at.ask(
                "PUT", "/v1/segments/a", {"name": "A", "rule": {"kind": "segment", "segment": "b"}}
            )
            assert status == 400
            assert "circle" in refused["message"]
            status, refused = await at.ask("DELETE", "/v1/segments/a")
            assert (status, refused["code"]) == (409, "in_use")
            assert "segment b" in refused["message"]

    play(work())


def test_a_condition_is_filled_in_and_cannot_be_changed_from_under_its_users(tmp_path: Path) -> None:
    async def work() -> None:
        async with door(tmp_path / "shop", NOW) as at:
            regular = {
                "name": "Regular",
                "parameters": {"times": None},
                "rule": {"kind": "did", "event": "Order Completed", "op": ">=", "value": {"param": "times"}},
            }
            shown = await at.put("/v1/conditions/regular", regular)
            assert shown["sentence"]
            use = {"kind": "use", "condition": "regular", "given": {"times": 3}}
            await at.put("/v1/segments/often", {"name": "Often", "rule": use})
            active = at.backend.workspace.definitions.active()
            assert active.segments["often"].rule.value == 3  # type: ignore[union-attr]
            renamed = {**regular, "parameters": {"n": None}}
            renamed["rule"] = {**regular["rule"], "value": {"param": "n"}}  # type: ignore[dict-item]
            status, refused = await at.ask("PUT", "/v1/conditions/regular", renamed)
            assert (status, refused["code"]) == (409, "breaks_others")
            assert refused["faults"][0]["path"] == "segment often"
            assert (await at.ask("DELETE", "/v1/conditions/regular"))[0] == 409

    play(work())


def test_an_explanation_shows_each_part_its_events_and_when_time_alone_ends_it(tmp_path: Path) -> None:
    async def work() -> None:
        async with door(tmp_path / "shop", NOW) as at:
            await filled(at)
            await at.put("/v1/segments/buyers", BUYERS)
            inside = {"kind": "all", "of": [{"kind": "segment", "segment": "buyers"}, SECRET["rule"]]}
            await at.put("/v1/segments/inside", {"name": "I", "rule": inside})
            anna = await at.get("/v1/segments/buyers/explain?person=user_id:anna")
            assert anna["member"] is True
            day = NOW // DAY * DAY
            assert anna["leaves"] == _iso(day + DAY), "bought 9 days ago: the tenth day is the last"
            assert anna["rule"]["until"] == anna["leaves"]
            assert anna["rule"]["value"] == 2
            assert [e["id"] for e in anna["rule"]["events"]] == [
                f"m-anna-{NOW - 9 * DAY}",
                f"m-anna-{NOW - 3 * DAY}",
            ]
            assert anna["verdict"].startswith("a member, until ")
            bo = await at.get("/v1/segments/buyers/explain?person=user_id:bo")
            assert (bo["member"], bo["rule"]["value"], bo["leaves"]) == (False, 1, None)
            whole = await at.get("/v1/segments/inside/explain?person=email:anna@mail.example")
            assert whole["member"] is True
            assert whole["leaves"] == anna["leaves"], "what a segment is made of ends with it"
            member, secret = whole["rule"]["of"]
            assert member["of"][0]["value"] == 2
            assert [leaf["held"] for leaf in secret["of"]] == [True, True]
            assert (await at.ask("GET", "/v1/segments/buyers/explain?person=user_id:nobody"))[0] == 404
            assert (await at.ask("GET", "/v1/segments/buyers/explain"))[0] == 400

    play(work())


def _iso(ms: int) -> str | None:
    from patron.profiles.public import iso

    return iso(ms)


def test_a_narrow_key_learns_nothing_by_an_explanation(tmp_path: Path) -> None:
    async def work() -> None:
        async with door(tmp_path / "shop", NOW) as at:
            await filled(at)
            await at.put("/v1/segments/secret", SECRET)
            await at.put("/v1/traits/spent", SPENT)
            narrow = await at.key("profiles:read", fields=("city", "user_id"))
            told = await at.get("/v1/segments/secret/explain?person=user_id:anna", narrow)
            assert told["member"] is None
            assert (told["leaves"], told["joins"]) == (None, None)
            city, iban = told["rule"]["of"]
            assert (city["held"], city["value"]) == (True, "Bari")
            assert (iban["held"], iban["of"][0]["held"], iban["of"][0]["value"]) == (None, None, None)
            assert iban["of"][0]["hidden"] is True
            assert "DE1" not in str(told)
            bo = await at.get("/v1/segments/secret/explain?person=user_id:bo", narrow)
            assert bo["member"] is None or bo["rule"]["of"][0]["held"] is False
            assert (await at.ask("GET", "/v1/segments/secret/members", key=narrow))[0] == 403
            assert (await at.ask("GET", "/v1/traits/spent/values", key=narrow))[0] == 403
            hidden = await at.get("/v1/traits/spent/explain?person=user_id:anna", narrow)
            assert (hidden["value"], hidden["hidden"], hidden["events"]) == (None, True, [])
            granted = await at.key("profiles:read", fields=("city", "segments.secret"))
            told = await at.get("/v1/segments/secret/explain?person=user_id:anna", granted)
            assert told["member"] is True
            assert told["rule"]["of"][1]["held"] is None

    play(work())


def test_a_narrow_key_cannot_define_what_it_may_not_read(tmp_path: Path) -> None:
    async def work() -> None:
        async with door(tmp_path / "shop", NOW) as at:
            await filled(at)
            narrow = await at.key("profiles:read", "segments", fields=("city", "segments.secret"))
            for body in (SECRET, {"name": "N", "rule": {"kind": "not", "rule": SECRET["rule"]}}):
                assert (await at.ask("PUT", "/v1/segments/secret", body, narrow))[0] == 403
                assert (await at.ask("POST", "/v1/segments/check", {"id": "s", **body}, narrow))[0] == 403
            bundle = {"segments": [{"id": "secret", **SECRET}]}
            assert (await at.ask("POST", "/v1/rules/apply", bundle, narrow))[0] == 403
            local = {"name": "L", "rule": SECRET["rule"]["of"][0]}  # type: ignore[index]
            assert (await at.put("/v1/segments/local", local, narrow))["version"] == 1
            reader = await at.key("profiles:read")
            assert (await at.ask("PUT", "/v1/segments/buyers", BUYERS, reader))[0] == 403
            assert (await at.ask("GET", "/v1/segments", key=await at.key("decide")))[0] == 403

    play(work())


def test_a_check_says_the_reach_and_saves_nothing(tmp_path: Path) -> None:
    async def work() -> None:
        async with door(tmp_path / "shop", NOW) as at:
            await filled(at)
            _, told = await at.ask("POST", "/v1/segments/check", {"id": "buyers", **BUYERS})
            assert told["ok"] is True
            reach = told["reach"]
            assert (reach["people"], reach["sampled"], reach["matched"], reach["estimate"]) == (2, 2, 1, 1)
            assert (reach["low"], reach["high"]) == (1, 1), "everybody was asked"
            assert (await at.get("/v1/segments"))["data"] == []
            slow = {"id": "s", "name": "S", "rule": {"kind": "did", "event": "*", "measure": "distinct", "property": "x"}}  # fmt: skip
            _, told = await at.ask("POST", "/v1/segments/check", slow)
            assert told["runs"]["way"] == "lake"
            assert told["runs"]["reasons"]
            assert told["runs"]["costs"], "what reads without bound says so before it is saved"

    play(work())


def test_many_are_applied_together_or_not_at_all(tmp_path: Path) -> None:
    async def work() -> None:
        async with door(tmp_path / "shop", NOW) as at:
            bundle: dict[str, Any] = {
                "segments": [
                    {"id": "a", "name": "A", "rule": {"kind": "segment", "segment": "b"}},
                    {"id": "b", "name": "B", "rule": {"kind": "fact", "field": "computed.spent", "op": ">", "value": 9}},
                ],
                "traits": [{"id": "spent", **SPENT}],
            }  # fmt: skip
            status, dry = await at.ask("POST", "/v1/rules/apply", {**bundle, "dry": True})
            assert status == 200, dry
            assert [(r["id"], r["change"]) for r in dry["changes"]] == [
                ("spent", "new"),
                ("b", "new"),
                ("a", "new"),
            ]
            assert (await at.get("/v1/segments"))["data"] == []
            bad = {"id": "c", "name": "C", "rule": {"kind": "segment", "segment": "z"}}
            status, refused = await at.ask(
                "POST", "/v1/rules/apply", {**bundle, "segments": [*bundle["segments"], bad]}
            )
            assert status == 400
            assert refused["faults"][0]["path"] == "segment c: $.rule.segment"
            assert (await at.get("/v1/traits"))["data"] == []
            await at.ask("POST", "/v1/rules/apply", bundle)
            assert [row["id"] for row in (await at.get("/v1/segments"))["data"]] == ["a", "b"]
            _, again = await at.ask("POST", "/v1/rules/apply", bundle)
            assert {row["change"] for row in again["changes"]} == {"same"}
            bundle["segments"][0]["name"] = "Other"
            _, again = await at.ask("POST", "/v1/rules/apply", bundle)
            changed = [row for row in again["changes"] if row["change"] != "same"]
            assert [(r["id"], r["before"]["name"], r["after"]["name"], r["version"]) for r in changed] == [
                ("a", "A", "Other", 2)
            ]
            twice = {"segments": [bundle["segments"][1]] * 2}
            assert (await at.ask("POST", "/v1/rules/apply", twice))[0] == 400

    play(work())


def test_two_savers_at_once_make_two_versions(tmp_path: Path) -> None:
    async def work() -> None:
        async with door(tmp_path / "shop", NOW) as at:
            made = await asyncio.gather(
                *(at.put("/v1/segments/buyers", {**BUYERS, "name": f"B{n}"}) for n in range(8))
            )
            assert sorted(one["version"] for one in made) == list(range(1, 9))

    play(work())


def test_a_computed_trait_is_explained_with_its_events(tmp_path: Path) -> None:
    async def work() -> None:
        async with door(tmp_path / "shop", NOW) as at:
            await filled(at)
            await at.put("/v1/traits/spent", SPENT)
            told = await at.get("/v1/traits/spent/explain?person=user_id:anna")
            assert told["value"] == 30.5
            last = {"name": "Last order", "measure": {"event": "Order Completed", "measure": "last"}}
            await at.put("/v1/traits/last", last)
            await settled(at)
            told = await at.get("/v1/traits/last/explain?person=user_id:anna")
            assert told["value"] == _iso(NOW - 3 * DAY)
            assert (await at.get("/v1/profiles/user_id:anna"))["computed"]["last"] == told["value"]
            assert len(told["events"]) == 2
            assert told["more_events"] == 0

    play(work())


def test_members_come_by_an_event_and_go_by_time_alone(tmp_path: Path) -> None:
    async def work() -> None:
        async with door(tmp_path / "shop", NOW) as at:
            await filled(at)
            await at.put("/v1/segments/buyers", BUYERS)
            await at.put("/v1/traits/spent", SPENT)
            await settled(at)
            (anna,) = (await at.get("/v1/segments/buyers/members"))["data"]
            assert {"type": "user_id", "value": "anna"}.items() <= anna["identifiers"][0].items() or anna[
                "identifiers"
            ]
            assert (await at.get("/v1/profiles/user_id:anna/segments"))["data"][0]["id"] == "buyers"
            assert (await at.get("/v1/profiles/user_id:anna"))["computed"] == {"spent": 30.5}
            assert (await at.get("/v1/profiles/user_id:bo/segments"))["data"] == []
            before = _iso(at.backend.workspace.clock.now())
            await at.backend.step_clock(NOW + HOUR)
            position = await send(at.backend, "shop", [ordered("bo", NOW + HOUR)])
            assert (await at.get(f"/v1/profiles/user_id:bo/segments?after={position}"))["data"][0][
                "name"
            ] == "Buyers"
            page = await at.get("/v1/segments/buyers/members?limit=1")
            rest = await at.get(f"/v1/segments/buyers/members?limit=1&cursor={page['cursor']}")
            assert page["total"] == 2
            assert rest["cursor"] is None
            assert page["data"][0]["id"] < rest["data"][0]["id"]
            diff = await at.get(f"/v1/segments/buyers/diff?from={before}")
            assert (diff["entered_total"], diff["left_total"], diff["complete"]) == (1, 0, True)
            foretold = (await at.get("/v1/segments/buyers/explain?person=user_id:anna"))["leaves"]
            await at.backend.step_clock(NOW // DAY * DAY + DAY - 1)
            assert (await at.get("/v1/segments/buyers/members"))["total"] == 2
            await at.backend.step_clock(NOW // DAY * DAY + DAY)
            assert foretold == _iso(NOW // DAY * DAY + DAY)
            (bo,) = (await at.get("/v1/segments/buyers/members"))["data"]
            diff = await at.get(f"/v1/segments/buyers/diff?from={before}")
            assert [one["id"] for one in diff["entered"]] == [bo["id"]]
            assert [one["id"] for one in diff["left"]] == [anna["id"]]
            assert diff["left"][0]["cause"] == "time"
            values = await at.get("/v1/traits/spent/values?limit=1")
            more = await at.get(f"/v1/traits/spent/values?cursor={values['cursor']}")
            assert sorted(row["value"] for row in values["data"] + more["data"]) == [21, 30.5]
            explained = [
                await at.get(f"/v1/segments/buyers/explain?person=user_id:{who}") for who in ("anna", "bo")
            ]
            assert [one["member"] for one in explained] == [False, True]

    play(work())


def test_a_narrow_key_sees_the_segments_that_it_may_know_of(tmp_path: Path) -> None:
    async def work() -> None:
        async with door(tmp_path / "shop", NOW) as at:
            await filled(at)
            await at.put("/v1/segments/secret", SECRET)
            await at.put("/v1/segments/buyers", BUYERS)
            await at.put("/v1/traits/spent", SPENT)
            await settled(at)
            narrow = await at.key("profiles:read", fields=("city",), masked=("user_id",))
            seen = await at.get("/v1/profiles/user_id:anna/segments", narrow)
            assert ([row["id"] for row in seen["data"]], seen["hidden"]) == (["buyers"], 1)
            assert (await at.get("/v1/profiles/user_id:anna", narrow))["computed"] == {}
            (member,) = (await at.get("/v1/segments/buyers/members", narrow))["data"]
            assert "anna" not in str(member)
            granted = await at.key("profiles:read", fields=("city", "segments.*", "computed.spent"))
            seen = await at.get("/v1/profiles/user_id:anna/segments", granted)
            assert [row["id"] for row in seen["data"]] == ["buyers", "secret"]
            assert (await at.get("/v1/profiles/user_id:anna", granted))["computed"] == {"spent": 30.5}

    play(work())


def test_the_library_says_whether_its_data_is_there_and_is_taken_with_what_it_needs(tmp_path: Path) -> None:
    async def work() -> None:
        async with door(tmp_path / "shop", NOW) as at:
            await filled(at)
            rows = {row["id"]: row for row in (await at.get("/v1/library"))["data"]}
            assert len([row for row in rows.values() if row["kind"] == "segment"]) >= 20
            assert len([row for row in rows.values() if row["kind"] == "trait"]) >= 20
            assert rows["new-buyers"]["ready"] is True
            assert rows["complainers"]["missing"] == ["Complaint Opened"]
            assert not any(row["saved"] for row in rows.values())
            for name, row in rows.items():
                status, value = await at.ask("POST", f"/v1/library/{name}/use", {})
                assert status == 200, (name, value)
                assert value["sentence"], row
            assert (await at.ask("POST", "/v1/library/new-buyers/use", {"id": "fresh"}))[1]["id"] == "fresh"
            assert (await at.ask("POST", "/v1/library/no-such/use", {}))[0] == 404
            assert all(row["saved"] for row in (await at.get("/v1/library"))["data"])
            await settled(at)
            for row in (await at.get("/v1/segments"))["data"]:
                for who in ("anna", "bo"):
                    place = f"/v1/segments/{row['id']}/explain?person=user_id:{who}"
                    told = await at.get(place)
                    held = await at.get(f"/v1/profiles/user_id:{who}/segments")
                    if row["status"]["state"] == "live":
                        assert told["member"] is (row["id"] in [one["id"] for one in held["data"]]), row["id"]
            for row in (await at.get("/v1/traits"))["data"]:
                told = await at.get(f"/v1/traits/{row['id']}/explain?person=user_id:anna")
                profile = (await at.get("/v1/profiles/user_id:anna"))["computed"]
                if row["runs"]["way"] == "live":
                    assert told["value"] == profile.get(row["id"]), row["id"]

    play(work())


def test_the_schema_is_one_of_json_schema(tmp_path: Path) -> None:
    async def work() -> None:
        async with door(tmp_path / "shop", NOW) as at:
            for kind in ("segment", "trait", "condition", "rule"):
                found = await at.get(f"/v1/rules/schema?kind={kind}")
                assert found["$schema"].endswith("2020-12/schema")
            assert (await at.ask("GET", "/v1/rules/schema?kind=spell"))[0] == 400

    play(work())
