"""The catalogue of a running workspace: loaded, refused, versioned, kept over restarts, and told over HTTP to whom it may be."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from patron.decide.example import CATALOGUE_TOML
from patron.model.errors import BadRequest, Busy, Conflict, NotFound
from patron.model.offers import Ask
from patron.runtime.create import CATALOGUE_FILE
from tests.flow.inprocess import running, send, source
from tests.flow.serving import bearer, request
from tests.flow.shop import Shop

TEA = '[[offer]]\nid = "tea"\nname = "Tea"\ncontent = { title = "Tea" }\n'
TILL = '[[placement]]\nid = "till"\nname = "Till receipt"\nneeds = ["title"]\n'
MUG = '[[offer]]\nid = "mug"\nname = "Mug"\n'
NOW = 1_800_000_000_000


def run(work: Any) -> Any:
    return asyncio.run(work)


def test_a_loaded_catalogue_outlives_a_restart_and_a_replay_has_every_version(tmp_path: Path) -> None:
    async def work() -> None:
        async with running(tmp_path / "shop", now=NOW) as backend:
            first = backend.offers.shown()
            assert (first["by"], first["version"]) == ("edited catalogue.toml", backend.answers.index.version)
            await backend.set_catalogue(TEA, "giulia")
            made = await backend.decide(Ask("till", user_id="u"), trusted=True, source=None, user_hash="")
            await backend.step_clock(NOW + 60_000)
            await backend.set_catalogue(
                TEA + TILL + "\r\n# a comment\r\n", "marco", backend.offers.shown()["version"]
            )
            before = backend.offers.versions()
            assert [row["by"] for row in before] == ["marco", "giulia", "edited catalogue.toml"]
            assert [row["placements"] for row in before[:2]] == [1, 0]
            assert before[0]["since"] == before[1]["until"] == "2027-01-15T08:01:00.000Z"
            assert (await backend.verify_replay())["equal"]
            decision = made["decisionId"]
        async with running(tmp_path / "shop", now=NOW) as backend:
            assert backend.offers.versions() == before, "a start takes up nothing that is in force"
            assert backend.offers.text == TEA + TILL + "\n# a comment\n"
            assert (tmp_path / "shop" / CATALOGUE_FILE).read_bytes() == backend.offers.text.encode()
            old = backend.decision(decision)
            assert old.decision.catalogue == before[1]["version"]
            assert set(old.decision.candidates) == {"tea", "nothing"}

    run(work())


def test_an_edited_file_is_taken_up_at_the_next_start_and_a_faulty_one_ends_it(tmp_path: Path) -> None:
    file = tmp_path / "shop" / CATALOGUE_FILE

    async def work() -> None:
        async with running(tmp_path / "shop", now=NOW):
            pass
        file.write_text(TEA, "utf-8")
        async with running(tmp_path / "shop", now=NOW) as backend:
            assert [row["by"] for row in backend.offers.versions()] == ["edited catalogue.toml"] * 2
            assert len(backend.offers.shown()["offers"]) == 1
        for bad, words in (("placements = [3]", "a list of names"), ('segments = ["nobody"]', "no segment")):
            file.write_text(MUG + bad, "utf-8")
            with pytest.raises(BadRequest, match=words):
                async with running(tmp_path / "shop", now=NOW):
                    pass
        file.write_bytes(b"\xff\xfe")
        with pytest.raises(Exception, match="not UTF-8"):
            async with running(tmp_path / "shop", now=NOW):
                pass

    run(work())


def test_a_load_that_the_log_does_not_take_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work() -> None:
        async with running(tmp_path / "shop", now=NOW) as backend:
            before = backend.offers.shown()

            async def full(_name: str, _data: object) -> int:
                raise Busy("disk_full", "The disk is full.")

            with monkeypatch.context() as patch:
                patch.setattr(backend.app, "record", full)
                with pytest.raises(Busy):
                    await backend.set_catalogue(TEA)
            assert backend.offers.shown() == before
            assert (tmp_path / "shop" / CATALOGUE_FILE).read_text("utf-8") == before["text"]

    run(work())


def test_a_crash_between_the_file_and_the_log_is_an_edited_file(tmp_path: Path) -> None:
    """A load writes the file before the log: whichever of both a crash leaves behind, no older catalogue comes back."""

    async def work() -> None:
        async with running(tmp_path / "shop", now=NOW) as backend:
            await backend.set_catalogue(MUG)
        (tmp_path / "shop" / CATALOGUE_FILE).write_text(
            TEA, "utf-8"
        )  # as a load leaves it that was killed there
        async with running(tmp_path / "shop", now=NOW) as backend:
            assert [one["id"] for one in backend.offers.shown()["offers"]] == ["tea"]

    run(work())


def test_a_file_that_lies_elsewhere_stays_where_it_is_with_its_rights(tmp_path: Path) -> None:
    async def work() -> None:
        async with running(tmp_path / "shop", now=NOW):
            pass
        place, own = tmp_path / "kept-in-git.toml", tmp_path / "shop" / CATALOGUE_FILE
        own.rename(place)
        place.chmod(0o664)
        own.symlink_to(place)
        async with running(tmp_path / "shop", now=NOW) as backend:
            await backend.set_catalogue(TEA)
        assert own.is_symlink()
        assert place.read_text("utf-8") == TEA
        assert place.stat().st_mode & 0o777 == 0o664

    run(work())


def test_two_who_edit_at_once_do_not_write_over_each_other(tmp_path: Path) -> None:
    async def work() -> None:
        async with running(tmp_path / "shop", now=NOW) as backend:
            based_on = backend.offers.shown()["version"]
            loads = (backend.set_catalogue(text, "x", based_on) for text in (TEA, MUG))
            done = await asyncio.gather(*loads, return_exceptions=True)
            assert [type(one) for one in done] == [dict, Conflict]
            assert backend.offers.text == TEA
            assert "this was written over" in str(done[1])

    run(work())


def test_a_segment_that_offers_name_has_to_be_there_and_stays(tmp_path: Path) -> None:
    vip = {"id": "vip", "name": "VIP", "rule": {"kind": "did", "event": "Order Completed"}}

    async def work() -> None:
        async with running(tmp_path / "shop", now=NOW) as backend:
            with pytest.raises(BadRequest, match="there is no segment `vip`"):
                await backend.set_catalogue(_with_segment())
            await backend.rules.save("segment", "vip", vip, "anna")
            await backend.set_catalogue(_with_segment())
            with pytest.raises(Conflict, match="offer tea uses it"):
                await backend.rules.remove("segment", "vip", "anna")
            await backend.set_catalogue(TEA)
            await backend.rules.remove("segment", "vip", "anna")

    run(work())


def _with_segment() -> str:
    return '[[offer]]\nid = "tea"\nname = "Tea"\nsegments = ["vip"]\n'


def test_a_dry_run_and_a_difference_tell_the_same(tmp_path: Path) -> None:
    async def work() -> None:
        async with running(tmp_path / "shop", now=NOW) as backend:
            await source(backend, "web")
            await send(backend, "web", [{"type": "track", "event": "X", "userId": "u", "messageId": "m"}])
            before = backend.offers.shown()["version"]
            trial = backend.offers.tried(TEA + TILL)
            assert backend.offers.shown()["version"] == before
            await backend.set_catalogue(TEA + TILL)
            assert backend.offers.shown()["version"] == trial.version
            found = backend.offers.difference(before, trial.version)
            assert tuple(found["changes"]["offers"]["added"]) == trial.changes.offers.added == ("tea",)
            assert tuple(found["changes"]["placements"]["removed"]) == trial.changes.placements.removed
            with pytest.raises(NotFound, match="There never was a catalogue"):
                backend.offers.difference(before, "nothing")
            with pytest.raises(BadRequest, match="at most 4,000,000 characters"):
                backend.offers.tried("#" * 4_000_001)

    run(work())


# --- over HTTP ---------------------------------------------------------------------------------------------------------


def call(shop: Shop, method: str, path: str, body: object = None, key: str = "") -> Any:
    content = None if body is None else json.dumps(body)
    return request(method, f"{shop.server.url}{path}", content, bearer(key or shop.server.admin), timeout=30)


def test_the_api_tries_loads_and_tells_versions(shop: Shop) -> None:
    held = call(shop, "GET", "/v1/catalogue").json()
    assert held["text"] == CATALOGUE_TOML
    assert len(held["offers"]) == 8
    assert held["quiet"]["start"] == 21 * 60
    bad = call(shop, "PUT", "/v1/catalogue?dry=true", {"text": TEA + TILL + "slots = 0\ncolour = 1\n"}).json()
    assert (bad["ok"], bad["loaded"], bad["version"]) == (False, False, "")
    assert [(one["path"], one["line"]) for one in bad["faults"]] == [
        ("placement[0].slots", 9),
        ("placement[0].colour", 10),
    ]
    refused = call(shop, "PUT", "/v1/catalogue", {"text": TEA + TILL + "slots = 0\n"})
    assert (refused.status, refused.json()["code"]) == (400, "bad_catalogue")
    assert refused.json()["faults"][0]["path"] == "placement[0].slots"
    assert call(shop, "GET", "/v1/catalogue").json() == held
    good = call(shop, "PUT", "/v1/catalogue?dry=true", {"text": CATALOGUE_TOML + "\n" + TEA}).json()
    assert good["changes"]["offers"] == {"added": ["tea"], "changed": [], "removed": []}
    stale = call(shop, "PUT", "/v1/catalogue", {"text": TEA, "based_on": "000000000000"})
    assert (stale.status, stale.json()["code"]) == (409, "catalogue_changed")
    done = call(
        shop, "PUT", "/v1/catalogue", {"text": CATALOGUE_TOML + "\n" + TEA, "based_on": held["version"]}
    ).json()
    assert (done["ok"], done["loaded"], done["version"]) == (True, True, good["version"])
    rows = call(shop, "GET", "/v1/catalogue/versions").json()["data"]
    assert [row["version"] for row in rows[:2]] == [good["version"], held["version"]]
    found = call(shop, "GET", f"/v1/catalogue/diff?from={held['version']}").json()
    assert found["changes"]["offers"]["added"] == ["tea"]
    assert call(shop, "GET", f"/v1/catalogue/versions/{held['version']}").json()["text"] == CATALOGUE_TOML
    assert call(shop, "GET", "/v1/admin/catalogue").json() == call(shop, "GET", "/v1/catalogue").json()
    call(shop, "PUT", "/v1/catalogue", {"text": CATALOGUE_TOML})


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/catalogue/versions/absent", 404, "unknown_version"),
        ("/v1/catalogue/diff?from=absent", 404, "unknown_version"),
        ("/v1/catalogue/diff", 400, "bad_query"),
        ("/v1/catalogue/versions/%00", 404, "unknown_version"),
    ],
)
def test_what_is_not_there_is_said(shop: Shop, path: str, status: int, code: str) -> None:
    reply = call(shop, "GET", path)
    assert (reply.status, reply.json()["code"]) == (status, code)


def test_a_dry_run_is_asked_for_in_words_that_exist(shop: Shop) -> None:
    assert call(shop, "PUT", "/v1/catalogue?dry=yes", {"text": TEA}).status == 400
    assert call(shop, "PUT", "/v1/catalogue", {"txt": TEA}).status == 400
    assert call(shop, "PUT", "/v1/catalogue", {"text": 3}).status == 400


def test_a_touchpoint_may_know_the_placements_and_no_more(shop: Shop) -> None:
    key = call(shop, "POST", "/v1/admin/keys", {"name": "till-software", "scopes": ["decide"]}).json()["key"]
    rows = call(shop, "GET", "/v1/placements", key=key).json()["data"]
    assert {row["id"]: row["offers"] for row in rows}["app_push"] == ["come-back"]
    assert {row["id"]: row["fallback"] for row in rows}["kiosk_home"] == "coffee-for-hello"
    for path in ("/v1/catalogue", "/v1/catalogue/versions", "/v1/catalogue/diff?from=x"):
        assert call(shop, "GET", path, key=key).status == 403
    assert call(shop, "PUT", "/v1/catalogue", {"text": TEA}, key=key).status == 403
    assert request("GET", f"{shop.server.url}/v1/placements").status == 401


def test_the_pages_stand_over_a_real_server(shop: Shop) -> None:
    base = "/console/decisions/catalogue"
    for path in (
        base,
        f"{base}/edit",
        f"{base}/versions",
        f"{base}/offers/descaling-kit",
        "/console/decisions/placements",
    ):
        assert shop.console.get(path).status_code == 200, path
    answer = shop.submit(f"{base}/edit", text=CATALOGUE_TOML + "\n" + TEA, act="load")
    assert answer.status_code == 303
    rows = call(shop, "GET", "/v1/catalogue/versions").json()["data"]
    assert rows[0]["by"] == "giulia"
    assert shop.submit(f"{base}/restore", version=rows[1]["version"]).status_code == 303
    assert call(shop, "GET", "/v1/catalogue").json()["version"] == rows[1]["version"]
    assert shop.console.get(f"{base}/versions/{rows[0]['version']}").status_code == 200
