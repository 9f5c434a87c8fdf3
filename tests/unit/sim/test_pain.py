"""What is planted stands in the events: slow pick-ups, an app that cannot pay, coupons that a till refuses."""

import datetime as dt
from collections import Counter

import pytest

from patron.sim import make_town
from patron.sim.engine.state import STORE
from patron.sim.luck import Dice
from patron.sim.messages import Message, Pen
from patron.sim.telling.history import arrivals, days
from patron.sim.telling.occasion import Occasion
from patron.sim.telling.pain import coupon_denied
from patron.sim.world.shops import COUNTRIES, STORES

TODAY = dt.date(2026, 4, 1)


@pytest.fixture(scope="module")
def told() -> list[Message]:
    """A third of a year of some households among 24 stores."""
    town = make_town(1_001, TODAY, "S", 120)
    some = town.people.ids[town.people.ids < 4 * 450].tolist()
    return [told.message for _, _, told in arrivals(make_town(1_001, TODAY, "S", 120, only=some))]


def test_pick_ups_are_collected_but_in_slow_stores_a_third_is_left(told: list[Message]) -> None:
    fates: Counter[tuple[bool, str]] = Counter()
    waits = []
    for message in told:
        name = message.get("event", "")
        if name in {"Reservation Collected", "Reservation Abandoned"}:
            said = message["properties"]
            slow = said["store_id"] in {"S03", "S11", "S27"}
            fates[slow, name] += 1
            waits.append((slow, said["wait_minutes"]))
    assert fates[False, "Reservation Abandoned"] == 0
    slow = fates[True, "Reservation Abandoned"] + fates[True, "Reservation Collected"]
    share, error = fates[True, "Reservation Abandoned"] / slow, (0.35 * 0.65 / slow) ** 0.5
    assert abs(share - 0.35) < 4 * error
    assert min(wait for slow, wait in waits if slow) > max(wait for slow, wait in waits if not slow)


def test_one_version_of_the_app_cannot_pay(told: list[Message]) -> None:
    failed = [message for message in told if message.get("event") == "Checkout Failed"]
    assert failed
    assert {message["context"]["app"]["version"] for message in failed} == {"4.2.0"}
    others = {
        message["context"]["app"]["version"]
        for message in told
        if message.get("event") == "Order Completed" and "app" in message["context"]
    }
    assert len(others) > 1


def test_offers_are_cheaper_with_their_coupon(told: list[Message]) -> None:
    orders = [m["properties"] for m in told if m.get("event") == "Order Completed"]
    redeemed = [order for order in orders if "coupon" in order]
    assert redeemed
    for order in redeemed:
        begins = order["coupon"].partition("-")[2].lower()
        assert any(line["category"].startswith(begins) for line in order["products"])


def test_one_country_refuses_one_coupon_in_eight() -> None:
    town = make_town(1_001, TODAY, "S", 150)
    denied, taken = Counter[str](), Counter[str]()
    for plan in days(town):
        here = plan.shoppers.channel == STORE
        for counted, found in ((denied, plan.denied >= 0), (taken, plan.offered.any(axis=1))):
            rows = plan.shoppers.rows[here & found]
            counted.update(COUNTRIES[k].code for k in town.people.country[rows].tolist())
    assert set(denied) == {"ES"}
    asked = denied["ES"] + taken["ES"]
    assert asked > 20
    assert abs(denied["ES"] / asked - 0.12) < 4 * (0.12 * 0.88 / asked) ** 0.5


def test_a_refused_coupon_says_whose_visit_it_was() -> None:
    town = make_town(1_001, TODAY, "S", 1)
    row = next(row for row in range(len(town.people)) if town.who(row).card is None)
    who = Occasion(town.setting, town.noise, Pen(7, 12, 3), Dice(7, 12, 3), town.who(row), STORES[2], 3)
    coupon_denied(who, 1_770_000_000_000, "C2900-COFF")
    (told,) = who.pen.told
    assert told.message["context"]["touchpoint"]["visit_id"].startswith("v-")
    assert "externalIds" not in told.message["context"]


def test_appointments_are_booked_before_they_are_kept(told: list[Message]) -> None:
    booked = {
        m["properties"]["appointment_id"]: m["timestamp"]
        for m in told
        if m.get("event") == "Appointment Booked"
    }
    kept = [m for m in told if m.get("event") == "Appointment Kept"]
    assert kept
    for message in kept:
        assert booked.get(message["properties"]["appointment_id"], "") < message["timestamp"]
