"""How a policy ranks: live, over what the model expects; and afterwards, over what another policy's record holds.

A record keeps the scores of its own formula. For another one the expected success is worked out from them: a formula that is
linear in `propensity` gives it back, up to the 256 steps in which scores are kept.
"""

import numpy as np
from msgspec import Struct, structs

from patron.decide.eligible import Known
from patron.decide.formula import Scores
from patron.decide.index import CatalogueIndex
from patron.decide.learn.choose import Propensities
from patron.decide.rating import (
    GREEDY,
    Learned,
    Model,
    Rated,
    nothing_scores,
    price_of,
    propensities,
    rate,
    scores_of,
    usual_gamma,
)
from patron.decide.scoring import Expected, Places, Scorer
from patron.model.offers import Ask, Catalogue, Decision, Rating
from patron.model.policies import Policy

_LINEAR = 1e-6
"""How far a formula may be from a straight line, in parts of its slope."""


def catalogue_for(policy: Policy, catalogue: Catalogue) -> Catalogue:
    """The catalogue as a policy scores by it: with its formula where it has one."""
    if not policy.formula:
        return catalogue
    return structs.replace(catalogue, scoring=structs.replace(catalogue.scoring, formula=policy.formula))


class Ranked:
    """A policy at work (`decide.rating.Policy`): the model's expectation, its formula, its way to choose.

    Parameters
    ----------
    scorer : of `catalogue_for`.
    model : of the person who asks.
    name : in records.
    """

    def __init__(self, policy: Policy, scorer: Scorer, model: Model, name: str) -> None:
        self.name = name
        self._policy = policy
        self._learned = Learned(scorer, _Alike(model) if policy.kind == "rules" else model, name)

    def rate(self, index: CatalogueIndex, left: int, ask: Ask, known: Known, now: int) -> Rated:
        """The rating of the offers in a mask."""
        rated = self._learned.rate(index, left, ask, known, now)
        gamma = _gamma(self._policy, rated.rating.gamma)
        if gamma == rated.rating.gamma:
            return rated
        return structs.replace(rated, rating=structs.replace(rated.rating, gamma=gamma))


class _Alike:
    """A model for which every offer is equally likely to succeed; what it looked at is kept, so that others learn from it."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def expect(self, index: CatalogueIndex, places: Places, ask: Ask, known: Known, now: int) -> Expected:
        found = self._model.expect(index, places, ask, known, now)
        return structs.replace(found, propensity=np.ones(len(places)), nothing=0.0)


def _gamma(policy: Policy, usual: float) -> float:
    """How greedy a policy draws, where the learned one draws with `usual`."""
    if policy.kind == "uniform":
        return 0.0
    if usual == GREEDY or policy.kind in ("greedy", "rules"):
        return GREEDY
    return usual / policy.explore


class Scorers(Struct, frozen=True):
    """What an earlier decision is read with: its catalogue, the scorer behind its scores, and the challenger's."""

    index: CatalogueIndex
    before: Scorer
    after: Scorer


def would(policy: Policy, decision: Decision, scorers: Scorers) -> Propensities | None:
    """The chance that a policy had given to each of a decision's `eligible`; None when its record cannot say.

    None: no scores are recorded (they were drawn evenly), or its formula is not linear in `propensity` and the policy has
    another one.
    """
    index, names = scorers.index, decision.eligible[:-1]
    if policy.kind == "uniform":
        return np.full(len(names) + 1, 1 / (len(names) + 1))
    places = np.array([index.places[name] for name in names], dtype=np.intp)
    scores = _scores(policy, decision, scorers, places)
    if scores is None:
        return None
    place = index.places_of.get(decision.placement)
    fine = np.append(np.isfinite(scores), True)
    rating = decision.rating or Rating()
    usual = scorers.after.nothing + price_of(rating, scorers.before.nothing, place)
    kept = np.append(scores, nothing_scores(scores, usual, place))[fine]
    gamma = usual_gamma(kept, scorers.after.worth, rating.seen, rating.noise)
    if place is not None and not place.explore:
        gamma = GREEDY
    chances = np.zeros(len(fine))
    chances[fine] = propensities(rate(kept, _gamma(policy, gamma)))
    return chances


def _scores(policy: Policy, decision: Decision, scorers: Scorers, places: Places) -> Scores | None:
    """The scores of the offers under the policy's formula; NaN where it gives no number."""
    before, after = scorers.before, scorers.after
    if policy.kind == "rules":
        return after.score(places, Expected(np.ones(len(places))), {})
    if decision.rating is None:
        return None
    recorded = scores_of(decision.rating)[:-1]
    if after.formula.text == before.formula.text:
        return recorded
    expected = _expected(before, places, recorded)
    return None if expected is None else after.score(places, Expected(expected), {})


def _expected(scorer: Scorer, places: Places, scores: Scores) -> Scores | None:
    """The expected successes that a formula made these scores of; None when it is no straight line in them."""

    def at(value: float) -> Scores:
        return scorer.score(places, Expected(np.full(len(places), value)), {})

    low, middle, high = at(0.0), at(0.5), at(1.0)
    slope = high - low
    bent = np.abs(middle - low - slope / 2) > _LINEAR * np.abs(slope)
    if not len(places) or bent.any() or not np.isfinite(slope).all() or (slope == 0).any():
        return None if len(places) else scores
    found: Scores = (scores - low) / slope
    return found
