"""Every kind of rule on small histories: the words of docs/rules.md, one by one."""

from fractions import Fraction

import pytest

from patron.model.clock import DAY, HOUR
from patron.model.events import ConsentClaim, Event
from patron.rules.calendar import Calendar
from patron.rules.evaluate import computed, evaluate, measured
from patron.rules.history import History, history_of
from patron.rules.tree import (
    AllOf,
    AnyOf,
    Bucket,
    Computed,
    Consented,
    Did,
    Fact,
    Member,
    Not,
    Sequence,
    Step,
    Use,
    Where,
    Window,
)

ROME = Calendar("Europe/Rome")
NOON = 1_772_362_800_000
"""Sunday 1 March 2026, 12:00 in Rome."""


def event(name="Order Completed", time=NOON, mid=None, **fields):
    fields = {"channel": "web", "source": "shop", "type": "track", **fields}
    event.n += 1
    return Event(
        position=event.n, name=name, message_id=mid or f"m{event.n}", time=time, received=time, **fields
    )


event.n = 0


def holds(rule, *events, now=NOON, calendar=ROME, **more):
    history = history_of(events, "p_1", stores=more.pop("stores", None))
    return evaluate(
        rule,
        History(**{**{f: getattr(history, f) for f in history.__struct_fields__}, **more}),
        now,
        calendar,
    )


def value(did, *events, now=NOON):
    return measured(did, history_of(events, "p_1"), now, ROME)


class TestWindows:
    def test_days_hold_today_and_those_before(self):
        bought = event()
        rule = Did("Order Completed", within=Window(days=10))
        tenth = NOON + 9 * DAY + 12 * HOUR - 1
        assert holds(rule, bought, now=tenth)
        assert not holds(rule, bought, now=tenth + 1)

    def test_a_day_of_23_hours_is_a_day(self):
        before = 1_774_738_800_000  # 29 March 2026, 0:00 in Rome; clocks go forward at 2:00
        rule = Did("Order Completed", within=Window(days=1))
        assert holds(rule, event(time=before), now=before + 23 * HOUR - 1)
        assert not holds(rule, event(time=before), now=before + 23 * HOUR)

    def test_hours_are_clock_hours(self):
        rule = Did("Order Completed", within=Window(hours=2))
        assert holds(rule, event(time=NOON), now=NOON + 2 * HOUR - 1)
        assert not holds(rule, event(time=NOON + HOUR - 1), now=NOON + 2 * HOUR)

    def test_the_hour_of_now_counts_whole_and_no_later_one(self):
        rule = Did("Order Completed")
        assert holds(rule, event(time=NOON + HOUR - 1))
        assert not holds(rule, event(time=NOON + HOUR))

    def test_a_half_hour_zone_begins_its_day_at_half_past(self):
        india = Calendar("Asia/Kolkata")  # 00:00 there is 18:30 UTC; the UTC hour 18 begins at 23:30
        midnight = 1_772_303_400_000
        rule = Did("Order Completed", within=Window(days=1))
        assert not holds(rule, event(time=midnight), now=midnight + HOUR, calendar=india)
        assert holds(rule, event(time=midnight + HOUR // 2), now=midnight + HOUR, calendar=india)


class TestMeasures:
    def test_numbers_are_exact_and_other_values_passed_over(self):
        events = [event(properties={"revenue": v}) for v in (0.1, "0.20", "1e3", None, True, [1], 2e9, 0.2)]
        did = Did("Order Completed", measure="sum", property="revenue")
        assert value(did, *events) == Fraction(1, 2)
        assert holds(Did("Order Completed", "=", 0.5, "sum", "revenue"), *events)

    def test_an_average_is_compared_without_rounding(self):
        events = [event(properties={"x": v}) for v in (0, 0, 1)]
        assert holds(Did("Order Completed", ">", 0.333333, "average", "x"), *events)
        assert not holds(Did("Order Completed", "=", 0.333333, "average", "x"), *events)
        trait = Computed("a", "A", Did("Order Completed", measure="average", property="x"))
        assert computed(trait, history_of(events, "p_1"), NOON, ROME) == 0.333333

    @pytest.mark.parametrize(("measure", "nothing"), [("count", 0), ("sum", 0), ("distinct", 0), ("average", None),
                                                      ("min", None), ("max", None), ("most_frequent", None), ("first", None), ("last", None)])  # fmt: skip
    def test_of_nothing(self, measure, nothing):
        did = Did("Order Completed", "!=", 7, measure, "x")
        assert value(did) == nothing
        assert holds(did) is (nothing is not None)
        assert holds(Did("Order Completed", "missing", None, measure, "x")) is (nothing is None)

    def test_ties_go_to_the_greatest_text(self):
        events = [
            event(properties={"c": v}) for v in ("tea", "milk", 7, "7", 7.0, True, "x" * 201, "tea", "milk")
        ]
        assert value(Did("Order Completed", measure="most_frequent", property="c"), *events) == "7"
        assert value(Did("Order Completed", measure="distinct", property="c"), *events) == 4
        assert value(Did("Order Completed", measure="most_frequent", property="c"), *events[:2]) == "tea"

    def test_first_and_last_are_calendar_days(self):
        events = [event(time=NOON - 12 * HOUR - 1), event(time=NOON - 40 * DAY)]
        assert value(Did("Order Completed", measure="last"), *events) == 1
        assert value(Did("Order Completed", measure="first"), *events) == 40

    def test_measures_read_other_fields_too(self):
        events = [event(channel=c) for c in ("web", "pos", "pos")]
        assert value(Did("*", measure="distinct", property="channel"), *events) == 2
        assert value(Did("*", measure="most_frequent", property="weekday"), *events) == "7"

    def test_every_item_of_a_list_counts(self):
        goods = [
            {"category": "tea", "quantity": 2},
            {"category": "milk", "quantity": "1"},
            {"category": "tea"},
            7,
        ]
        events = [event(properties={"products": goods}), event(properties={"products": "none"})]
        assert value(Did("*", measure="most_frequent", property="products[].category"), *events) == "tea"
        assert value(Did("*", measure="distinct", property="properties.products[].category"), *events) == 2
        assert value(Did("*", measure="sum", property="products[].quantity"), *events) == 3
        assert value(Did("*", measure="distinct", property="products[]"), *events) == 1
        assert holds(Did("*", where=(Where("properties.products[].category", "has", "milk"),)), *events)
        assert not holds(Did("*", where=(Where("properties.products[].category", "has", "oats"),)), *events)

    def test_a_ratio_has_no_value_over_nothing(self):
        trait = Computed("r", "R", Did("Order Returned"), per=Did("Order Completed"))
        history = history_of([event(), event(), event("Order Returned")], "p_1")
        assert computed(trait, history, NOON, ROME) == 0.5
        assert computed(trait, history_of([event("Order Returned")], "p_1"), NOON, ROME) is None


class TestFilters:
    @pytest.mark.parametrize(
        ("where", "expected"),
        [
            (Where("properties.category", "=", "tea"), True),
            (Where("properties.price.net", ">", 2), True),
            (Where("properties.tags", "has", "new"), True),
            (Where("properties.tags", "=", "new"), False),
            (Where("properties.tags", "!=", "new"), False),
            (Where("properties.tags", "exists"), True),
            (Where("properties.absent", "!=", 1), False),
            (Where("properties.absent", "missing"), True),
            (Where("properties.category", "!=", 7), True),
            (Where("properties.category", ">", 7), False),
            (Where("channel", "in", ["web", "app"]), True),
            (Where("store", "=", "S1"), True),
            (Where("touchpoint", "missing"), True),
            (Where("account", "missing"), True),
            (Where("weekday", "in", [6, 7]), True),
            (Where("hour", "=", 12), True),
            (Where("place", "near", {"lat": 44.5, "lon": 11.3, "km": 10}), True),
            (Where("place", "near", {"lat": 45.5, "lon": 9.2, "km": 100}), False),
        ],
    )
    def test_one_filter(self, where, expected):
        told = {"category": "tea", "price": {"net": 2.5}, "tags": ["new"]}
        one = event(properties=told, store="S1")
        assert holds(Did("Order Completed", where=(where,)), one, stores={"S1": (44.49, 11.34)}) is expected

    def test_an_events_own_place_counts_too(self):
        near = Where("place", "near", {"lat": 0, "lon": 0, "km": 1})
        assert holds(Did("*", where=(near,)), event(properties={"latitude": 0.001, "longitude": 0}))
        assert not holds(Did("*", where=(near,)), event(properties={"latitude": "0.001", "longitude": 0}))
        assert not holds(Did("*", where=(near,)), event())


class TestSequences:
    RULE = Sequence((Step("A"), Step("B"), Step("A")), limit=Window(hours=1))

    def test_in_order_within_the_limit(self):
        times = (NOON - HOUR, NOON - HOUR + 5, NOON)
        assert holds(self.RULE, *map(event, "ABA", times))
        assert not holds(self.RULE, *map(event, "ABA", (NOON - HOUR - 1, NOON - HOUR + 5, NOON)))
        assert not holds(self.RULE, *map(event, "AAB", times))

    def test_a_later_start_may_hold_where_the_first_does_not(self):
        times = (NOON - 9 * HOUR, NOON - 3, NOON - 2, NOON - 1)
        assert holds(self.RULE, *map(event, "AABA", times))

    def test_one_event_is_one_step(self):
        assert not holds(Sequence((Step("A"), Step("A"))), event("A"))

    def test_events_of_one_time_stand_by_their_id(self):
        rule = Sequence((Step("A"), Step("B")))
        pairs = [(event("A", mid=f"a{i}"), event("B", mid=f"b{i}")) for i in range(20)]
        outcomes = {holds(rule, *pair) for pair in pairs}
        assert outcomes == {True, False}
        assert all(holds(rule, a, b) == holds(rule, b, a) for a, b in pairs)

    def test_all_of_it_within_the_window(self):
        rule = Sequence((Step("A"), Step("B")), within=Window(days=1))
        assert not holds(rule, event("A", NOON - DAY), event("B"))
        assert holds(rule, event("A", NOON - HOUR), event("B"))


class TestFacts:
    def test_traits_by_last_write(self):
        wrote = event(
            "Identified", NOON, type="identify", traits={"city": "Bari", "address": {"zip": "70121"}}
        )
        again = event("Identified", NOON - 1, type="identify", traits={"city": "Turin", "vip": True})
        gone = event("Identified", NOON, type="identify", traits={"vip": None})
        assert holds(Fact("traits.city", "=", "Bari"), wrote, again)
        assert holds(Fact("traits.address.zip", "starts_with", "701"), wrote)
        assert holds(Fact("traits.vip", "missing"), again, gone)

    def test_traits_of_a_refusing_event_do_not_count_unless_reduced(self):
        no = (ConsentClaim("collection", False),)
        refused = event("Identified", type="identify", traits={"city": "Bari"}, consents=no)
        reduced = event("Identified", type="identify", traits={"city": "Bari"}, consents=no, reduced=True)
        assert holds(Fact("traits.city", "missing"), refused)
        assert holds(Fact("traits.city", "exists"), reduced)

    def test_the_traits_of_a_group_call_are_the_accounts(self):
        call = event(
            "Grouped",
            type="group",
            group_id="g",
            traits={"plan": "gold"},
            context={"traits": {"city": "Bari"}},
        )
        assert history_of([call], "p_1").traits == {"city": "Bari"}
        assert history_of([call], "g", account=True).traits == {"plan": "gold"}

    @pytest.mark.parametrize(
        ("op", "days", "date", "expected"),
        [
            ("in_last", 1, "2026-03-01", True),
            ("in_last", 2, "2026-02-28T23:59:59Z", True),
            ("in_last", 1, "2026-02-28", False),
            ("in_last", 5, "2026-03-02", False),
            ("in_next", 2, "2026-03-02", True),
            ("in_next", 1, "2026-03-02", False),
            ("in_next", 9, "2026-02-28", False),
            ("in_next", 9, "soon", False),
        ],
    )
    def test_dates(self, op, days, date, expected):
        wrote = event("Identified", type="identify", traits={"due": date})
        assert holds(Fact("traits.due", op, days), wrote) is expected

    def test_computed_and_scores_are_asked_for(self):
        assert holds(Fact("computed.orders", ">=", 2), computed={"orders": 2}.get)
        assert holds(Fact("scores.churn", "<", 0.5), scores={"churn": 0.25}.get)
        assert not holds(Fact("scores.churn", "<", 0.5))


class TestTheRest:
    def test_groups_and_members(self):
        yes, no = Member("in"), Member("out")
        member = {"in"}.__contains__
        assert holds(AllOf((yes, Not(no))), member=member)
        assert not holds(AllOf((yes, no)), member=member)
        assert holds(AnyOf((no, yes)), member=member)
        assert not holds(Not(yes), member=member)

    def test_consent_never_asked_is_neither(self):
        yes, no = Consented("ads", "email"), Consented("ads", "email", False)
        assert not holds(yes)
        assert not holds(no)
        said = event(consents=(ConsentClaim("ads", True), ConsentClaim("ads", False, "email")))
        assert holds(no, said)
        assert holds(Consented("ads", "sms"), said)

    def test_buckets_share_all_subjects_out(self):
        thirds = [Bucket("s", i / 3, (i + 1) / 3) for i in range(3)]
        people = [History(f"p_{i}") for i in range(900)]
        shares = [sum(evaluate(b, p, NOON, ROME) for p in people) for b in thirds]
        assert sum(shares) == 900
        assert all(240 < share < 360 for share in shares)

    def test_a_condition_left_open_is_a_fault_of_the_caller(self):
        with pytest.raises(ValueError, match="resolve"):
            holds(Use("regular"))
