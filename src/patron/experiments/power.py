"""How many people a comparison needs, and how wide its interval must be when anyone may look at any time.

One look at a size fixed before: the usual normal quantile. A line on a screen is looked at every day, and taking the
first lucky day called 32% of simulated null tests (400 looks each). So from the planned size m on, the interval uses

    sqrt(a^2 + ln(n / m))   standard errors, with   2 (1 - Phi(a) + a phi(a)) = alpha   (a = 2.80 for alpha = .05),

which holds at all sizes n >= m together. Source: H. Robbins, "Statistical methods related to the law of the iterated
logarithm", Annals of Mathematical Statistics 41 (1970), with Lebesgue measure as the mixture.
"""

import math
from functools import lru_cache
from statistics import NormalDist

from msgspec import Struct

_NORMAL = NormalDist()
_LEAST = 100


class Plan(Struct, frozen=True):
    """What is fixed before the first person is drawn.

    `effect` is the smallest relative change worth knowing (0.2 = 20%), `holdout` the share in control, `power` the
    chance to see such a change at the planned size, `alpha` the chance of a false call. `any_time` plans for a result
    that is looked at again and again; without it the size is the classical one, for a single look.
    """

    effect: float = 0.2
    holdout: float = 0.5
    power: float = 0.8
    alpha: float = 0.05
    any_time: bool = True

    def __post_init__(self) -> None:
        for name in ("power", "alpha"):
            if not 0.0 < getattr(self, name) < 1.0:
                raise ValueError(f"`{name}` lies between 0 and 1, not {getattr(self, name)}")
        if not 0.0 <= self.holdout <= 1.0:
            raise ValueError(f"`holdout` is a share from 0 to 1, not {self.holdout}")
        if not 0.0 < self.effect < math.inf:
            raise ValueError(f"`effect` is a relative change above 0 such as 0.2, not {self.effect}")


def needed(mean: float, plan: Plan, variance: float | None = None) -> tuple[int, int] | None:
    """People needed (treated, control) to see `plan.effect` with `plan.power`.

    None when it cannot be planned: the mean is 0 or below, or one arm stays empty (a holdout of 0 or 1).

    Parameters
    ----------
    mean : of the control group, expected. Without `variance` it is a rate (a share of people, 0 to 1), and the
        variances are p (1 - p) of both arms.
    variance : of a person's value, when it is a mean of amounts; taken as equal in both arms. Then at least a hundred
        people in each: with fewer the variance itself is not known.

    >>> needed(0.18, Plan(any_time=False)), needed(0.18, Plan())
    ((1920, 1920), (3236, 3236))
    """
    if mean <= 0.0 or (variance is None and mean > 1.0) or plan.holdout in (0.0, 1.0):
        return None
    changed = mean * (1 + plan.effect)
    if variance is None and changed > 1.0:
        changed = max(0.0, mean * (1 - plan.effect))
    t_var = changed * (1 - changed) if variance is None else variance
    c_var = mean * (1 - mean) if variance is None else variance
    reach = deviations(plan) + _NORMAL.inv_cdf(plan.power)
    total = reach**2 * (t_var / (1 - plan.holdout) + c_var / plan.holdout) / (changed - mean) ** 2
    least = 2 if variance is None else _LEAST
    return max(least, math.ceil(total * (1 - plan.holdout))), max(least, math.ceil(total * plan.holdout))


def deviations(plan: Plan, size: float = 1.0) -> float:
    """Half-width of the interval in standard errors, at `size` times the planned size.

    >>> round(deviations(Plan(any_time=False)), 3), round(deviations(Plan()), 3), round(deviations(Plan(), 4.0), 3)
    (1.96, 2.795, 3.033)
    """
    if not plan.any_time:
        return _NORMAL.inv_cdf(1 - plan.alpha / 2)
    return math.sqrt(_start(plan.alpha) ** 2 + math.log(max(1.0, size)))


@lru_cache(maxsize=16)
def _start(alpha: float) -> float:
    """The `a` of the module's formula, by bisection: the left side falls from 1 to 0."""
    low, high = 0.0, 40.0
    for _ in range(80):
        a = (low + high) / 2
        if 2 * (1 - _NORMAL.cdf(a) + a * _NORMAL.pdf(a)) > alpha:
            low = a
        else:
            high = a
    return high
