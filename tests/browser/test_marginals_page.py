"""The comparison with real baskets in a browser: a file that asks for nothing, fits a phone, and reads in both themes."""

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser

from patron.sim import marginals
from patron.sim.marginals import About, Basket, gather
from tests.browser.chrome import THEMES, axe

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sides = [_side(1, 1.5, "world default, size 150, seed 1001"), _side(2, 6.0, "Complete Journey")]
    path = tmp_path_factory.mktemp("page") / "marginals.html"
    path.write_text(marginals.page(marginals.compare(*sides, draws=20)), "utf-8")
    return path


def _side(seed: int, mean: float, label: str) -> marginals.Baskets:
    rng = np.random.default_rng(seed)
    found = [
        Basket(
            int(rng.integers(60)), int(rng.integers(90 * 86_400_000)), 1 + int(rng.poisson(mean)),
            float(rng.lognormal(3, 0.6)), bool(rng.random() < 0.05), True, int(rng.random() < 0.3),
        )
        for _ in range(900)
    ]  # fmt: skip
    return gather(About(label, "a customer is a household", "household", "EUR"), found, 0, 90)


@pytest.mark.parametrize("width", [1440, 390])
def test_the_page_fits_asks_for_nothing_and_is_accessible(browser: Browser, file: Path, width: int) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, bypass_csp=True
    )  # axe is put into the page by hand
    page, wrong = context.new_page(), []
    page.on("console", lambda said: wrong.append(said.text))
    page.on("request", lambda asked: asked.url.startswith("file:") or wrong.append(asked.url))
    page.goto(file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator("svg").count() == 11
    least = page.evaluate(
        "Math.min(...[...document.querySelectorAll('svg text')].map(t => t.getBoundingClientRect().height))"
    )
    assert least >= 9
    page.evaluate(axe())
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        found = page.evaluate("axe.run().then(r => r.violations.map(v => v.id + ' ' + v.nodes[0].html))")
        assert found == [], theme
    assert wrong == []
    context.close()
