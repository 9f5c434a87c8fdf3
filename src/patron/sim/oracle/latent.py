"""`person_latent`: what drives each person, straight from the population."""

import math
from collections.abc import Iterator

import numpy as np

from patron.sim.luck import Floats, Luck
from patron.sim.oracle.rows import Latent
from patron.sim.town import Town
from patron.sim.world.people import CHANNELS, tastes
from patron.sim.world.shops import COUNTRIES

_CLASSES = (*CHANNELS, "none")


def latent(town: Town) -> Iterator[Latent]:
    """One row a person, in the order of their numbers.

    >>> import datetime as dt
    >>> from patron.sim import make_town
    >>> next(latent(make_town(seed=1, today=dt.date(2026, 4, 1), size=3))).home
    'S01'
    """
    people, stores = town.people, town.setting.geography.stores
    later = _after_drift(town)
    for row in range(len(people)):
        yield Latent(
            person=int(people.ids[row]),
            household=int(people.household[row]),
            country=COUNTRIES[int(people.country[row])].code,
            home=stores[int(people.home[row])].id,
            alpha=float(people.alpha[row]),
            tau=tuple(people.tau[row].tolist()),
            adopts=tuple(people.adopts[row].tolist()),
            taste=_finite(people.taste[row]),
            taste_after_drift=None if later is None else _finite(later[row]),
            size=float(people.size[row]),
            price_sensitivity=float(people.ps[row]),
            irritable=float(people.irritable[row]),
            annoyed=bool(people.annoyed[row]),
            leaving=float(people.leaving[row]),
            answers_to=_CLASSES[int(people.kind[row])],
            reach=tuple(people.reach[row].tolist()),
            hour=float(people.hour[row]),
            prospect=bool(people.prospect[row]),
            intent=float(people.intent[row]),
            susceptible=float(people.susceptible[row]),
        )


def _after_drift(town: Town) -> Floats | None:
    if not town.parameters.world.drift_day:
        return None
    return tastes(Luck(town.seed, town.people.ids), town.parameters, town.people.app, "taste after drift")


def _finite(liking: Floats) -> tuple[float, float, float | None]:
    store, web, app = np.asarray(liking).tolist()
    return store, web, app if math.isfinite(app) else None
