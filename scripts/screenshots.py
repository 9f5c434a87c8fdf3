"""Draws docs/screenshots/ from a running console: every page, light and dark, 1440 and 390 wide.

    python scripts/screenshots.py --base http://127.0.0.1:8080 --user giulia --password '...'

The password may come from PATRON_PASSWORD instead. Identifiers of what to open (a person, a decision, a dead letter)
are found in the console itself. Exit code 1 when a page cannot be drawn.
"""

import argparse
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
ARGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]  # fmt: skip
WIDTHS = (1440, 390)
THEMES = ("light", "dark")


def chromium() -> str:
    """Path of Debian's Chromium."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        sys.exit("No chromium. Install it (Debian, Ubuntu: apt-get install chromium) and run this again.")
    return found


def sign_in(page: Page, base: str, user: str, password: str) -> None:
    """Sign in through the form."""
    page.goto(f"{base}/console/signin")
    page.fill('[name="name"]', user)
    page.fill('[name="password"]', password)
    page.click('button[type="submit"]')
    page.wait_for_url(f"{base}/console")


def first_link(page: Page, address: str, pattern: str) -> str:
    """The first link on a page whose address fits the pattern, empty when there is none."""
    page.goto(address)
    links = page.eval_on_selector_all("main a[href]", "links => links.map(link => link.getAttribute('href'))")
    return next((link for link in links if re.fullmatch(pattern, link)), "")


def addresses(page: Page, base: str, person: str) -> dict[str, str]:
    """Name -> path of every page; pages of things that do not exist yet are left out."""
    decision = first_link(page, f"{base}/console/decisions", r"/console/decisions/[^/?]+")
    letter = first_link(page, f"{base}/console/data/quarantine", r"/console/data/quarantine/[^/?]+")
    if not person:
        person = first_link(page, f"{base}/console", r"/console/people/[^/?]+") or first_link(
            page, f"{base}/console/decisions", r"/console/people/[^/?]+"
        )
    else:
        person = f"/console/people/{person}"
    found = {
        "home": "/console",
        "people": "/console/people",
        "person": person,
        "person-split": f"{person}/split" if person else "",
        "person-data": f"{person}/data" if person else "",
        "decisions": "/console/decisions",
        "decision": decision,
        "health": "/console/data",
        "sources": "/console/data/sources",
        "quarantine": "/console/data/quarantine",
        "deadletter": letter,
        "keys": "/console/data/keys",
        "privacy": "/console/privacy",
        "account": "/console/account",
    }
    if page.locator('a[href="/console/shop"]').count():
        found["shop"] = "/console/shop"
    return {name: path for name, path in found.items() if path}


def whole(page: Page, width: int) -> bytes:
    """The whole page in one window of its own height, so that what is fixed stands at its edge."""
    usual = page.viewport_size or {"width": width, "height": 900}
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": width, "height": max(height, usual["height"])})
    page.wait_for_timeout(100)
    image = page.screenshot()
    page.set_viewport_size(usual)
    return image


def shots(browser: Browser, base: str, user: str, password: str, person: str) -> Iterator[tuple[str, bytes]]:
    """(file name, PNG) of every page in every theme and width."""
    for theme in THEMES:
        for width in WIDTHS:
            context = browser.new_context(
                viewport={"width": width, "height": 900 if width > 800 else 844},
                color_scheme=theme,  # type: ignore[arg-type]
                reduced_motion="reduce",
            )
            page = context.new_page()
            page.goto(f"{base}/console/signin")
            yield f"signin-{theme}-{width}.png", page.screenshot()
            sign_in(page, base, user, password)
            for name, path in addresses(page, base, person).items():
                page.goto(base + path)
                page.wait_for_timeout(400)
                if name == "people":
                    page.fill("#q", "an")
                    page.wait_for_timeout(600)
                yield f"{name}-{theme}-{width}.png", whole(page, width)
            page.keyboard.press("Control+k")
            page.wait_for_selector("#palette-list")
            yield f"palette-{theme}-{width}.png", page.screenshot()
            context.close()


def main() -> None:
    """Draw all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--base", required=True, help="address of the console's server, http://127.0.0.1:8080"
    )
    parser.add_argument("--user", required=True)
    parser.add_argument("--password", default=os.environ.get("PATRON_PASSWORD", ""))
    parser.add_argument("--person", default="", help="id of the person to show; else the first one met")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "screenshots")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium(), args=ARGS)
        for name, image in shots(
            browser, chosen.base.rstrip("/"), chosen.user, chosen.password, chosen.person
        ):
            (chosen.out / name).write_bytes(image)
            print(name)
        browser.close()


if __name__ == "__main__":
    main()
