"""Be the customer, on a real server: what a browser does at three touchpoints becomes one person, seen live in the console."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.chrome import Watched
from tests.flow.serving import PatronServer

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

PASSWORD = "correct horse battery"
RIGHT, WRONG = "290000004471", "290000004417"
GOODS = [
    {"id": "beans", "name": "Espresso beans 1 kg", "category": "coffee", "price": "21.90"},
    {"id": "cat", "name": "Cat food 1.5 kg", "category": "pet", "price": "13.90"},
]


class House:
    """A running Patron with a shop, an account, and write keys by channel."""

    def __init__(self, data: Path) -> None:
        self.server = PatronServer(data)
        self.server.init()
        channels = ("web", "kiosk", "pos", "call_centre")
        proof = {"pos": "verified", "call_centre": "verified"}
        self.keys = {
            c: self.server.write_key(c, c, "--assurance", proof.get(c, "asserted")) for c in channels
        }
        setup = {
            "keys": {c: self.keys[c] for c in ("web", "kiosk", "pos")},
            "products": GOODS,
            "placements": {"web": "web_home", "kiosk": "kiosk_home", "pos": "till"},
            "store": "S01",
            "notice": "1",
        }
        (data / "shop.json").write_text(json.dumps(setup), "utf-8")
        self.server.start()
        user = {"name": "giulia", "full_name": "Giulia Serra", "role": "admin", "password": PASSWORD}
        assert self.server.post("/v1/admin/users", user).status in {200, 201}

    def track(self, channel: str, event: str, **fields: Any) -> None:
        message = {"type": "track", "event": event, **fields}
        self.server.track(self.keys[channel], message)

    def anna(self) -> str:
        """Anna with a stranger's card, typed by a call-centre agent: her id."""
        address = {"email": "anna@posta.example"}
        bought = {"revenue": 21.9, "currency": "EUR"}
        self.server.track(
            self.keys["pos"],
            {"type": "identify", "traits": address, "context": _card(RIGHT)},
            {
                "type": "track",
                "event": "Order Completed",
                "properties": {"order_id": "T-1", **bought},
                "context": _card(RIGHT),
            },
        )
        self.server.track(
            self.keys["pos"],
            {
                "type": "track",
                "event": "Order Completed",
                "properties": {"order_id": "T-2", **bought},
                "context": _card(WRONG),
            },
        )
        self.server.track(
            self.keys["call_centre"],
            {"type": "identify", "traits": address, "context": _card(WRONG)},
        )
        profile = self.server.profile("email:anna@posta.example").json()
        assert profile["totals"]["orders"] == 2, profile
        return str(profile["id"])


def _card(number: str) -> dict[str, Any]:
    return {"externalIds": [{"type": "card", "id": number, "collection": "users", "encoding": "none"}]}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    one = House(tmp_path_factory.mktemp("live") / "data")
    yield one
    assert one.server.close() == ""


@pytest.fixture
def watched(browser: Browser, house: House) -> Iterator[Watched]:
    """A signed-in tab on which nothing may go wrong: no fault of a script, no breach of the policy, no other host."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    one = Watched(context, house.server.url)
    one.page.goto(f"{one.base}/console/signin")
    one.page.get_by_label("Account").fill("giulia")
    one.page.get_by_label("Password").fill(PASSWORD)
    one.page.keyboard.press("Enter")
    one.page.wait_for_url(f"{one.base}/console")
    yield one
    context.close()
    assert one.wrong == []


def _order_on_the_web(page: Page, address: str) -> None:
    page.get_by_role("button", name="Add Espresso beans 1 kg to the cart").click()
    form = page.locator('[data-form="web"]')
    form.get_by_label("E-mail").fill(address)
    form.get_by_label("Personal offers in this shop").check()
    form.get_by_role("button", name="Order").click()
    expect(page.locator('[data-said="web"]')).to_contain_text("Ordered W-")


def test_three_touchpoints_become_one_customer(watched: Watched, house: House) -> None:
    page, address = watched.page, "ada@posta.example"
    watched.go("/console/shop")
    feed = page.locator("#feed")

    _order_on_the_web(page, address)
    expect(feed).to_contain_text("Ordered Espresso beans 1 kg")
    expect(page.locator('[data-who="web"]')).to_have_text(address)

    page.get_by_role("button", name="Scan card").click()
    expect(page.locator('[data-said="pos"]')).to_contain_text("was read")
    expect(feed).to_contain_text("2 people so far")

    kiosk = page.locator('[data-form="kiosk"]')
    kiosk.locator('[name="value"]').fill(address)
    kiosk.get_by_label("Personal offers here and at the till").check()
    kiosk.get_by_role("button", name="Say hello").click()
    expect(page.locator('[data-said="kiosk"]')).to_contain_text("works at the till")
    expect(feed).to_contain_text("One person on 3 touchpoints")

    page.get_by_role("button", name="Add Cat food 1.5 kg to the basket").click()
    page.get_by_role("button", name="Pay").click()
    expect(page.locator('[data-said="pos"]')).to_contain_text("Paid €13.90")
    expect(feed).to_contain_text("Bought Cat food 1.5 kg")
    expect(feed).to_contain_text("One person on 3 touchpoints")

    profile = house.server.profile(f"email:{address}").json()
    assert (profile["totals"]["orders"], profile["totals"]["revenue"]) == (2, {"EUR": "35.80"})
    assert profile["counters"]["Card Scanned"] == profile["counters"]["Product Added"] == 1
    seen = {one["channel"] for one in house.server.events(f"email:{address}")}
    assert seen == {"web", "kiosk", "pos"}

    # each touchpoint asked once for a decision; its record opens from the screen it was shown on
    why = page.locator('[data-slot="kiosk"]').get_by_role("link", name="Why this")
    expect(why).to_have_count(1)
    why.click()
    page.wait_for_url(re.compile("/console/decisions/d_"))
    expect(page.get_by_role("heading", name="Why not the others")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_contain_text(address)


def test_a_refused_e_mail_sends_nothing(watched: Watched, house: House) -> None:
    page, before = watched.page, house.server.status()["accepted"]
    watched.go("/console/shop")
    kiosk = page.locator('[data-form="kiosk"]')
    kiosk.locator('[name="value"]').fill("nobody at home")
    kiosk.get_by_role("button", name="Say hello").click()
    expect(page.locator('[data-said="kiosk"]')).to_contain_text("An e-mail has an @ and a dot")
    assert (
        house.server.status()["accepted"] - before <= 2
    )  # the sign-in and this look at the page are facts of their own


def test_the_home_page_moves_while_events_arrive(watched: Watched, house: House) -> None:
    house.track("web", "Page Viewed", anonymousId="mover")
    watched.go("/console")
    page = watched.page
    page.evaluate("window.same = true")
    events, web = page.locator('[data-live="events"]'), page.locator('[data-rate="web"]')
    before = int((events.text_content() or "0").replace(",", ""))
    for number in range(40):
        house.track("web", "Page Viewed", anonymousId="mover", messageId=f"move-{number}")
    expect(events).to_have_text(f"{before + 40:,}")
    expect(web).not_to_have_text("0")
    assert float(web.text_content() or "0") > 0
    assert page.evaluate("window.same") is True


def test_a_person_page_takes_a_new_event_without_a_reload(watched: Watched, house: House) -> None:
    house.track("web", "Product Viewed", userId="live-1", properties={"name": "Milk jug"})
    person = house.server.profile("user_id:live-1").json()["id"]
    watched.go(f"/console/people/{person}")
    page = watched.page
    timeline = page.locator("#timeline")
    expect(timeline).to_contain_text("Viewed Milk jug")
    page.evaluate("window.same = true")
    house.track("web", "Product Viewed", userId="live-1", properties={"name": "Burr grinder"})
    expect(timeline).to_contain_text("Viewed Burr grinder")
    assert page.evaluate("window.same") is True


def test_a_strangers_card_is_split_off_and_the_split_undone(watched: Watched, house: House) -> None:
    person = house.anna()
    watched.go(f"/console/people/{person}")
    page = watched.page
    page.get_by_role("link", name="Split…").click()
    dialog = page.locator("#modal")
    dialog.get_by_role("checkbox", name="Card 2900 0000 4417").check()
    expect(dialog.locator("#split-preview")).to_contain_text("Becomes someone else")
    dialog.get_by_role("button", name="Split into two").click()
    toast = page.locator("[data-toast]")
    expect(toast).to_contain_text("2 people now")
    own, other = (house.server.profile(k).json() for k in ("email:anna@posta.example", f"card:{WRONG}"))
    assert own["id"] != other["id"]
    assert (own["totals"]["orders"], other["totals"]["orders"]) == (1, 1)

    toast.get_by_role("button", name="Undo").click()
    expect(page.locator("[data-toast]")).to_contain_text("As it was before the split")
    until = time.monotonic() + 10
    while house.server.profile(f"card:{WRONG}").json()["id"] != person and time.monotonic() < until:
        time.sleep(0.1)
    joined = house.server.profile("email:anna@posta.example").json()
    assert (joined["id"], joined["totals"]["orders"]) == (person, 2)


def _until(page: Page, holds: str) -> None:
    """Wait until an expression holds (the page's policy forbids what `wait_for_function` does)."""
    until = time.monotonic() + 30
    while not page.evaluate(holds):
        assert time.monotonic() < until, holds
        page.wait_for_timeout(50)


def test_a_screen_goes_on_while_patron_is_away_and_tells_it_later(watched: Watched, house: House) -> None:
    page = watched.page
    page.goto(f"{watched.base}/console/shop")
    look = page.get_by_role("button", name="Espresso beans 1 kg", exact=True)
    look.click()
    _until(page, "localStorage.getItem('patron-bundle-web_home') !== null")
    page.evaluate("localStorage.setItem('patron-bundle-web_home-group', '')")  # whoever was held out stays so
    page.context.set_offline(True)
    shown = page.locator('[data-slot="web"]')
    look.click()
    expect(shown).to_contain_text("Patron is away")
    device = page.evaluate("JSON.parse(sessionStorage.getItem('patron-shopper')).web")
    queued = page.evaluate("JSON.parse(localStorage.getItem('patron-queue-web_home'))")
    assert len(queued) == 1
    page.context.set_offline(False)
    _until(page, "JSON.parse(localStorage.getItem('patron-queue-web_home')).length === 0")
    made = house.server.get(f"/v1/profiles/anonymous_id:{device}/decisions").json()["data"]
    told = {one["decision"]["id"]: one["decision"] for one in made}[queued[0]["properties"]["decision_id"]]
    assert (told["policy"], told["action"]) == ("fallback-1", queued[0]["properties"]["action"])
    assert house.server.get("/v1/admin/deadletters").json()["counts"] == {}
    assert watched.wrong
    assert all("ERR_INTERNET_DISCONNECTED" in one for one in watched.wrong)
    watched.wrong.clear()
