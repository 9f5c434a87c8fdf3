"""One person and the clock: what enters by an event leaves by time alone, at the minute it should."""

import pytest

from patron.model.clock import HOUR
from patron.model.events import ConsentClaim
from patron.rules.tree import AllOf, Computed, Did, Member, Not, Rule, Segment, Window
from patron.segments import tally
from patron.segments.tally import MOST
from tests.property.segments.test_live_is_the_reference import DAWN, Trial

DAY = 24 * HOUR
NOTHING = Computed("t", "T", Did("Nothing"))


def _trial(*rules: Rule, zone: str = "UTC") -> Trial:
    return Trial([Segment(f"s{n}", "S", rule) for n, rule in enumerate(rules)], NOTHING, zone)


def _moves(trial: Trial) -> list[tuple[str, bool, int, str]]:
    moves = trial.live.reach.moves(trial.plan.names)
    return [(one.segment, one.entered, (one.time - DAWN) // HOUR, one.cause) for one in moves]


def test_who_bought_in_the_last_ten_days_leaves_as_the_eleventh_begins():
    trial = _trial(Did("Order Completed", within=Window(days=10)))
    trial.clock(15 * HOUR, sweep=True)
    trial.event("user_id:1", "Order Completed", 0, {}, {}, ())
    for _ in range(12):
        trial.clock(DAY, sweep=True)
        trial.check()
    assert _moves(trial) == [("s0", True, 15, "event"), ("s0", False, 240, "time")]


def test_a_read_finds_what_was_not_swept():
    trial = _trial(Did("Order Completed", within=Window(hours=2)), Did("*", ">=", 2, "last"))
    trial.event("user_id:1", "Order Completed", 0, {}, {}, ())
    trial.clock(2 * HOUR, sweep=False)
    trial.check()
    trial.clock(2 * DAY, sweep=False)
    trial.check()
    assert _moves(trial)[-2:] == [("s0", False, 2, "time"), ("s1", True, 50, "time")]


def test_several_windows_each_leave_by_themselves():
    trial = _trial(*(Did("*", ">=", 2, within=Window(days=days)) for days in (1, 2, 5)))
    trial.event("user_id:1", "Page Viewed", 0, {}, {}, ())
    trial.event("anonymous_id:a", "Page Viewed", 0, {}, {}, ())
    trial.merge("user_id:1", "anonymous_id:a")
    for _ in range(7):
        trial.clock(DAY, sweep=True)
        trial.check()
    left = [(segment, hour // 24) for segment, entered, hour, _ in _moves(trial) if not entered]
    assert left == [("s0", 1), ("s1", 2), ("s2", 5)]


def test_a_change_of_clocks_moves_the_hour_at_which_days_begin():
    trial = _trial(Did("Order Completed", within=Window(days=1)), zone="Europe/Rome")
    trial.clock(20 * HOUR, sweep=True)  # 28 March, 21:00 in Rome
    trial.event("user_id:1", "Order Completed", 0, {}, {}, ())
    trial.clock(10 * HOUR, sweep=True)
    trial.event("user_id:1", "Order Completed", 0, {}, {}, ())
    trial.clock(2 * DAY, sweep=True)
    assert [hour for _, entered, hour, _ in _moves(trial) if not entered] == [23, 46]


def test_a_late_event_counts_in_the_windows_that_hold_it_only():
    trial = _trial(
        Did("*", ">=", 1, within=Window(days=2)), Did("*", ">=", 1, within=Window(days=30)), Did("*", ">=", 1)
    )
    for ago in (500 * DAY, 10 * DAY, DAY):
        trial.event("user_id:1", "Page Viewed", ago, {}, {}, ())
        trial.check()


def test_the_first_event_may_come_late():
    trial = _trial(
        Did("*", ">=", 3, "first"), Did("Order Completed", ">=", 3, "first", within=Window(days=9))
    )
    trial.clock(9 * DAY, sweep=True)
    trial.event("user_id:1", "Order Completed", DAY, {}, {}, ())
    trial.check()
    trial.event("user_id:1", "Order Completed", 5 * DAY, {}, {}, ())
    trial.check()
    assert {segment for segment, entered, _, _ in _moves(trial) if entered} == {"s0", "s1"}


def test_nobody_is_in_a_segment_that_is_not_in_force():
    gone = Member("gone")
    trial = _trial(AllOf((Did("*"), gone)), AllOf((Did("*"), Not(gone))), gone)
    trial.event("user_id:1", "Page Viewed", 0, {}, {}, ())
    trial.check()
    assert [segment for segment, _, _, _ in _moves(trial)] == ["s1"]


def test_a_list_that_was_cut_off_is_short_until_the_window_has_passed_it():
    many = Did("Page Viewed", ">=", 501, "distinct", "properties.n", within=Window(days=2))
    trial = _trial(many, Did("Store Entered"))
    for number in range(MOST + 1):
        assert not trial.live.reach.short.counts(), number
        trial.event("user_id:1", "Page Viewed", 0 if number else DAY, {"n": number}, {}, ())
    trial.chill()
    trial.event("user_id:1", "Store Entered", 0, {}, {}, ())
    assert trial.live.reach.short.counts() == {trial.plan.numbers["s0"]: 1}
    trial.clock(DAY - HOUR, sweep=True)
    assert trial.live.reach.short.counts() == {trial.plan.numbers["s0"]: 1}
    trial.clock(HOUR, sweep=True)
    assert not trial.live.reach.short.counts()


KINDS = Did("Page Viewed", ">=", 5, "distinct", "properties.category", within=Window(days=3))


def _above(monkeypatch: pytest.MonkeyPatch) -> Trial:
    """Somebody with a list of three of five kinds, and somebody else with just those three."""
    monkeypatch.setattr(tally, "MOST", 3)
    rules = (KINDS, Not(Member("s0")), Did("Page Viewed"))
    segments = [Segment(f"s{n}", "S", rule, purpose="x") for n, rule in enumerate(rules)]
    trial = Trial(segments, NOTHING, "UTC")
    for number in range(5):
        trial.event("user_id:1", "Page Viewed", 9 - number, {"category": f"c{number}"}, {}, ())
    for number in range(2, 5):
        trial.event("user_id:2", "Page Viewed", 9 - number, {"category": f"c{number}"}, {}, ())
    return trial


def _in(trial: Trial, person: str) -> set[str]:
    row = trial.live.standing(person)
    assert row is not None
    return {name for name, number in trial.plan.numbers.items() if row.bits >> number & 1}


def test_an_answer_from_the_events_stands_until_the_next(monkeypatch):
    trial = _above(monkeypatch)
    first, second = "p_user_id:1", "p_user_id:2"
    assert set(trial.live.over) == set(trial.live.unanswered) == {first}
    trial.live.answered(first, 1 << trial.plan.numbers["s0"], 0, "event")
    assert (_in(trial, first), _in(trial, second)) == ({"s0", "s2"}, {"s1", "s2"})
    counts = trial.live.reach.members.counts()
    assert counts == {trial.plan.numbers[name]: n for name, n in (("s0", 1), ("s1", 1), ("s2", 2))}
    assert _moves(trial)[-2:] == [("s1", False, 0, "event"), ("s0", True, 0, "event")]
    moves = len(_moves(trial))
    for _ in range(2):  # moved along, and found anew; the list still holds three kinds only
        trial.event("user_id:1", "Page Viewed", 0, {"category": "c4"}, {}, ())
        assert (_in(trial, first), _in(trial, second)) == ({"s0", "s2"}, {"s1", "s2"})
        trial.chill()
    assert len(_moves(trial)) == moves
    trial.clock(5 * DAY, sweep=True)
    assert _in(trial, first) == {"s1", "s2"}
    trial.check()
    trial.live.answered(first, 0, 0, "event")  # too late: nothing is in doubt any more
    assert first not in trial.live.over
    trial.check()


def test_an_answer_yields_to_a_consent_that_is_taken_back(monkeypatch):
    trial = _above(monkeypatch)
    bit = 1 << trial.plan.numbers["s0"]
    trial.live.answered("p_user_id:1", bit, 0, "event")
    for granted in (False, True):
        trial.clock(1, sweep=False)
        trial.event("user_id:1", "Consent Changed", 0, {}, {}, (ConsentClaim("x", granted),))
        row = trial.live.standing("p_user_id:1")
        assert row is not None
        assert (row.bits & bit, row.barred & bit) == ((bit, 0) if granted else (0, bit))
        trial.check()


def test_answers_are_asked_for_again_after_a_start(monkeypatch):
    trial = _above(monkeypatch)
    trial.live.unanswered.clear()
    trial.live.load(trial.live.standings.items())
    assert set(trial.live.over) == set(trial.live.unanswered) == {"p_user_id:1"}


def test_the_first_moment_inside_a_window_is_in_doubt_where_its_list_was_cut_off(monkeypatch):
    monkeypatch.setattr(tally, "MOST", 3)
    for measure, doubted in (("first", ["t"]), ("last", [])):
        trait = Computed("t", "T", Did("Page Viewed", measure=measure, within=Window(days=3)))
        trial = Trial([], trait, "UTC")
        for number in range(4):
            trial.event("user_id:1", "Page Viewed", number, {}, {}, ())
        assert list(trial.live.missing("p_user_id:1")) == doubted
