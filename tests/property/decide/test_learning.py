"""What was learned is a function of choices and rewards, not of their order; chances are exact; bytes lose nothing."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from patron.decide.learn.choose import Choosing, draw, unit
from patron.decide.learn.features import Field, Schema
from patron.decide.learn.grid import snap
from patron.decide.learn.learner import Learner, Learning
from patron.decide.learn.packing import pack, unpack
from patron.decide.learn.ridge import Ridge
from patron.decide.learn.state import from_bytes, to_bytes

ACTIONS = ("tea", "mug", "été")
NUMBERS = st.floats(-2, 2, allow_nan=False, width=32)
ROWS = st.tuples(NUMBERS, NUMBERS, NUMBERS).map(lambda row: (1.0, *row))
CHOICES = st.lists(
    st.tuples(
        st.sampled_from(ACTIONS),
        ROWS,
        st.lists(st.floats(-50, 50, width=32), max_size=3),
        st.integers(0, 10**10),
    ),
    min_size=1,
    max_size=15,
)
RULES = st.builds(
    Choosing,
    rule=st.sampled_from(["inverse_gap", "thompson", "epsilon_greedy", "uniform"]),
    gamma=st.floats(0, 1e6),
    optimism=st.floats(0, 3),
    floor=st.floats(1e-6, 1),
)
SCORES = st.lists(st.tuples(st.floats(-1e4, 1e4), st.floats(0, 10)), min_size=1, max_size=30)
SETTINGS = st.sampled_from(
    [
        Learning(features=4, waves=5),
        Learning(features=4, waves=5, traits=2, shared_evidence=3, half_life=10**9),
    ]
)


def new(learning: Learning, order: int = 1) -> Learner:
    learner = Learner(learning)
    for number, action in list(enumerate(ACTIONS))[::order]:
        prior = 0.5 if action == "mug" else None
        learner.add(action, traits=[1.0, number / 2][: learning.traits], prior=prior, pseudo=2.0)
    return learner


def steps(choices: list[Any]) -> list[tuple[Any, ...]]:
    """Every choice and every reward as one call each."""
    found: list[tuple[Any, ...]] = []
    for action, row, rewards, time in choices:
        found.append(("observe", action, row, time))
        found += [("reward", action, row, reward, time) for reward in rewards]
    return found


def apply(learner: Learner, calls: list[tuple[Any, ...]]) -> Learner:
    for verb, *terms in calls:
        getattr(learner, verb)(*terms)
    return learner


def scored(learner: Learner, row: Any) -> list[bytes]:
    return [part.tobytes() for part in learner.score(row, learner.rows(ACTIONS))]


@given(SETTINGS, CHOICES, st.randoms(use_true_random=False))
def test_any_order_gives_the_same_bytes_and_the_same_scores(
    learning: Learning, choices: list[Any], random: Any
) -> None:
    calls = steps(choices)
    shuffled = calls.copy()
    random.shuffle(shuffled)
    # A half-life's reference moves on with the latest time; both reach it before anything else.
    first, second = new(learning), new(learning, -1)
    for learner in (first, second):
        learner.advance(max(time for *_, time in choices))
    apply(first, calls).settle()
    apply(second, shuffled).settle()
    assert to_bytes(first) == to_bytes(second)
    for _, row, *_ in choices:
        assert scored(first, row) == scored(second, row)


@given(SETTINGS, CHOICES, CHOICES)
def test_what_is_taken_back_leaves_nothing(learning: Learning, kept: list[Any], gone: list[Any]) -> None:
    with_both, alone = new(learning), new(learning)
    latest = max(time for *_, time in kept + gone)
    for learner in (with_both, alone):
        learner.advance(latest)
    apply(with_both, steps(gone))
    apply(with_both, steps(kept))
    for action, row, rewards, time in gone:
        with_both.observe(action, row, time, -1)
        for reward in rewards:
            with_both.reward(action, row, -reward, time)
    apply(alone, steps(kept))
    assert to_bytes(with_both) == to_bytes(alone)


@given(SETTINGS, CHOICES)
def test_bytes_come_back_as_they_were_and_score_the_same(learning: Learning, choices: list[Any]) -> None:
    learner = apply(new(learning), steps(choices))
    data = to_bytes(learner)
    loaded = from_bytes(data)
    assert to_bytes(loaded) == data
    learner.settle()
    for _, row, *_ in choices:
        assert scored(loaded, row) == scored(learner, row)


@given(SETTINGS, CHOICES, CHOICES)
def test_a_restart_goes_on_to_the_bit(learning: Learning, before: list[Any], after: list[Any]) -> None:
    lived = apply(new(learning), steps(before))
    lived.settle()
    restarted = from_bytes(to_bytes(lived))
    for call in steps(after):
        apply(lived, [call])
        apply(restarted, [call])
        assert scored(lived, call[2]) == scored(restarted, call[2])


@given(CHOICES)
def test_the_live_path_is_the_batch_solution(choices: list[Any]) -> None:
    ridge = Ridge(4, actions=ACTIONS, penalty=0.5)
    grams = {action: 0.5 * np.eye(4) for action in ACTIONS}
    sums = {action: np.zeros(4) for action in ACTIONS}
    for action, row, rewards, _ in choices:
        ridge.observe(action, row)
        x = snap(row).values.astype(np.float64)
        grams[action] += np.outer(x, x)
        for reward in rewards:
            ridge.reward(action, row, reward)
            sums[action] += x * round(reward * 2**16) / 2**16
    for action in ACTIONS:
        exact = np.linalg.solve(grams[action], sums[action])
        assert np.abs(ridge.weights(action) - exact).max() <= 1e-4 * (1 + np.abs(exact).max())


@given(RULES, SCORES, st.integers(0, 10**9), st.integers(0, 2**53 - 1))
def test_chances_are_exact_and_a_seed_draws_the_same(
    choosing: Choosing, scores: list[Any], seen: int, seed: int
) -> None:
    means, widths = (np.array(part) for part in zip(*scores, strict=True))
    chances = choosing.propensities(means, widths, seen)
    assert abs(chances.sum() - 1) < 1e-6
    assert (chances > 0).all()
    assert (chances >= choosing.floor / len(chances) * (1 - 1e-9)).all()
    again = choosing.propensities(means.copy(), widths.copy(), seen)
    assert again.tobytes() == chances.tobytes()
    action = draw(chances, unit(seed))
    assert action == draw(again, unit(seed))
    assert 0 <= action < len(chances)


@given(RULES, SCORES, st.integers(0, 29), st.floats(0.01, 100), st.integers(0, 10**6))
def test_a_better_mean_never_gets_less(
    choosing: Choosing, scores: list[Any], place: int, more: float, seen: int
) -> None:
    assume(choosing.rule != "thompson")  # its grid moves with the means
    means, widths = (np.array(part) for part in zip(*scores, strict=True))
    place %= len(means)
    before = choosing.propensities(means, widths, seen)[place]
    means[place] += more
    assert choosing.propensities(means, widths, seen)[place] >= before - 1e-9


@given(st.lists(st.one_of(st.just(0.0), st.floats(-100, 100)), min_size=1, max_size=130))
def test_packed_rows_are_what_was_scored(values: list[float]) -> None:
    row = snap(values)
    data = pack(row)
    back = unpack(data, len(values))
    assert back.values.tobytes() == row.values.tobytes()
    assert back.steps.tobytes() == (row.steps + 0.0).tobytes()
    assert len(data) <= 1 + 2 * len(values)


TEXTS = st.text(max_size=4)
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "n": st.one_of(st.integers(), st.floats(), TEXTS),
        "h": st.one_of(st.integers(), st.floats()),
        "c": st.one_of(TEXTS, st.booleans()),
        "t": st.one_of(TEXTS, st.lists(TEXTS, max_size=4)),
        "m": st.dictionaries(TEXTS, st.floats(), max_size=3),
    },
)


@given(VALUES)
def test_any_values_give_a_finite_row_or_name_the_field(values: dict[str, Any]) -> None:
    fields = [
        Field("n", "number"), Field("h", "cyclic"), Field("c", "category", values=("a", "b")),
        Field("t", "hashed"), Field("m", "hashed"),
    ]  # fmt: skip
    schema = Schema(fields, size=32)
    numbers = [values.get("n", 0), values.get("h", 0), *values.get("m", {}).values()]
    if not all(isinstance(number, int | float) and _finite(number) for number in numbers):
        with pytest.raises(
            ValueError, match=r"^feature `[nhm]` is .*: give a finite number, or leave it out$"
        ):
            schema.encode(values)
        return
    row = schema.encode(values)
    assert np.isfinite(row.values).all()
    assert np.abs(row.values).max() < 8
    assert (
        row.values.tobytes()
        == Schema(fields, size=32).encode(dict(reversed(values.items()))).values.tobytes()
    )


def _finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:
        return False
