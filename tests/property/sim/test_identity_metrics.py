"""The figures of two partitions equal those counted pair by pair and record by record."""

import random
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patron.sim.identity.joins import join
from patron.sim.identity.metrics import bcubed, groups, merge_exact, pairs, pairs_apart, pure

PARTITIONS = st.integers(0, 14).flatmap(
    lambda n: st.tuples(*[st.lists(st.integers(0, 5), min_size=n, max_size=n)] * 2)
)
KEYS = st.lists(st.frozensets(st.integers(0, 9), max_size=3), max_size=12)


def together(labels: list[int]) -> set[tuple[int, int]]:
    return {(a, b) for a, b in combinations(range(len(labels)), 2) if labels[a] == labels[b]}


@given(PARTITIONS)
def test_pairs_are_those_counted_one_by_one(both: tuple[list[int], list[int]]) -> None:
    predicted, true = both
    put, right = together(predicted), together(true)
    counted = pairs(predicted, true)
    assert (counted.predicted, counted.true, counted.both) == (len(put), len(right), len(put & right))
    assert counted.precision == (len(put & right) / len(put) if put else 1.0)
    assert counted.recall == (len(put & right) / len(right) if right else 1.0)
    p, r = counted.precision, counted.recall
    if put and right:
        assert counted.f1 == pytest.approx(2 * p * r / (p + r) if p + r else 0.0)


@given(PARTITIONS, st.randoms(use_true_random=False))
def test_pairs_of_different_keys_are_those_counted_one_by_one(both, rng: random.Random) -> None:
    predicted, true = both
    keys = [rng.randrange(4) for _ in predicted]
    within = together(keys)
    put, right = together(predicted) - within, together(true) - within
    counted = pairs_apart(predicted, true, keys)
    assert (counted.predicted, counted.true, counted.both) == (len(put), len(right), len(put & right))


@given(PARTITIONS)
def test_b_cubed_is_the_mean_over_records(both: tuple[list[int], list[int]]) -> None:
    predicted, true = both
    n = len(predicted)

    def mean(one: list[int], other: list[int]) -> float:
        shares = [
            Fraction(
                sum(one[k] == one[at] and other[k] == other[at] for k in range(n)),
                sum(one[k] == one[at] for k in range(n)),
            )
            for at in range(n)
        ]
        return float(sum(shares) / n) if n else 1.0

    found = bcubed(predicted, true)
    assert found.precision == mean(predicted, true)
    assert found.recall == mean(true, predicted)
    assert 0.0 < found.f1 <= 1.0


@given(PARTITIONS)
def test_whole_groups(both: tuple[list[int], list[int]]) -> None:
    predicted, true = both
    n = len(predicted)

    def group(labels: list[int], at: int) -> frozenset[int]:
        return frozenset(k for k in range(n) if labels[k] == labels[at])

    wanted = {group(true, at) for at in range(n) if len(group(true, at)) > 1}
    found = {group(predicted, at) for at in range(n)}
    assert merge_exact(predicted, true) == (len(wanted & found) / len(wanted) if wanted else 1.0)
    merged = {one for one in found if len(one) > 1}
    clean = sum(all(group(true, at) >= one for at in one) for one in merged)
    assert pure(predicted, true) == (clean / len(merged) if merged else 1.0)


@given(PARTITIONS, st.randoms(use_true_random=False))
def test_names_and_order_of_clusters_do_not_matter(both: tuple[list[int], list[int]], random) -> None:
    predicted, true = both
    names = list(range(100, 106))
    random.shuffle(names)
    order = list(range(len(predicted)))
    random.shuffle(order)
    renamed, moved = [names[predicted[at]] for at in order], [true[at] for at in order]
    assert pairs(renamed, moved) == pairs(predicted, true)
    assert bcubed(renamed, moved) == bcubed(predicted, true)
    assert merge_exact(renamed, moved) == merge_exact(predicted, true)
    assert pure(renamed, moved) == pure(predicted, true)


@given(KEYS)
def test_a_join_is_reachability_by_shared_keys(keys: list[frozenset[int]]) -> None:
    reach = [{at} for at in range(len(keys))]
    for _ in keys:
        for at in range(len(keys)):
            for other in range(len(keys)):
                if any(keys[k] & keys[other] for k in reach[at]):
                    reach[at].add(other)
    assert groups(join(keys)) == {tuple(sorted(one)) for one in reach}


@given(KEYS, st.randoms(use_true_random=False))
def test_a_join_does_not_depend_on_the_order(keys: list[frozenset[int]], random) -> None:
    order = list(range(len(keys)))
    random.shuffle(order)
    moved = groups(join([keys[at] for at in order]))
    assert {tuple(sorted(order[at] for at in one)) for one in moved} == groups(join(keys))
