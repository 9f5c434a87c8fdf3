"""The score of each survivor: what the model expects, what the offer is worth, and the formula that joins them."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from patron.decide.formula import Formula, Scores
from patron.model.offers import Catalogue, Offer, Weight
from patron.rules.facts import Facts
from patron.rules.matches import Predicate, prepare

Places = NDArray[np.intp]
_ONE = np.float64(1.0)


class Expected(Struct, frozen=True):
    """What a model expects of some offers: an entry each, in their order, and what it expects of doing nothing."""

    propensity: Scores
    """Expected successes (of a money reward: its amount)."""
    nothing: float = 0.0
    """The same when nothing is shown: what would have come anyway."""
    unsubscribe: Scores | float = 0.0
    features: bytes = b""
    """What the model looked at, so that it can learn from what follows."""
    seen: int = 0
    """Observations the model rests on."""
    fits: bytes = b""
    """An entry of equal length for each offer, in their order: the one of the action that is given goes into its record."""
    noise: float = 1.0
    """Standard deviation of one reward: gaps between offers are weighed in parts of it."""


class Scorer:
    """Scores offers of one catalogue by its formula.

    >>> scorer = Scorer(Catalogue((Offer("tea", "Tea", value=4.0), Offer("mug", "Mug", value=9.0, cost=0.5))))
    >>> scorer.score(np.array([0, 1]), Expected(np.array([.5, .1])), {}).tolist()
    [2.0, 0.4]
    """

    def __init__(self, catalogue: Catalogue) -> None:
        offers, scoring = catalogue.offers, catalogue.scoring
        self.nothing = scoring.nothing
        self._size = len(offers)
        told = {name: _column(offers, read) for name, read in _OF_OFFERS.items()}
        same = {name: number for name, number in told.items() if not isinstance(number, np.ndarray)}
        same["unsubscribe_cost"] = np.float64(scoring.unsubscribe_cost)
        if not scoring.weights:
            same["weight"] = _ONE
        self.formula = Formula(scoring.formula, same)
        self._rows = {
            name: column
            for name, column in told.items()
            if isinstance(column, np.ndarray) and name in self.formula.names
        }
        """The terms that the catalogue alone says and that are not the same for all offers."""
        self.worth = self._sure_success()
        """The greatest score that one sure success would bring: the unit in which gaps are weighed."""
        self._weights: list[tuple[list[Predicate], Scores]] = [
            ([prepare(condition) for condition in one.conditions], _factors(one, offers))
            for one in scoring.weights
        ]

    def score(self, places: Places, expected: Expected, facts: Facts) -> Scores:
        """The scores of the offers at these places; NaN where the formula gives no number.

        `propensity` of the formula is what an offer brings beyond doing nothing: what would have come anyway is no reason to
        show it.
        """
        return self.formula(
            {
                **{name: column.take(places) for name, column in self._rows.items()},
                "propensity": expected.propensity - expected.nothing,
                "weight": self._weight(facts)[places] if self._weights else _ONE,
                "unsubscribe": np.float64(expected.unsubscribe),
            },
            len(places),
        )

    def _sure_success(self) -> float:
        sure = self.formula(
            {**self._rows, "propensity": _ONE, "weight": _ONE, "unsubscribe": np.float64(0.0)}, self._size
        )
        fine = np.abs(sure[np.isfinite(sure)])
        return float(fine.max()) if len(fine) else 0.0

    def _weight(self, facts: Facts) -> Scores:
        weight = np.ones(self._size)
        for conditions, factors in self._weights:
            if all(holds(facts) for holds in conditions):
                weight *= factors
        return weight


_OF_OFFERS: Mapping[str, Callable[[Offer], float]] = {
    "value": lambda offer: offer.value,
    "margin": lambda offer: offer.margin,
    "cost": lambda offer: offer.cost,
    "priority": lambda offer: offer.priority,
}


def _column(offers: Sequence[Offer], read: Callable[[Offer], float]) -> Scores | np.float64:
    column = np.array([read(offer) for offer in offers], dtype=np.float64)
    return column[0] if len(column) and (column == column[0]).all() else column


def _factors(weight: Weight, offers: Sequence[Offer]) -> Scores:
    everyone = not weight.offers and not weight.families
    return np.array(
        [
            weight.factor if everyone or o.id in weight.offers or o.family in weight.families else 1.0
            for o in offers
        ]
    )
