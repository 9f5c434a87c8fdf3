"""The browser of the browser tests, and the console over a double that most of them look at."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.chrome import ARGS, chromium, serving
from tests.browser.fake_console import FakeApp


@pytest.fixture(
    scope="module"
)  # not longer: while it stands, nothing else in this thread may run a loop of its own
def browser() -> Iterator[Browser]:
    """Debian's Chromium, headless."""
    with sync_playwright() as play:
        one = play.chromium.launch(executable_path=chromium(), args=ARGS)
        yield one
        one.close()


@pytest.fixture
def app() -> FakeApp:
    """The double behind `base`."""
    return FakeApp()


@pytest.fixture
def base(app: FakeApp, browser: Browser) -> Iterator[str]:
    """Where a console over the double stands. Its pages are closed first: their streams would hold the server up."""
    with serving(app) as address:
        yield address
        for context in browser.contexts:
            context.close()
