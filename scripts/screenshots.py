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
from squeeze import squeeze

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
    letter = first_link(page, f"{base}/console/data/quarantine", r"/console/data/quarantine/[^/?]+")
    person = (
        f"/console/people/{person}"
        if person
        else first_link(page, f"{base}/console", r"/console/people/[^/?]+")
    )
    decision = first_link(page, base + person, r"/console/decisions/[^/?]+") if person else ""
    policy = first_link(
        page, f"{base}/console/decisions/policies", r"/console/decisions/policies/web_home"
    ) or first_link(page, f"{base}/console/decisions/policies", r"/console/decisions/policies/[^?]+")
    export = first_link(page, f"{base}/console/data/exports", r"/console/data/exports/(?!new)[^/?]+")
    segment = first_link(
        page, f"{base}/console/people/segments", r"/console/people/segments/(?!new|overlap)[^/?]+"
    )
    trait = first_link(page, f"{base}/console/people/traits", r"/console/people/traits/(?!new)[^/?]+")
    found = {
        "home": "/console",
        "people": "/console/people",
        "rules": "/console/people/rules",
        "person": person,
        "split": person,
        "person-data": f"{person}/data" if person else "",
        "segments": "/console/people/segments",
        "segment": segment or "/console/people/segments/new?ready=lapsing-buyers",
        "overlap": "/console/people/segments/overlap?a=store-only&b=lapsing-buyers" if segment else "",
        "remove": "/console/people/segments/regulars" if segment else "",
        "traits": "/console/people/traits",
        "trait": trait or "/console/people/traits/new?ready=spent_90d",
        "conditions": "/console/people/conditions",
        "decisions": "/console/decisions",
        "catalogue": "/console/decisions/catalogue",
        "offer": "/console/decisions/catalogue/offers/second-order-10",
        "catalogue-edit": "/console/decisions/catalogue/edit",
        "placements": "/console/decisions/placements",
        "policies": "/console/decisions/policies",
        "policy": policy,
        "policy-what-if": f"{policy}?challenger=greedy&now=1" if policy else "",
        "launch": first_link(
            page, f"{base}/console/decisions/policies", r"/console/decisions/launches/(?!new)[^/?]+"
        ),
        "sends": "/console/decisions/sends",
        "send": first_link(
            page, f"{base}/console/decisions/sends", r"/console/decisions/sends/(?!new)[^/?]+"
        ),
        "send-new": "/console/decisions/sends/new",
        "preview": "/console/decisions/preview",
        "decision": decision,
        "health": "/console/data",
        "sources": "/console/data/sources",
        "quarantine": "/console/data/quarantine",
        "deadletter": letter,
        "feeds": "/console/data/feeds",
        "exports": "/console/data/exports",
        "export": export,
        "export-new": "/console/data/exports/new?segment=store-only",
        "keys": "/console/data/keys",
        "privacy": "/console/privacy",
        "account": "/console/account",
    }
    if page.locator('a[href="/console/shop"]').count():
        found["shop"] = "/console/shop"
    if page.locator('a[href="/console/results"]').count():
        steps = "step=Product+Viewed&step=Product+Added&step=Order+Completed"
        found["funnel"] = f"/console/results?{steps}&days=90&now=1"
        found["retention"] = "/console/results/retention?now=1"
        found["paths"] = "/console/results/paths?now=1"
        found["baskets"] = "/console/results/baskets?now=1"
        found["rfm"] = "/console/results/rfm?now=1"
        found["lake"] = "/console/data/lake"
    for name in ("stories", "practice"):
        if page.locator(f'a[href="/console/{name}"]').count():
            found[name] = f"/console/{name}"
    return {name: path for name, path in found.items() if path}


def find(page: Page) -> None:
    """Look for somebody by a part of their name."""
    page.fill("#q", "bian")
    page.wait_for_selector("#results table")
    page.wait_for_timeout(300)


def open_split(page: Page) -> None:
    """Open the dialog, and choose the last card but one that the person holds."""
    page.get_by_role("link", name="Split…").click()
    page.wait_for_selector("#modal[open] [data-split]")
    cards = page.locator("#modal .pick", has_text="Card")
    if cards.count() > 1:
        cards.first.click()
        page.wait_for_selector("#split-preview .sides")
    page.wait_for_timeout(300)


def be_the_customer(page: Page) -> None:
    """Order on the web page, say hello at the kiosk by the same address, and let the till read the card."""
    address = f"ada.{os.urandom(3).hex()}@posta.example"
    page.get_by_role("button", name="Add Espresso beans").first.click()
    web, kiosk = page.locator('[data-form="web"]'), page.locator('[data-form="kiosk"]')
    web.get_by_label("E-mail").fill(address)
    web.get_by_label("Personal offers in this shop").check()
    web.get_by_role("button", name="Order").click()
    page.get_by_text("Ordered W-").wait_for()
    kiosk.locator('[name="value"]').fill(address)
    kiosk.get_by_label("Personal offers here").check()
    kiosk.get_by_role("button", name="Say hello").click()
    page.get_by_text("works at the till").wait_for()
    page.get_by_role("button", name="Scan card").click()
    page.get_by_text("was read").wait_for()
    page.wait_for_timeout(1500)
    page.mouse.move(0, 0)


def try_rules(page: Page) -> None:
    """See what stricter rules would do."""
    page.fill('[name="rules"]', "[identity]\ntotal_limit = 6\n")
    page.get_by_role("button", name="Try these rules").click()
    page.wait_for_selector(".said")


def misspell(page: Page) -> None:
    """Name a placement that there is not, and have the text checked."""
    text = page.locator('[name="text"]')
    text.fill(text.input_value().replace('placements = ["till"', 'placements = ["tlil"'))
    page.get_by_role("button", name="Check").click()
    page.get_by_role("alert").wait_for()


def open_an_answer(page: Page) -> None:
    """Show the second story with its answer."""
    page.locator("#pick-up summary", has_text="Show the answer").click()


def count(page: Page) -> None:
    """Wait until a builder has counted."""
    page.locator("#reach .huge, #values .traits").first.wait_for(timeout=20_000)
    page.wait_for_timeout(600)


def ask_to_remove(page: Page) -> None:
    """Open the question before a segment is removed."""
    page.get_by_role("link", name="Remove this segment…").click()
    page.wait_for_selector("#modal[open]")
    page.wait_for_timeout(200)


def name_the_lake(page: Page) -> None:
    """The lake of these pictures lies in a folder that is gone by now: show a usual one."""
    page.evaluate("document.querySelector('.head code').textContent = 'shop/lake'")


ACTS = {
    "segment": count,
    "trait": count,
    "remove": ask_to_remove,
    "lake": name_the_lake,
    "stories": open_an_answer,
    "people": find,
    "rules": try_rules,
    "catalogue-edit": misspell,
    "split": open_split,
    "shop": be_the_customer,
}
"""What is done on a page before its picture is taken."""


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
    press = browser.new_page()
    for theme in THEMES:
        for width in WIDTHS:
            context = browser.new_context(
                viewport={"width": width, "height": 900 if width > 800 else 844},
                color_scheme=theme,  # type: ignore[arg-type]
                reduced_motion="reduce",
            )
            page = context.new_page()
            for name, image in visit(page, base, user, password, person, width):
                yield f"{name}-{theme}-{width}.png", squeeze(press, image)
            context.close()


def visit(
    page: Page, base: str, user: str, password: str, person: str, width: int
) -> Iterator[tuple[str, bytes]]:
    """(name, PNG) of every page for one visitor."""
    page.goto(f"{base}/console/signin")
    yield "signin", page.screenshot()
    sign_in(page, base, user, password)
    for name, path in addresses(page, base, person).items():
        page.goto(base + path)
        page.wait_for_timeout(400)
        ACTS.get(name, lambda _: None)(page)
        yield name, page.screenshot() if name in ("split", "remove") else whole(page, width)
    page.keyboard.press("Control+k")
    page.wait_for_selector("#palette-list")
    yield "palette", page.screenshot()


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
