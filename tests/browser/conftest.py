"""The browser of the browser tests."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.chrome import ARGS, chromium


@pytest.fixture(
    scope="module"
)  # not longer: while it stands, nothing else in this thread may run a loop of its own
def browser() -> Iterator[Browser]:
    """Debian's Chromium, headless."""
    with sync_playwright() as play:
        one = play.chromium.launch(executable_path=chromium(), args=ARGS)
        yield one
        one.close()
