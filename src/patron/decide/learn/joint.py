"""One regression over the choices of all actions: what would have come anyway, what showing anything adds, and what a fit adds.

    reward = features + [something was shown] (constant + some of the features) + fit of what was shown

Each action's own regression starts from it, so that what all have in common is learned from every choice, and an action's own
choices need only say how it differs. An own regression that starts from 0 has to learn the common part, too, and beside it the
small difference between two actions drowns.

Source: Efron & Morris, "Stein's estimation rule and its competitors", JASA 68 (1973); Kuenzel et al., "Metalearners for estimating
heterogeneous treatment effects", PNAS 116 (2019) (one model of treated and untreated).
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from patron.decide.learn.grid import Floats, Row, from_steps, snap

_ONE: Final = float(snap([1.0]).steps[0])


class Joint:
    """How a row of the joint regression is laid out.

    Parameters
    ----------
    features : how many there are; the first is the constant.
    constant : its value.
    moves : places of the features with which what showing something adds may differ.
    fits : how many numbers a fit has. They stand last, so that there may be more of them later.

    >>> joint = Joint(3, 0.5, [2], 1)
    >>> joint.row(snap([0.5, 1.0, 2.0]), snap([1.0, 0.25]), shown=True).values.tolist()
    [0.5, 1.0, 2.0, 1.0, 2.0, 0.25]
    >>> joint.row(snap([0.5, 1.0, 2.0]), snap([1.0, 0.25]), shown=False).values.tolist()
    [0.5, 1.0, 2.0, 0.0, 0.0, 0.0]
    """

    def __init__(self, features: int, constant: float, moves: Sequence[int], fits: int) -> None:
        self.features = features
        self.constant = constant
        self.moves = list(moves)
        self._shown = features
        self._fits = features + 1 + len(self.moves)
        self.size = self._fits + fits

    def precision(self, moves: float, fits: float) -> NDArray[np.float64]:
        """The prior's precision in every place: 1 but for what showing something adds by features, and for the fits."""
        found = np.ones(self.size)
        found[self._shown + 1 : self._fits] = moves
        found[self._fits :] = fits
        return found

    def start(self, fits: Sequence[float]) -> Floats:
        """The prior's weights: those of the fits, and 0 for all else."""
        found = np.zeros(self.size, np.float32)
        found[self._fits :] = fits
        return found

    def row(self, features: Row, fit: Row, *, shown: bool) -> Row:
        """The row of a choice; `fit` begins with a constant, which is passed over."""
        steps = np.zeros(self.size)
        steps[: self.features] = features.steps
        if shown:
            steps[self._shown] = _ONE
            steps[self._shown + 1 : self._fits] = features.steps[self.moves]
            steps[self._fits :] = fit.steps[1:]
        return from_steps(steps)

    def of_fits(self, weights: Floats) -> Floats:
        """What each number of a fit adds."""
        return weights[self._fits :]

    def starts(self, weights: Floats) -> tuple[Floats, Floats]:
        """Weights over the features that an action starts from, and those of doing nothing.

        >>> joint = Joint(2, 0.5, [1], 1)
        >>> [one.tolist() for one in joint.starts(np.array([1.0, 0.25, 2.0, 0.5, 9.0], np.float32))]
        [[5.0, 0.75], [1.0, 0.25]]
        """
        nothing = weights[: self.features].copy()
        shown = nothing.copy()
        shown[0] += weights[self._shown] / self.constant
        shown[self.moves] += weights[self._shown + 1 : self._fits]
        return shown, nothing
