"""Weather by city and hour: spells of rain, cold fronts that last days, and forecasts that were wrong (7.3, 7.6).

Any hour of any day can be asked for alone: every draw is named by seed, place and day, and a day looks back at the
draws of the four days before it, never at their outcome. So the engine may ask for one city-day (`rain`), and the
feed (`weather_rows`) tells the same story by the hour. Days and hours are UTC; they are those of `dt.date` and `iso`.
"""

import datetime as dt
import math
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from patron.model.clock import DAY, HOUR, MINUTE
from patron.sim.luck import Dice, purpose_word

_WEATHER = 1 << 44
"""Keeps the luck of the weather apart from that of people and households."""
_MEMORY = (0.80, 0.48, 0.29, 0.17, 0.10)
"""How much today's air owes to the draws of today and the four days before; squares sum to about 1."""
_SHARED = 0.75
"""Correlation of the weather of two cities of one region on one day, less their own draws."""
TRADING = range(8, 20)
"""Hours (UTC) in which rain matters to shops that are open from 9 to 20 local time."""
FELT = 0.2
"""Millimetres in an hour from which people notice."""
SOAKED = 4.0
"""Wet trading hours after which a day counts as rained off: `rain` is then 1."""
FORECASTS = ((2, 18), (1, 18))
"""A forecast of each hour is known this many days before, at this hour UTC."""


class Climate(NamedTuple):
    """The usual weather of a city: mean temperature in January and July (°C), share of wet days in both."""

    region: str
    january: float
    july: float
    wet_january: float
    wet_july: float


class Day(NamedTuple):
    """The weather of one city on one day: 24 values each, from midnight UTC."""

    rain: tuple[float, ...]
    """Millimetres in the hour."""
    temp: tuple[float, ...]
    """°C."""


CLIMATES: dict[str, Climate] = {
    "Bologna": Climate("IT north", 3.4, 25.4, 0.22, 0.15),
    "Milano": Climate("IT north", 3.6, 25.1, 0.22, 0.20),
    "Torino": Climate("IT north", 3.0, 24.0, 0.17, 0.20),
    "Verona": Climate("IT north", 3.3, 25.0, 0.21, 0.19),
    "Padova": Climate("IT north", 3.3, 24.6, 0.22, 0.19),
    "Venezia": Climate("IT north", 3.6, 24.6, 0.21, 0.18),
    "Trieste": Climate("IT north", 5.9, 25.0, 0.25, 0.21),
    "Genova": Climate("IT north", 8.4, 24.8, 0.25, 0.10),
    "Parma": Climate("IT north", 2.8, 25.5, 0.22, 0.14),
    "Firenze": Climate("IT centre", 6.8, 25.6, 0.28, 0.10),
    "Roma": Climate("IT centre", 7.8, 25.6, 0.25, 0.07),
    "Perugia": Climate("IT centre", 4.8, 24.3, 0.27, 0.12),
    "Napoli": Climate("IT south", 8.7, 25.2, 0.31, 0.07),
    "Bari": Climate("IT south", 8.6, 25.2, 0.24, 0.09),
    "Palermo": Climate("IT south", 11.9, 26.0, 0.31, 0.03),
    "Catania": Climate("IT south", 10.7, 26.7, 0.25, 0.04),
    "Cagliari": Climate("IT south", 10.1, 25.5, 0.24, 0.03),
    "Madrid": Climate("ES centre", 6.3, 25.6, 0.19, 0.06),
    "Zaragoza": Climate("ES centre", 6.6, 25.3, 0.13, 0.08),
    "Valladolid": Climate("ES centre", 4.2, 22.3, 0.22, 0.07),
    "Salamanca": Climate("ES centre", 4.0, 21.7, 0.19, 0.06),
    "Sevilla": Climate("ES south", 10.9, 28.2, 0.20, 0.01),
    "Málaga": Climate("ES south", 12.1, 26.0, 0.19, 0.01),
    "Granada": Climate("ES south", 6.9, 26.0, 0.19, 0.02),
    "Córdoba": Climate("ES south", 9.3, 28.6, 0.21, 0.01),
    "Murcia": Climate("ES south", 10.6, 27.6, 0.10, 0.03),
    "Valencia": Climate("ES east", 11.8, 25.6, 0.14, 0.06),
    "Barcelona": Climate("ES east", 9.2, 24.2, 0.15, 0.09),
    "Palma": Climate("ES east", 11.9, 26.0, 0.20, 0.03),
    "Alicante": Climate("ES east", 11.7, 25.7, 0.11, 0.02),
    "Bilbao": Climate("ES north", 9.3, 20.3, 0.40, 0.23),
    "Oviedo": Climate("ES north", 8.6, 18.9, 0.37, 0.25),
    "London": Climate("GB south", 5.7, 19.0, 0.36, 0.27),
    "Brighton": Climate("GB south", 5.6, 17.2, 0.40, 0.25),
    "Bristol": Climate("GB south", 5.2, 17.4, 0.42, 0.32),
    "Bath": Climate("GB south", 5.1, 17.3, 0.42, 0.32),
    "Oxford": Climate("GB south", 5.1, 18.1, 0.37, 0.28),
    "Cambridge": Climate("GB south", 4.8, 18.2, 0.33, 0.27),
    "Southampton": Climate("GB south", 5.7, 17.9, 0.40, 0.26),
    "Norwich": Climate("GB south", 4.6, 17.4, 0.36, 0.29),
    "Cardiff": Climate("GB west", 5.3, 17.2, 0.48, 0.35),
    "Birmingham": Climate("GB west", 4.3, 17.1, 0.41, 0.31),
    "Manchester": Climate("GB west", 4.9, 16.9, 0.44, 0.38),
    "Liverpool": Climate("GB west", 5.2, 16.8, 0.42, 0.35),
    "Leeds": Climate("GB north", 4.1, 16.6, 0.40, 0.32),
    "York": Climate("GB north", 4.1, 16.8, 0.38, 0.31),
    "Newcastle": Climate("GB north", 4.5, 15.7, 0.36, 0.31),
    "Edinburgh": Climate("GB north", 4.2, 15.3, 0.40, 0.33),
    "Glasgow": Climate("GB north", 4.1, 15.4, 0.55, 0.42),
    "Nottingham": Climate("GB west", 4.2, 17.1, 0.38, 0.30),
}
"""City -> its climate: published normals (days of 1 mm or more), rounded. A city that is not here has `TEMPERATE`."""
TEMPERATE = Climate("", 6.0, 22.0, 0.30, 0.20)


@lru_cache(maxsize=65_536)
def rain(seed: int, city: str, day: int) -> float:
    """How wet the trading hours of a city's day are: 0 = dry, 1 = rained off (four wet hours or more).

    Parameters
    ----------
    seed : of the world.
    city : as in `Store.city`; one that is not in `CLIMATES` has a temperate climate of its own.
    day : days since 1970, UTC.

    >>> 0.0 <= rain(7, "London", 20_500) <= 1.0
    True
    """
    trading = _rain_hours(seed, city, day)[TRADING.start : TRADING.stop]
    return min(1.0, sum(amount >= FELT for amount in trading) / SOAKED)


def weather_day(seed: int, city: str, day: int) -> Day:
    """The weather of one city-day by the hour: what `rain` sums up, and the temperature.

    >>> len(weather_day(7, "London", 20_500).temp)
    24
    """
    climate = CLIMATES.get(city, TEMPERATE)
    wet = _rain_hours(seed, city, day)
    warm = _season(day)
    base = climate.january + (climate.july - climate.january) * warm
    base += 2.6 * _air(seed, city, day, "warmth") - (1.2 if any(wet) else 0.0)
    swing = (2.0 if any(wet) else 3.5) + 2.0 * warm
    temp = (base + swing * math.cos(2.0 * math.pi * (hour - 14) / 24.0) for hour in range(24))
    return Day(wet, tuple(round(degrees, 1) for degrees in temp))


def _season(day: int) -> float:
    """How far the year is from January (0) to July (1): a cosine that is coldest on 17 January."""
    of_year = (dt.date(1970, 1, 1) + dt.timedelta(days=day)).timetuple().tm_yday
    return 0.5 - 0.5 * math.cos(2.0 * math.pi * (of_year - 17) / 365.25)


@lru_cache(maxsize=65_536)
def _draw(seed: int, place: str, day: int, purpose: str) -> float:
    return Dice(seed, _WEATHER + (purpose_word(place) >> 24), day).normal(purpose)


def _air(seed: int, city: str, day: int, purpose: str) -> float:
    """A standard normal number that lasts for days and is shared by the cities of a region."""
    region = CLIMATES.get(city, TEMPERATE).region or city
    near = sum(w * _draw(seed, region, day - k, purpose) for k, w in enumerate(_MEMORY))
    own = sum(w * _draw(seed, f"{city}!", day - k, purpose) for k, w in enumerate(_MEMORY))
    return math.sqrt(_SHARED) * near + math.sqrt(1.0 - _SHARED) * own


@lru_cache(maxsize=4096)
def _rain_hours(seed: int, city: str, day: int) -> tuple[float, ...]:
    """Millimetres of each hour: on a wet day, one to three spells that swell and fade."""
    climate = CLIMATES.get(city, TEMPERATE)
    chance = climate.wet_january + (climate.wet_july - climate.wet_january) * _season(day)
    level = 0.5 * math.erfc(_air(seed, city, day, "front") / math.sqrt(2.0))
    amounts = [0.0] * 24
    if level >= chance:
        return tuple(amounts)
    dice = Dice(seed, _WEATHER + (purpose_word(city) >> 24), day)
    for spell in range(1 + (level < 0.6 * chance) + (level < 0.2 * chance)):
        length, start = 2 + dice.below(8, "length", spell), dice.below(24, "start", spell) - 2
        strength = 0.8 * math.exp(0.7 * dice.normal("strength", spell))
        for hour in range(max(0, start), min(24, start + length)):
            amounts[hour] += strength * math.sin(math.pi * (hour - start + 0.5) / length)
    return tuple(round(amount, 1) for amount in amounts)


def weather_rows(
    seed: int, cities: Iterable[str], first: int, days: int
) -> Iterator[tuple[str, int, int, float, float]]:
    """Rows of `weather.csv`: (city, hour, known_at, rain in mm, temp in °C), times in UTC ms.

    Each hour has two forecasts, known at 18 h two days and one day before, and one observation, known ten minutes after
    the hour is over: whoever decides at a moment may use only rows known by then. A forecast shifts the rain
    by some hours and its amount by a factor, sees rain that does not come, and errs on the temperature; the later one by less.
    """
    for day in range(first, first + days):
        for city in cities:
            seen = weather_day(seed, city, day)
            told = [
                ((day - ahead) * DAY + at * HOUR, _forecast(seed, city, day, ahead, seen))
                for ahead, at in FORECASTS
            ]
            for hour in range(24):
                begins = day * DAY + hour * HOUR
                for known, guess in told:
                    yield city, begins, known, guess.rain[hour], guess.temp[hour]
                yield city, begins, begins + HOUR + 10 * MINUTE, seen.rain[hour], seen.temp[hour]


def _forecast(seed: int, city: str, day: int, ahead: int, seen: Day) -> Day:
    """What was expected of a day: its spells at other hours, of another strength, or those of another day."""
    dice = Dice(seed, _WEATHER + (purpose_word(f"{city}?{ahead}") >> 24), day)
    wet, error = seen.rain, 0.9 * ahead * dice.normal("temperature")
    if dice.chance(0.06 * ahead, "wrong front"):
        wet = _rain_hours(seed, city, day + 17)
    late = round(1.2 * ahead * dice.normal("late"))
    factor = math.exp(0.3 * ahead * dice.normal("amount"))
    moved = (wet[hour - late] if 0 <= hour - late < 24 else 0.0 for hour in range(24))
    return Day(
        tuple(round(amount * factor, 1) for amount in moved),
        tuple(round(degrees + error, 1) for degrees in seen.temp),
    )
