"""What a score rests on, cold starts, priors from rules, and bytes that are refused."""

import zlib
from functools import cache

import numpy as np
import pytest

from patron.decide.learn.basis import Waves
from patron.decide.learn.learner import Basis, Learner, Learning
from patron.decide.learn.state import from_bytes, to_bytes


def test_a_score_says_what_it_rests_on() -> None:
    learner = Learner(Learning(features=2, evidence=3, prior=0.1))
    learner.add("new")
    learner.add("ruled", prior=0.4, pseudo=2.0)
    learner.add("known")
    x = [1.0, 0.5]
    for action, times in (("ruled", 2), ("known", 3)):
        for _ in range(times):
            learner.observe(action, x)
            learner.reward(action, x, 1.0)
    scores = learner.score(x, learner.rows(["new", "ruled", "known"]))
    assert scores.bases.tolist() == [Basis.PRIOR, Basis.AVERAGE, Basis.PERSONAL]
    assert scores.means[:2].tolist() == pytest.approx([0.1, (2 * 0.4 + 2) / 4])
    assert scores.means[2] > 0.8


def test_below_the_evidence_everybody_is_scored_alike() -> None:
    learner = Learner(Learning(features=2, evidence=5))
    learner.add("a")
    for x in ([1.0, 1.0], [1.0, -1.0]):
        learner.observe("a", x)
    learner.reward("a", [1.0, 1.0], 1.0)
    rows = learner.rows(["a"])
    assert learner.score([1.0, 1.0], rows).means == learner.score([1.0, -1.0], rows).means == [0.5]


@cache
def _taught() -> bytes:
    learner = Learner(Learning(features=2, traits=2))
    rng = np.random.default_rng(3)
    for number in range(10):
        learner.add(f"a{number}", traits=[1.0, float(number % 2)])
    for _ in range(600):
        number, likes = int(rng.integers(10)), float(rng.integers(2))
        learner.observe(f"a{number}", [1.0, likes])
        learner.reward(f"a{number}", [1.0, likes], likes * (number % 2))
    return to_bytes(learner)


def taught() -> Learner:
    """Ten actions of which those with trait 1 are liked by people with feature 1, the others are not."""
    return from_bytes(_taught())


def test_an_action_that_nobody_has_seen_is_scored_by_what_it_is() -> None:
    learner = taught()
    learner.add("liked", traits=[1.0, 1.0])
    learner.add("not", traits=[1.0, 0.0])
    rows = learner.rows(["liked", "not"])
    scores = learner.score([1.0, 1.0], rows)
    assert scores.bases.tolist() == [Basis.SHARED, Basis.SHARED]
    assert scores.means[0] > 0.7
    assert scores.means[1] < 0.3
    assert learner.score([1.0, 0.0], rows).means[0] < 0.3


def test_an_unseen_action_keeps_up_with_the_shared_model() -> None:
    learner = Learner(Learning(features=1, traits=1, shared_evidence=10))
    learner.add("seen", traits=[1.0])
    learner.add("unseen", traits=[1.0])
    for _ in range(64):
        learner.observe("seen", [1.0])
        learner.reward("seen", [1.0], 1.0)
    live = learner.score([1.0], learner.rows(["unseen"])).means[0]
    learner.settle()
    assert live > 0.9
    assert learner.score([1.0], learner.rows(["unseen"])).means[0] == pytest.approx(live, abs=0.02)


def test_before_the_shared_model_has_evidence_it_scores_nobody() -> None:
    learner = Learner(Learning(features=1, traits=1, shared_evidence=10, prior=0.25))
    learner.add("a", traits=[1.0])
    learner.add("b", traits=[1.0])
    for _ in range(9):
        learner.observe("a", [1.0])
        learner.reward("a", [1.0], 1.0)
    assert learner.score([1.0], learner.rows(["b"])).means.tolist() == [0.25]


def test_a_rule_overrules_the_shared_model() -> None:
    learner = taught()
    learner.add("ruled", traits=[1.0, 1.0], prior=0.05)
    scores = learner.score([1.0, 1.0], learner.rows(["ruled"]))
    assert scores.means.tolist() == pytest.approx([0.05], abs=1e-6)
    assert scores.bases.tolist() == [Basis.PRIOR]


def test_own_evidence_overrules_the_shared_model() -> None:
    learner = taught()
    learner.add("odd", traits=[1.0, 1.0])
    for _ in range(100):
        learner.observe("odd", [1.0, 1.0])
    assert learner.score([1.0, 1.0], learner.rows(["odd"])).means[0] < 0.1


def test_contributions_add_up_to_the_score_whatever_it_rests_on() -> None:
    learner = taught()
    learner.add("new", traits=[1.0, 1.0])
    learner.add("few", traits=[1.0, 1.0], prior=0.3, pseudo=1.0)
    learner.observe("few", [1.0, 1.0])
    rests = []
    for action in ("a1", "new", "few"):
        scores = learner.score([1.0, 0.5], learner.rows([action]))
        parts = learner.contributions(action, [1.0, 0.5])
        assert parts.sum() == pytest.approx(scores.means[0], abs=1e-5)
        assert len(parts) == 3
        rests.append(int(scores.bases[0]))
    assert rests == [Basis.PERSONAL, Basis.SHARED, Basis.AVERAGE]
    assert learner.contributions("few", [1.0, 0.5])[1:].tolist() == [0.0, 0.0]
    assert learner.contributions("new", [1.0, 0.5])[1] > 0.1


def test_no_rows_are_scored_as_none() -> None:
    learner = Learner(Learning(features=2))
    assert learner.score([1.0, 0.0], learner.rows([])).means.tolist() == []
    learner.add("a")
    assert learner.score([1.0, 0.0], learner.rows([])).means.tolist() == []


def test_a_removed_action_is_forgotten() -> None:
    learner = Learner(Learning(features=1, evidence=1))
    learner.add("a", prior=0.5)
    learner.observe("a", [1.0])
    learner.remove("a")
    assert "a" not in learner
    learner.add("b")
    assert learner.score([1.0], learner.rows(["b"])).means.tolist() == [0.0]
    with pytest.raises(KeyError, match="no action `a`"):
        learner.reward("a", [1.0], 1.0)


def test_what_does_not_fit_is_refused_in_words() -> None:
    learner = Learner(Learning(features=2, traits=2))
    with pytest.raises(ValueError, match="1 traits of an action given, the shared model has 2"):
        learner.add("a", traits=[1.0])
    with pytest.raises(ValueError, match="the prior of `a` is nan"):
        learner.add("a", traits=[1.0, 0.0], prior=float("nan"))
    with pytest.raises(ValueError, match="3 features given, the basis is over 2"):
        learner.score([1.0, 2.0, 3.0], learner.rows([]))
    with pytest.raises(ValueError, match="a constant other than 0"):
        Learner(Learning(features=2, constant=0.0))
    assert learner.actions == ()


def test_waves_make_a_line_bend() -> None:
    rng = np.random.default_rng(9)
    asks = np.column_stack((np.ones(800), rng.uniform(-1, 1, 800)))
    losses = {}
    for waves in (0, 48):
        learner = Learner(Learning(features=2, waves=waves))
        learner.add("a")
        for ask in asks:
            learner.observe("a", ask)
            learner.reward("a", ask, float(abs(ask[1]) > 0.5))
        means = np.array([learner.score(ask, learner.rows(["a"])).means[0] for ask in asks])
        losses[waves] = float(np.mean((means > 0.5) != (np.abs(asks[:, 1]) > 0.5)))
    assert losses[48] < 0.1 < 0.3 < losses[0]


def test_waves_are_the_same_on_every_machine() -> None:
    assert Waves(3, waves=4)([0.5, 0.25, -0.5]).steps[3:].tolist() == GOLDEN


GOLDEN = [-694.0, -1834.0, -1187.0, -1982.0]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no learned state"),
        (b"SQLite format 3\x00", "no learned state"),
        (b"PATRONRL", "damaged or cut short"),
        (b"PATRONRL\x00\x00\x00\x00junk", "damaged or cut short"),
        (b"PATRONRL" + zlib.crc32(b"\xc0").to_bytes(4, "little") + b"\xc0", "cannot be read"),
        (b"PATRONRL" + zlib.crc32(b"\x91\x63").to_bytes(4, "little") + b"\x91\x63", "version 99"),
    ],
)
def test_foreign_bytes_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_bytes(data)


def test_a_single_wrong_bit_is_noticed() -> None:
    data = bytearray(to_bytes(taught()))
    data[len(data) // 2] ^= 4
    with pytest.raises(ValueError, match="damaged"):
        from_bytes(bytes(data))
    with pytest.raises(ValueError, match="damaged"):
        from_bytes(to_bytes(taught())[:-1])
