"""Exports in a browser: made by keyboard alone, made without a script, and removed only after a question."""

import pytest
from playwright.sync_api import Browser, expect

from patron.model.exports import PostgresTarget, WebhookTarget
from tests.browser.chrome import Watched
from tests.browser.fake_console import FakeApp

pytestmark = pytest.mark.browser
BASE = "/console/data/exports"


def test_an_export_is_made_by_keyboard_alone(browser: Browser, base: str, app: FakeApp) -> None:
    watched = Watched(browser.new_context(), base)
    watched.sign_in()
    page = watched.page
    watched.go(f"{BASE}/new?segment=store-coffee")
    page.locator('[name="name"]').focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("Coffee to the CRM")
    page.get_by_role("checkbox", name="City").press("Space")
    page.get_by_role("radio", name="Files on this server").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator('[name="url"]')).to_be_visible()
    expect(page.locator('[name="keep"]')).to_be_hidden()
    page.locator('[name="url"]').focus()
    page.keyboard.type("crm.example")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Not saved")
    expect(page.locator('[name="url"]')).to_have_attribute("aria-invalid", "true")
    assert watched.findings() == []
    page.locator('[name="url"]').focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("https://crm.example/in")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{BASE}/coffee-to-the-crm")
    made = app.carried.saved["coffee-to-the-crm"]
    assert made.target == WebhookTarget("https://crm.example/in")
    assert made.fields == ("identifiers.user_id", "identifiers.email", "traits.city")
    page.get_by_role("button", name="Run now").press("Enter")
    expect(page.locator("[data-toast]")).to_contain_text("Done: 12 added.")
    watched.wrong = [one for one in watched.wrong if "400" not in one]
    assert watched.wrong == []


def test_removing_asks_first_and_escape_keeps_it(browser: Browser, base: str, app: FakeApp) -> None:
    watched = Watched(browser.new_context(), base)
    watched.sign_in()
    page = watched.page
    watched.go(f"{BASE}/vips")
    page.get_by_role("link", name="Remove this export…").press("Enter")
    expect(page.locator("#modal")).to_contain_text("The other side keeps what it has")
    assert watched.findings() == []
    page.keyboard.press("Escape")
    expect(page.locator("#modal")).to_be_hidden()
    assert "vips" in app.carried.saved
    page.get_by_role("link", name="Remove this export…").press("Enter")
    page.get_by_role("button", name="Remove the export").press("Enter")
    expect(page.locator("[data-toast]")).to_contain_text("is removed")
    assert "vips" not in app.carried.saved
    watched.go("/console/people/segments/complaint")
    page.get_by_role("link", name="Remove this segment…").press("Enter")
    expect(page.locator("#modal")).to_contain_text("Cannot remove")
    expect(page.locator("#modal").get_by_role("button", name="Remove the segment")).to_have_count(0)
    assert watched.wrong == []


def test_all_of_it_works_without_a_script(browser: Browser, base: str, app: FakeApp) -> None:
    watched = Watched(browser.new_context(java_script_enabled=False), base)
    page = watched.page
    page.goto(f"{base}/console/signin")
    page.fill('[name="name"]', "giulia")
    page.fill('[name="password"]', "a cup of coffee")
    page.click('button[type="submit"]')
    page.goto(f"{base}{BASE}/new")
    page.locator('[name="name"]').fill("All to the warehouse")
    page.get_by_role("radio", name="A PostgreSQL table").check()
    page.locator('[name="dsn_env"]').fill("DWH_DSN")
    page.locator('[name="table"]').fill("people")
    page.get_by_role("button", name="Save and run").click()
    assert app.carried.saved["all-to-the-warehouse"].target == PostgresTarget("DWH_DSN", "people")
    page.get_by_role("button", name="Pause").click()
    assert app.carried.saved["all-to-the-warehouse"].paused
    page.get_by_role("link", name="Remove this export…").click()
    page.get_by_role("button", name="Remove the export").click()
    assert "all-to-the-warehouse" not in app.carried.saved
