"""What people had before an experiment taken out of what they had in it: the same difference with less noise.

Source: A. Deng, Y. Xu, R. Kohavi, T. Walker, "Improving the sensitivity of online controlled experiments by utilizing
pre-experiment data" (CUPED), WSDM 2013; the slope is that within the arms.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from patron.moments.variances import Spread


class Before(NamedTuple):
    """People of one arm, side by side: what each had before they were drawn, and since."""

    before: Sequence[float]
    since: Sequence[float]


def adjusted(treated: Before, control: Before) -> tuple[Spread, Spread]:
    """What both arms had since, as if all had had as much before. Same unit as the values.

    >>> spread = adjusted(Before([0, 10, 20], [1, 6, 11]), Before([0, 20, 40], [0, 10, 20]))
    >>> [round(one.mean, 9) for one in spread], [round(one.variance, 9) for one in spread]
    ([8.5, 7.5], [0.0, 0.0])
    """
    arms = [
        (np.asarray(one.before, np.float64), np.asarray(one.since, np.float64)) for one in (treated, control)
    ]
    people = sum(len(before) for before, _ in arms)
    if not people:
        return Spread(), Spread()
    middle = sum(float(before.sum()) for before, _ in arms) / people
    slope = _slope(arms)
    found = [_spread(since - slope * (before - middle)) for before, since in arms]
    return found[0], found[1]


_Values = npt.NDArray[np.float64]


def _slope(arms: list[tuple[_Values, _Values]]) -> float:
    """How much more people had since for each unit they had before, within the arms; 0 where nothing varies."""
    together = spread = 0.0
    for before, since in arms:
        if len(before):
            apart = before - before.mean()
            together += float(apart @ since)
            spread += float(apart @ apart)
    return together / spread if spread > 0.0 else 0.0


def _spread(values: _Values) -> Spread:
    if not len(values):
        return Spread()
    mean = float(values.mean())
    return Spread(len(values), mean, float(((values - mean) ** 2).sum()))
