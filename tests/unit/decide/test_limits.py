"""The gates of the ledger, one by one: what each counts, and when it lets go."""

import pytest

from patron.decide.grants import RESERVED, Grant, add, close, mark
from patron.decide.limits import HELD, TIRED, TIRED_AFTER, Limits, Reach, cap_words, is_quiet
from patron.model.clock import DAY, HOUR, MINUTE
from patron.model.offers import Cap, Catalogue, Offer, Quiet
from patron.rules.calendar import Calendar

FAMILIES = {"tea": "hot", "chai": "hot", "mug": "cup"}
ROME = Calendar("Europe/Rome")
NOON = 1_774_778_400_000  # 29 March 2026, 12:00 in Rome: the day on which clocks went forward
TEA, MUG, FILTER = Offer("tea", "Tea"), Offer("mug", "Mug"), Offer("filter", "Filter")


def given(offer, ago, *, shown=True, channel="web", outbound=False, decision="d", **more):
    time = NOON - ago
    more = {"family": FAMILIES.get(offer, ""), "service": offer == "bill", **more}
    return Grant(decision, offer, time, channel, "p", outbound, time + RESERVED, time if shown else 0, **more)


def stops(offers, grants, *, caps=(), quiet=None, channel="web", outbound=False, now=NOON, **more):
    """Offer -> first gate and reason."""
    found = {}

    def stop(mask, gate, detail):
        for place, offer in enumerate(offers):
            if mask >> place & 1:
                found.setdefault(offer.id, (gate, detail))

    limits = Limits(Catalogue(tuple(offers), caps=tuple(caps), quiet=quiet))
    limits.sift(Reach(channel, outbound, grants, ROME, **more), now, stop)
    return found


def test_a_cap_over_all_offers_counts_them_together():
    cap = Cap("a", 2, hours=24)
    assert not stops([TEA, MUG], [given("tea", HOUR)], caps=[cap])
    both = stops([TEA, MUG], [given("tea", HOUR), given("mug", 2 * HOUR)], caps=[cap])
    assert both == {"tea": ("cap", 0), "mug": ("cap", 0)}


@pytest.mark.parametrize(("each", "stopped"), [("offer", {"tea"}), ("", {"tea", "mug"})])
def test_a_cap_on_each_offer_stops_that_one(each, stopped):
    cap = Cap("a", 1, hours=24, each=each)
    assert stops([TEA, MUG], [given("tea", HOUR)], caps=[cap]).keys() == stopped


def test_a_cap_on_each_family_and_of_named_families():
    coffee = [
        Offer("tea", "T", family="hot"),
        Offer("chai", "C", family="hot", valid_until=NOON),
        Offer("mug", "M", family="cup"),
    ]
    each = stops(coffee, [given("tea", HOUR)], caps=[Cap("a", 1, hours=24, each="family")])
    assert each == {"tea": ("cap", 0), "chai": ("held", 0)}
    named = stops(
        coffee, [given("tea", HOUR), given("mug", HOUR)], caps=[Cap("a", 1, hours=24, families=("cup",))]
    )
    assert named["mug"] == ("cap", 0)
    assert "tea" not in named


def test_a_cap_of_a_channel_counts_and_stops_there_alone():
    cap = Cap("a", 1, days=1, channels=("push",))
    pushed, shown = given("tea", HOUR, channel="push"), given("tea", HOUR, channel="web")
    assert stops([MUG], [pushed], caps=[cap], channel="push") == {"mug": ("cap", 0)}
    assert not stops([MUG], [pushed], caps=[cap], channel="web")
    assert not stops([MUG], [shown], caps=[cap], channel="push")


def test_a_cap_on_each_channel():
    cap = Cap("a", 1, hours=5, each="channel")
    assert not stops([MUG], [given("tea", HOUR, channel="push")], caps=[cap], channel="web")
    assert stops([MUG], [given("tea", HOUR, channel="push")], caps=[cap], channel="push") == {
        "mug": ("cap", 0)
    }


def test_a_cap_of_what_is_sent_passes_over_who_came_by_themselves():
    cap = Cap("a", 1, days=1, outbound=True)
    sent, seen = given("tea", HOUR, outbound=True), given("tea", HOUR)
    assert stops([MUG], [sent], caps=[cap], outbound=True) == {"mug": ("cap", 0)}
    assert not stops([MUG], [seen], caps=[cap], outbound=True)
    assert not stops([MUG], [sent], caps=[cap])


def test_a_calendar_day_begins_at_midnight_where_the_person_is_and_a_rolling_one_does_not():
    midnight = ROME.start(NOON)
    yesterday = NOON - midnight + MINUTE
    for cap, now in ((Cap("a", 1, days=1), False), (Cap("a", 1, hours=24), True)):
        assert bool(stops([TEA], [given("tea", yesterday)], caps=[cap])) is now
        assert stops([TEA], [given("tea", yesterday - 2 * MINUTE)], caps=[cap])
    assert stops([TEA], [given("tea", yesterday)], caps=[Cap("a", 1, days=2)])
    assert NOON - midnight == 11 * HOUR


def test_a_limit_of_none_stops_everybody():
    assert stops([TEA], [given("mug", HOUR)], caps=[Cap("a", 0, days=1)]) == {"tea": ("cap", 0)}


def test_what_was_reserved_and_never_shown_is_free_again():
    cap = Cap("a", 1, hours=24)
    assert stops([TEA], [given("tea", RESERVED - 1, shown=False)], caps=[cap])
    assert not stops([TEA], [given("tea", RESERVED, shown=False)], caps=[cap])


def test_service_passes_caps_and_complaints_and_does_not_count():
    bill = Offer("bill", "Bill", purpose="service")
    found = stops([TEA, bill], [given("bill", HOUR)], caps=[Cap("a", 1, hours=24)], complaint=True)
    assert found == {"tea": ("complaint", 0)}
    assert not stops([TEA, bill], [given("bill", HOUR)], caps=[Cap("a", 1, hours=24)])


def test_one_offer_of_a_family_is_held_over_all_channels_until_it_ends():
    warm = [Offer("tea", "T", family="hot"), Offer("chai", "C", family="hot"), MUG]
    assert stops(warm, [given("tea", HOUR, channel="app")], channel="pos") == {"chai": ("held", 0)}
    assert not stops(warm, [given("tea", HELD)])
    over = [Offer("tea", "T", family="hot", valid_until=NOON), *warm[1:]]
    assert not stops(over, [given("tea", HOUR)])


def test_when_people_merge_the_offer_given_last_goes_on():
    warm = [Offer("tea", "T", family="hot"), Offer("chai", "C", family="hot")]
    assert stops(warm, [given("tea", 2 * HOUR), given("chai", HOUR)]) == {"tea": ("held", 0)}


def test_used_in_one_channel_is_closed_in_all():
    warm = [Offer("tea", "T", family="hot"), Offer("chai", "C", family="hot"), MUG]
    grants = [given("tea", HOUR, shown=False)]
    assert close(grants, ["tea"], NOON - MINUTE * 50)
    assert stops(warm, grants) == {"tea": ("held", 1), "chai": ("held", 1)}
    alone = [given("mug", HOUR)]
    close(alone, ["mug"], NOON)
    assert stops(warm, alone) == {"mug": ("held", 1)}


def test_a_cool_down():
    rare = Offer("rare", "R", cooldown_hours=48)
    assert stops([rare, MUG], [given("rare", 47 * HOUR)]) == {"rare": ("cooldown", 0)}
    assert not stops([rare, MUG], [given("rare", 48 * HOUR)])


def test_who_ignores_an_offer_often_is_left_alone_with_it():
    often = [given("tea", n * HOUR) for n in range(1, TIRED_AFTER + 1)]
    assert stops([TEA, MUG], often) == {"tea": ("fatigue", 0)}
    assert not stops([TEA, MUG], often[1:])
    assert not stops([TEA, MUG], [*often[1:], given("tea", HOUR, clicked=NOON)])
    assert not stops([TEA, MUG], [*often[1:], given("tea", TIRED)])


@pytest.mark.parametrize(("zone", "minute"), [("Asia/Kolkata", 330), ("America/St_Johns", 1230)])
def test_quiet_hours_are_those_of_the_clock_on_the_wall(zone, minute):
    exact = Quiet(minute, minute + 1)
    assert is_quiet(exact, "push", Calendar(zone), 0)
    assert not is_quiet(exact, "push", Calendar(zone), MINUTE)
    assert not is_quiet(Quiet(minute, minute + 1, ("sms",)), "push", Calendar(zone), 0)


def test_quiet_hours_stop_what_is_sent_and_service_too():
    night, bill = Quiet(11 * 60, 13 * 60), Offer("bill", "Bill", purpose="service")
    assert stops([TEA, bill], [], quiet=night, outbound=True).keys() == {"tea", "bill"}
    assert not stops([TEA, bill], [], quiet=night)


def test_budgets_and_coupons_stop_all_offers_named():
    class Spent:
        sold_out, overspent, spent_today = 1, 2, 4

    found = stops([TEA, MUG, FILTER], [], spent=Spent())
    assert found == {"tea": ("sold_out", 0), "mug": ("budget", 0), "filter": ("budget", 1)}


def test_an_offer_that_left_the_catalogue_still_counts():
    assert stops([MUG], [given("gone", HOUR)], caps=[Cap("a", 1, hours=24)]) == {"mug": ("cap", 0)}
    assert not stops([MUG], [given("gone", HOUR)], caps=[Cap("a", 1, hours=24, each="offer")])


def test_a_node_forgets_what_is_old_and_what_was_never_shown():
    grants = add(
        [given("tea", 200 * DAY), given("mug", HOUR, shown=False), given("mug", DAY)],
        given("tea", 0, decision="new"),
    )
    assert [(one.offer, one.decision) for one in grants] == [("mug", "d"), ("tea", "new")]


def test_marks_keep_the_earliest_time_and_only_their_decision():
    grants = [given("tea", HOUR, shown=False, decision="a"), given("tea", HOUR, shown=False, decision="b")]
    assert mark(grants, "a", "clicked", 50)
    assert mark(grants, "a", "shown", 40)
    assert not mark(grants, "a", "shown", 60)
    assert (grants[0].shown, grants[0].clicked, grants[1].shown) == (40, 50, 0)


def test_caps_in_words():
    assert cap_words(Cap("a", 3, hours=1, outbound=True)) == "at most 3 sent in an hour"
