"""Feeds from file to decision: stock stops offers in one store, weather is remembered as it was known, and replay has it all."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from patron.cli.main import main
from patron.feeds.kinds import KINDS
from patron.model.clock import DAY, HOUR
from patron.model.errors import BadRequest, NotFound
from patron.model.offers import Ask
from patron.runtime.backend import LocalBackend
from patron.runtime.create import create
from patron.runtime.serving.doors import private_door
from tests.flow.inprocess import play, running

NOW = 1_800_000_000_000  # 15 January 2027, 08:00 UTC
CATALOGUE = """
[[offer]]
id = "beans"
name = "Beans"
purpose = "service"
content = {sku = "P1"}

[[offer]]
id = "mug"
name = "Mug"
purpose = "service"
content = {product_id = "P2"}

[[offer]]
id = "clearance"
name = "Clearance"
purpose = "service"
content = {sku = "P3"}
conditions = [{field = "stock.quantity", op = ">=", value = 20}]

[[offer]]
id = "tasting"
name = "Hot drinks"
purpose = "service"
because = "It is {context.weather} outside, {context.weather.temp} degrees"
conditions = [{field = "context.weather", op = "in", value = ["rain", "snow"]}]

[[offer]]
id = "ferragosto"
name = "Holiday"
purpose = "service"
conditions = [{field = "context.calendar.holiday", op = "=", value = "Ferragosto"}]
"""
STOCK = [
    {"store": "S1", "product_id": "P1", "quantity": 4},
    {"store": "S2", "product_id": "P1", "quantity": 9},
    {"store": "S1", "product_id": "P3", "quantity": 25},
]
STORES = [
    {"store": "S1", "latitude": 44.4938, "longitude": 11.3387, "city": "Bologna", "country": "IT"},
    {"store": "S2", "latitude": 45.07, "longitude": 7.6869, "city": "Torino", "country": "IT"},
]


async def load(backend: LocalBackend, kind: str, rows: list[dict[str, Any]], **terms: Any) -> Any:
    return await backend.load_feed(kind, json.dumps({"rows": rows, **terms}).encode(), {}, "test")


async def ask(backend: LocalBackend, store: str | None = None, **context: Any) -> Any:
    """One decision for somebody new, as it is kept."""
    told = {**context, **({"store": store} if store else {})}
    made = await backend.decide(
        Ask("kiosk", user_id="u1", channel="kiosk", context=told), trusted=True, source=None, user_hash=""
    )
    return backend.decision(made["decisionId"]).decision


def test_stock_at_zero_in_one_store_stops_the_offer_there_and_nowhere_else(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path / "shop") as backend:
            await backend.set_catalogue(CATALOGUE)
            assert {"beans", "mug"} <= set((await ask(backend, "S1")).eligible)
            await load(backend, "stock", STOCK)
            assert "beans" in (await ask(backend, "S1")).eligible
            await backend.step_clock(NOW + HOUR)
            await load(backend, "stock", [{"store": "S1", "product_id": "P1", "quantity": 0}])
            here = await ask(backend, "S1")
            drop = next(d for d in here.dropped if d.offer == "beans")
            assert drop.gate == "stock"
            assert drop.reason == "Out of stock in this store: P1, 0 as known on 15 January 2027, 09:00 UTC"
            assert ("stock.quantity@P1", 0, NOW + HOUR) in here.used
            assert "mug" in here.eligible, "nobody counted it"
            for elsewhere in (await ask(backend, "S2"), await ask(backend), await ask(backend, "S9")):
                assert "beans" in elsewhere.eligible
            by_touchpoint = await ask(backend, touchpoint={"id": "k1", "kind": "kiosk", "store_id": "S1"})
            assert "beans" not in by_touchpoint.eligible
            await backend.step_clock(NOW + 2 * HOUR)
            await load(backend, "stock", [{"store": "S1", "product_id": "P1", "quantity": 3}])
            assert "beans" in (await ask(backend, "S1")).eligible
            # the old decision still says what was known when it was made
            assert ("stock.quantity@P1", 0, NOW + HOUR) in backend.decision(here.id).decision.used
            value = backend.feed_key("stock", "S1/P1", str(here.time), str(here.time))
            assert value.data[0].values == {"quantity": 0}

    play(story())


def test_a_condition_reads_the_stock_of_the_offers_own_product(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path / "shop") as backend:
            await backend.set_catalogue(CATALOGUE)
            await load(backend, "stock", STOCK)
            assert "clearance" in (await ask(backend, "S1")).eligible
            assert "clearance" not in (await ask(backend, "S2")).eligible, "nobody counted it there"
            await load(backend, "stock", [{"store": "S1", "product_id": "P3", "quantity": 19}])
            drop = next(d for d in (await ask(backend, "S1")).dropped if d.offer == "clearance")
            assert (drop.gate, drop.reason) == (
                "conditions",
                "Only when stock is at least 20 here and now",
            )

    play(story())


def test_stock_known_only_later_stops_an_offer_when_its_time_comes_without_any_load(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path / "shop") as backend:
            await backend.set_catalogue(CATALOGUE)
            later = {
                "store": "S1",
                "product_id": "P1",
                "quantity": 0,
                "day": NOW - DAY,
                "known_at": NOW + 5 * HOUR,
            }
            report = await load(backend, "stock", [*STOCK, later])
            assert (report.added, report.later) == (4, 1)
            assert "beans" in (await ask(backend, "S1")).eligible
            await backend.step_clock(NOW + 5 * HOUR - 1)
            assert "beans" in (await ask(backend, "S1")).eligible
            # it holds from yesterday; what was counted after it still stands
            await backend.step_clock(NOW + 5 * HOUR)
            assert "beans" in (await ask(backend, "S1")).eligible
            tomorrow = {**later, "day": NOW + 24 * HOUR, "known_at": NOW + HOUR}
            await load(backend, "stock", [tomorrow])
            assert "beans" in (await ask(backend, "S1")).eligible
            await backend.step_clock(NOW + 24 * HOUR)
            assert "beans" not in (await ask(backend, "S1")).eligible

    play(story())


def test_a_decision_keeps_the_weather_it_knew_though_the_feed_was_corrected(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path / "shop") as backend:
            await backend.set_catalogue(CATALOGUE)
            await load(backend, "stores", STORES)
            hour = NOW // HOUR * HOUR
            forecast = {"city": "Bologna", "hour": hour, "rain": 1.2, "temp": 7.5, "known_at": NOW - DAY}
            await load(backend, "weather", [forecast])
            wet = await ask(backend, "S1")
            assert "tasting" in wet.eligible
            assert ("context.weather", "rain", NOW - DAY) in wet.used
            assert "tasting" not in (await ask(backend, "S2")).eligible
            assert "tasting" in (await ask(backend, weather="snow")).eligible, "the touchpoint's own word"
            assert "tasting" not in (await ask(backend, "S1", weather="dry")).eligible
            await load(backend, "weather", [{**forecast, "rain": 0, "known_at": NOW}])
            assert "tasting" not in (await ask(backend, "S1")).eligible
            await backend.step_clock(NOW + 7 * DAY)
            again = backend.decision(wet.id).decision
            assert again.used == wet.used
            feeds = backend.workspace.feeds
            then = feeds.as_of("weather", "Bologna", wet.time, NOW - 1)
            best = feeds.as_of("weather", "Bologna", wet.time, backend.workspace.clock.now())
            assert then is not None
            assert best is not None
            assert (then.values, best.values) == ((1.2, 7.5), (0, 7.5))

    play(story())


def test_holidays_hold_where_they_are_and_while_they_last(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path / "shop") as backend:
            await backend.set_catalogue(CATALOGUE)
            await load(backend, "stores", [STORES[0], {**STORES[1], "country": "FR"}])
            day = {"scope": "IT", "kind": "holiday", "name": "Ferragosto", "from": "2027-01-15"}
            await load(backend, "calendar", [day])
            assert "ferragosto" in (await ask(backend, "S1")).eligible
            assert "ferragosto" not in (await ask(backend, "S2")).eligible
            await backend.step_clock(NOW + DAY)
            assert "ferragosto" not in (await ask(backend, "S1")).eligible

    play(story())


def test_replay_from_the_log_gives_the_same_feeds(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path / "shop") as backend:
            await load(backend, "stores", STORES)
            await load(backend, "stock", STOCK, file="a.csv")
            await load(backend, "stock", [{**STOCK[0], "quantity": 0}, {"store": "S1"}])
            found = await backend.verify_replay()
            assert found["equal"], found
            before = [(s.kind, s.keys, s.versions, s.last) for s in backend.feeds()]
        async with running(tmp_path / "shop") as again:
            assert [(s.kind, s.keys, s.versions, s.last) for s in again.feeds()] == before
            assert again.workspace.feeds.location_of("S2") == (45.07, 7.6869)
            assert again.workspace.feeds.location_of("S9") is None
            moved = {**STORES[0], "latitude": 44.5, "store": "a/b%2F"}
            await load(again, "stores", [moved, {**STORES[1], "latitude": 45.1}])
            assert again.workspace.feeds.locations() == {
                "S1": (44.4938, 11.3387),
                "S2": (45.1, 7.6869),
                "a/b%2F": (44.5, 11.3387),
            }

    play(story())


def test_the_same_again_changes_nothing_and_an_interrupted_load_is_seen(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path / "shop") as backend:
            first = await load(backend, "stock", STOCK[:2], more=True)
            status = next(s for s in backend.feeds() if s.kind == "stock")
            assert status.last is not None
            assert not status.last.ended
            await backend.step_clock(NOW + HOUR)
            rest = await load(backend, "stock", STOCK[2:], load=first.load)
            value = backend.feed_key("stock", "S1/P3", "", "")
            assert value.data[0].known_at == NOW, "a load is known as of its beginning"
            assert (rest.added, rest.unchanged) == (1, 0)
            whole = await load(backend, "stock", STOCK)
            assert (whole.added, whole.unchanged) == (0, 3)
            status = next(s for s in backend.feeds() if s.kind == "stock")
            assert (status.keys, status.versions) == (3, 3)
            with pytest.raises(BadRequest, match="no such load"):
                await load(backend, "stock", STOCK, load="1800000000000-00000000")
            with pytest.raises(BadRequest, match="one of stock"):
                await load(backend, "weather", [], load=first.load)

    play(story())


def test_a_dry_run_tells_and_does_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path / "shop") as backend:
            last = backend.workspace.log.last
            report = await load(
                backend, "stock", [*STOCK, STOCK[0], {"store": "S1"}], dry_run=True, numbers=[2, 3, 4, 5, 6]
            )
            assert (report.rows, report.added, report.unchanged, report.rejected) == (5, 3, 1, 1)
            assert {(r.row, r.column) for r in report.rejects} == {(6, "product_id"), (6, "quantity")}
            assert backend.workspace.log.last == last
            assert all(s.last is None for s in backend.feeds())
            with pytest.raises(NotFound, match="STORE/PRODUCT_ID"):
                backend.feed_key("stock", "S1/P1", "", "")

    play(story())


def test_bodies_of_every_shape_and_their_faults(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path / "shop") as backend:
            made = await backend.add_key("till", ["feeds"], ["*"], [], [])
            other = await backend.add_key("web", ["decide"], ["*"], [], [])
            transport = httpx.ASGITransport(private_door(backend, None))
            async with httpx.AsyncClient(transport=transport, base_url="http://patron") as client:

                async def post(kind: str, body: bytes, query: str = "", key: str = made) -> httpx.Response:
                    head = {"authorization": f"Bearer {key}"}
                    return await client.post(f"/v1/feeds/{kind}{query}", content=body, headers=head)

                csv = b"filiale;sku;quantity\nS1;P1;3\nS1;P2;drei\n"
                done = (await post("stock", csv, "?mapping=filiale=store&file=nacht.csv")).json()
                assert (done["added"], done["rejected"]) == (1, 1)
                assert done["rejects"][0]["row"] == 3
                lines = b'{"store": "S1", "product_id": "P4", "quantity": 1}\n{"store": "S1"}\n'
                assert (await post("stock", lines)).json()["added"] == 1
                bare = b'[{"store": "S1", "product_id": "P5", "quantity": 1}, 7]'
                done = (await post("stock", bare, "?dry_run=true")).json()
                assert (done["added"], done["rejected"], done["dry_run"]) == (1, 1, True)
                one = b'{"store": "S1", "product_id": "P6", "quantity": 1}'
                assert (await post("stock", one)).json()["added"] == 1
                table = b'{"columns": ["store", "product_id", "quantity"], "rows": [["S1", "P7", 2], ["S1"]]}'
                done = (await post("stock", table)).json()
                assert (done["added"], done["rejects"][0]["problem"]) == (1, "has 1 cells for 3 columns")
                for body, query, code in (
                    (b"shop,sku,quantity\nS1,P1,3\n", "", "bad_columns"),
                    (b"", "", "bad_file"),
                    (b"[1", "", "bad_body"),
                    (b'{"rows": 7}', "", "bad_body"),
                    (csv, "?format=xml", "bad_query"),
                    (csv, "?known_at=soon", "bad_time"),
                    (b'{"rows": [], "load": "../x"}', "", "bad_load"),
                ):
                    reply = await post("stock", body, query)
                    assert (reply.status_code, reply.json()["code"]) == (400, code), reply.text
                faults = (await post("stock", b"shop,sku,quantity\nS1,P1,3\n")).json()
                assert "--mapping shop=store" in faults["message"]
                assert (await post("stok", csv)).status_code == 404
                assert (await post("stock", csv, key=other)).status_code == 403
                head = {"authorization": f"Bearer {made}"}
                page = (await client.get("/v1/feeds/stock?limit=2", headers=head)).json()
                assert [v["key"] for v in page["data"]] == ["S1/P1", "S1/P4"]
                more = await client.get(f"/v1/feeds/stock?cursor={page['cursor']}", headers=head)
                assert [v["key"] for v in more.json()["data"]] == ["S1/P6", "S1/P7"]
                bad = await client.get("/v1/feeds/stock?key=S1/P1&at=yesterday", headers=head)
                assert bad.json()["code"] == "bad_query"
                kinds = (await client.get("/v1/feeds", headers=head)).json()["data"]
                assert {k["kind"] for k in kinds} == set(KINDS)
                assert kinds[0]["kind"] == "stock"

    play(story())


def test_a_large_load_keeps_nobody_waiting_and_is_in_parts_of_the_log(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path / "shop") as backend:
            await backend.set_catalogue(CATALOGUE)
            rows = [
                {"store": f"S{n % 50}", "product_id": f"P{n // 50}", "quantity": n % 7} for n in range(20_000)
            ]
            loading = asyncio.ensure_future(load(backend, "stock", rows))
            asked = 0
            while not loading.done():
                await ask(backend, "S1")
                asked += 1
            assert (await loading).added == 20_000
            assert asked > 5
            log = backend.workspace.log
            facts = [body for entry, body in log.read() if entry.kind == "fact" and b'"Feed Loaded"' in body]
            assert len(facts) > 3
            assert max(map(len, facts)) < 1 << 20

    play(story())


def test_the_feeds_of_the_simulator_load_without_a_reject(tmp_path: Path) -> None:
    runner, world, shop = CliRunner(), tmp_path / "world", tmp_path / "shop"
    done = runner.invoke(main, ["sim", "generate", "--size", "XS", "--days", "28", "--out", str(world)])
    assert done.exit_code == 0, done.output
    files = sorted(file for file in (world / "feeds").glob("*.csv") if file.stem != "crm")
    assert len(files) == 8

    async def story() -> None:
        async with running(shop) as backend:
            for file in files:
                report = await backend.load_feed(file.stem, file.read_bytes(), {}, "test")
                lines = len(file.read_text("utf-8").splitlines()) - 1
                assert (report.rows, report.added, report.rejected) == (lines, lines, 0), report.rejects[:3]
                assert not report.ignored
            with pytest.raises(NotFound, match="personal data"):
                await backend.load_feed("crm", (world / "feeds" / "crm.csv").read_bytes(), {}, "test")

    play(story())
    again = runner.invoke(main, ["feed", "load", str(world / "feeds" / "weather.csv"), "--data", str(shop)])
    assert again.exit_code == 0, again.output
    assert "12,096 rows, 0 new, 12,096 known already" in again.output


def test_the_command_line_writes_what_it_rejects_and_shows_what_holds(tmp_path: Path) -> None:
    shop, file = tmp_path / "shop", tmp_path / "menge.csv"
    create(shop)
    file.write_text("store,sku,quantity,shelf\nS1,P1,3,a\nS1,P2,=1+1,b\nS1,P3\nS1,P4,4,c\n", "utf-8")

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(main, ["feed", *arguments, "--data", str(shop)])

    dry = run("load", str(file), "--kind", "stock", "--dry-run")
    assert dry.exit_code == 2
    assert "4 rows, 2 would be new, 0 known already, 2 rejected." in dry.output
    assert "Passed over: shelf" in dry.output
    done = run("load", str(file), "--kind", "stock", "--known-at", "2026-05-04T10:00:00Z")
    assert "2 new" in done.output
    lines = (tmp_path / "menge.csv.rejects.csv").read_text("utf-8").splitlines()
    assert lines[0] == "row,column,problem,hint,value"
    assert lines[1].startswith("3,quantity,`=1+1` is no number")
    assert lines[1].endswith(",'=1+1"), "a spreadsheet must not run it"
    assert lines[2].startswith('4,,"has 2 cells')
    assert "2026-05-04 10:00" in run("show", "stock", "S1/P4").output
    assert "Nothing holds" in run("show", "stock", "S1/P4", "--known", "2026-05-03").output
    assert "menge.csv: 2 new, 2 rejected" in run("list").output
    assert run("show", "stock", "S9/P1").exit_code == 3
    assert "Say what menge.csv holds" in run("load", str(file)).output
