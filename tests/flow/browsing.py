"""Debian's Chromium, driven through Playwright: started for one test, ended with it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
MAC = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


def chromium_path() -> str:
    """The installed Chromium. Raises RuntimeError that says how to install one: never a reason to skip."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    for path in MAC:
        if Path(path).exists():
            return path
    raise RuntimeError("no Chromium found; run scripts/tools.sh, it installs one or says how")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium with its own profile, offline except for this machine."""
    arguments = [
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--no-proxy-server",
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=arguments)
        try:
            yield browser
        finally:
            browser.close()
