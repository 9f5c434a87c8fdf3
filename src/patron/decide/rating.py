"""How the survivors were ranked, small enough to stand in every record, and exact: the chances follow from what is recorded.

A score is kept as its gap to the best, in 256 steps that are finest near the best: gap = widest * (code / 255)^2. The
propensities are worked out from the recorded codes, never from what was rounded to them, so a record replays bit for bit.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from patron.decide.eligible import Known
from patron.decide.formula import Scores
from patron.decide.index import CatalogueIndex
from patron.decide.learn.choose import Propensities, draw, inverse_gap, unit
from patron.decide.scoring import Expected, Places, Scorer
from patron.model.offers import Ask, Rating

_STEPS = 255


class Policy(Protocol):
    """Ranks what the gates left."""

    @property
    def name(self) -> str:
        """Its name in records."""
        ...

    def rate(self, index: CatalogueIndex, left: int, ask: Ask, known: Known, now: int) -> tuple[Rating, int]:
        """The rating of the offers in a mask, and the mask of those of them that get no score."""
        ...


def rate(scores: Scores, gamma: float, seen: int = 0, features: bytes = b"") -> Rating:
    """Keep scores (at least one, finite, `nothing` last) as a rating.

    Parameters
    ----------
    gamma : how much less likely a choice is for each unit that it lies behind the best.

    >>> rating = rate(np.array([1.0, 0.5, 0.0]), gamma=18.0)
    >>> rating.codes.hex(), [round(p, 3) for p in propensities(rating).tolist()]
    ('00b4ff', [0.869, 0.084, 0.048])
    """
    best = float(scores.max())
    gaps = best - scores
    widest = float(gaps.max())
    if widest <= 0 or not np.isfinite(widest):
        return Rating(bytes(len(scores)), best, 0.0, gamma, seen, features)
    codes = np.rint(np.sqrt(gaps / widest) * _STEPS).astype(np.uint8)
    return Rating(codes.tobytes(), best, widest, gamma, seen, features)


def gaps_of(rating: Rating) -> Scores:
    """How far each choice lies behind the best, as recorded."""
    codes: NDArray[np.float64] = np.frombuffer(rating.codes, np.uint8) / _STEPS
    return codes * codes * rating.widest


def scores_of(rating: Rating) -> Scores:
    """The scores as recorded."""
    return rating.best - gaps_of(rating)


def propensities(rating: Rating, among: Sequence[int] | None = None) -> Propensities:
    """The chance of each choice, by inverse gap weighting; with `among`, of these places alone."""
    scores = -gaps_of(rating)
    return inverse_gap(scores if among is None else scores[list(among)], rating.gamma)


def drawn(rating: Rating, seed: int, among: Sequence[int] | None = None) -> tuple[int, float]:
    """Which choice a seed gives, and its propensity; with `among` only these places may be chosen."""
    chances = propensities(rating, among)
    at = draw(chances, unit(seed))
    return (at if among is None else among[at]), float(chances[at])


class Model(Protocol):
    """What a learned policy asks."""

    def expect(self, index: CatalogueIndex, places: Places, ask: Ask, known: Known, now: int) -> Expected:
        """What is to be expected of the offers at these places."""
        ...


class Learned:
    """The default policy: a model's expectation, the catalogue's formula, inverse gap weighting.

    Parameters
    ----------
    eagerness : gamma is eagerness * sqrt(choices * (observations + 1)) for gaps in parts of the best score's size
        (Foster & Rakhlin, ICML 2020, theorem 1): early all is tried, later mostly the best is shown.
    """

    def __init__(self, scorer: Scorer, model: Model, name: str = "learned-1", eagerness: float = 2.0) -> None:
        self.name = name
        self._scorer = scorer
        self._model = model
        self._eagerness = eagerness

    def rate(self, index: CatalogueIndex, left: int, ask: Ask, known: Known, now: int) -> tuple[Rating, int]:
        """The rating of the offers in a mask, and the mask of those that the formula gives no number."""
        places = index.places_in(left)
        expected = self._model.expect(index, places, ask, known, now)
        scores = self._scorer.score(places, expected, known.facts)
        fine = np.isfinite(scores)
        failed = sum(1 << int(place) for place in places[~fine])
        scores = np.append(scores[fine], self._scorer.nothing)
        size = float(np.abs(scores).max()) or 1.0
        gamma = self._eagerness * (len(scores) * (expected.seen + 1)) ** 0.5 / size
        return rate(scores, gamma, expected.seen, expected.features), failed
