"""People change what the shop may do; surveys, reviews and complaints are told; larger shops carry more goods."""

import datetime as dt
from collections import Counter

import numpy as np
import pytest

from patron.sim import make_town
from patron.sim.engine.day import Plan
from patron.sim.engine.minds import PURPOSES
from patron.sim.messages import Message
from patron.sim.telling.history import arrivals, days
from patron.sim.town import Town
from patron.sim.world.catalogue import SHELF, Assortment

TODAY = dt.date(2026, 4, 1)


@pytest.fixture(scope="module")
def lived() -> tuple[Town, list[Plan]]:
    """A town of 3,000 people for two months."""
    town = make_town(1_001, TODAY, "S", 60)
    return town, list(days(town))


@pytest.fixture(scope="module")
def told() -> list[Message]:
    """What 600 households tell in two months."""
    return [told.message for _, _, told in arrivals(make_town(1_001, TODAY, 600, 60))]


def test_each_consent_changes_at_its_rate(lived: tuple[Town, list[Plan]]) -> None:
    town, plans = lived
    here = (town.people.listed & ~town.people.prospect).sum() * 60 / 30
    changed = Counter(k for plan in plans for k in plan.changes.purpose.tolist())
    assert set(changed) == set(range(len(PURPOSES)))
    for k in changed:
        # some have left by then, and some newcomers are there
        assert abs(changed[k] / here - 0.02) < 0.004


def test_what_is_taken_back_stays_so_until_it_is_given_again(lived: tuple[Town, list[Plan]]) -> None:
    _, plans = lived
    stands = dict[tuple[int, int], bool]()
    for plan in plans:
        for row, k, granted in zip(
            plan.changes.rows.tolist(),
            plan.changes.purpose.tolist(),
            plan.changes.granted.tolist(),
            strict=True,
        ):
            before = stands.get((row, k))
            assert before is None or before != granted or k != 1, "letters and SMS end by their footer, too"
            stands[row, k] = granted
            if k == 1:
                assert plan.consents.profiled[row] == granted
    assert any(stands.values())
    assert not all(stands.values())


def test_log_ins_say_what_was_agreed_to_since(told: list[Message]) -> None:
    taken = {
        message["userId"]: message["timestamp"]
        for message in told
        if message.get("event") == "Consent Changed"
        and message["properties"]["purpose"] == "sms_marketing"
        and not message["properties"]["granted"]
        and "userId" in message
    }
    given = {
        message["userId"]
        for message in told
        if message.get("event") == "Consent Changed"
        and message["properties"].get("purpose") == "sms_marketing"
        and message["properties"]["granted"]
        and "userId" in message
    }
    asked = 0
    for message in told:
        said = message["context"].get("consent", {}).get("categoryPreferences", {})
        who = message.get("userId")
        changed = message["type"] == "identify" and "sms_marketing" in said and who in taken.keys() - given
        # a day's log-ins tell what stood at its end
        if changed and message["timestamp"][:10] >= taken[who][:10]:
            asked += 1
            assert said["sms_marketing"] is False
    assert asked > 3


def test_trouble_is_heard(told: list[Message]) -> None:
    scores: dict[bool, list[int]] = {False: [], True: []}
    for message in told:
        if message.get("event") == "Survey Answered":
            said = message["properties"]
            scores[said["moment"] == "app_checkout"].append(said["score"])
    assert len(scores[False]) > 50
    assert 3.5 < np.mean(scores[False]) < 4.6
    assert all(1 <= score <= 5 for found in scores.values() for score in found)
    events = Counter(message.get("event") for message in told)
    assert events["Complaint Opened"] >= events["Complaint Closed"] > 0
    assert 0 < events["Review Submitted"] < events["Message Sent"]


def test_larger_shops_carry_the_same_goods_in_more_lines() -> None:
    small, large = Assortment(10), Assortment(200)
    assert small.shelves == SHELF
    assert [shelf[:10] for shelf in large.shelves] == list(SHELF)
    assert {len(shelf) for shelf in large.shelves} == {200}
    every = [product for shelf in large.shelves for product in shelf]
    assert len({product.id for product in every}) == len({product.name for product in every}) == 2_400
    assert all(product.eur > 0 and product.gbp > 0 for product in every)
