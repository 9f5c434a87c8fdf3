"""The CSV feeds of one world, with what its engine knows handed to them (SIMULATOR.md 7.6)."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from patron.sim.engine.media import CAMPAIGN, PLATFORMS
from patron.sim.engine.shopping import busy, prices, shelves
from patron.sim.generation import feeds
from patron.sim.generation.chunk import Sums
from patron.sim.generation.feeds import AdDay
from patron.sim.town import Town
from patron.sim.world.shops import COUNTRIES

_MILLE_CENTS = (420, 310)
"""What a thousand impressions cost on each platform, in cents."""


def write(town: Town, sums: Sums, folder: Path, events: Path) -> dict[str, int]:
    """Write every feed; how many rows each has."""
    seed, first, days = town.seed, town.first, town.days
    setting, stores = town.setting, town.setting.geography.stores
    cities = [city.name for city in setting.geography.cities]

    def out(store: int, day: int) -> Collection[int]:
        return np.flatnonzero(~shelves(setting, day)[store]).tolist()

    rows = {
        "weather": feeds.weather(seed, cities, first, days),
        "stock": feeds.stock(seed, stores, first, days, out),
        "prices": feeds.prices(first, days, lambda date: prices(setting, date).tolist()),
        "footfall": feeds.footfall(
            seed, stores, first, days, sums.visitors, town.parameters.geofence.passers_by
        ),
        "shifts": feeds.shifts(stores, first, days, lambda store, day: float(busy(setting, day)[store])),
        "trainings": feeds.trainings(setting.staff, first, days),
        "campaigns_offline": feeds.campaigns_offline(seed, cities, first, days),
        "crm": feeds.crm(_messages(events / "crm.ndjson")),
        "ad_spend": feeds.ad_spend(
            seed, _ads(sums), town.parameters.prospects.duplicates, town.parameters.prospects.under_match
        ),
    }
    return {name: feeds.write_feed(folder, name, found) for name, found in rows.items()}


def _messages(file: Path) -> Iterator[dict[str, Any]]:
    with file.open("rb") as lines:
        yield from map(msgspec.json.decode, lines)


def _ads(sums: Sums) -> list[AdDay]:
    found = []
    for date, platform, country in sorted({key[:3] for key in sums.ads}):
        count = {
            what: sums.ads[date, platform, country, what]
            for what in ("seen", "clicked", "clicked and bought", "saw and bought")
        }
        if not count["seen"]:
            continue
        found.append(
            AdDay(
                day=date,
                platform=PLATFORMS[platform],
                campaign=CAMPAIGN,
                ad=f"{CAMPAIGN}-1",
                geo=COUNTRIES[country].code,
                impressions=count["seen"],
                clicks=count["clicked"],
                cost_cents=round(count["seen"] * _MILLE_CENTS[platform] / 1_000),
                clicked_and_bought=count["clicked and bought"],
                saw_and_bought=count["saw and bought"],
            )
        )
    return found
