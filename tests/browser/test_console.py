"""The console in a real browser: every page, both themes, wide and phone; then the work itself by keyboard alone."""

import re

import pytest
from playwright.sync_api import Browser, expect

from patron.console.places import places
from tests.browser.chrome import Watched
from tests.browser.fake_console import FakeApp

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

PAGES = {
    "home": "/console",
    "people": "/console/people",
    "rules": "/console/people/rules",
    "person": "/console/people/p_7F3K2Q",
    "hostile person": "/console/people/p_EVIL01",
    "split": "/console/people/p_7F3K2Q/split",
    "download or erase": "/console/people/p_7F3K2Q/data",
    "decisions": "/console/decisions",
    "catalogue": "/console/decisions/catalogue",
    "offers at a placement": "/console/decisions/catalogue?q=coffee&placement=till",
    "offer": "/console/decisions/catalogue/offers/second-order-10",
    "hostile offer": "/console/decisions/catalogue/offers/hostile",
    "catalogue text": "/console/decisions/catalogue/edit",
    "catalogue versions": "/console/decisions/catalogue/versions",
    "placements": "/console/decisions/placements",
    "policies": "/console/decisions/policies",
    "launch": "/console/decisions/launches/bold?judge=1&now=1",
    "odd launch": "/console/decisions/launches/odd",
    "rolled back": "/console/decisions/launches/worst",
    "new launch": "/console/decisions/launches/new",
    "policy": "/console/decisions/policies/web_home",
    "quiet policy": "/console/decisions/policies/till",
    "better policy": "/console/decisions/policies/web_home?challenger=greedy&now=1",
    "refused policy": "/console/decisions/policies/web_home?challenger=greedy&stop=hostile&now=1",
    "sends": "/console/decisions/sends?placement=till",
    "send": "/console/decisions/sends/spring",
    "running send": "/console/decisions/sends/running",
    "new send": "/console/decisions/sends/new",
    "decision": "/console/decisions/d_01JD7Q8ZK3",
    "ranked decision": "/console/decisions/d_01JD7Q8ZK4",
    "held out": "/console/decisions/d_01JD7Q8ZK6",
    "health": "/console/data",
    "sources": "/console/data/sources",
    "feeds": "/console/data/feeds",
    "keys": "/console/data/keys",
    "quarantine": "/console/data/quarantine",
    "dead letter": "/console/data/quarantine/dl_7",
    "hostile letter": "/console/data/quarantine/dl_9",
    "privacy": "/console/privacy",
    "account": "/console/account",
    "shop": "/console/shop",
    "stories": "/console/stories",
    "practice": "/console/practice",
    "segments": "/console/people/segments",
    "segment builder": "/console/people/segments/store-coffee",
    "nested segment": "/console/people/segments/many-pages",
    "new segment": "/console/people/segments/new",
    "overlap": "/console/people/segments/overlap?a=store-coffee&b=many-pages",
    "traits": "/console/people/traits",
    "trait builder": "/console/people/traits/spent",
    "funnel": "/console/results?step=Product+Viewed&step=Order+Completed&now=1",
    "retention": "/console/results/retention?now=1",
    "paths": "/console/results/paths?now=1",
    "baskets": "/console/results/baskets?now=1",
    "rfm": "/console/results/rfm?now=1",
    "lake": "/console/data/lake",
    "conditions": "/console/people/conditions",
    "remove a segment": "/console/people/segments/store-coffee/remove",
    "cannot remove": "/console/people/segments/complaint/remove",
    "exports": "/console/data/exports",
    "export": "/console/data/exports/vips",
    "stopped export": "/console/data/exports/db",
    "new export": "/console/data/exports/new?segment=store-coffee",
    "edit an export": "/console/data/exports/vips/edit",
    "unknown": "/console/people/p_NOBODY",
}


EVERYWHERE = places(with_shop=True, with_stories=True, with_practice=True, with_lake=True, with_results=True)


def opened(browser: Browser, base: str, theme: str = "light", width: int = 1440) -> Watched:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=theme,  # type: ignore[arg-type]
        reduced_motion="reduce",
    )
    watched = Watched(context, base)
    watched.sign_in()
    return watched


@pytest.mark.parametrize("width", [1440, 390])
def test_every_page_is_sound_accessible_and_fits(browser: Browser, base: str, width: int) -> None:
    watched = opened(browser, base, width=width)
    found: dict[str, list[str]] = {}
    for name, path in PAGES.items():
        watched.go(path)
        if name == "people":
            watched.page.keyboard.type("bianchi")
            expect(watched.page.get_by_text("1 person")).to_be_visible()
        problems = watched.in_both_themes(
            lambda: [*watched.findings(), *watched.overflow(), *watched.small_targets(24)]
        )
        if name == "unknown":
            watched.wrong = [w for w in watched.wrong if "404" not in w]
        problems += watched.wrong
        watched.wrong.clear()
        if problems:
            found[name] = problems
    watched.page.context.clear_cookies()
    watched.go("/console/signin")
    problems = watched.in_both_themes(lambda: [*watched.findings(), *watched.overflow()])
    if problems := [*problems, *watched.wrong]:
        found["sign in"] = problems
    assert not found, found


def test_open_dialogs_are_accessible(browser: Browser, base: str) -> None:
    for theme in ("light", "dark"):
        watched = opened(browser, base, theme)
        watched.go(PAGES["person"])
        watched.page.keyboard.press("Control+k")
        watched.page.wait_for_selector("#palette-list")
        assert watched.findings() == []
        watched.page.keyboard.press("Escape")
        watched.page.keyboard.press("?")
        expect(watched.page.locator("#help")).to_be_visible()
        assert watched.findings() == []
        watched.page.keyboard.press("Escape")
        watched.page.get_by_role("link", name="Split…").press("Enter")
        expect(watched.page.locator("#modal")).to_be_visible()
        assert watched.findings() == []
        assert watched.wrong == []


def test_two_steps_lead_from_a_phone_fragment_to_the_person_by_keyboard(browser: Browser, base: str) -> None:
    watched = opened(browser, base)
    page = watched.page
    page.keyboard.press("Control+k")
    page.wait_for_selector("#palette-list")
    page.keyboard.type("333123")
    expect(page.locator("#palette-list [aria-selected=true]")).to_contain_text("Anna Bianchi")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/console/people/p_7F3K2Q"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Anna Bianchi")
    assert watched.wrong == []


def test_the_palette_moves_with_arrows_and_returns_the_focus(browser: Browser, base: str) -> None:
    watched = opened(browser, base)
    page = watched.page
    page.get_by_role("link", name="People", exact=True).first.focus()
    page.keyboard.press("Control+k")
    page.wait_for_selector("#palette-list")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#palette-list [aria-selected=true]")).to_contain_text(EVERYWHERE[2][0])
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="People", exact=True).first).to_be_focused()
    page.keyboard.press("g")
    page.keyboard.press("q")
    page.wait_for_url("**/console/data/quarantine")
    watched.painted()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/data/quarantine/dl_0")


def test_the_palette_opens_with_its_places_and_without_the_server(browser: Browser, base: str) -> None:
    watched = opened(browser, base)
    page = watched.page
    page.route("**/console/palette", lambda route: route.abort())
    page.keyboard.press("Control+k")
    expect(page.locator("#palette-list [aria-selected=true]")).to_contain_text("Home")
    expect(page.locator("#palette-list [role=option]")).to_have_count(len(EVERYWHERE))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/people")
    assert watched.wrong == []


def test_enter_in_the_palette_goes_where_the_typed_words_lead(browser: Browser, base: str) -> None:
    watched = opened(browser, base)
    page = watched.page
    page.keyboard.press("Control+k")
    page.keyboard.type("quar")
    page.keyboard.press("Enter")  # before the answer to what was typed is there
    page.wait_for_url("**/console/data/quarantine")
    watched.painted()
    page.keyboard.press("Control+k")
    page.keyboard.type("nobody of that name")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/people")
    assert watched.wrong == []


def test_a_key_right_after_a_dialog_closed_counts(browser: Browser, base: str) -> None:
    watched = opened(browser, base)
    page = watched.page
    page.keyboard.press("Control+k")
    expect(page.locator("#palette")).to_be_visible()
    # In one task: before the browser takes the focus away from the field of the closed dialog.
    page.evaluate("""() => {
        document.querySelector("#palette").close();
        document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "?", bubbles: true}));
    }""")
    expect(page.locator("#help")).to_be_visible()
    assert watched.wrong == []


def test_keys_stay_quiet_while_typing_and_when_switched_off(browser: Browser, base: str) -> None:
    watched = opened(browser, base)
    page = watched.page
    watched.go("/console/people")
    page.keyboard.type("gh?")
    assert page.url.endswith("/console/people")
    assert page.locator("#help").is_hidden()
    page.locator("main").focus()
    page.keyboard.press("?")
    page.get_by_label("Single keys work in this browser").press("Space")
    page.keyboard.press("Escape")
    page.locator("main").focus()
    page.keyboard.press("g")
    page.keyboard.press("d")
    page.wait_for_timeout(200)
    assert page.url.endswith("/console/people")


def test_a_wrong_merge_is_split_and_the_split_undone_by_keyboard(
    browser: Browser, base: str, app: FakeApp
) -> None:
    watched = opened(browser, base)
    page = watched.page
    watched.go(PAGES["person"])
    page.get_by_role("link", name="Split…").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#modal")).to_be_visible()
    expect(page.get_by_label("These identifiers belong to someone else")).to_be_focused()
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.locator("#split-preview")).to_contain_text("214 events become a second person")
    page.keyboard.press("Enter")
    toast = page.locator("[data-toast]")
    expect(toast).to_contain_text("Split into p_7F3K2Q and p_9WD04M.")
    assert any(call[:3] == ("split", "p_7F3K2Q", ("card:29004471",)) for call in app.calls)
    toast.get_by_role("button", name="Undo").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-toast]")).to_contain_text("Joined again")
    assert app.cut == []
    assert watched.wrong == []


def test_one_device_is_cut_at_a_time_by_keyboard(browser: Browser, base: str, app: FakeApp) -> None:
    watched = opened(browser, base)
    page = watched.page
    watched.go(PAGES["split"])
    page.get_by_label("These identifiers belong to someone else").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("From this time on")).to_be_visible()
    page.locator('[name="cut_node"]').select_option(index=1)
    expect(page.locator("#split-preview")).to_contain_text("214 events")
    page.get_by_role("button", name="Split into two").press("Enter")
    expect(page.locator("[data-toast]")).to_be_visible()
    call = next(call for call in app.calls if call[0] == "split")
    assert call[3].startswith("anonymous_id:")
    assert isinstance(call[4], int)


def test_a_dead_letter_is_mended_and_replayed_by_keyboard(browser: Browser, base: str, app: FakeApp) -> None:
    watched = opened(browser, base)
    page = watched.page
    watched.go("/console/data/quarantine?code=not_a_number")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/dl_7")
    field = page.get_by_label("The message as JSON")
    field.focus()
    text = field.input_value()
    assert '"NaN"' in text
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text + "}")
    expect(page.locator("#json-state")).to_contain_text("Not readable yet")
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text.replace('"NaN"', "37.8"))
    expect(page.locator("#json-state")).to_have_text("Readable JSON.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-toast]")).to_contain_text("Accepted at its own time")
    assert "dl_7" not in app.letters
    assert watched.wrong == []


def test_revoking_a_key_asks_first_and_names_what_stops(browser: Browser, base: str, app: FakeApp) -> None:
    watched = opened(browser, base)
    page = watched.page
    watched.go("/console/data/sources")
    page.get_by_role("button", name="Revoke wk_pos_7a of tills").press("Enter")
    expect(page.locator("#modal")).to_contain_text("the source goes silent")
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#modal")).to_be_hidden()
    assert not any(call[0] == "revoke" for call in app.calls)
    page.get_by_role("button", name="Revoke wk_pos_7a of tills").press("Enter")
    page.get_by_role("button", name="Revoke the key").press("Enter")
    expect(page.locator("[data-toast]")).to_contain_text("is revoked")
    assert ("revoke", "tills", "wk_pos_7a") in app.calls


def test_home_lives_and_waits_while_somebody_points_at_it(browser: Browser, base: str) -> None:
    watched = opened(browser, base)
    page = watched.page
    before = page.locator('[data-live="time"]').inner_text()
    expect(page.locator('[data-live="time"]')).not_to_have_text(before, timeout=4000)
    expect(page.locator("#decision-rows tr").first).to_contain_text("New one", timeout=9000)
    page.hover("#decision-rows tr:nth-child(3)")
    first = page.locator("#decision-rows tr").first.get_attribute("data-id")
    expect(page.locator("[data-waiting]")).to_contain_text("newer", timeout=9000)
    assert page.locator("#decision-rows tr").first.get_attribute("data-id") == first
    page.mouse.move(5, 5)
    expect(page.locator("#decision-rows tr").first).not_to_have_attribute(
        "data-id", first or "", timeout=9000
    )
    page.keyboard.press("p")
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    assert watched.wrong == []


def test_nothing_moves_while_a_page_settles(browser: Browser, base: str) -> None:
    watched = opened(browser, base)
    watched.page.add_init_script(
        "window.moved = 0; new PerformanceObserver((list) => { for (const e of list.getEntries()) if (!e.hadRecentInput) window.moved += e.value; }).observe({type: 'layout-shift', buffered: true});"
    )
    for path in ("/console", PAGES["person"], "/console/shop", "/console/data/quarantine"):
        watched.go(path)
        watched.page.wait_for_timeout(1300)
        assert watched.page.evaluate("window.moved") < 0.01, path


def test_the_theme_is_chosen_kept_and_drawn_by_the_server(browser: Browser, base: str) -> None:
    watched = opened(browser, base)
    page = watched.page
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    watched.go("/console/account")
    page.get_by_role("button", name="Dark", exact=True).press("Enter")
    watched.go("/console")
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light


def test_a_visitor_becomes_one_person_over_three_touchpoints(
    browser: Browser, base: str, app: FakeApp
) -> None:
    watched = opened(browser, base)
    page = watched.page
    watched.go("/console/shop")
    for box in page.locator('.screen input[type="checkbox"]').all():
        assert not box.is_checked()
    page.get_by_role("button", name="Burr grinder G2", exact=True).click()
    expect(page.locator('[data-slot="web"]')).to_contain_text("Descaling kit with beans")
    page.get_by_role("button", name="Add Burr grinder G2 to the cart").click()
    web = page.locator('[data-form="web"]')
    web.get_by_label("E-mail").fill("you@posta.example")
    web.get_by_role("button", name="Order").click()
    expect(page.locator('[data-said="web"]')).to_contain_text("Ordered W-")
    kiosk = page.locator('[data-form="kiosk"]')
    kiosk.get_by_label("E-mail", exact=True).last.fill("you@posta.example")
    kiosk.get_by_label("Personal offers here and at the till.").check()
    kiosk.get_by_role("button", name="Say hello").click()
    expect(page.locator('[data-slot="kiosk"]')).to_contain_text("show nothing here")
    page.get_by_role("button", name="Scan card").click()
    expect(page.locator('[data-slot="pos"]')).to_contain_text("Say this")
    page.get_by_role("button", name="Add Milk jug 350 ml to the basket").click()
    page.get_by_role("button", name="Pay").click()
    expect(page.locator('[data-said="pos"]')).to_contain_text("Paid €24.50")
    expect(page.locator("#feed")).to_contain_text("One person")
    sent = {(m["context"]["channel"], m.get("event", "identify")) for m in app.tracked}
    assert {("web", "Product Viewed"), ("web", "Product Added"), ("web", "identify"), ("web", "Order Completed"), ("kiosk", "identify"), ("pos", "Card Scanned"), ("pos", "Order Completed"), ("web", "Offer Shown"), ("pos", "Offer Shown")} == sent  # fmt: skip
    consent = next(m for m in app.tracked if m["context"]["channel"] == "kiosk")["context"]["consent"]
    assert consent == {"categoryPreferences": {"personalization": True, "email_marketing": False}}
    assert watched.wrong == []
    page.get_by_role("button", name="Start as someone new").click()
    expect(page.locator("#feed")).to_contain_text("nobody yet")


def test_a_story_keeps_its_answer_until_it_is_asked_for(browser: Browser, base: str) -> None:
    watched = opened(browser, base)
    page = watched.page
    page.keyboard.press("g")
    page.keyboard.press("t")
    page.wait_for_url("**/console/stories")
    watched.painted()
    answer = page.get_by_text("An agent typed the card")
    expect(answer).to_be_hidden()
    page.get_by_text("Show the answer").first.press("Enter")
    expect(answer).to_be_visible()
    expect(page.get_by_text("4 of 8")).to_be_visible()
    page.get_by_text("Count it yourself").first.click()
    expect(page.locator("code").first).to_contain_text(f"{base}/v1/profiles/p_7F3K2Q/events")
    assert watched.findings() == []
    page.get_by_role("link", name="Open Anna Bianchi").click()
    page.wait_for_url("**/console/people/p_7F3K2Q")
    assert watched.wrong == []


def test_a_practice_is_answered_by_keyboard_and_shows_the_truth_at_its_end(
    browser: Browser, base: str, app: FakeApp
) -> None:
    watched = opened(browser, base, width=390)
    page = watched.page
    watched.go("/console/practice")
    page.get_by_role("checkbox", name="S03 Store number 3").press("Space")
    page.get_by_role("textbox", name="Which of many?").fill("S01, nowhere")
    page.get_by_role("radio", name="Italy").press("Space")
    page.get_by_role("textbox", name="How much is sold in stores?").fill("82.5")
    page.get_by_role("button", name="Keep my answers").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("'nowhere' is none of the choices")
    expect(page.get_by_role("textbox", name="Which of many?")).to_have_value("S01, nowhere")
    assert watched.findings() == []
    watched.wrong = [one for one in watched.wrong if "400" not in one]
    page.get_by_role("textbox", name="Which of many?").fill("s02,s01")
    page.get_by_role("button", name="Keep my answers").press("Enter")
    expect(page.get_by_text("Kept: 4 of 6 questions")).to_be_visible()
    assert {name: one.values for name, one in app.given.items()} == {
        "pick-up": ("S03",), "slow": ("S01", "S02"), "coupon": ("IT",), "offline": ("82.5",)
    }  # fmt: skip
    app.over = True
    for theme in ("light", "dark"):
        again = opened(browser, base, theme)
        again.go("/console/practice")
        expect(again.page.get_by_text("Seen on the profile of Anna Bianchi.").first).to_be_visible()
        expect(again.page.get_by_role("button", name="Keep my answers")).to_have_count(0)
        assert [*again.findings(), *again.overflow(), *again.wrong] == []
    assert watched.wrong == []
