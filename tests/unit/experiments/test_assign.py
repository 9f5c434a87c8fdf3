"""The sticky draw and what stands after a merge."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patron.experiments.assign import arm, settle

UNITS = [f"anonymous_id:{i}" for i in range(4000)]


def test_a_unit_is_always_in_the_same_arm_and_another_trial_draws_anew() -> None:
    one = [arm(b"s", "programme", unit, 0.5) for unit in UNITS]
    assert one == [arm(b"s", "programme", unit, 0.5) for unit in UNITS]
    other = [arm(b"s", "welcome", unit, 0.5) for unit in UNITS]
    agree = sum(a == b for a, b in zip(one, other, strict=True))
    assert abs(agree - 2000) < 5 * 4000**0.5 / 2, "two trials must be independent"
    assert one != [arm(b"t", "programme", unit, 0.5) for unit in UNITS]


def test_trial_and_unit_cannot_be_confused() -> None:
    pairs = [(arm(b"s", "ab", f"c{i}", 0.5), arm(b"s", "a", f"bc{i}", 0.5)) for i in range(200)]
    assert any(a != b for a, b in pairs)


@given(st.text(max_size=20), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_holdout_only_adds_to_it(unit: str, a: float, b: float) -> None:
    small, large = min(a, b), max(a, b)
    if arm(b"s", "t", unit, small) == "control":
        assert arm(b"s", "t", unit, large) == "control"


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_outside_0_to_1_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        arm(b"s", "t", "u", share)


def test_the_ends_are_certain_and_odd_units_are_taken() -> None:
    for unit in ("", "\x00", "\ud800", "x" * 10_000):
        assert (arm(b"s" * 100, "t", unit, 0.0), arm(b"s" * 100, "t", unit, 1.0)) == ("treated", "control")


def test_after_a_merge_the_earliest_assignment_stands_in_any_order() -> None:
    rows = [(900, "c", "control"), (400, "b", "treated"), (400, "a", "control"), (700, "d", "treated")]
    assert {settle(order) for order in itertools.permutations(rows)} == {(400, "a", "control")}
    assert settle([settle(rows[:2]), settle(rows[2:])]) == settle(rows), "merging merges must end the same"
    with pytest.raises(ValueError, match="no assignment"):
        settle([])
