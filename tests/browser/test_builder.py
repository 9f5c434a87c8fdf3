"""The segment builder in a browser: by keyboard alone, with numbers while typing, and without a script."""

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.chrome import Watched
from tests.browser.fake_console import PASSWORD, FakeApp

pytestmark = pytest.mark.browser
BUILDER = "/console/people/segments/store-coffee"
TRAIT = "/console/people/traits/spent"


def opened(browser: Browser, base: str) -> Watched:
    watched = Watched(browser.new_context(viewport={"width": 1440, "height": 900}), base)
    watched.sign_in()
    return watched


def test_a_condition_is_added_and_saved_by_keyboard_alone(browser: Browser, base: str, app: FakeApp) -> None:
    watched = opened(browser, base)
    watched.go("/console/people/segments/new")
    page = watched.page
    page.locator('[id="r.0.event"]').focus()
    page.keyboard.type("Order Completed")
    expect(page.locator("#said")).to_contain_text("ordered")
    expect(page.locator("#cnt-0")).to_contain_text("match alone")
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("a")
    expect(page.locator('[id="r.1.event"]')).to_be_focused()
    page.keyboard.type("Store Entered")
    expect(page.locator("#cnt-1")).to_contain_text("left")
    expect(page.locator('[id="r.1.event"]')).to_be_focused()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("q")
    expect(page.locator("pre.code")).to_contain_text("SELECT")
    page.get_by_label("Name", exact=True).focus()
    page.keyboard.type("Both")
    page.get_by_role("button", name="Save").press("Enter")
    page.wait_for_url("**/segments/both")
    held = app.groups.held("segment", "both")
    assert held
    assert [one["event"] for one in held.definition["rule"]["of"]] == ["Order Completed", "Store Entered"]
    assert not watched.wrong


def test_numbers_follow_what_is_typed_and_the_draft_is_not_left_by_accident(
    browser: Browser, base: str, app: FakeApp
) -> None:
    watched = opened(browser, base)
    watched.go(BUILDER)
    page = watched.page
    expect(page.locator("#reach .huge")).to_be_visible()
    before = page.locator("#reach .huge").inner_text()
    page.locator('[id="r.0.value"]').fill("1")
    expect(page.locator("#draft-state")).to_contain_text("Draft")
    expect(page.locator("#reach .huge")).not_to_have_text(before)
    page.locator('[id="r.0.within.n"]').fill("-3")
    expect(page.locator("#err-0")).to_contain_text("write 3")
    expect(page.locator('[id="r.0.within.n"]')).to_have_attribute("aria-invalid", "true")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.get_by_role("link", name="Home").first.click()
    page.wait_for_timeout(300)
    assert asked == ["beforeunload"]
    assert page.url.endswith(BUILDER)
    page.get_by_role("link", name="Discard").click()
    expect(page.locator('[id="r.0.value"]')).to_have_value("2")
    assert asked == ["beforeunload"]


def test_a_choice_draws_the_row_anew_and_keeps_the_focus(browser: Browser, base: str) -> None:
    watched = opened(browser, base)
    watched.go(BUILDER)
    page = watched.page
    page.locator('[id="r.0.measure"]').select_option("sum")
    expect(page.locator('[id="r.0.property"]')).to_be_visible()
    expect(page.locator('[id="r.0.measure"]')).to_have_value("sum")
    page.locator("#row-1 summary").press("Enter")
    page.locator("#row-1").get_by_role("button", name="Put in a group").press("Enter")
    expect(page.locator('[id="row-1.1"]')).to_be_visible()
    assert not [one for one in watched.findings() if one]


@pytest.mark.parametrize("path", [BUILDER, TRAIT])
def test_an_opened_menu_and_sql_are_accessible(browser: Browser, base: str, path: str) -> None:
    watched = opened(browser, base)
    watched.go(path)
    page = watched.page
    page.get_by_role("button", name="Show as SQL").click()
    expect(page.locator("pre.code")).to_be_visible()
    if path == BUILDER:
        page.locator("#row-0 summary").click()
    assert [*watched.findings(), *watched.overflow(), *watched.small_targets(24)] == []


def test_the_builder_works_without_a_script(browser: Browser, base: str, app: FakeApp) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{base}/console/signin")
    page.locator("[name=name]").fill("giulia")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("button[type=submit]").click()
    page.goto(base + BUILDER)
    page.get_by_role("button", name="Add condition").click()
    page.locator('[id="r.4.event"]').fill("Page Viewed")
    page.get_by_role("button", name="Count again").click()
    expect(page.locator("#cnt-4")).to_contain_text("left")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_have_text("Store coffee lovers, not online")
    held = app.groups.held("segment", "store-coffee")
    assert held
    assert held.version == 2
    assert held.definition["rule"]["of"][-1]["event"] == "Page Viewed"
