"""`ads_effects`: what each platform's campaign brought, by audience: the world told beside the one without it (7.7)."""

from collections.abc import Iterator, Mapping

import numpy as np

from patron.sim.engine.media import CAMPAIGN, PLATFORMS
from patron.sim.luck import Floats
from patron.sim.oracle.rows import AdsEffect
from patron.sim.oracle.tally import total
from patron.sim.oracle.without import Days
from patron.sim.world.people import Flags

Dark = frozenset[int]
AS_TOLD: Dark = frozenset()
"""Platforms that are dark in the world as told."""


def worlds() -> list[Dark]:
    """The worlds to live beside the one told: without each platform, and without all of them."""
    every = range(len(PLATFORMS))
    return [*(frozenset({k}) for k in every), frozenset(every)]


def rows(done: Mapping[Dark, list[Days]], prospect: Flags) -> Iterator[AdsEffect]:
    """The rows of the file: each platform and all of them, on those who were customers and those who were not."""
    base = done[AS_TOLD]
    seen, clicked, won = (
        np.concatenate([getattr(part, name) for part in base]) for name in ("seen", "clicked", "won")
    )
    for dark in worlds():
        name = PLATFORMS[next(iter(dark))] if len(dark) == 1 else "all"
        changed = {what: _by_person(base, what) - _by_person(done[dark], what) for what in _WHAT}
        for audience, who in (("customers", ~prospect), ("prospects", prospect)):
            yield AdsEffect(
                platform=name,
                campaign=CAMPAIGN,
                audience=audience,
                people=int(who.sum()),
                impressions=int(seen[who][:, sorted(dark)].sum()),
                clicks=int(clicked[who][:, sorted(dark)].sum()),
                acquired=int(won[who].sum()),
                **{what: total(changed[what][who]) for what in _WHAT},
            )


_WHAT = ("acquisitions", "orders", "revenue", "margin")


def _by_person(parts: list[Days], what: str) -> Floats:
    found = [part.won if what == "acquisitions" else getattr(part.tally, what) for part in parts]
    return np.concatenate(found).astype(np.float64)
