"""Debian's Chromium, driven through Playwright: started for one test, ended with it."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

DEBIAN = Path("/usr/bin/chromium")
NAMES = ("chromium", "chromium-browser", "google-chrome")
MAC = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


def chromium_path() -> str:
    """Debian's Chromium; where there is none, another one, and it is said which and why.

    Raises RuntimeError that says how to install one: a missing browser is never a reason to skip.
    """
    if DEBIAN.exists():
        return str(DEBIAN)
    others = [shutil.which(name) for name in NAMES] + [path for path in MAC if Path(path).exists()]
    for found in filter(None, others):
        print(f"{DEBIAN} is not installed: these tests drive {found} instead", file=sys.stderr)
        return found
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
