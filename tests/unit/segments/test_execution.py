"""One person and the clock: what enters by an event leaves by time alone, at the minute it should."""

from patron.model.clock import HOUR
from patron.rules.tree import AllOf, Computed, Did, Member, Not, Rule, Segment, Window
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
