"""The live town: its pace, its asks, and that what is shown is the only difference between two answers."""

import collections
import datetime as dt
import json

import pytest

from patron.sim import AskDecision, Delivery, live, make_town
from patron.sim.alive.visits import Guest, basket, shown_category
from patron.sim.engine.state import needs
from patron.sim.luck import Dice
from patron.sim.messages import Pen
from patron.sim.telling.history import state_today
from patron.sim.telling.occasion import Occasion
from patron.sim.world.catalogue import CATEGORIES

TODAY = dt.date(2026, 11, 21)
START = 1_795_262_400_000
HOUR = 3_600_000


@pytest.fixture(scope="module")
def town():
    """A town of about 150 people."""
    return make_town(seed=7, today=TODAY, size=80)


def run(stream, until, answer):
    """Everything up to a time, with one answer to all asks."""
    items = []
    while True:
        item = next(stream)
        at = item.at if isinstance(item, AskDecision) else item.arrival_ms
        if at > until:
            return items
        items.append(item)
        if isinstance(item, AskDecision):
            stream.answer(item, answer(item) if answer else None)


def offer(ask):
    """An answer that shows coffee."""
    return {"decisionId": f"d-{ask.at}", "action": "house-blend", "content": {}}


def test_an_hour_keeps_the_rate_and_the_order(town):
    items = run(live(town, START, 5.0), START + HOUR // 2, offer)
    sent = [i for i in items if isinstance(i, Delivery)]
    asks = [i for i in items if isinstance(i, AskDecision)]
    # about 3,000 visits bring 3 (+-3) messages each: three standard errors are +-8 %
    assert 4.6 < len(sent) / 1800 < 5.4
    times = [i.at if isinstance(i, AskDecision) else i.arrival_ms for i in items]
    assert times == sorted(times)
    assert times[0] >= START
    channels = collections.Counter(d.source_name for d in sent)
    assert set(channels) == {"web", "app", "pos", "kiosk", "associate_tablet", "call_centre", "email"}
    assert {a.placement for a in asks} == {"web_home", "app_home", "kiosk_home", "till"}
    assert len(asks) > 300
    orders = [
        d.message["properties"]["order_id"] for d in sent if d.message.get("event") == "Order Completed"
    ]
    assert len(orders) > 200
    seen = {
        d.message["messageId"] for d in sent if any(i in json.dumps(d.message) for i in ("a.bianchi", "4471"))
    }
    assert len(seen) > 3


def test_messages_are_of_now_and_ids_do_not_repeat(town):
    sent = [i for i in run(live(town, START, 20.0), START + HOUR // 20, offer) if isinstance(i, Delivery)]
    copies = collections.Counter(d.message["messageId"] for d in sent)
    assert 0.002 < sum(n > 1 for n in copies.values()) / len(copies) < 0.03
    assert max(copies.values()) <= 2
    for d in sent:
        happened = dt.datetime.fromisoformat(d.message["timestamp"]).timestamp() * 1000
        assert d.arrival_ms - 10 * 60_000 <= happened <= d.arrival_ms
        assert d.message["sentAt"] >= d.message["timestamp"]
    later = [
        i for i in run(live(town, START + 1, 20.0), START + HOUR // 20, offer) if isinstance(i, Delivery)
    ]
    assert not set(copies) & {d.message["messageId"] for d in later}


def test_same_answers_same_bytes_and_offers_only_add(town):
    shown = run(live(town, START, 10.0), START + HOUR // 30, offer)
    again = run(live(town, START, 10.0), START + HOUR // 30, offer)
    nothing = run(
        live(town, START, 10.0), START + HOUR // 30, lambda _: {"decisionId": "d", "action": "nothing"}
    )
    unanswered = run(live(town, START, 10.0), START + HOUR // 30, None)
    assert shown == again
    assert nothing == unanswered
    reported = [
        i.message for i in shown if isinstance(i, Delivery) and i.message.get("event") == "Offer Shown"
    ]
    asked = [i for i in shown if isinstance(i, AskDecision)]
    assert 0 < len(asked) <= len(reported) * 1.1
    assert {m["properties"]["decision_id"] for m in reported} <= {f"d-{a.at}" for a in asked}
    assert not [i for i in nothing if isinstance(i, Delivery) and i.message.get("event") == "Offer Shown"]


def test_an_unread_ask_goes_on_by_itself(town):
    stream = live(town, START, 10.0)
    items = [next(stream) for _ in range(600)]
    asks = [i for i in items if isinstance(i, AskDecision)]
    assert asks
    with pytest.raises(ValueError, match="not open"):
        stream.answer(asks[0], None)


def test_what_is_shown_raises_buying_of_that_category_only(town):
    state, coffee = state_today(town), CATEGORIES.index("coffee")
    need = needs(town.parameters, town.people, state)
    gained = lost = 0
    for row in range(len(town.people)):

        def take(shown, row=row):
            pen, person = Pen(1, row, 0), town.who(row)
            who = Occasion(town.setting, town.noise, pen, Dice(9, row), person, town.home(row), town.days)
            guest = Guest(town, row, who, need[row], START, START // 86_400_000)
            basket(guest, "T", shown)
            return set(guest.bought)

        with_offer, without = take(coffee), take(None)
        assert with_offer - without <= {coffee}
        gained += len(with_offer - without)
        lost += len(without - with_offer)
    assert lost == 0
    assert gained > 2


def test_answers_name_categories_in_several_ways():
    assert shown_category({"action": "x", "content": {"category": "pet"}}, [0]) == CATEGORIES.index("pet")
    assert shown_category({"action": "burr-grinder"}, [0]) == CATEGORIES.index("machines")
    assert shown_category({"action": "descaling-kit", "content": {}}, [5]) == CATEGORIES.index("coffee")
    assert shown_category({"action": "come-back"}, [5]) == 5
    assert shown_category({"action": "nothing"}, [5]) is None
    assert shown_category(None, [5]) is None


def test_the_first_item_is_due_at_the_start_and_soon(town):
    assert START <= live(town, START, 5.0).due() < START + 5_000
    assert START <= live(town, START, 500.0).due() < START + 1_000


def test_after_a_pause_nothing_is_caught_up(town):
    stream = live(town, START, 10.0)
    for _ in range(50):
        next(stream)
    later = START + 5 * HOUR
    stream.resume(later)
    assert later <= stream.due() < later + 60_000
    item = next(i for i in stream if isinstance(i, Delivery))
    assert item.arrival_ms >= later
    assert item.message["sentAt"] >= "2026-11-21T17:00"


def test_a_rate_of_nothing_is_refused(town):
    with pytest.raises(ValueError, match="above 0"):
        live(town, START, 0.0)
