"""Deciding ahead: limits of the moment at which something is sent, what counts as given now, and who is held out from a send."""

import pytest

from patron.decide.distinct import Got, content_of, mix
from patron.decide.eligible import Known, sift
from patron.decide.encoding import decode_record, encode_drawn
from patron.decide.explain import restore, why_not
from patron.decide.grants import Grant
from patron.decide.habits import habit, is_open, ranked
from patron.decide.index import CatalogueIndex
from patron.decide.record import SENDING, Terms, grants_of, weigh
from patron.model.clock import DAY, HOUR, MINUTE
from patron.model.offers import Ahead, Ask, Cap, Catalogue, Offer, Placement, Quiet, Variant
from patron.rules.calendar import Calendar

NOON = 1_800_014_400_000
MAIL = Placement("mail", "Mail", channel="email", outbound=True)
TEA, MUG = (
    Offer("tea", "Tea", family="drinks"),
    Offer("mug", "Mug", purpose="service", valid_until=NOON + 2 * DAY),
)


def index_of(*caps: Cap, quiet: Quiet | None = None, tea: Offer = TEA) -> CatalogueIndex:
    return CatalogueIndex(Catalogue((tea, MUG), (MAIL,), caps, quiet))


def ask(at: int, **more: object) -> Ask:
    return Ask("mail", channel="email", ahead=Ahead(at, **more))  # type: ignore[arg-type]


def known(*grants: Grant) -> Known:
    return Known("user_id:7", "p_1", {}, identified="verified", grants=grants, zone=Calendar("Europe/Rome"))


def given(time: int, due: int = 0, until: int = 0) -> Grant:
    return Grant(
        "d_0", "tea", time, "email", "mail", True, until or time + 15 * MINUTE, due=due, family="drinks"
    )


def gates(index: CatalogueIndex, one: Ask, who: Known, now: int = NOON) -> dict[str, int]:
    return {gate: detail for gate, detail, mask in sift(index, one, who, now).stops if mask & 1}


def test_quiet_hours_and_validity_are_those_of_the_moment_it_is_sent() -> None:
    index = index_of(quiet=Quiet(21 * 60, 8 * 60))
    assert gates(index, ask(NOON + HOUR), known()) == {}
    assert gates(index, ask(NOON + 9 * HOUR), known()) == {"quiet": 0}
    assert gates(index, ask(NOON), known(), now=NOON + 9 * HOUR) == {}
    assert gates(index, ask(NOON, closed=True), known()) == {"quiet": 1}
    late = sift(index, ask(NOON + 3 * DAY), known(), NOON)
    assert ("validity", 1, 2) in late.stops


@pytest.mark.parametrize(
    ("grant", "at", "stopped"),
    [
        (given(NOON), NOON + HOUR, True),
        (given(NOON), NOON + DAY, False),
        (given(NOON, NOON + DAY, NOON + 2 * DAY), NOON + DAY, True),
        (given(NOON - DAY, NOON, NOON + DAY), NOON, True),
        (given(NOON - HOUR), NOON + HOUR, False),
    ],
    ids=("today", "tomorrow another day", "due tomorrow", "due today", "not shown in time"),
)
def test_a_cap_counts_what_is_due_on_the_day_of_the_message(grant: Grant, at: int, stopped: bool) -> None:
    index = index_of(Cap("one", 1, days=1))
    assert ("cap" in gates(index, ask(at), known(grant))) is stopped


def test_what_waits_to_be_shown_counts_although_it_will_have_ended_by_then() -> None:
    index = index_of(Cap("one", 1, hours=24))
    assert gates(index, ask(NOON + 2 * HOUR), known(given(NOON - MINUTE))) == {"cap": 0}


def test_who_asks_meanwhile_meets_what_is_still_to_be_sent() -> None:
    index = index_of(Cap("one", 1, hours=24))
    due = given(NOON - HOUR, NOON + 6 * HOUR, NOON + 30 * HOUR)
    assert gates(index, Ask("mail", channel="email"), known(due)) == {"cap": 0}
    resting = index_of(tea=Offer("tea", "Tea", cooldown_hours=24))
    assert gates(resting, Ask("mail", channel="email"), known(due)) == {"cooldown": 0}
    sent = given(NOON - 30 * HOUR, NOON - 2 * HOUR, NOON + 22 * HOUR)
    assert gates(resting, Ask("mail", channel="email"), known(sent)) == {"cooldown": 0}, (
        "it rests from when it was sent"
    )


def test_an_offer_that_is_not_sent_and_who_is_held_out_say_so_in_the_record() -> None:
    index = index_of()
    only = weigh(index, ask(NOON, offers=1), known(), Terms("d_1", 3, now=NOON))
    read = restore(decode_record(encode_drawn(only, index), index.ids), index)
    assert why_not(read, "mug") == "Dropped: Not among the offers of this send."
    out = weigh(index, ask(NOON, held=True), known(), Terms("d_2", 3, now=NOON))
    read = restore(decode_record(encode_drawn(out, index), index.ids), index)
    assert why_not(read, "tea") == "Dropped: This person is held out from this send."
    assert "mug" in read.eligible, "what serves them passes"


def test_what_is_sent_is_reserved_until_a_day_after_its_hour() -> None:
    index = CatalogueIndex(Catalogue((TEA,), (MAIL,)))
    due = NOON + 5 * HOUR
    made = next(
        one
        for seed in range(99)
        if (one := weigh(index, ask(due), known(), Terms("d", seed, now=NOON))).action == "tea"
    )
    (grant,) = grants_of(index, made, outbound=True, due=due)
    assert (grant.time, grant.due, grant.until) == (NOON, due, due + SENDING)
    assert made.expires == due + SENDING
    assert grant.counts(due + HOUR)
    assert not grant.counts(due + SENDING)


def test_habits_lead_to_the_hour_of_answers() -> None:
    slots = [(9, 900), (12, 1200), (19, 1900)]
    assert ranked(slots, habit([9, 9], [19])) == [(19, 1900), (9, 900), (12, 1200)]
    assert ranked(slots, None) == slots
    assert ranked(slots, habit([])) == slots
    assert habit([0])[23] == habit([0])[1] == 0.5
    assert [hour for hour in range(24) if is_open((22, 2), hour)] == [0, 1, 22, 23]


def test_content_that_differs_by_a_name_alone_is_the_same() -> None:
    offer = Offer(
        "a", "A", {"title": "Hi {first_name}", "lines": ["{{ city }}", 3]},
        variants=(Variant({"title": "Hi {nickname}"}, languages=("en",)), Variant({"title": "Ciao"}, languages=("it",))),
    )  # fmt: skip
    own, english, italian = (content_of(offer, "mail", tongue) for tongue in ("", "en", "it"))
    assert own[0] == english[0] != italian[0]
    assert own[1] == ("first_name", "city")
    got = Got("a", own[0], "email", 9)
    warned = mix({got: 5, got._replace(hour=10): 4}, own[1])
    assert warned.placeholders == ("first_name", "city")
    assert "varies only by {first_name}, {city}; only the hour (2) differ besides" in warned.sentence
    two = mix({got: 5, got._replace(content=italian[0]): 5}, own[1])
    assert (two.placeholders, round(two.effective, 9)) == ((), 2.0)
    assert mix({got: 1}).sentence == "One person gets exactly the same."
    assert mix({}).people == 0
