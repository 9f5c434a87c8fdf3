"""Laws of off-policy estimators that hold exactly, whatever the numbers."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from patron.decide.offpolicy.compare import compare
from patron.decide.offpolicy.estimators import doubly_robust, estimate, ips, snips
from patron.decide.offpolicy.evaluate import evaluate
from patron.decide.offpolicy.intervals import Ratio
from patron.decide.offpolicy.logged import Logged


def chances(size: int, *, zeros: bool) -> st.SearchStrategy[list[float]]:
    whole = st.lists(st.integers(0 if zeros else 1, 20), min_size=size, max_size=size).filter(any)
    return whole.map(lambda counts: [count / sum(counts) for count in counts])


class World:
    """Situations with their chance; in each, actions with their reward, the log's and the target's probabilities."""

    def __init__(self, situation: list[float], logging: list[list[float]], target: list[list[float]]) -> None:
        self.situation, self.logging, self.target = situation, logging, target
        self.rewards = [[(7 * x + 3 * a) % 5 - 1.0 for a in range(3)] for x in range(len(situation))]
        self.value = sum(
            p * target[x][a] * self.rewards[x][a] for x, p in enumerate(situation) for a in range(3)
        )

    def log(self, happened: list[tuple[int, int]], guess: list[list[float]]) -> Logged:
        """The rows of a log in which these (situation, action) happened."""
        return Logged.of(
            [self.rewards[x][a] for x, a in happened],
            [self.logging[x][a] for x, a in happened],
            [self.target[x][a] for x, a in happened],
            predicted=[guess[x][a] for x, a in happened],
            expected=[sum(self.target[x][b] * guess[x][b] for b in range(3)) for x, _ in happened],
        )

    def logs(self, rows: int) -> list[tuple[float, list[tuple[int, int]]]]:
        """Every log of so many rows that can happen, with its probability."""
        one = [((x, a), p * self.logging[x][a]) for x, p in enumerate(self.situation) for a in range(3)]
        found = []
        for log in product(one, repeat=rows):
            chance = float(np.prod([p for _, p in log]))
            if chance:
                found.append((chance, [happened for happened, _ in log]))
        return found


@st.composite
def worlds(draw: st.DrawFn) -> World:
    logging = [draw(chances(3, zeros=False)) for _ in range(2)]
    target = [draw(chances(3, zeros=True)) for _ in range(2)]
    return World(draw(chances(2, zeros=False)), logging, target)


@given(worlds(), st.lists(st.lists(st.floats(-5, 5), min_size=3, max_size=3), min_size=2, max_size=2))
def test_ips_and_dr_are_unbiased_over_every_log_that_can_happen(
    world: World, guess: list[list[float]]
) -> None:
    by_ips = by_dr = 0.0
    for chance, happened in world.logs(2):
        rows = world.log(happened, guess)
        by_ips += chance * ips(rows).ratio(rows).value
        by_dr += chance * doubly_robust(rows).ratio(rows).value
    assert by_ips == pytest.approx(world.value, abs=1e-9)
    assert by_dr == pytest.approx(world.value, abs=1e-9)


@given(worlds(), st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2)), min_size=1, max_size=30))
def test_with_an_exact_model_dr_is_the_value_in_the_situations_seen(
    world: World, happened: list[tuple[int, int]]
) -> None:
    rows = world.log(happened, world.rewards)
    seen = np.mean([sum(world.target[x][a] * world.rewards[x][a] for a in range(3)) for x, _ in happened])
    for name in ("dr", "dros", "switch", "dm"):
        assert estimate(name, rows).value == pytest.approx(seen, abs=1e-9)


columns = st.integers(2, 40).flatmap(
    lambda n: st.tuples(
        st.lists(st.floats(-10, 10), min_size=n, max_size=n),
        st.lists(st.floats(0.05, 1), min_size=n, max_size=n),
        st.lists(st.floats(0.05, 1), min_size=n, max_size=n),
        st.lists(st.integers(0, 5), min_size=n, max_size=n),
    )
)


@given(columns, st.floats(-100, 100))
def test_adding_a_constant_to_all_rewards_adds_it_to_snips(
    given_rows: tuple[list[float], ...], shift: float
) -> None:
    reward, propensity, target, person = given_rows
    rows = Logged.of(reward, propensity, target, person=person)
    shifted = Logged.of(np.array(reward) + shift, propensity, target, person=person)
    before, after = snips(rows).ratio(rows).value, snips(shifted).ratio(shifted).value
    assert after == pytest.approx(before + shift, abs=1e-8)


@given(columns, st.randoms(use_true_random=False))
def test_the_order_of_rows_and_the_names_of_people_say_nothing(
    given_rows: tuple[list[float], ...], random: object
) -> None:
    reward, propensity, target, person = (np.array(column) for column in given_rows)
    order = np.random.default_rng(random.getrandbits(32)).permutation(len(reward))  # type: ignore[attr-defined]
    guess = np.cos(reward)
    names = np.array([f"p_{9 - one}" for one in person])
    one = Logged.of(reward, propensity, target, person=person, predicted=guess, expected=guess / 2)
    other = Logged.of(
        reward[order], propensity[order], target[order], person=names[order], predicted=guess[order], expected=guess[order] / 2
    )  # fmt: skip
    a, b = evaluate(one), evaluate(other)
    assert a.verdict.name == b.verdict.name
    for mine, theirs in zip(a.estimates, b.estimates, strict=True):
        assert mine.value == pytest.approx(theirs.value, abs=1e-8)
        assert mine.interval.error == pytest.approx(theirs.interval.error, rel=1e-6, abs=1e-8, nan_ok=True)


@given(columns)
def test_the_logging_policy_itself_has_the_mean_of_its_own_rewards(
    given_rows: tuple[list[float], ...],
) -> None:
    reward, propensity, _, _ = given_rows
    rows = Logged.of(reward, propensity, propensity)
    assert ips(rows).ratio(rows).value == pytest.approx(np.mean(reward), abs=1e-9)
    assert snips(rows).ratio(rows).value == pytest.approx(np.mean(reward), abs=1e-9)


odd = st.one_of(st.floats(), st.sampled_from([0.0, -0.0, 1.0, 1e-12, 5e-324, 1e76, -1e76, float("nan")]))


@given(st.lists(st.tuples(odd, odd, odd, odd, odd, odd), max_size=30))
def test_no_row_raises(rows: list[tuple[float, ...]]) -> None:
    columns = list(zip(*rows, strict=True)) if rows else [()] * 6
    reward, propensity, target, predicted, expected, outside = columns
    found = compare(
        Logged.of(reward, propensity, target, predicted=predicted, expected=expected, outside=outside)
    )
    assert found.evaluation.verdict.sentence


extreme = st.tuples(
    st.sampled_from([0.0, 1.0, -1.0, 1e-300, 1e76, -1e76]),
    st.sampled_from([1e-12, 0.3, 1.0]),
    st.sampled_from([0.0, 1e-300, 0.3, 1.0]),
    st.sampled_from([0.0, 1.0, 1e-300, 1e76, -1e76]),
)


@given(st.lists(extreme, min_size=10, max_size=30), st.integers(1, 40), st.booleans())
def test_extreme_rows_give_figures_in_order(
    some: list[tuple[float, float, float, float]], times: int, guessed: bool
) -> None:
    reward, propensity, target, guess = (np.tile(column, times) for column in zip(*some, strict=True))
    rows = Logged.of(
        reward, propensity, target, predicted=guess if guessed else None, expected=guess if guessed else None
    )
    for name in ("ips", "snips", "dr", "dros", "switch") if guessed else ("ips", "snips"):
        if name == "snips" and not target.any():
            continue
        found = estimate(name, rows).interval
        assert found.low <= found.value <= found.high
        assert found.error >= 0
    compare(rows)


@given(columns, st.floats(0.01, 100))
def test_a_ratio_s_interval_turns_with_its_sign(given_rows: tuple[list[float], ...], factor: float) -> None:
    reward, propensity, target, _ = (np.array(column) for column in given_rows)
    bottom = target / propensity
    one = Ratio.of(reward, bottom).interval()
    other = Ratio.of(reward, -factor * bottom).interval()
    if np.isfinite([one.low, one.high]).all():
        assert other.low == pytest.approx(-one.high / factor, rel=1e-3, abs=1e-6)
        assert other.high == pytest.approx(-one.low / factor, rel=1e-3, abs=1e-6)
