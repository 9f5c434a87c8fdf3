"""Sums and lists in all windows at once: the bits between the wanted values, and when the first of them may fall."""

from itertools import permutations
from typing import Any, Literal

import pytest

from patron.model.clock import HOUR
from patron.rules.calendar import Calendar
from patron.rules.tree import Did, Sequence, Window
from patron.segments import tally
from patron.segments.chains import Chains
from patron.segments.hours import NEVER, Hours
from patron.segments.measures import Extremes, Sums, Texts, doubled
from patron.segments.tally import ALL, fold_extremes, fold_text

NOON = 1_774_778_400_000 // HOUR
DAYS, SPAN = Window(days=2), Window(hours=20)
LONG = Window(days=10)


def hours() -> Hours:
    found = Hours(Calendar("UTC"))
    found.turn(NOON)
    return found


def average(op: str, value: float) -> Did:
    return Did("Order Completed", op, value, "average", "revenue")


def test_an_average_between_two_millionths_is_neither_of_them() -> None:
    wanted = (average("=", 2.333333), average(">", 2.333333), average("<", 2.333334), average("<=", 2.333333))
    sums = Sums(0, [(did, 1 << n) for n, did in enumerate(wanted)])
    assert sums.look([{0: [3, 7_000_000]}], hours())[0] == 0b0110
    assert sums.look([{0: [3_000_000, 6_999_999_000_000]}], hours())[0] == 0b1101
    assert doubled(-7, 2) == -7


def spent(window: Window, value: float, op: str = ">=") -> Did:
    return Did("Order Completed", op, value, "sum", "revenue", within=window)


def test_each_window_has_its_own_sum() -> None:
    sums = Sums(0, [(spent(SPAN, 5), 1), (spent(DAYS, 5), 2), (spent(LONG, 5), 4), (spent(LONG, 9), 8)])
    row = [NOON - 5 * 24, 1, 4_000_000, NOON - 30, 1, 3_000_000, NOON - 1, 2, 2_000_000]
    assert sums.look([{0: row}], hours())[0] == 0b1110
    assert sums.look([{0: row[:3]}, {0: row[3:]}], hours())[0] == 0b1110


def test_the_first_window_to_lose_something_says_when_to_look_again() -> None:
    now, four_ago = hours(), NOON - 4
    day_ends = now.leaves(DAYS, four_ago)
    sums = Sums(0, [(spent(DAYS, 1), 1), (spent(LONG, 1), 2)])
    assert sums.look([{0: [four_ago, 1, 2_000_000]}], now) == (0b11, day_ends)
    both = Sums(0, [(spent(LONG, 1), 1), (spent(Window(hours=90), 1), 2), (spent(SPAN, 1), 4)])
    assert both.look([{0: [four_ago, 1, 2_000_000]}], now) == (0b111, (four_ago + 20) * HOUR)
    assert both.look([{0: [four_ago - 60, 1, 2_000_000]}], now) == (0b011, (four_ago + 30) * HOUR)


def test_a_list_is_read_once_for_all_windows() -> None:
    def kinds(window: Window, value: int) -> Did:
        return Did("Order Completed", ">=", value, "distinct", "coupon", within=window)

    lists = Texts(0, [(kinds(SPAN, 1), 1), (kinds(SPAN, 2), 2), (kinds(LONG, 2), 4)])
    row = [-1, NOON - 60, "a", 1, NOON - 2, "b", 1, NOON - 1, "b", 1]
    assert lists.look([{0: row}], hours()) == (0b101, (NOON - 2 + 20) * HOUR)
    assert lists.look([{0: [*row[:1], *row[4:]]}, {0: row[:4]}], hours())[0] == 0b101
    assert lists.look([], hours()) == (0, NEVER)


def test_a_text_counts_as_often_as_it_is_there() -> None:
    def most(window: Window, value: str) -> Did:
        return Did("Order Completed", "=", value, "most_frequent", "coupon", within=window)

    texts = Texts(0, [(most(SPAN, "a"), 1), (most(SPAN, "b"), 2), (most(LONG, "a"), 4), (most(LONG, "b"), 8)])
    row = [-1, NOON - 60, "a", 5, NOON - 2, "b", 3, NOON - 1, "c", 1]
    assert texts.look([{0: row}], hours())[0] == 0b0110
    assert texts.look([{0: row}, {0: [-1, NOON - 3, "b", 3]}], hours())[0] == 0b1010


def test_the_least_and_the_greatest_of_each_window() -> None:
    def least(window: Window, value: int, measure: Literal["min", "max"] = "min") -> Did:
        return Did("Survey Answered", "<=", value, measure, "score", within=window)

    ends = Extremes(
        0, [(least(SPAN, 2), 1), (least(LONG, 2), 2), (least(SPAN, 7, "max"), 4), (least(LONG, 7, "max"), 8)]
    )
    row = [NOON - 60, 2_000_000, 2_000_000, NOON - 2, 3_000_000, 3_000_000]
    fold_extremes(row, NOON - 60, 9_000_000)
    assert ends.look([{0: row}], hours())[0] == 0b0110
    fold_extremes(row, NOON - 2, 9_000_000)
    fold_extremes(row, NOON - 2, 1_000_000)
    assert ends.look([{0: row}], hours())[0] == 0b0011


def test_texts_lie_alike_in_whatever_order_they_came(monkeypatch: pytest.MonkeyPatch) -> None:
    came = [(NOON, "b"), (NOON, "a"), (NOON - 1, "c"), (NOON, "b"), (NOON + 1, "a")]
    whole = [ALL, NOON - 1, "c", 1, NOON, "a", 1, NOON, "b", 2, NOON + 1, "a", 1]
    for most, expected in ((4, whole), (3, [NOON - 1, *whole[4:]]), (2, [NOON, *whole[7:]])):
        monkeypatch.setattr(tally, "MOST", most)
        for order in permutations(came):
            row: list[Any] = [ALL]
            for hour, text in order:
                fold_text(row, hour, text)
            assert row == expected


def test_a_sequence_is_in_doubt_where_what_was_cut_off_could_make_it() -> None:
    now = hours()
    chains = Chains([0, 1])
    chains.add(1, Sequence((), limit=Window(hours=3), within=LONG))
    chains.add(2, Sequence((), limit=Window(hours=30), within=DAYS))
    cut, start, end = (NOON - 20) * HOUR, [ALL, (NOON - 1) * HOUR, 1], (NOON - 10) * HOUR
    starts = [cut, (NOON - 1) * HOUR, 1]
    assert chains.missing([{0: starts}], now) == 0, "nothing ends"
    assert chains.missing([{0: starts, 1: [ALL, end, 2]}], now) == 0b10, "too late for three hours"
    assert chains.missing([{0: starts, 1: [ALL, end, 2, NOON * HOUR, 3]}], now) == 0, (
        "what is left makes both"
    )
    assert chains.missing([{0: start, 1: [cut, end, 2]}], now) == 0b11, "an end may have been cut off"
    assert chains.missing([{0: start, 1: [ALL, end, 2]}], now) == 0
    long_ago = (NOON - 60) * HOUR
    assert chains.missing([{0: start, 1: [long_ago, end, 2]}], now) == 0b01
