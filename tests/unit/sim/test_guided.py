"""Every story that the demo tells is true in the town that it loads."""

import datetime as dt
from collections import Counter

import pytest

from patron.model.guide import Story
from patron.sim import history, make_town
from patron.sim.guide.guided import gaming, planted, slow
from patron.sim.guide.witness import Witness
from patron.sim.messages import Message
from patron.sim.telling import cast
from patron.sim.town import Town

TODAY = dt.date(2026, 11, 21)
AGAIN = "patron sim generate --size XS --seed 7 --until 2026-11-20 --out world"


@pytest.fixture(scope="module")
def town() -> Town:
    """The town of the demo."""
    return make_town(seed=7, today=TODAY)


@pytest.fixture(scope="module")
def witness(town: Town) -> Witness:
    """Who saw all of it."""
    found = Witness()
    found.sent = [delivery.message for delivery in found.watch(history(town))]  # type: ignore[attr-defined]
    return found


@pytest.fixture(scope="module")
def sent(witness: Witness) -> list[Message]:
    """Everything that was sent."""
    return list(witness.sent)  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def stories(town: Town, witness: Witness) -> dict[str, Story]:
    """What the page tells."""
    return {story.id: story for story in planted(town, witness, AGAIN)}


def known(message: Message) -> dict[str, str]:
    """The identifiers that a message names."""
    return {one["type"]: one["id"] for one in message["context"].get("externalIds", ())}


def when(message: Message) -> int:
    """The day of a message."""
    return (dt.date.fromisoformat(message["timestamp"][:10]) - dt.date(1970, 1, 1)).days


def test_all_are_told_and_no_title_names_anybody(stories: dict[str, Story]) -> None:
    assert list(stories) == ["wrong-merge", "pick-up", "gaming", "lapsed", "tablet", "served"]
    names = {part for one in cast.DOSSIERS.values() for part in (one.given, one.family)}
    for story in stories.values():
        texts = [story.title, story.question, story.answer, *(look.label for look in story.looks)]
        assert not {name for name in names for text in texts if name in text}, "people stand in slots"
        assert "{" not in story.title
        assert {look.person for look in story.looks if look.person} <= story.people.keys()


def test_one_entry_puts_a_neighbour_s_card_on_an_account(town: Town, sent: list[Message]) -> None:
    anna, marta = cast.DOSSIERS[cast.ANNA], cast.DOSSIERS[cast.MARTA]
    both = [m for m in sent if known(m).get("card") == marta.card and known(m).get("email") == anna.email]
    assert {m["context"]["channel"] for m in both} == {"call_centre"}
    assert {when(m) for m in both} == {town.until + 1 - 8}
    assert len({m["messageId"] for m in both}) == 1
    assert sorted(anna.card or "") == sorted(marta.card or ""), "two digits the other way round"
    food = {
        m["messageId"]
        for m in sent
        if m.get("event") == "Order Completed"
        and any("Cat food" in line["name"] for line in m["properties"]["products"])
        and known(m).get("card") in {anna.card, marta.card}
    }
    cards = {known(m)["card"] for m in sent if m["messageId"] in food}
    assert len(food) >= 8
    assert cards == {marta.card}


def test_pick_ups_are_given_up_where_the_story_says_and_nowhere_else(
    town: Town, sent: list[Message], stories: dict[str, Story]
) -> None:
    (store,) = slow(town)
    assert f"{store.name} ({store.id})" in stories["pick-up"].answer
    ends: dict[str, Message] = {
        m["messageId"]: m
        for m in sent
        if m.get("event") in {"Reservation Abandoned", "Reservation Collected"}
    }
    given_up = Counter(m["properties"]["store_id"] for m in ends.values() if m["event"].endswith("Abandoned"))
    all_here = sum(m["properties"]["store_id"] == store.id for m in ends.values())
    assert set(given_up) == {store.id}
    figures = stories["pick-up"].figures
    assert figures[0] == (f"Given up at {store.id}", f"{given_up[store.id]} of {all_here}")
    assert figures[2] == ("Given up at all other stores", f"0 of {len(ends) - all_here}")
    minutes = [
        m["properties"]["wait_minutes"] for m in ends.values() if m["properties"]["store_id"] == store.id
    ]
    assert figures[1][1] == f"{sum(minutes) / len(minutes):.0f} minutes"
    assert min(minutes) > max(
        m["properties"]["wait_minutes"] for m in ends.values() if m["properties"]["store_id"] != store.id
    )
    orders = {f"order_id:{m['properties']['order_id']}": m["event"] for m in ends.values()}
    for slot, who in stories["pick-up"].people.items():
        assert orders[who] == f"Reservation {'Abandoned' if slot.startswith('gave') else 'Collected'}"


def test_noted_customers_were_not_in_the_store(
    town: Town, sent: list[Message], witness: Witness, stories: dict[str, Story]
) -> None:
    there = gaming(town)
    assert there
    assert all(name in stories["gaming"].answer for name in there)
    unseen = {name: missed for name, (missed, _) in witness.unseen().items()}
    assert min(unseen[name] for name in there) > 2 * max(n for name, n in unseen.items() if name not in there)
    at_till = {(known(m).get("card"), when(m)) for m in sent if m["context"]["channel"] in {"pos", "kiosk"}}
    people = stories["gaming"].people
    assert len(people) == 3
    for who in people.values():
        card = who.removeprefix("card:")
        days = [
            when(m)
            for m in sent
            if m.get("event") == "Associate Contacted"
            and m["properties"]["associate_id"] in there
            and known(m).get("card") == card
        ]
        assert any((card, day) not in at_till for day in days)


def test_a_regular_stopped_and_only_letters_went_on(town: Town, sent: list[Message]) -> None:
    hannah = cast.DOSSIERS[cast.HANNAH]
    ids = {hannah.email, hannah.phone, hannah.card, hannah.user_id, *(cookie.id for cookie in hannah.cookies)}
    mine = [m for m in sent if {m.get("userId"), m.get("anonymousId"), *known(m).values()} & ids]
    end = town.until + 1
    bought = sorted({when(m) for m in mine if m.get("event") == "Order Completed"})
    assert len(bought) >= 5
    assert bought[-1] < end - cast.LAST_SEEN + 1
    later = [m for m in mine if when(m) > end - cast.LAST_SEEN + 1]
    assert later
    assert {m["context"]["channel"] for m in later} <= {"email", "sms"}
    assert max(map(when, later)) >= end - 8, "the last event is recent all the same"


def test_a_tablet_saw_three_accounts(sent: list[Message]) -> None:
    tablet = cast.DOSSIERS[cast.CARMEN].cookies[0].id
    assert len({m["userId"] for m in sent if m.get("anonymousId") == tablet and m.get("userId")}) == 3


def test_answered_letters_are_those_of_the_associate(sent: list[Message], stories: dict[str, Story]) -> None:
    email = cast.DOSSIERS[cast.LUCA].email
    by_mail = [m for m in sent if m["context"]["channel"] == "email"]
    replies = [m for m in by_mail if m.get("event") == "Message Replied"]
    assert sum(m.get("event") == "Message Sent" for m in by_mail) > 2_000
    assert len(replies) >= 2
    assert {known(m).get("email") for m in replies} == {email}, "nobody else answers"
    (who,) = {m["properties"]["associate_id"] for m in replies}
    assert who in stories["served"].answer


def test_a_part_of_the_town_tells_only_what_it_holds(town: Town) -> None:
    only = make_town(seed=7, today=TODAY, only=[cast.HANNAH])
    told = Witness()
    assert [story.id for story in planted(only, told)] == ["lapsed"]
