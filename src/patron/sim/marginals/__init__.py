"""A simulated world beside real baskets: the same marginals of both, their distance, and why it is so.

    report = compare(world_baskets(folder, folder / "truth"), journey_baskets())

Repeat intervals need customers: on the simulated side they are told apart by the truth, or by the record that each
message names; on the real side they are households. `unexplained` lists what differs without a stated cause.
"""

from patron.sim.marginals.baskets import About, Basket, Baskets, gather
from patron.sim.marginals.page import page
from patron.sim.marginals.report import Compared, Estimate, Report, compare, unexplained
from patron.sim.marginals.sides import journey_baskets, world_baskets
from patron.sim.marginals.text import text

__all__ = [
    "About",
    "Basket",
    "Baskets",
    "Compared",
    "Estimate",
    "Report",
    "compare",
    "gather",
    "journey_baskets",
    "page",
    "text",
    "unexplained",
    "world_baskets",
]
