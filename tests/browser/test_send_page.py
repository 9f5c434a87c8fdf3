"""Sends in a browser, over a whole workspace: tried, begun and followed by keyboard, and without a script."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from patron.runtime.backend import LocalBackend
from tests.browser.chrome import Watched
from tests.browser.fake_console import PASSWORD
from tests.browser.living import living
from tests.flow.inprocess import send, source

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
BASE = "/console/decisions/sends"
NOW = 1_800_014_400_000
CATALOGUE = """
[[placement]]
id = "mail"
name = "Newsletter"
channel = "email"
outbound = true
explore = false
reward = "click"

[[offer]]
id = "tea"
name = "Tea for two"
value = 5.0
content = {title = "Tea, {first_name}?"}
"""


async def _live(backend: LocalBackend) -> None:
    await backend.add_user("giulia", "Giulia Serra", "admin", PASSWORD)
    await source(backend, "web")
    await backend.set_catalogue(CATALOGUE)
    people = [{"type": "identify", "userId": f"u{n}", "traits": {"email": f"u{n}@mail.example"} if n % 4 else {}, "messageId": f"i{n}"} for n in range(80)]  # fmt: skip
    await send(backend, "web", people)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path = tmp_path_factory.mktemp("sends") / "shop"
    with living(path, _live, now=NOW) as address:
        yield address


def test_a_send_is_tried_begun_and_followed_by_keyboard(browser: Browser, base: str) -> None:
    watched = Watched(browser.new_context(), base)
    watched.sign_in()
    page = watched.page
    watched.go("/console/decisions")
    page.get_by_role("link", name="Sends").press("Enter")
    page.wait_for_url(f"**{BASE}")
    expect(page.locator("main")).to_contain_text("Nothing was sent yet")
    page.get_by_role("link", name="New send").press("Enter")
    page.wait_for_url(f"**{BASE}/new")
    page.get_by_label("Name", exact=True).press_sequentially("Tea time")
    page.keyboard.press("Enter")
    tried = page.locator("#tried")
    expect(tried).to_contain_text("Nothing is sent, reserved or recorded yet.")
    expect(tried).to_contain_text("of 80 people looked at")
    expect(tried).to_contain_text("varies only by {first_name}")
    foretold = tried.locator(".fig .v").first.inner_text()
    page.get_by_role("button", name="Send it for real").press("Enter")
    page.wait_for_url(f"**{BASE}/tea-time")
    expect(page.locator("h1")).to_have_text("Tea time")
    expect(page.locator("#send")).to_contain_text("of 80 people looked at", timeout=15_000)
    page.reload()
    expect(page.locator(".head .pill")).to_have_text("Ended")
    assert page.locator("#send .fig .v").first.inner_text() == foretold
    expect(page.locator("#send")).to_contain_text("No address for any of its channels is known")
    watched.go(f"{BASE}?placement=mail")
    expect(page.locator("#different")).to_contain_text("Only a name differs")
    assert watched.wrong == []


def test_a_send_works_without_a_script(browser: Browser, base: str) -> None:
    page = Watched(browser.new_context(java_script_enabled=False), base).page
    page.goto(f"{base}/console/signin")
    page.fill('[name="name"]', "giulia")
    page.fill('[name="password"]', PASSWORD)
    page.click('button[type="submit"]')
    page.goto(f"{base}{BASE}/new")
    page.get_by_label("Name", exact=True).fill("Plain")
    page.get_by_label("Until, o’clock").fill("99")
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_text("Write two hours of the day")).to_be_visible()
    page.get_by_label("Until, o’clock").fill("20")
    page.get_by_role("button", name="Try it").click()
    expect(page.locator("#tried")).to_contain_text("Who gets nothing, and why")
