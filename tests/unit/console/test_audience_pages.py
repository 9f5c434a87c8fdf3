"""Segments, computed traits, results and the lake, over the double: what the pages show and what they send."""

import html
import json
import re

import pytest

from patron.console.port import User
from tests.browser.fake_audiences import FakeAudiences
from tests.browser.fake_console import PASSWORD, FakeApp
from tests.unit.console.browsing import Browsing

BUILDER = "/console/people/segments/store-coffee"
DRAFT = "/console/people/segments/draft"


def fields_of(page: str) -> dict[str, str]:
    """What a browser would send of the builder's form."""
    form = page[page.index('id="builder"') : page.index("</form>", page.index('id="builder"'))]
    found = {}
    for tag in re.findall(r"<input [^>]*>", form):
        name, value = re.search(r' name="([^"]+)"', tag), re.search(r' value="([^"]*)"', tag)
        if name:
            found[name[1]] = html.unescape(value[1]) if value else ""
    for name, body in re.findall(r'<select [^>]*?name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', body) or re.search(r'selected value="([^"]*)"', body)
        first = re.search(r'value="([^"]*)"', body)
        found[name] = html.unescape((chosen or first)[1]) if (chosen or first) else ""  # type: ignore[index]
    return found


def as_role(role: str) -> Browsing:
    app = FakeApp()
    app.accounts["eve"] = (User("eve", "Eve", role), PASSWORD)
    browsing = Browsing(app, signed_in=False)
    browsing.sign_in("eve")
    return browsing


def test_the_list_says_each_segment_in_a_sentence_with_its_members() -> None:
    text = Browsing().get("/console/people/segments").text
    assert "Store coffee lovers, not online" in text
    assert "People who visited a store at least 2 times in the last 30 days" in text
    assert "Live, exact" in text
    assert "from the lake" in text
    assert "event Coupon Redeemed" in text


def test_a_form_that_is_sent_unchanged_is_no_draft() -> None:
    browsing = Browsing()
    page = browsing.get(BUILDER).text
    again = browsing.post(DRAFT, {**fields_of(page), "do": "look"}).text
    assert ">Draft</span>" not in page
    assert ">Draft</span>" not in again
    saved = browsing.app.groups.held("segment", "store-coffee")
    assert saved
    assert saved.version == 1


def test_the_builder_works_by_buttons_alone_from_nothing_to_a_saved_rule() -> None:
    browsing = Browsing()
    page = browsing.get("/console/people/segments/new").text
    sent = fields_of(page) | {"name": "Bought twice", "r.0.event": "Order Completed", "r.0.value": "2"}
    page = browsing.post(DRAFT, {**sent, "do": "add:"}).text
    assert 'id="row-1"' in page
    page = browsing.post(DRAFT, {**fields_of(page), "r.1.kind": "not:segment", "do": "look"}).text
    page = browsing.post(DRAFT, {**fields_of(page), "r.1.segment": "complaint", "do": "where:0"}).text
    sent = fields_of(page) | {"r.0.where.0.field": "channel", "r.0.where.0.op": "in", "do": "look"}
    page = browsing.post(DRAFT, sent).text
    answer = browsing.post(DRAFT, {**fields_of(page), "r.0.where.0.value": "web, app", "do": "save"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/people/segments/bought-twice")
    held = browsing.app.groups.held("segment", "bought-twice")
    assert held
    assert held.definition["rule"] == {
        "kind": "all",
        "of": [
            {"kind": "did", "event": "Order Completed", "value": 2, "within": {"days": 30}, "where": [{"field": "channel", "op": "in", "value": ["web", "app"]}]},
            {"kind": "not", "rule": {"kind": "segment", "segment": "complaint"}},
        ],
    }  # fmt: skip
    assert ("audit", "giulia", "save_segment", "bought-twice") in browsing.app.calls


def test_a_fault_stands_beside_its_field_and_nothing_is_saved() -> None:
    browsing = Browsing()
    sent = fields_of(browsing.get(BUILDER).text) | {"r.0.within.n": "-3", "do": "save"}
    answer = browsing.post(DRAFT, sent)
    assert answer.status_code == 400
    row = answer.text[answer.text.index('id="err-0"') :][:400]
    assert "windows count backwards from now, so write 3" in row
    assert "Not saved." in answer.text
    held = browsing.app.groups.held("segment", "store-coffee")
    assert held
    assert held.version == 1
    assert fields_of(answer.text)["r.0.within.n"] == "-3"


def test_a_blank_condition_is_not_counted_and_not_saved() -> None:
    browsing = Browsing()
    page = browsing.post(DRAFT, {**fields_of(browsing.get(BUILDER).text), "do": "add:"}).text
    assert "A condition is still empty" in page
    assert re.search(r'id="cnt-3">\s*<span|id="cnt-3">\d|id="cnt-3">', page)
    assert "exact" in page
    answer = browsing.post(DRAFT, {**fields_of(page), "do": "save"})
    assert "A condition is still empty: say what it is about, or remove it." in answer.text


def test_what_is_typed_is_counted_without_the_fields_being_drawn_again() -> None:
    browsing = Browsing()
    sent = fields_of(browsing.get(BUILDER).text) | {"r.0.value": "1"}
    answer = browsing.post("/console/people/segments/preview", sent, **{"hx-request": "true"})
    assert answer.status_code == 200
    assert "at least 1 time" in html.unescape(answer.text) or "visited a store" in answer.text
    assert "<input" not in answer.text
    assert 'id="cnt-0"' in answer.text
    assert ">Draft</span>" in answer.text


def test_the_counts_go_down_row_by_row_to_the_reach() -> None:
    page = Browsing().get(BUILDER).text
    left = [int(n) for n in re.findall(r'id="cnt-\d">(\d+)<small>', page)]
    assert left == sorted(left, reverse=True)
    reach = re.search(r'class="v huge">\s*([\d,]+)', page)
    assert reach
    assert int(reach[1]) == left[-1]


def test_households_are_counted_where_they_are_known() -> None:
    app = FakeApp()
    browsing = Browsing(app)
    sent = fields_of(browsing.get("/console/people/segments/many-pages").text) | {"subject": "household"}
    page = browsing.post(DRAFT, {**sent, "do": "look"}).text
    assert "Households are counted in the lake" in page
    assert re.search(r'<option value="household" selected>', page)
    browsing.post(DRAFT, {**fields_of(page), "do": "save"})
    held = app.audiences().held("segment", "many-pages")
    assert held is not None
    assert held.definition["subject"] == "household"


def test_a_sample_is_never_called_exact() -> None:
    app = FakeApp(groups=FakeAudiences(sampled=True))
    page = Browsing(app).get(BUILDER).text
    assert "from a sample" in page
    assert "95% interval" in page
    assert "≈" in page


@pytest.mark.parametrize(
    "state", ["", "{", "[]", '{"definition":{},"tree":{}}', '{"definition":{},"tree":{"mode":"all","of":7}}', "x" * 300_000, '{"definition":{},"tree":{"mode":"all","of":[' * 500]
)  # fmt: skip
def test_a_mangled_draft_is_refused_with_a_sentence(state: str) -> None:
    browsing = Browsing()
    answer = browsing.post(DRAFT, {"state": state, "do": "look"})
    assert answer.status_code == 400
    assert "draft" in answer.text


@pytest.mark.parametrize("node", ["7", "null", '"x"', '{"kind":7}', '{"kind":"did"}', '{"mode":"all"}', '{"kind":"sequence","steps":7}', '{"kind":"fact"}', '{"kind":"did","where":[7]}', '{"kind":"bucket"}'])  # fmt: skip
def test_a_draft_of_strange_parts_is_an_answer_and_no_fault(node: str) -> None:
    browsing = Browsing()
    state = '{"definition":{"id":"x","name":"X"},"tree":{"mode":"all","of":[' + node + "]}}"
    assert browsing.post(DRAFT, {"state": state, "do": "look"}).status_code in (200, 400)


def test_hostile_texts_stay_texts() -> None:
    browsing = Browsing()
    evil = "</option><script>alert(1)</script>'\""
    sent = fields_of(browsing.get(BUILDER).text) | {
        "name": evil,
        "r.0.event": evil,
        "r.1.where.0.value": evil,
    }
    page = browsing.post(DRAFT, {**sent, "do": "look"}).text
    assert "<script>alert" not in page
    assert json.loads(fields_of(page)["state"])["definition"]["name"] == evil


def test_a_viewer_reads_and_may_not_save() -> None:
    browsing = as_role("viewer")
    page = browsing.get(BUILDER)
    assert page.status_code == 200
    assert 'value="save"' not in page.text
    assert browsing.post(DRAFT, {**fields_of(page.text), "do": "save"}).status_code == 403
    assert browsing.get("/console/people/segments/new").status_code == 403


def test_a_role_that_sees_people_masked_cannot_build_on_personal_data() -> None:
    browsing = as_role("developer")
    page = browsing.get("/console/people/segments/new").text
    assert 'value="traits.email"' not in page
    sent = fields_of(page) | {"name": "Spy", "r.0.kind": "fact", "do": "look"}
    page = browsing.post(DRAFT, sent).text
    sent = fields_of(page) | {
        "r.0.field": "traits.email",
        "r.0.op": "starts_with",
        "r.0.value": "a",
        "do": "look",
    }
    page = browsing.post(DRAFT, sent).text
    assert "masked for your account" in page
    assert 'class="v huge"' not in page
    answer = browsing.post(DRAFT, sent | {"do": "save"})
    assert answer.status_code == 403
    assert browsing.app.groups.held("segment", "spy") is None


def test_names_are_masked_for_who_may_not_see() -> None:
    page = as_role("developer").get(BUILDER).text
    main = page[page.index("<main") : page.index("</main>")]
    assert "Anna Bianchi" not in main
    assert "A.B•••" in main


def test_two_segments_are_compared() -> None:
    text = Browsing().get("/console/people/segments/overlap?a=store-coffee&b=many-pages").text
    assert "in both" in text
    assert 'class="overlap"' in text
    same = Browsing().get("/console/people/segments/overlap?a=complaint&b=complaint").text
    assert "Choose two different segments." in same


def test_a_segment_in_use_is_not_removed() -> None:
    browsing = Browsing()
    browsing.get(BUILDER)
    assert browsing.post("/console/people/segments/complaint/remove").status_code == 409
    assert browsing.post("/console/people/segments/many-pages/remove").status_code == 303
    assert browsing.app.groups.held("segment", "many-pages") is None


def test_a_trait_is_built_divided_and_saved() -> None:
    browsing = Browsing()
    draft = "/console/people/traits/draft"
    page = browsing.get("/console/people/traits/new").text
    assert "needs a text" not in page
    sent = fields_of(page) | {"name": "Spent per order", "r.0.event": "Order Completed", "r.0.measure": "sum", "do": "look"}  # fmt: skip
    page = browsing.post(draft, sent).text
    page = browsing.post(draft, {**fields_of(page), "r.0.property": "properties.revenue", "do": "per"}).text
    answer = browsing.post(
        draft, {**fields_of(page), "r.1.event": "Order Completed", "unit": "€", "do": "save"}
    )
    assert answer.headers.get("location") == "/console/people/traits/spent_per_order"
    held = browsing.app.groups.held("trait", "spent_per_order")
    assert held
    assert held.definition["measure"]["measure"] == "sum"
    assert held.definition["per"]["event"] == "Order Completed"
    assert "op" not in held.definition["measure"]


def test_a_person_shows_segments_with_their_times_and_computed_traits() -> None:
    text = Browsing().get("/console/people/p_7F3K2Q").text
    assert "Store coffee lovers, not online" in text
    assert "by time alone" in text
    assert "684.2 €" in text


def test_a_funnel_takes_its_steps_from_the_address_and_adds_up() -> None:
    text = (
        Browsing()
        .get("/console/results?step=Product+Viewed&step=Order+Completed&days=90&within=3&now=1")
        .text
    )
    assert "25.0% reach the last step" in text
    assert "Tills" in text
    assert 'value="90" selected' in text
    wrong = Browsing().get("/console/results?step=A")
    assert wrong.status_code == 200
    assert "at least two steps" in wrong.text


def test_without_a_lake_its_places_are_absent() -> None:
    app = FakeApp(groups=FakeAudiences(with_lake=False))
    browsing = Browsing(app)
    assert "/console/results" not in browsing.get("/console").text
    assert "/console/data/lake" not in browsing.get("/console/data").text
    assert "Show as SQL" not in browsing.get(BUILDER).text
    for path in ("/console/results", "/console/results/paths", "/console/data/lake"):
        assert browsing.get(path).status_code == 404
