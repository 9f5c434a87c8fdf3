"""Weather is one story: the day's rain sums up its hours, forecasts come before and know less, seasons show."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from patron.model.clock import DAY, HOUR
from patron.sim.world import weather
from patron.sim.world.weather import CLIMATES, rain, weather_day, weather_rows

CITIES = ("Bologna", "Madrid", "London")
FIRST = 20_454  # 2026-01-01
PLACES = st.sampled_from([*CLIMATES, "Atlantis"])


@given(st.integers(-(2**63), 2**63 - 1), PLACES, st.integers(0, 40_000))
def test_a_day_s_rain_is_that_of_its_trading_hours(seed, city, day):
    hours = weather_day(seed, city, day).rain
    wet = sum(hours[hour] >= weather.FELT for hour in weather.TRADING)
    assert rain(seed, city, day) == min(1.0, wet / weather.SOAKED)
    assert len(hours) == 24
    assert min(hours) >= 0


def test_a_day_is_the_same_alone_and_in_a_year_and_differs_by_seed():
    year = list(weather_rows(1001, CITIES, FIRST, 40))
    alone = list(weather_rows(1001, CITIES[1:2], FIRST + 20, 1))
    assert set(alone) < set(year)
    assert [rain(1001, "London", FIRST + d) for d in range(60)] != [
        rain(1002, "London", FIRST + d) for d in range(60)
    ]


def test_rows_are_forecasts_then_the_truth():
    rows = list(weather_rows(1001, CITIES, FIRST, 30))
    assert len(rows) == 3 * 30 * 24 * 3
    for city, hour, known, wet, temp in rows:
        day, of_day = divmod(hour, DAY)
        if known > hour:
            assert known >= hour + HOUR
            seen = weather_day(1001, city, day)
            assert (wet, temp) == (seen.rain[of_day // HOUR], seen.temp[of_day // HOUR])
        else:
            assert hour - known >= 6 * HOUR
    assert sum(known > hour for _, hour, known, _, _ in rows) == len(rows) // 3


def test_the_later_forecast_is_nearer_to_the_truth():
    truth, error = {}, {1: [], 2: []}
    rows = list(weather_rows(1001, CITIES, FIRST, 200))
    for city, hour, known, wet, temp in rows:
        if known > hour:
            truth[city, hour] = wet, temp
    for city, hour, known, wet, temp in rows:
        if known < hour:
            seen = truth[city, hour]
            error[hour // DAY - known // DAY].append((abs(wet - seen[0]), abs(temp - seen[1])))
    one, two = (np.mean(error[ahead], axis=0) for ahead in (1, 2))
    assert (one < two).all()
    assert (one > 0).all()


def test_seasons_cities_and_spells_of_days():
    days = range(FIRST, FIRST + 5 * 365)
    wet = {city: np.array([rain(1001, city, day) for day in days]) for city in (*CITIES, "Milano")}
    noon = np.array([weather_day(1001, "Madrid", day).temp[12] for day in days])
    month = np.array([np.datetime64(day, "D").astype("datetime64[M]").astype(int) % 12 for day in days])
    assert noon[month == 6].mean() > noon[month == 0].mean() + 15
    assert wet["Madrid"][month == 6].mean() < wet["Madrid"][month == 0].mean()
    assert wet["London"].mean() > wet["Madrid"].mean()
    assert 0.08 < np.mean([wet[city].mean() for city in CITIES]) < 0.25
    rainy = (wet["London"] > 0).astype(float)
    assert np.corrcoef(rainy[1:], rainy[:-1])[0, 1] > 0.1
    assert np.corrcoef(wet["Bologna"], wet["Milano"])[0, 1] > 0.2
    assert abs(np.corrcoef(wet["Bologna"], wet["London"])[0, 1]) < 0.1


def test_rain_falls_on_about_as_many_days_as_the_climate_says():
    for city in CITIES:
        climate = CLIMATES[city]
        share = np.mean([any(weather_day(1001, city, day).rain) for day in range(FIRST, FIRST + 1461)])
        assert share == pytest.approx((climate.wet_january + climate.wet_july) / 2, abs=0.05)
