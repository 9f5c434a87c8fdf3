"""The catalogue in a browser: edited by keyboard alone, and without a script."""

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.chrome import Watched
from tests.browser.fake_console import FakeApp

pytestmark = pytest.mark.browser
BASE = "/console/decisions/catalogue"


def test_the_text_is_mended_and_loaded_by_keyboard_alone(browser: Browser, base: str, app: FakeApp) -> None:
    watched = Watched(browser.new_context(), base)
    watched.sign_in()
    page = watched.page
    watched.go(BASE)
    page.get_by_role("link", name="Edit", exact=True).press("Enter")
    page.wait_for_url(f"**{BASE}/edit")
    text = page.get_by_label("The catalogue, as TOML")
    text.focus()
    page.keyboard.press("Control+Home")
    page.keyboard.type('[[offer]]\nid = "tea"\nnmae = "Tea"\n')
    page.get_by_role("button", name="Load").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("did you mean `name`?")
    expect(page.get_by_role("alert")).to_contain_text("Line 3")
    assert watched.findings() == []
    text = page.get_by_label("The catalogue, as TOML")
    expect(text).to_have_attribute("aria-invalid", "true")
    text.focus()
    page.keyboard.press("Control+Home")
    for _ in range(3):
        page.keyboard.press("Shift+ArrowDown")
    page.keyboard.type('[[offer]]\nid = "tea"\nname = "Tea"\n')
    page.get_by_role("button", name="Check").press("Enter")
    expect(page.get_by_text("Loading it would change")).to_be_visible()
    expect(page.locator("main")).to_contain_text("Offer tea")
    assert watched.findings() == []
    page.get_by_role("button", name="Load").press("Enter")
    expect(page.locator("[data-toast]")).to_contain_text("The catalogue is in force.")
    held = app.shelf.held()
    assert held
    assert held.catalogue.offers[0].id == "tea"
    page.get_by_role("button", name="Undo").press("Enter")
    expect(page.locator("[data-toast]")).to_contain_text("is in force again")
    held = app.shelf.held()
    assert held
    assert held.catalogue.offers[0].id == "descaling-kit"
    watched.wrong = [one for one in watched.wrong if "400" not in one]
    assert watched.wrong == []


def test_all_of_it_works_without_a_script(browser: Browser, base: str, app: FakeApp) -> None:
    page = Watched(browser.new_context(java_script_enabled=False), base).page
    page.goto(f"{base}/console/signin")
    page.fill('[name="name"]', "giulia")
    page.fill('[name="password"]', "a cup of coffee")
    page.click('button[type="submit"]')
    page.goto(f"{base}{BASE}")
    page.get_by_label("Find an offer").fill("cocoa")
    page.get_by_role("button", name="Find", exact=True).click()
    page.get_by_role("link", name="House blend 500 g").click()
    expect(page.locator(".prev").first).to_be_visible()
    page.get_by_role("link", name="Edit the catalogue").click()
    text = page.locator('[name="text"]')
    text.fill(text.input_value() + '\n[[offer]]\nid = "late"\nname = "Late"\n')
    page.get_by_role("button", name="Load").click()
    held = app.shelf.held()
    assert held
    assert held.catalogue.offers[-1].id == "late"
    page.goto(f"{base}{BASE}/versions")
    page.locator("main table a").nth(1).click()
    page.get_by_role("button", name="Put in force again").click()
    held = app.shelf.held()
    assert held
    assert held.catalogue.offers[-1].id != "late"
    page.goto(f"{base}/console/decisions/placements")
    page.get_by_role("link", name="4 offers at Till receipt").click()
    expect(page.get_by_role("heading", name="4 offers")).to_be_visible()


def test_rows_are_opened_by_keys(browser: Browser, base: str) -> None:
    watched = Watched(browser.new_context(), base)
    watched.sign_in()
    watched.go(BASE)
    watched.page.keyboard.press("j")
    watched.page.keyboard.press("j")
    watched.page.keyboard.press("Enter")
    watched.page.wait_for_url(f"**{BASE}/offers/second-order-10")
    assert watched.wrong == []
