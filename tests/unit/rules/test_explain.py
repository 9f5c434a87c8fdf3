"""Why somebody is in or out: which part held, by which events, and until when."""

from patron.model.clock import DAY, HOUR
from patron.model.events import ConsentClaim, Event
from patron.rules.calendar import Calendar
from patron.rules.describe import Names
from patron.rules.explain import explain
from patron.rules.history import history_of
from patron.rules.tree import AllOf, AnyOf, Consented, Did, Fact, Member, Not, Sequence, Step, Window
from patron.rules.turning import turns

ROME = Calendar("Europe/Rome")
NOON = 1_772_362_800_000
"""Sunday 1 March 2026, 12:00 in Rome."""
MIDNIGHT = NOON - 12 * HOUR


def event(position, name, time=NOON, **fields):
    fields = {"type": "track", **fields}
    return Event(
        position, "shop", "web", name=name, message_id=f"m{position}", time=time, received=time, **fields
    )


def why(rule, *events, names=None):
    return explain(rule, history_of(events, "p_1"), NOON, ROME, names)


def test_the_mock_up():
    rule = AllOf(
        (
            Did("Store Entered", ">=", 2, within=Window(days=30)),
            Not(Did("Order Completed", within=Window(days=90))),
        )
    )
    visits = [event(i, "Store Entered", NOON - i * 10 * DAY) for i in range(4)]
    part = why(rule, *visits, event(9, "Order Completed", NOON - 11 * DAY))
    assert (part.held, part.sentence) == (False, "1 of 2 hold, all are needed.")
    visited, not_ordered = part.of
    assert visited.sentence == "Visited a store at least 2 times in the last 30 days: yes, 3 times."
    assert [e.position for e in visited.events] == [2, 1, 0]
    assert visited.path == "$.rule.of[0]"
    assert visited.until == MIDNIGHT + 20 * DAY
    assert not not_ordered.held
    assert not_ordered.of[0].until == MIDNIGHT + 79 * DAY - HOUR
    assert part.until is None  # when the order leaves the window, the visits have long left theirs


def test_when_it_would_come_in_by_time_alone():
    rule = Not(Did("Order Completed", within=Window(days=90)))
    part = why(rule, event(1, "Order Completed", NOON - 11 * DAY))
    assert part.until == MIDNIGHT + 79 * DAY - HOUR  # clocks go forward on the way
    assert (
        why(Did("Order Completed", ">", 10, "last"), event(1, "Order Completed")).until == MIDNIGHT + 11 * DAY
    )


def test_each_measure_shows_its_events():
    spent = [event(i, "A", properties={"x": x}) for i, x in enumerate([5, "2", 5.0, None, "no"])]
    assert [e.position for e in why(Did("A", ">", 1, "max", "x"), *spent).events] == [0, 2]
    assert (
        why(Did("A", ">", 1, "max", "x"), *spent).sentence
        == "Greatest x of “A” events is more than 1: yes, it is 5."
    )
    assert [e.position for e in why(Did("A", ">", 1, "sum", "x"), *spent).events] == [0, 1, 2]
    assert [e.position for e in why(Did("A", "=", "5", "most_frequent", "x"), *spent).events] == [0, 2]
    ages = [event(i, "A", NOON - i * DAY) for i in range(3)]
    assert [e.position for e in why(Did("A", ">", 1, "first"), *ages).events] == [2]
    assert [e.position for e in why(Did("A", ">", 1, "last"), *ages).events] == [0]
    assert why(Did("A", ">", 1, "last"), *ages).sentence.endswith(": no, it was today.")
    assert why(Did("A", ">", 1, "last")).sentence.endswith(": no, it has no value.")


def test_at_most_five_events_the_latest():
    many = [event(i, "A", NOON - i) for i in range(9)]
    assert [e.position for e in why(Did("A"), *many).events] == [4, 3, 2, 1, 0]


def test_facts_sequences_consents():
    wrote = event(3, "Identified", traits={"city": "Bari"}, type="identify")
    part = why(Fact("traits.city", "=", "Turin"), wrote)
    assert (part.held, part.value, part.events[0].position) == (False, "Bari", 3)
    assert part.sentence == "City is Turin: no, it is Bari."
    assert why(Fact("traits.zip", "exists")).sentence == "Zip is known: no, it is not known."
    sequence = Sequence((Step("A"), Step("B")), within=Window(hours=2))
    part = why(sequence, event(1, "A", NOON - HOUR), event(2, "B"))
    assert [e.position for e in part.events] == [1, 2]
    assert part.until == NOON + HOUR
    said = event(4, "Consent Changed", consents=(ConsentClaim("ads", False),))
    assert (
        why(AnyOf((Consented("ads"), Member("x"))), said, names=Names({"x": "X"})).of[0].events[0].position
        == 4
    )


def test_what_time_does_not_touch_never_turns():
    assert turns(Did("A"), history_of([event(1, "A")], "p_1"), NOON, ROME) is None
