"""Numbers, texts and operators, and the days of a calendar."""

from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patron.model.clock import DAY, HOUR
from patron.rules.calendar import Calendar
from patron.rules.tree import Window
from patron.rules.values import MOST, SCALE, field_of, holds, number_of, plain, shown, text_of

ZONES = {
    zone: Calendar(zone)
    for zone in ("UTC", "Europe/Rome", "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia")
}
moments = st.integers(1_262_304_000_000, 2_524_608_000_000)  # 2010 to 2050: Apia left out a day in 2011


class TestHolds:
    @pytest.mark.parametrize(
        ("op", "wanted", "value", "expected"),
        [
            ("=", 1, True, False),
            ("=", True, True, True),
            ("!=", True, 1, True),
            ("=", 1.0, 1, True),
            ("in", [1, "a"], True, False),
            ("in", [1, "a"], "a", True),
            ("not_in", [1, "a"], "b", True),
            ("not_in", [1, "a"], None, False),
            ("not_in", [1, "a"], ["a"], False),
            (">", 1, "2", False),
            (">", "b", "c", True),
            (">", "b", "b", False),
            (">=", "b", "b", True),
            ("<", 1, True, False),
            ("<", 1, 0.5, True),
            ("<=", 1, 1, True),
            ("has", 1, [True, 1.0], True),
            ("has", "a", [True, ["a"]], False),
            ("has", "a", "cat", True),
            ("has", 1, "1", False),
            ("has", 1, {"1": 1}, False),
            ("exists", None, [], True),
            ("missing", None, 0, False),
            ("missing", None, None, True),
            ("exists", None, None, False),
            ("starts_with", "ca", "cat", True),
            ("starts_with", "at", "cat", False),
            ("ends_with", "at", "cat", True),
            ("ends_with", "1", 1, False),
        ],
    )
    def test_it(self, op, wanted, value, expected):
        assert holds(op, wanted, value) is expected

    @given(
        st.sampled_from(["=", "in", "exists"]),
        st.integers() | st.text() | st.booleans(),
        st.integers() | st.text() | st.booleans(),
    )
    def test_of_a_value_that_is_there_the_contrary_holds(self, op, wanted, value):
        against = {"=": "!=", "in": "not_in", "exists": "missing"}[op]
        given_ = [wanted] if op == "in" else wanted
        assert holds(op, given_, value) is not holds(against, given_, value)


class TestNumbers:
    @given(st.decimals(-MOST, MOST, places=9))
    def test_rounded_half_to_even_to_six_places(self, decimal):
        text = f"{decimal:f}"
        assert number_of(text) == int((Decimal(text) * SCALE).to_integral_value(ROUND_HALF_EVEN))

    @pytest.mark.parametrize(
        "value",
        ["", " 1", "+1", "1.", ".5", "1,5", "1e3", "١", "1" * 16, MOST + 1, -MOST - 1, 1e10, None, True, [1]],
    )
    def test_what_is_none(self, value):
        assert number_of(value) is None

    @given(st.integers(-MOST * SCALE, MOST * SCALE))
    def test_what_is_shown_means_the_same_number(self, units):
        assert number_of(shown(Fraction(units, SCALE))) == units
        assert number_of(plain(units)) == units
        assert text_of(shown(Fraction(units, SCALE))) == plain(units)

    def test_texts(self):
        assert text_of("x" * 200) == "x" * 200
        assert text_of("x" * 201) is None
        assert (text_of(False), text_of(-0.5), text_of(1e12), text_of({})) == ("false", "-0.5", None, None)

    def test_fields(self):
        assert field_of({"a": {"b": {"c": 1}}}, "a.b.c") == 1
        assert field_of({"a": [1]}, "a.0") is None
        assert field_of({"a": None}, "a") is None


class TestCalendar:
    @given(st.sampled_from(sorted(ZONES)), moments)
    def test_a_moment_lies_in_its_day(self, zone, time):
        calendar = ZONES[zone]
        begin = calendar.start(time)
        assert begin <= time < begin + 25 * HOUR
        assert begin % HOUR == 0
        assert calendar.day(begin) == calendar.day(time)
        assert calendar.day(begin - 1) < calendar.day(time)
        assert calendar.weekday(time) == (calendar.day(time) + 3) % 7 + 1
        assert 0 <= calendar.hour(time) <= 23

    @given(st.sampled_from(sorted(ZONES)), moments, st.integers(1, 400))
    def test_a_window_of_days_ends_as_a_day_begins(self, zone, time, days):
        calendar = ZONES[zone]
        since = calendar.since(Window(days=days), time)
        assert calendar.days_ago(since, time) <= days - 1
        assert calendar.days_ago(since - 1, time) >= days

    def test_known_days(self):
        rome, noon = ZONES["Europe/Rome"], 1_774_778_400_000  # 29 March 2026, a Sunday of 23 hours
        assert (rome.weekday(noon), rome.hour(noon)) == (7, 12)
        assert rome.start(noon + DAY) - rome.start(noon) == 23 * HOUR
        assert ZONES["Asia/Kathmandu"].start(noon) % HOUR == 0
