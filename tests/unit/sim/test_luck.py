"""Luck is a hash: any draw can be named again, alone or in an array, and no two names share it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from patron.sim.luck import Dice, Luck, scramble, splitmix64, splitmix64_words

WORDS = st.integers(0, 2**64 - 1)


def test_splitmix64_gives_the_published_sequence():
    # reference output of the generator seeded with 1234567 (state advances by the golden gamma)
    state, seen = 1234567, []
    for _ in range(3):
        seen.append(splitmix64(state))
        state = (state + 0x9E3779B97F4A7C15) & (2**64 - 1)
    assert seen == [6457827717110365317, 3203168211198807973, 9817491932198370423]


@given(st.lists(WORDS, min_size=1, max_size=20))
def test_array_and_scalar_hash_agree(words):
    before = np.array(words, dtype=np.uint64)
    assert splitmix64_words(before).tolist() == [splitmix64(word) for word in words]
    assert before.tolist() == words


@given(
    st.integers(-(2**63), 2**63 - 1),
    st.lists(st.integers(0, 2**41), min_size=1, max_size=5),
    st.integers(-400, 4000),
)
def test_a_person_has_the_same_luck_alone_and_in_a_crowd(seed, people, day):
    crowd = Luck(seed, np.array(people, dtype=np.int64))
    wide, narrow, normal = (
        crowd.uniform(day, "buy", 3),
        crowd.uniform(day, "visit"),
        crowd.normal(day, "size", 2),
    )
    for row, person in enumerate(people):
        dice = Dice(seed, person, day)
        assert wide[row].tolist() == [dice.uniform("buy", k) for k in range(3)]
        assert narrow[row] == dice.uniform("visit")
        assert normal[row].tolist() == pytest.approx([dice.normal("size", k) for k in range(2)], abs=1e-12)


@given(st.lists(st.tuples(st.integers(0, 2**41), st.integers(-400, 2**48 - 1)), min_size=1, max_size=5))
def test_each_of_a_crowd_may_have_a_day_of_their_own(keys):
    people, days = np.array(keys, dtype=np.int64).T
    drawn = Luck(7, people).uniform(days, "travels")
    assert drawn.tolist() == [Dice(7, person, day).uniform("travels") for person, day in keys]


def test_draws_are_uniform_and_do_not_hang_together():
    n = 200_000
    luck = Luck(1009, np.arange(n))
    today, tomorrow, other = luck.uniform(5, "a"), luck.uniform(6, "a"), luck.uniform(5, "b")
    assert abs(today.mean() - 0.5) < 4 / math.sqrt(12 * n)
    assert abs(12 * today.var() - 1) < 4 * math.sqrt(0.8 / n)
    for another in (tomorrow, other, np.roll(today, 1)):
        assert abs(np.corrcoef(today, another)[0, 1]) < 4 / math.sqrt(n)
    counts = np.bincount((today * 64).astype(int), minlength=64)
    chi2 = float(((counts - n / 64) ** 2 / (n / 64)).sum())
    assert chi2 < 63 + 4 * math.sqrt(2 * 63)


def test_shapes_of_other_draws():
    n = 20_000
    dice = [Dice(1013, person) for person in range(n)]
    counts = np.array([d.poisson(2.0, "cookies") for d in dice])
    assert abs(counts.mean() - 2.0) < 4 * math.sqrt(2.0 / n)
    assert abs(counts.var() - 2.0) < 4 * math.sqrt(10.0 / n)
    normal = np.array([d.normal("x") for d in dice])
    assert abs(normal.mean()) < 4 / math.sqrt(n)
    assert abs(normal.std() - 1) < 4 / math.sqrt(2 * n)
    picked = np.bincount([d.choice((0.45, 0.75, 0.90, 1.0), "size") for d in dice], minlength=4) / n
    assert picked == pytest.approx([0.45, 0.30, 0.15, 0.10], abs=4 * math.sqrt(0.25 / n))
    assert {d.below(3, "b") for d in dice} == {0, 1, 2}


@given(st.integers(0, 2**36 - 1), st.integers(0, 2**36 - 1), st.integers(0, 100))
def test_scrambled_numbers_stay_different_and_fit(a, b, salt):
    assert (scramble(a, 36, salt) == scramble(b, 36, salt)) == (a == b)
    assert 0 <= scramble(a, 36, salt) < 2**36


def test_scramble_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match="does not fit"):
        scramble(16, 4)
    with pytest.raises(ValueError, match="even"):
        scramble(1, 5)
