"""Policies in a browser, over a whole workspace that has learned: by keyboard, without a script, in both themes and widths."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from patron.model.clock import HOUR, MINUTE
from patron.model.offers import Ask
from patron.runtime.backend import LocalBackend
from tests.browser.chrome import Watched
from tests.browser.fake_console import PASSWORD
from tests.browser.living import living
from tests.flow.inprocess import send, source

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
BASE = "/console/decisions/policies"
LAUNCHES = ("/console/decisions/launches/new", "/console/decisions/launches/bold?judge=1&now=1")
NOW = 1_800_014_400_000
CATALOGUE = """
[[placement]]
id = "web_home"
name = "Web home"
reward = "click"
window_hours = 1

[[placement]]
id = "till"
name = "Till"
reward = "order"
explore = false

[[placement]]
id = "till_screen"
name = "Till screen"
reward = "click"
window_hours = 1

[[offer]]
id = "tea"
name = "Tea"
value = 5.0

[[offer]]
id = "mug"
name = "Mug & spoon"
value = 5.0
"""


async def _live(backend: LocalBackend) -> None:
    """Two days at one placement: tea is clicked, so tea is what is learned."""
    await backend.add_user("giulia", "Giulia Serra", "admin", PASSWORD)
    await source(backend, "web")
    await backend.set_catalogue(CATALOGUE)
    bold = {"id": "bold", "name": "Tries more", "placements": ["web_home"], "explore": 3}
    await backend.launching.put("bold", bold, "giulia")
    for n in range(6):
        few = Ask("till_screen", user_id=f"u{n}", channel="pos")
        await backend.decide(few, trusted=True, source=None, user_hash="")
    for n in range(360):
        if n == 120:
            for to in ("shadow", "evaluated", "1%", "10%", "50%"):
                await backend.launching.move("bold", to, "giulia", "for the test")
        ask = Ask("web_home", user_id=f"u{n % 120}", channel="web")
        made = await backend.decide(ask, trusted=True, source=None, user_hash="")
        if made["action"] == "tea" and n % 3:
            clicked = {"decision_id": made["decisionId"]}
            await send(backend, "web", [
                {"type": "track", "event": "Offer Clicked", "messageId": f"m{n}", "userId": f"u{n % 120}", "properties": clicked}
            ])  # fmt: skip
        await backend.step_clock(backend.workspace.clock.now() + 8 * MINUTE)
    await backend.step_clock(backend.workspace.clock.now() + 2 * HOUR)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path = tmp_path_factory.mktemp("policies") / "shop"
    with living(path, _live, settings="[decide]\nholdout = 0.1\n", now=NOW) as address:
        yield address


def test_a_policy_is_judged_by_keyboard_alone(browser: Browser, base: str) -> None:
    watched = Watched(browser.new_context(), base)
    watched.sign_in()
    page = watched.page
    watched.go("/console/decisions")
    page.get_by_role("link", name="Policies").press("Enter")
    page.wait_for_url(f"**{BASE}")
    page.keyboard.press("j")  # the policy stands before the placements
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{BASE}/web_home")
    main = page.locator("main")
    expect(page.get_by_role("heading", name="How Web home decides")).to_be_visible()
    expect(main).to_contain_text("The best ranked is given most often")
    expect(main).to_contain_text("learned-1")
    expect(page.get_by_role("img", name="Clicks a decision by day")).to_be_visible()
    table = page.locator("table", has_text="Share")
    expect(table.locator("tbody tr").first).to_contain_text("Tea")
    page.get_by_role("button", name="Judge it").press("Enter")
    expect(page.get_by_role("heading", name="Estimates")).to_be_visible(timeout=30_000)
    expect(page.locator("#answer")).to_contain_text("What was earned")
    expect(page.locator("#answer")).to_contain_text("Would be given")
    expect(page.locator("#answer")).to_contain_text("Asked: greedy")
    assert watched.findings() == []
    watched.go(f"{BASE}/till_screen")  # asked six times: whoever judges by so few is told no
    page.get_by_label("Another policy").focus()
    page.keyboard.press("End")
    page.get_by_role("button", name="Judge it").press("Enter")
    expect(page.get_by_role("heading", name="It cannot be said")).to_be_visible(timeout=30_000)
    expect(page.locator("#answer")).to_contain_text("below 10 chance decides")
    expect(page.locator("#answer")).to_contain_text("Asked: uniform")
    expect(page.get_by_role("heading", name="Estimates")).to_have_count(0)
    assert watched.findings() == []
    assert watched.wrong == []


def test_all_of_it_works_without_a_script_and_says_why_nothing_can_be_said(
    browser: Browser, base: str
) -> None:
    page = Watched(browser.new_context(java_script_enabled=False), base).page
    page.goto(f"{base}/console/signin")
    page.fill('[name="name"]', "giulia")
    page.fill('[name="password"]', PASSWORD)
    page.click('button[type="submit"]')
    page.goto(f"{base}{BASE}/web_home")
    page.get_by_text("Both charts as a table").click()
    expect(page.get_by_role("group", name="Days, figures")).to_be_visible()
    page.locator("summary", has_text="Offers it never gives").click()
    page.get_by_label("Mug & spoon").check()
    page.get_by_label("At most, for a person").fill("1")
    page.get_by_label("In so many hours").fill("48")
    page.get_by_label("Another formula").fill("propensity * (1 +")
    page.get_by_role("button", name="Judge it").click()
    page.get_by_role("link", name="Wait for the answer").click()
    expect(page.get_by_role("alert")).to_contain_text("The formula:")
    expect(page.get_by_label("Mug & spoon")).to_be_checked()
    page.get_by_label("Another formula").fill("")
    page.get_by_role("button", name="Judge it").click()
    page.get_by_role("link", name="Wait for the answer").click()
    expect(page.locator("#answer")).to_contain_text("greedy, without mug, at most 1 in 48 h")
    expect(page.locator("#answer .pill")).to_have_text(re.compile("Accepted|Caution|Refused"))
    expect(page.locator("#answer table").last).to_contain_text("Would be given")
    page.goto(f"{base}{BASE}/till")
    expect(page.locator("main")).to_contain_text("Nothing was decided here in the last 28 days.")


def test_a_decision_shows_how_its_offers_ranked(browser: Browser, base: str) -> None:
    watched = Watched(browser.new_context(), base)
    watched.sign_in()
    watched.go("/console/decisions")
    # the newest may be of somebody who is held out: nothing came of its ranks
    got = watched.page.locator("main table tbody tr", has_text="Tea").first
    got.locator('a[href^="/console/decisions/"]').first.click()
    table = watched.page.locator("table", has_text="Score")
    expect(table.locator("tbody tr")).to_have_count(3)
    expect(table.locator("tbody tr").first).to_contain_text("1. Tea")
    expect(table).to_contain_text("of 3 by score, with a chance of")
    assert watched.findings() == []
    assert watched.wrong == []


def test_a_policy_is_made_launched_refused_and_stopped_on_its_page(browser: Browser, base: str) -> None:
    watched = Watched(browser.new_context(), base)
    watched.sign_in()
    page = watched.page
    watched.go(BASE)
    page.get_by_role("link", name="New policy").click()
    page.get_by_label("Name").fill("Best first")
    page.get_by_label("Id", exact=False).first.fill("calm")
    page.get_by_label("How it chooses").select_option("greedy")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#err-placements")).to_contain_text("Name 1 to 100 placements")
    page.get_by_label("Web home").check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("main")).to_contain_text("A draft: nothing is decided or worked out by it.")
    page.get_by_role("button", name="Start the shadow").click()
    expect(page.locator('[aria-current="step"]')).to_contain_text("Shadow")
    page.get_by_role("button", name="Judge it and move on").click()
    expect(page.get_by_role("alert")).to_contain_text("At web_home: There are no rows")
    assert watched.findings() == []
    page.get_by_label("Why all the same").fill("only to show it")
    page.get_by_role("button", name="Judge it and move on").click()
    expect(page.locator('[aria-current="step"]')).to_contain_text("Evaluated")
    expect(page.locator("main")).to_contain_text("Overrode: At web_home")
    expect(page.get_by_role("complementary", name="What may be done")).to_contain_text(
        "`bold` is at 50% at web_home"
    )
    expect(page.get_by_role("button", name="Show to 1% of people")).to_have_count(0)
    page.get_by_label("Why (it stands on the record)").fill("enough seen")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator('[aria-current="step"]')).to_contain_text("Stopped")
    expect(page.locator("main")).to_contain_text("enough seen")
    page.goto(f"{base}/console/decisions/launches/bold")
    expect(page.locator("table", has_text="Worse by")).to_contain_text("Reward a decision")
    page.get_by_role("link", name="Judge it").click()
    expect(page.locator("#answer")).to_contain_text("it would have chosen otherwise", timeout=30_000)
    assert watched.findings() == []
    assert [one for one in watched.wrong if "status of 4" not in one] == [], (
        "a refusal is no fault of the page"
    )


@pytest.mark.parametrize("width", [1440, 390])
def test_it_fits_and_is_accessible(browser: Browser, base: str, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, reduced_motion="reduce")
    watched = Watched(context, base)
    watched.sign_in()
    for path in (
        BASE,
        f"{BASE}/web_home",
        f"{BASE}/web_home?challenger=greedy&now=1",
        f"{BASE}/till",
        *LAUNCHES,
    ):
        watched.go(path)
        problems = watched.in_both_themes(
            lambda: [*watched.findings(), *watched.overflow(), *watched.small_targets(24)]
        )
        assert [*problems, *watched.wrong] == [], path
    context.close()
