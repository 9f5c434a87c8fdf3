"""The price of a message: as many lie above it as are wanted, whatever came in whatever order, and what is taken out was never there."""

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patron.decide.pace import LEAST, MONTH, Paced, price, step_of, worth_of
from patron.model.clock import DAY

worths = st.floats(-50, 1e6, allow_nan=False).map(lambda worth: round(worth, 6))
questions = st.lists(st.tuples(worths, st.booleans(), st.integers(1, MONTH)), max_size=120)


def _days(told: list[tuple[float, bool, int]]) -> Paced:
    day = Paced()
    for worth, sent, covered in told:
        day.note(worth=worth, price=0.5, sent=sent, covered=covered)
    return day


@given(st.floats(1e-9, 1e9))
def test_a_step_holds_its_worth_and_is_narrow(worth: float) -> None:
    low, high = worth_of(step_of(worth)), worth_of(step_of(worth) + 1)
    assert low <= worth < high <= low * (1 + 1 / 32) * (1 + 1e-12)


@given(questions, questions, st.randoms())
def test_what_is_taken_out_was_never_there(kept: list, gone: list, luck: object) -> None:
    day, mixed = _days(kept), [*kept, *gone]
    luck.shuffle(mixed)  # type: ignore[attr-defined]
    whole = _days(mixed)
    for worth, sent, covered in gone:
        whole.note(worth=worth, price=0.5, sent=sent, covered=covered, times=-1)
    assert whole == day


@given(st.lists(worths, min_size=LEAST, max_size=300), st.floats(0.1, 60))
def test_as_many_lie_above_the_price_as_are_wanted(told: list[float], a_month: float) -> None:
    day = Paced()
    for worth in told:
        day.note(worth=worth, price=2e6, sent=False, covered=DAY)
    day.charged = 0  # the first price of all
    found, wanted = price([day], a_month), a_month * len(told) / 30
    if found == 0:
        assert sum(worth > 0 for worth in told) < wanted
        return
    step = step_of(found)
    surely, maybe = (sum(worth > 0 and step_of(worth) >= at for worth in told) for at in (step + 1, step))
    assert surely <= wanted + 1e-6
    assert maybe >= wanted - 1e-6


def test_the_price_heeds_how_many_of_those_above_and_below_it_are_sent() -> None:
    def above(**sent: int) -> int:
        day = Paced(
            questions=1000, covered=1000 * DAY, worths=dict.fromkeys(range(1000), 1), ahead=200, **sent
        )
        return 999 - step_of(price([day], 3))

    assert above(given=200) == pytest.approx(100, abs=1)
    assert above(given=100) == pytest.approx(200, abs=1)
    # 50 of 1000 are sent anyway, to learn; of those above 95 % more
    assert above(given=200, tried=40) == pytest.approx(50 / 0.95, abs=1)


def test_where_more_is_tried_than_wanted_the_price_grows_until_less_is() -> None:
    found, top = 0.0, worth_of(32)
    for _ in range(40):
        tried = round(1000 * min(0.6, 0.3 * top / max(found, 1e-9)))  # the dearer, the less is tried
        day = Paced(
            questions=1000, covered=1000 * DAY, tried=tried, charged=round(found * 1e9), worths={31: 1000}
        )
        found = price([day], 3)
    assert tried == pytest.approx(100, rel=0.05)


def test_days_count_together_and_few_questions_say_nothing() -> None:
    days = [
        Paced(questions=40, covered=40 * DAY, worths=dict.fromkeys(range(n, n + 80, 2), 1)) for n in (0, 1)
    ]
    assert price(days[:1], 15) == 0.0
    assert step_of(price(days, 15)) == pytest.approx(40, abs=1)
    assert price([], 15) == 0.0


def test_what_is_amiss_is_made_up_for_by_what_was_sent_at_the_price_there_was() -> None:
    worths, found = dict.fromkeys(range(-100, 100), 5), 0.0
    week: deque[Paced] = deque(maxlen=7)
    for _ in range(60):  # half again as many are sent as there lie above the price
        sent = min(1000, round(1.5 * sum(count for step, count in worths.items() if worth_of(step) > found)))
        week.append(
            Paced(questions=1000, covered=1000 * DAY, given=sent, worths=worths, charged=round(found * 1e9))
        )
        found = price(week, 6)
    assert sum(day.sent for day in week) / 7 == pytest.approx(200, rel=0.25)


def test_a_price_a_step_below_nothing_counts_as_none() -> None:
    day = Paced()
    for n in range(LEAST):
        day.note(worth=0.1 + n, price=-0.003, sent=n % 2 == 0, covered=DAY)
    assert day.charged == 0
    assert price([day], 5) > 0
