"""A difference that may be looked at at any time: its interval holds at every look at once, so stopping early costs nothing.

    difference +- error * sqrt((1 + t r) / (t r) * log((1 + t r) / alpha**2)),   r = -2 log(alpha) + log(-2 log(alpha)) + 1 over t*

where `t` is the effective number of people and `t*` that at which the interval is made narrowest. It is the interval of the
normal mixture sequential probability ratio test; for means it holds asymptotically, whatever the distribution.

Source: H. Robbins, Ann. Math. Stat. 41 (1970); R. Johari, P. Koomen, L. Pekelis, D. Walsh, "Always valid inference",
Operations Research 70 (2022); I. Waudby-Smith, D. Arbour, R. Sinha, E. H. Kennedy, A. Ramdas, "Time-uniform central limit
theory and asymptotic confidence sequences", Ann. Stat. 52 (2024), sections 2.2 and B.2.
"""

import math

TUNED = 500.0
"""Effective people at which an interval is narrowest."""


def margin(error: float, people: float, alpha: float) -> float:
    """How far the interval reaches to either side.

    Parameters
    ----------
    error : standard error of the difference now.
    people : effective number: n m / (n + m) of two groups of n and m.
    alpha : chance that the truth is ever outside, over all looks.

    Raises
    ------
    ValueError : alpha is not between 0 and 1, or there is nobody.

    >>> round(margin(1.0, 500, 0.05), 2), round(margin(1.0, 50_000, 0.05), 2), round(margin(1.0, 5, 0.05), 2)
    (3.04, 3.58, 8.68)
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is between 0 and 1, not {alpha}")
    if people <= 0:
        raise ValueError("an interval needs people in both groups")
    odds = -2 * math.log(alpha)
    scaled = people * (odds + math.log(odds) + 1 if odds > 1 else odds + 1) / TUNED
    return error * math.sqrt((1 + scaled) / scaled * math.log((1 + scaled) / alpha**2))
