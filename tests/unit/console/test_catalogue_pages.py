"""The catalogue and placements in the console, over the double: what pages show, what forms do, and who may."""

import html
import re

import pytest

from patron.console.offering import found, shown, spots
from patron.console.port import User
from patron.decide.example import CATALOGUE_TOML
from patron.model.offers import Catalogue, Offer, Placement
from tests.browser.fake_catalogue import FakeCatalogue
from tests.browser.fake_console import PASSWORD, FakeApp
from tests.unit.console.browsing import Browsing

BASE = "/console/decisions/catalogue"


def as_role(role: str) -> Browsing:
    app = FakeApp()
    app.accounts["eve"] = (User("eve", "Eve", role), PASSWORD)
    browsing = Browsing(app, signed_in=False)
    browsing.sign_in("eve")
    return browsing


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def test_the_list_says_where_when_and_what_it_is_worth() -> None:
    text = text_of(Browsing().get(BASE).text)
    assert "10 offers" in text
    assert "Hot drinks tasting today rain-tasting Start screen of the kiosk, Home page of the web shop, Screen in the store window always 1" in text  # fmt: skip
    assert "until 30 Sep 2026" in text
    assert "Summer cups, gone since September Over" in text
    assert "from 1 Jan 2027" in text
    assert "in force since 18 Nov 2026" in text


def test_a_search_finds_words_of_names_content_and_products() -> None:
    browsing = Browsing()
    assert "1 offer of 10" in text_of(browsing.get(f"{BASE}?q=MONDAY+cocoa").text)
    assert "1 offer of 10" in text_of(browsing.get(f"{BASE}?q=grinder-g2").text)
    assert "No offer fits." in text_of(browsing.get(f"{BASE}?q=umbrella").text)
    till = text_of(browsing.get(f"{BASE}?placement=till").text)
    assert "4 offers of 10" in till
    assert "Burr grinder" not in till
    assert text_of(browsing.get(f"{BASE}?placement=nowhere&at=x&q=%00").text)


def test_a_long_catalogue_comes_in_pages() -> None:
    text = "".join(f'[[offer]]\nid = "o{n}"\nname = "Offer {n}"\n' for n in range(230))
    browsing = Browsing(FakeApp(shelf=FakeCatalogue([(text, 0, "")])))
    first = browsing.get(BASE).text
    assert first.count("data-jk") == 100
    last = browsing.get(f"{BASE}?at=200").text
    assert last.count("data-jk") == 30
    assert "More offers" in first
    assert "More offers" not in last


def test_an_offer_is_shown_as_each_place_shows_it() -> None:
    page = Browsing().get(f"{BASE}/offers/second-order-10").text
    text = text_of(page)
    assert page.count('<figure class="prev') == 8, "four placements, in Italian and for everybody else"
    assert "10% sul secondo ordine" in text
    assert "Only for web_home, web_product, app_home, email_slot" in text
    assert "Has bought exactly 1 time" in text
    assert "of the family discount" in text
    kit = text_of(Browsing().get(f"{BASE}/offers/descaling-kit").text)
    assert "Everybody Has your espresso machine been descaled? The kit is €5 less today." in kit
    assert "€24.90" in kit


def test_hostile_content_is_text() -> None:
    page = Browsing().get(f"{BASE}/offers/hostile").text
    assert "<script>alert" not in page
    assert "<b>bold" not in page
    assert "\u202e" not in page
    assert "https://elsewhere.example/x.png" in page
    assert 'src="https://elsewhere' not in page
    text = text_of(page)
    assert "Not yet" in text
    assert "In Store coffee lovers, not online" in text
    assert "Not in Open complaint" in text


def test_an_unknown_offer_or_version_is_404() -> None:
    browsing = Browsing()
    assert browsing.get(f"{BASE}/offers/absent").status_code == 404
    assert browsing.get(f"{BASE}/versions/absent").status_code == 404
    assert browsing.post(f"{BASE}/restore", {"version": "absent"}).status_code == 404
    assert browsing.post(f"{BASE}/restore", {}).status_code == 404


def test_placements_say_what_each_shows_and_the_limits() -> None:
    text = text_of(Browsing().get("/console/decisions/placements").text)
    assert "1 offer of the family discount needs subject, title, text A click within 7 days" in text
    assert "At most 2 offers that are sent out, in 7 calendar days." in text
    assert "Nothing is sent out from 21:00 to 08:00 of the next day, by the person's own clock." in text
    assert "Times 1.5 for Hot drinks tasting today while weather is rain here and now." in text
    card = '[[placement]]\nid = "card"\nname = "Card"\ntrigger = "Store <b>Entered"\n'
    waits = text_of(Browsing(FakeApp(shelf=FakeCatalogue([(card, 0, "")]))).get("/console/decisions/placements").text)  # fmt: skip
    assert "by itself at “Store <b>Entered”, then not for 4 hours" in waits
    none = text_of(Browsing(FakeApp(shelf=FakeCatalogue([('[[offer]]\nid = "a"\nname = "A"\nplacements = ["wbe"]', 0, "")]))).get("/console/decisions/placements").text)  # fmt: skip
    assert "No placement is declared, so any name may ask" in none
    assert "wbe" in none


def test_checking_shows_every_fault_by_its_line_and_keeps_the_text() -> None:
    browsing = Browsing()
    bad = CATALOGUE_TOML.replace('placements = ["till"', 'placements = ["tlil"').replace(
        "slots = 3", "slots = 0", 1
    )
    answer = browsing.post(f"{BASE}/edit", {"text": bad, "act": "check"})
    assert answer.status_code == 200
    line = bad[: bad.index("slots = 0")].count("\n") + 1
    assert f"Line {line} placement[0].slots needs a whole number from 1 to 100, not 0 slots = 0" in text_of(
        answer.text
    )
    again = browsing.post(f"{BASE}/edit", {"text": bad.replace("slots = 0", "slots = 3"), "act": "check"})
    assert "offer[0].placements[0] there is no placement `tlil`; did you mean `till`?" in text_of(again.text)
    assert 'placements = ["tlil"' in html.unescape(again.text)
    assert len(browsing.app.shelf.texts) == 2


def test_loading_says_so_and_can_be_undone() -> None:
    browsing = Browsing()
    before = browsing.app.shelf.held()
    assert before
    browsing.get(f"{BASE}/edit")
    answer = browsing.post(
        f"{BASE}/edit", {"text": CATALOGUE_TOML + "# mine\r\n", "act": "load", "based_on": before.version}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, BASE)
    assert browsing.app.shelf.texts[-1][2] == "giulia"
    assert browsing.app.shelf.texts[-1][0].endswith("# mine\n")
    toast = browsing.get(BASE).text
    assert "The catalogue is in force." in toast
    assert f'name="version" value="{before.version}"' in toast
    back = browsing.post(f"{BASE}/restore", {"version": before.version})
    assert back.status_code == 303
    now = browsing.app.shelf.held()
    assert now
    assert now.version == before.version
    assert [call for call in browsing.app.calls if call[2] == "load_catalogue"]


def test_a_faulty_text_is_not_loaded() -> None:
    browsing = Browsing()
    answer = browsing.post(f"{BASE}/edit", {"text": "[[offer]]\n", "act": "load"})
    assert answer.status_code == 400
    assert "Not loaded: 2 faults" in text_of(answer.text)
    assert len(browsing.app.shelf.texts) == 2


def test_a_load_over_somebody_else_s_is_stopped_once_and_keeps_the_text() -> None:
    browsing = Browsing()
    answer = browsing.post(
        f"{BASE}/edit", {"text": CATALOGUE_TOML, "act": "load", "based_on": "0123456789ab"}
    )
    assert answer.status_code == 409
    assert "The catalogue was changed meanwhile." in text_of(answer.text)
    assert "Loading it would change" in text_of(answer.text)
    based_on = re.search(r'name="based_on" value="(\w+)"', answer.text)
    assert based_on
    assert (
        browsing.post(
            f"{BASE}/edit", {"text": CATALOGUE_TOML, "act": "load", "based_on": based_on[1]}
        ).status_code
        == 303
    )


def test_every_version_says_what_it_changed() -> None:
    browsing = Browsing()
    rows = browsing.app.shelf.kept()
    assert f"{rows[0].version} In force" in text_of(browsing.get(f"{BASE}/versions").text)
    text = text_of(browsing.get(f"{BASE}/versions/{rows[0].version}").text)
    assert "+ New Offer hostile" in text
    assert '+id = "summer"' in text
    first = text_of(browsing.get(f"{BASE}/versions/{rows[1].version}").text)
    assert "What it changed" not in first
    assert "Put in force again" in first


@pytest.mark.parametrize("role", ["developer", "privacy", "viewer"])
def test_other_roles_look_and_do_not_change(role: str) -> None:
    browsing = as_role(role)
    assert "up to administrators and marketers" in text_of(browsing.get(f"{BASE}/edit").text)
    for path in ("edit", "restore"):
        answer = browsing.post(f"{BASE}/{path}", {"text": "", "act": "load", "version": "x"})
        assert answer.status_code == 403
    assert len(browsing.app.shelf.texts) == 2


def test_a_marketer_may_load() -> None:
    browsing = as_role("marketer")
    assert browsing.post(f"{BASE}/edit", {"text": CATALOGUE_TOML, "act": "load"}).status_code == 303


def test_places_that_are_not_declared_are_shown_by_the_names_that_offers_use() -> None:
    offer = Offer(id="a", name="A", placements=("web_home",), content={"title": "A"})
    (spot,) = spots(offer, Catalogue((offer,)))
    assert (spot.placement.name, spot.showings[0].only) == ("Web home", True)
    free = Offer(id="b", name="B")
    assert [one.placement.name for one in spots(free, Catalogue((free,)))] == ["Wherever it is asked for"]


def test_letters_begin_with_their_subject_and_tills_with_what_is_said() -> None:
    content = {"title": "T", "subject": "S", "say": "Say", "text": "X", "price": "from 5", "image": "a.png"}
    assert [shown(content, look).title for look in ("letter", "spoken", "card")] == ["S", "Say", "T"]
    card = shown(content, "card")
    assert card.lines == ("X",)
    assert [key for key, _ in card.rest] == ["subject", "say", "price", "image"], (
        "nothing of the content is hidden"
    )
    assert shown({"price": 4.5, "currency": "EUR"}, "card").price == "€4.50"
    assert shown({"price": True}, "card").rest == (("price", True),)


def test_a_search_of_an_unknown_placement_finds_all() -> None:
    catalogue = Catalogue((Offer(id="a", name="A"),), (Placement("till", "Till", needs=("say",)),))
    assert found(catalogue, "", "nowhere") == list(catalogue.offers)
    assert found(catalogue, "", "till") == []
