"""What would they see, in a browser over a real workspace: by keyboard, without a script, in both themes and widths."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from patron.runtime.backend import LocalBackend
from tests.browser.chrome import Watched
from tests.browser.fake_console import PASSWORD
from tests.browser.living import living
from tests.flow.inprocess import send, source

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
BASE = "/console/decisions/preview"
CATALOGUE = """
[[placement]]
id = "web_home"
name = "Web home"
channel = "web"
slots = 2

[[placement]]
id = "till"
name = "Till"
channel = "pos"
explore = false

[[offer]]
id = "tea"
name = "Tea"
content = { title = "A tea?", price = "4.50", currency = "EUR" }

[[offer]]
id = "umbrella"
name = "Umbrella"
value = 50.0
conditions = [{ field = "context.weather", op = "=", value = "rain" }]

[[offer]]
id = "again"
name = "Come again"
because = "Has bought {totals.orders} times"
conditions = [{ field = "totals.orders", op = ">=", value = 1 }]
"""


async def _live(backend: LocalBackend) -> None:
    await backend.add_user("giulia", "Giulia Serra", "admin", PASSWORD)
    await source(backend, "web")
    await backend.set_catalogue(CATALOGUE)
    bought = {"order_id": "o1", "revenue": 20, "currency": "EUR"}
    order: dict[str, Any] = {
        "type": "track", "event": "Order Completed", "userId": "anna", "anonymousId": "a1", "messageId": "m1", "properties": bought,
    }  # fmt: skip
    named = {"type": "identify", "userId": "anna", "messageId": "m2", "traits": {"first_name": "Anna"}}
    await send(backend, "web", [order, named])


def _untouched(backend: LocalBackend) -> None:
    assert len(backend.workspace.decisions) == 0, "looking decides nothing"
    assert len(backend.workspace.grants) == 0, "and gives nothing"
    assert len(backend.workspace.state.table("arms")) == 0, "and teaches nothing"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path = tmp_path_factory.mktemp("preview") / "shop"
    with living(path, _live, settings="[decide]\nholdout = 0\n", after=_untouched) as address:
        yield address


def test_it_shows_place_by_place_what_somebody_would_see(browser: Browser, base: str) -> None:
    watched = Watched(browser.new_context(), base)
    watched.sign_in()
    page = watched.page
    watched.go("/console/decisions/placements")
    page.get_by_role("link", name=re.compile("what Till would show")).press("Enter")
    page.wait_for_url(f"**{BASE}?placement=till")
    answer = page.locator("#answer")
    expect(answer.locator(".panel")).to_have_count(1)
    expect(answer).to_contain_text("Somebody nobody knows")
    page.get_by_label("Placement").select_option("")
    page.get_by_label("Weather").select_option("rain")
    page.get_by_label("Hour").select_option("9")
    page.get_by_label("Who", exact=True).fill("user_id:anna")
    page.keyboard.press("Enter")
    expect(answer.locator(".panel")).to_have_count(2)
    expect(answer).to_contain_text("Anna")
    expect(answer).to_contain_text("09:00:")
    till = page.locator("#at-till")
    expect(till.locator("tbody tr")).to_have_count(4)
    expect(till).to_contain_text("Come again")
    page.get_by_label("They proved who they are").uncheck()
    page.get_by_label("Weather").select_option("")
    page.get_by_label("Who", exact=True).fill("")
    page.get_by_role("button", name="Show it").press("Enter")
    expect(till.locator("tbody tr")).to_have_count(2)
    till.get_by_text("Why not the 2 others").press("Enter")
    expect(till).to_contain_text("Only when weather is rain here and now")
    expect(till).to_contain_text("Rests on personal data, and who asks is not proven")
    expect(till).to_contain_text("€4.50")
    page.get_by_label("Who", exact=True).fill("user_id:nobody")
    page.get_by_role("button", name="Show it").press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    assert watched.findings() == []
    assert watched.wrong == []


def test_it_works_without_a_script_and_from_the_page_of_a_person(browser: Browser, base: str) -> None:
    page = Watched(browser.new_context(java_script_enabled=False), base).page
    page.goto(f"{base}/console/signin")
    page.fill('[name="name"]', "giulia")
    page.fill('[name="password"]', PASSWORD)
    page.click('button[type="submit"]')
    page.goto(f"{base}/console/people/user_id:anna")
    page.get_by_role("link", name="What would they see").click()
    expect(page.locator("#answer")).to_contain_text("Anna")
    page.get_by_label("Weather").select_option("rain")
    page.get_by_role("button", name="Show it").click()
    expect(page.locator("#at-web_home")).to_contain_text("Behind it:")
    expect(page.get_by_label("Weather")).to_have_value("rain")


@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_and_is_accessible(browser: Browser, base: str, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, reduced_motion="reduce")
    watched = Watched(context, base)
    watched.sign_in()
    watched.go(f"{BASE}?person=user_id%3Aanna")
    problems = watched.in_both_themes(
        lambda: [*watched.findings(), *watched.overflow(), *watched.small_targets(24)]
    )
    assert [*problems, *watched.wrong] == []
    context.close()
