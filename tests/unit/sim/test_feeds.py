"""The files of other systems: same bytes for the same arguments, and they agree with what the events say."""

import csv
import datetime as dt
import json
from collections import Counter

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from patron.cli.main import main
from patron.model.clock import DAY, HOUR
from patron.sim.engine.shopping import busy, prices, shelves
from patron.sim.engine.state import Setting
from patron.sim.generation import feeds
from patron.sim.generation.folder import messages, read_manifest
from patron.sim.messages import iso
from patron.sim.telling import cast
from patron.sim.world.catalogue import CATEGORIES, SHELF
from patron.sim.world.geography import TOWN
from patron.sim.world.shops import EPOCH, STORES, local_midnight
from patron.sim.world.worlds import parameters

SEED, FIRST, DAYS = 1001, 20_500, 21


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    out = tmp_path_factory.mktemp("world") / "w"
    words = ["sim", "generate", "--size", "150", "--days", "30", "--seed", "1001", "--until", "2026-03-31"]
    done = CliRunner().invoke(main, [*words, "--out", str(out)])
    assert done.exit_code == 0, done.output
    return out


def setting(stock_fault=0.35, out_of_stock=0.03):
    given = parameters()
    pain = structs.replace(given.pain, stock_fault=stock_fault, out_of_stock=out_of_stock)
    places = structs.replace(TOWN, faults={3: "stock"})
    return Setting(SEED, structs.replace(given, pain=pain), places)


def out_of(n, day):
    return set(np.flatnonzero(~shelves(setting(), day)[n]).tolist())


def factors(seed):
    return lambda date: prices(structs.replace(setting(), seed=seed), date).tolist()


def busy_at(n, day):
    return float(busy(setting(), day)[n])


def nobody(days):
    """Nobody in any hour of the stores."""
    return np.zeros((len(STORES), days, 11), dtype=np.int64)


def everything():
    cities = [store.city for store in STORES]
    return {
        "weather": feeds.weather(SEED, cities, FIRST, DAYS),
        "stock": feeds.stock(SEED, STORES, FIRST, DAYS, out_of),
        "prices": feeds.prices(FIRST, DAYS, factors(SEED)),
        "footfall": feeds.footfall(SEED, STORES, FIRST, DAYS, nobody(DAYS)),
        "shifts": feeds.shifts(STORES, FIRST, DAYS, busy_at),
        "trainings": feeds.trainings(setting().staff, FIRST, 90),
        "campaigns_offline": feeds.campaigns_offline(SEED, cities, FIRST, 180),
        "ad_spend": feeds.ad_spend(SEED, [ad(k) for k in range(10)]),
    }


def ad(k, clicked=40, saw=60):
    return feeds.AdDay(
        day=FIRST + k, platform="ads_a", campaign="spring", ad=f"a{k % 3}", geo="IT", impressions=9_000,
        clicks=120, cost_cents=4_250, clicked_and_bought=clicked, saw_and_bought=saw,
    )  # fmt: skip


def read(path):
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_same_arguments_same_bytes_and_the_columns_of_7_6(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    for folder in ("a", "b"):
        for name, rows in everything().items():
            assert feeds.write_feed(tmp_path / folder, name, rows) > 0
    for name in everything():
        one, two = ((tmp_path / folder / f"{name}.csv").read_bytes() for folder in ("a", "b"))
        assert one == two
        assert b"\r" not in one
        rows = read(tmp_path / "a" / f"{name}.csv")
        assert tuple(rows[0]) == feeds.COLUMNS[name]
        assert None not in rows[0].values()


def test_every_order_paid_the_price_in_force(world):
    manifest = read_manifest(world)
    rows = feeds.prices(manifest.first - 7, manifest.days + 14, factors(manifest.seed))
    told = {}
    for since, product, country, _, full, price, promoted in rows:
        told.setdefault((product, country), []).append((since, full, price, promoted))
        assert (float(price) < float(full)) == bool(promoted)
    with (world / "truth" / "person_map.ndjson").open() as lines:
        planted = {row["messageId"] for row in map(json.loads, lines) if row["person"] in cast.DOSSIERS}
    checked = Counter()
    for message in (m for source in ("pos", "web", "app") for m in messages(world, source)):
        # the scenes of the guided people are written down with their prices
        if message.get("event") != "Order Completed" or message["messageId"] in planted:
            continue
        country = _country(message)
        at = dt.datetime.fromisoformat(message["timestamp"])
        offset = local_midnight(("IT", "ES", "GB").index(country), at.toordinal() - EPOCH.toordinal())
        local = at + dt.timedelta(milliseconds=-offset % DAY)
        # a session that begins before midnight may end after it: the basket keeps its prices
        dates = {local.date().isoformat(), (local - dt.timedelta(hours=1)).date().isoformat()}
        cheaper = message["properties"].get("coupon", "").partition("-")[2].lower()
        for line in message["properties"]["products"]:
            if cheaper and line["category"].startswith(cheaper):
                continue  # what a coupon is for costs less than the price in force
            rows = told[line["product_id"], country]
            in_force = [max(row for row in rows if row[0] <= date) for date in dates]
            assert f"{line['price']:.2f}" in {row[2] for row in in_force}
            checked[bool(in_force[0][3])] += 1
    assert checked[True] > 20
    assert checked[False] > 200


def _country(message):
    locale = message["context"].get("locale")
    store = message["properties"].get("store_id")
    return locale[-2:] if locale else next(s.country for s in STORES if s.id == store)


def test_what_is_out_has_none_left_and_what_is_back_has_some():
    left = {}
    by_day = {}
    for day, store, product, quantity, known in feeds.stock(SEED, STORES, FIRST, DAYS, out_of):
        assert known[:10] > day
        by_day.setdefault(day, []).append((store, product, quantity))
    where = {product.id: n for n, shelf in enumerate(SHELF) for product in shelf}
    empty = 0
    for day in range(DAYS):
        for store, product, quantity in by_day.get(feeds.date(FIRST + day), ()):
            left[store, product] = quantity
        for n, store in enumerate(STORES):
            for product, category in where.items():
                missing = category in out_of(n, day)
                assert (left[store.id, product] == 0) == missing
                empty += missing
    assert empty > 0


def test_gaps_come_at_their_rate():
    given = setting(stock_fault=0.2, out_of_stock=0.2)
    found = [(~shelf).sum() for day in range(170) for shelf in shelves(given, day)]
    n = len(found) * len(CATEGORIES)
    assert abs(sum(found) / n - 0.2) < 4 * (0.2 * 0.8 / n) ** 0.5


def test_doors_count_visitors_and_some_others():
    came = nobody(1)
    came[0] = 100
    rows = list(feeds.footfall(SEED, STORES, FIRST, 1, came))
    assert len(rows) == len(STORES) * 11
    busy = [count for store, _, count in rows if store == "S01"]
    quiet = [count for store, _, count in rows if store == "S02"]
    assert 100 < sum(busy) / 11 < 150
    assert 0 <= sum(quiet) < 11
    assert len(set(busy)) > 3


def test_hours_without_visitors_and_passers_by_count_nobody():
    rows = list(feeds.footfall(SEED, STORES[:1], FIRST, 1, nobody(1), passers_by=0.0))
    assert [count for *_, count in rows] == [0] * 11
    opens = local_midnight(0, FIRST) + 9 * HOUR
    assert rows[0][1] == iso(opens)


def test_somebody_works_at_every_store_every_day_and_has_days_off():
    rows = list(feeds.shifts(STORES, FIRST, 28, busy_at))
    assert {(store, day) for store, day, *_ in rows} == {
        (store.id, feeds.date(FIRST + day)) for store in STORES for day in range(28)
    }
    worked = Counter(row[2] for row in rows)
    assert len(worked) == sum(store.associates for store in STORES)
    assert set(worked.values()) == {20}
    for _, day, _, begins, ends, load in rows:
        assert day == begins[:10] < ends
        assert 0 <= float(load) <= 1


def test_the_load_of_a_shift_can_be_handed_in():
    rows = feeds.shifts(STORES[:2], FIRST, 2, busy=lambda store, day: 0.1 * store + 0.01 * day)
    assert {(row[0], row[1], row[5]) for row in rows} == {
        (store, feeds.date(FIRST + day), load)
        for store, day, load in (
            ("S01", 0, "0.000"),
            ("S01", 1, "0.010"),
            ("S02", 0, "0.100"),
            ("S02", 1, "0.110"),
        )
    }


def test_platforms_report_more_than_there_was_in_any_order():
    days = [ad(k) for k in range(300)]
    rows = list(feeds.ad_spend(SEED, days))
    reported = sum(row[-1] for row in rows)
    assert reported / (300 * 100) == pytest.approx(0.9 * 1.15, abs=0.01)
    assert reported > 300 * 40, "more than clicked: view-through is claimed"
    assert sorted(rows) == sorted(feeds.ad_spend(SEED, reversed(days)))
    assert [row[-1] for row in feeds.ad_spend(SEED, [ad(k, 0, 0) for k in range(20)])] == [0] * 20


@given(st.integers(0, 5_000), st.floats(0, 1))
def test_claims_stay_between_none_and_twice(claimed, share):
    ((*_, reported),) = feeds.ad_spend(SEED, [ad(1, claimed, 0)], duplicates=share, under_match=share)
    assert 0 <= reported <= 2 * claimed


def test_the_customer_file_is_what_the_crm_sent(world, tmp_path):
    sent = {m["messageId"]: m for m in messages(world, "crm") if m["type"] == "identify"}
    feeds.write_feed(tmp_path, "crm", feeds.crm(messages(world, "crm")))
    rows = read(tmp_path / "crm.csv")
    assert len(rows) == len(sent) > 100
    assert Counter(row["email"] for row in rows) == Counter(m["traits"]["email"] for m in sent.values())
    assert all(row["record"] or row["card"] for row in rows)


def test_hostile_names_come_back_as_they_were(tmp_path):
    evil = "O\"Hara, =1+1\n\N{RIGHT-TO-LEFT OVERRIDE};'"
    message = {"type": "identify", "messageId": "m", "timestamp": "t", "traits": {"firstName": evil}}
    feeds.write_feed(tmp_path, "crm", feeds.crm([message]))
    assert read(tmp_path / "crm.csv")[0]["first_name"] == evil


def test_campaigns_lie_in_the_days_told():
    rows = list(feeds.campaigns_offline(SEED, ["Bologna", "London"], FIRST, 365))
    assert 8 < len(rows) < 50
    assert len({row[0] for row in rows}) == len(rows)
    for _, kind, city, begins, ends, cost in rows:
        assert kind
        assert city in {"Bologna", "London"}
        assert feeds.date(FIRST) <= begins <= ends
        assert begins < feeds.date(FIRST + 365)
        assert float(cost) > 0


def test_everybody_is_trained_once_a_quarter_on_the_day_of_their_truth():
    staff = setting().staff
    rows = list(feeds.trainings(staff, FIRST, 90))
    assert sorted(row[2] for row in rows) == sorted(
        f"A-{store.id[1:]}-{k}" for store in staff.geography.stores for k in range(1, 1 + store.associates)
    )
    for day, store, name, _, known in rows:
        n, number = staff.geography.index[store], int(name.rpartition("-")[2]) - 1
        assert day == feeds.date(FIRST + int(staff.trained[n, number]))
        assert known > day
