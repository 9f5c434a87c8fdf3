"""The shared model as weights over features, and what it refuses."""

import numpy as np
import pytest

from patron.decide.learn.shared import Shared


def test_prior_weights_score_as_the_model_itself() -> None:
    shared, rng, constant = Shared(4, 3), np.random.default_rng(8), 0.5
    kinds = rng.uniform(-1, 1, (6, 3))
    for _ in range(80):
        x = [constant, *rng.uniform(-1, 1, 3)]
        kind = kinds[int(rng.integers(6))]
        shared.observe(x, kind)
        shared.reward(x, kind, float(rng.standard_normal()))
    described = np.array([shared.describe(kind).values for kind in kinds])
    x = [constant, 0.25, -0.5, 1.0]
    means = shared.priors(described, constant) @ np.array(x)
    assert means.tolist() == pytest.approx([shared.mean(x, kind) for kind in kinds], abs=2e-3)
    assert np.ptp(means) > 0.05


def test_features_go_together_with_traits() -> None:
    """The reward is x times z, which neither explains alone."""
    shared, rng = Shared(2, 2), np.random.default_rng(9)
    for _ in range(400):
        x, z = rng.choice([-1.0, 1.0], 2)
        shared.observe([1.0, x], [1.0, z])
        shared.reward([1.0, x], [1.0, z], x * z)
    assert shared.mean([1.0, 1.0], [1.0, 1.0]) > 0.9
    assert shared.mean([1.0, -1.0], [1.0, 1.0]) < -0.9


def test_what_does_not_fit_is_refused_in_words() -> None:
    shared = Shared(3, 2)
    with pytest.raises(ValueError, match="2 features given, the shared model reads 3"):
        shared.observe([1.0, 0.0], [1.0, 0.0])
    with pytest.raises(ValueError, match="feature number 1 is nan"):
        shared.observe([1.0, 0.0, 0.0], [1.0, float("nan")])
    assert shared.count() == 0.0
