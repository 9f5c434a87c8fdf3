"""How the survivors were ranked, small enough to stand in every record, and exact: the chances follow from what is recorded.

A score is kept as its gap to the best, in 256 steps that are finest near the best: gap = widest * (code / 255)^2. The
propensities are worked out from the recorded codes, never from what was rounded to them, so a record replays bit for bit.
"""

from collections.abc import Sequence
from math import isfinite
from typing import Protocol

import numpy as np
from msgspec import Struct, structs
from numpy.typing import NDArray

from patron.decide.eligible import Known
from patron.decide.formula import Scores
from patron.decide.index import CatalogueIndex
from patron.decide.learn.choose import Choosing, Propensities, draw, spread, unit, weigh_gaps
from patron.decide.scoring import Expected, Places, Scorer
from patron.model.offers import Ask, Placement, Rating

GREEDY = -1.0
"""As gamma: always the best; of several that are equally good each alike."""
CHOOSING = Choosing()
"""How greedy the draw is: gamma for gaps in standard deviations of what one decision earns, and the share that is spread over
all alike. Where successes are rare a small gap says as much as a large one where they are not, so it weighs as much."""
_STEPS = 255
_BELOW = 9
"""How far below the worst offer nothing scores where something is to be shown, in parts of how far the offers lie apart."""
_SQUARES: Scores = (np.arange(_STEPS + 1) / _STEPS) ** 2
"""Code -> its gap, in parts of the widest."""


class Policy(Protocol):
    """Ranks what the gates left."""

    @property
    def name(self) -> str:
        """Its name in records."""
        ...

    def rate(self, index: CatalogueIndex, left: int, ask: Ask, known: Known, now: int) -> "Rated":
        """The rating of the offers in a mask."""
        ...


class Rated(Struct, frozen=True):
    """A rating as it is made."""

    rating: Rating
    failed: int = 0
    """Mask of the offers that the formula gave no number; they are not rated."""
    fits: bytes = b""
    """For each choice but `nothing` what its record adds to the features; all of one length."""

    def given(self, at: int) -> Rating:
        """The rating of a decision whose choice stands at a place: with what it adds to the features.

        >>> Rated(rate(np.array([2.0, 1.0, 0.0]), 1.0, features=b"x"), fits=b"ab").given(1).features
        b'xb'
        """
        if not self.fits:
            return self.rating
        return structs.replace(self.rating, features=self.rating.features + self.fit(at))

    def fit(self, at: int) -> bytes:
        """What the choice at a place adds; zeros of that length for `nothing`."""
        size = len(self.fits) // max(1, len(self.rating.codes) - 1)
        return self.fits[at * size : (at + 1) * size] or bytes(size)


def rate(scores: Scores, gamma: float, seen: int = 0, features: bytes = b"", noise: float = 1.0) -> Rating:
    """Keep scores (at least one, finite, `nothing` last) as a rating.

    Parameters
    ----------
    gamma : how much less likely a choice is for each unit that it lies behind the best.

    >>> rating = rate(np.array([1.0, 0.5, 0.0]), gamma=18.0)
    >>> rating.codes.hex(), [round(p, 3) for p in propensities(rating).tolist()]
    ('00b4ff', [0.863, 0.086, 0.05])
    """
    best = float(np.maximum.reduce(scores))
    widest = best - float(np.minimum.reduce(scores))
    if widest <= 0 or not isfinite(widest):
        return Rating(bytes(len(scores)), best, 0.0, gamma, seen, features, noise)
    codes = best - scores
    codes /= widest
    np.sqrt(codes, out=codes)
    codes *= _STEPS
    np.rint(codes, out=codes)
    return Rating(codes.astype(np.uint8).tobytes(), best, widest, gamma, seen, features, noise)


def usual_gamma(scores: Scores, worth: float, seen: int, noise: float) -> float:
    """How much less likely a choice is for each unit of score that it lies behind the best, by how much was seen.

    Parameters
    ----------
    worth : the greatest score that one sure success brings.
    noise : standard deviation of one reward.

    >>> usual_gamma(np.array([1.0, 0.0]), worth=2.0, seen=4, noise=0.5)
    600.0
    """
    size = worth * noise or float(np.abs(scores).max()) or 1.0
    return float(CHOOSING.gamma * max(seen, 1) ** CHOOSING.exponent / size)


def nothing_scores(offers: Scores, usual: float, place: Placement | None) -> float:
    """What doing nothing scores beside these offers: the usual, or far below them where something is to be shown in any case.

    >>> nothing_scores(np.array([2.0, 1.0]), 0.0, Placement("hero", "Hero", fill=True)), nothing_scores(np.array([2.0]), 0.0, None)
    (-8.0, 0.0)
    """
    if place is None or not place.fill:
        return usual
    known = offers[np.isfinite(offers)]
    if not len(known):
        return usual
    low, high = float(known.min()), float(known.max())
    return low - _BELOW * ((high - low) or abs(high) or 1.0)


def price_of(rating: Rating, usual: float, place: Placement | None) -> float:
    """What a message had to be worth beside its cost when it was rated (`decide.pace`); 0 for what is shown to who came.

    Parameters
    ----------
    usual : what doing nothing scores by the catalogue.

    >>> mail = Placement("mail", "Mail", outbound=True)
    >>> price_of(rate(np.array([2.0, 0.75]), 1.0), 0.25, mail), price_of(rate(np.array([2.0, 0.75]), 1.0), 0.25, None)
    (0.5, 0.0)
    """
    if place is None or not place.outbound or place.fill or not rating.codes:
        return 0.0
    return max(0.0, float(scores_of(rating)[-1]) - usual)


def gaps_of(rating: Rating) -> Scores:
    """How far each choice lies behind the best, as recorded."""
    return _SQUARES.take(np.frombuffer(rating.codes, np.uint8)) * rating.widest


def scores_of(rating: Rating) -> Scores:
    """The scores as recorded."""
    return rating.best - gaps_of(rating)


def propensities(rating: Rating, among: Sequence[int] | None = None) -> Propensities:
    """The chance of each choice, by inverse gap weighting; with `among`, of these places alone."""
    gaps = gaps_of(rating)
    if among is not None:
        gaps = gaps[list(among)]
        gaps -= gaps.min()
    if rating.gamma == GREEDY:
        best = gaps == 0.0
        chances: Propensities = best / best.sum()
        return chances
    return spread(weigh_gaps(gaps, rating.gamma), CHOOSING.floor)


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
    scorer, model : of one catalogue, and of the person who asks.
    """

    def __init__(self, scorer: Scorer, model: Model, name: str = "learned-1") -> None:
        self.name = name
        self._scorer = scorer
        self._model = model

    def rate(self, index: CatalogueIndex, left: int, ask: Ask, known: Known, now: int) -> Rated:
        """The rating of the offers in a mask."""
        places = index.places_in(left)
        expected = self._model.expect(index, places, ask, known, now)
        scores = np.empty(len(places) + 1)
        scores[:-1] = self._scorer.score(places, expected, known.facts)
        place = index.places_of.get(ask.placement)
        scores[-1] = nothing_scores(scores[:-1], self._scorer.nothing + known.price, place)
        failed, fits = 0, expected.fits
        if not isfinite(
            float(scores.dot(scores))
        ):  # one product says that all are fine, or that one may not be
            fine = np.isfinite(scores)
            failed = sum(1 << int(place) for place in places[~fine[:-1]])
            scores, fits = scores[fine], _kept(fits, fine[:-1])
        gamma = usual_gamma(scores, self._scorer.worth, expected.seen, expected.noise)
        if place is not None and not place.explore:
            gamma = GREEDY
        return Rated(rate(scores, gamma, expected.seen, expected.features, expected.noise), failed, fits)


def _kept(fits: bytes, fine: NDArray[np.bool_]) -> bytes:
    if not fits or fine.all():
        return fits
    size = len(fits) // len(fine)
    return b"".join(fits[at * size : (at + 1) * size] for at in np.flatnonzero(fine))
