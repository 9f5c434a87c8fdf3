"""Charts say in words what they draw, and scale from zero."""

import re
import xml.etree.ElementTree as ET

import pytest

from patron.console import charts
from patron.model.audiences import Cohort

SVG = "{http://www.w3.org/2000/svg}"


def drawn(svg: str) -> ET.Element:
    return ET.fromstring(str(svg).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" '))


def test_bars_of_a_funnel_are_as_long_as_its_people() -> None:
    picture = drawn(charts.funnel([("Viewed <b>", 400), ("Added", 100), ("Bought", 0)]))
    widths = [float(one.get("width", "0")) for one in picture.iter(f"{SVG}rect")]
    assert widths[1] / widths[0] == pytest.approx(0.25)
    assert widths[2] == 0
    told = "".join(picture.itertext())
    assert "2. Added25.0% of the step before100 people" in told
    assert "3. Bought0.0% of the step before0 people" in told
    assert "1. Viewed <b>400 people" in told


def test_a_funnel_of_nobody_is_drawn() -> None:
    assert "1. Viewed0 people" in "".join(drawn(charts.funnel([("Viewed", 0), ("Bought", 0)])).itertext())


def test_cohorts_print_a_figure_only_for_periods_that_are_over() -> None:
    picture = drawn(charts.cohorts([Cohort("1 Sep", 40, (20, 10)), Cohort("8 Sep", 30, (3,)), Cohort("15 Sep", 9, ())], "week"))  # fmt: skip
    told = [one.text for one in picture.iter(f"{SVG}text")]
    assert [t for t in told if t and t.endswith("%")] == ["50%", "25%", "10%"]
    shades = [float(one.get("fill-opacity", "0")) for one in picture.iter(f"{SVG}rect")]
    assert shades == sorted(shades, reverse=True)
    assert shades[0] == 0.3


def test_two_groups_share_the_same_stretch() -> None:
    picture = drawn(charts.overlap("A", "B", 30, 20, 50))
    band, a, b = (one for one in picture.iter(f"{SVG}rect"))
    assert float(a.get("x", "0")) + float(a.get("width", "0")) == pytest.approx(float(band.get("x", "0")) + float(band.get("width", "0")))  # fmt: skip
    assert float(b.get("x", "0")) == pytest.approx(float(band.get("x", "0")))
    assert float(b.get("width", "0")) / float(a.get("width", "1")) == pytest.approx(70 / 50)


@pytest.mark.parametrize("values", [[0, 0], [1, 5], [5120, 6248], [7, 7], [99_999, 100_001]])
def test_a_line_stays_inside_and_its_axis_is_honest(values: list[int]) -> None:
    low, high = charts.bounds(values)
    assert low == 0 or min(values) > max(values) / 2
    assert low <= min(values) <= max(values) <= high
    text = str(charts.line(values, [f"day {n}" for n in range(len(values))], "Members"))
    points = re.search(r'points="([^"]+)"', text)
    assert points
    assert all(-0.1 <= float(p.split(",")[1]) <= 72.1 for p in points[1].split())
