"""Exports, named conditions and removal, over the double: what the pages show, what their forms send, and who may."""

import html
import re

import pytest

from patron.console.port import User
from patron.model.exports import FileTarget, PostgresTarget, WebhookTarget
from tests.browser.fake_console import PASSWORD, FakeApp
from tests.unit.console.browsing import Browsing

BASE = "/console/data/exports"
WEBHOOK = {
    "name": "Coffee lovers to the newsletter",
    "segment": "store-coffee",
    "field": ["identifiers.email", "computed.spent"],
    "other": "traits.address.city, traits.city",
    "purpose": "email_marketing",
    "every": "360",
    "to": "webhook",
    "url": "https://news.example/in",
    "secret_env": "NEWS_SECRET",
    "url_batch": "200",
    "format": "csv",
    "keep": "x",
    "dsn_env": "",
    "table": "",
    "table_batch": "",
}


def as_role(role: str) -> Browsing:
    app = FakeApp()
    app.accounts["eve"] = (User("eve", "Eve", role), PASSWORD)
    browsing = Browsing(app, signed_in=False)
    browsing.sign_in("eve")
    return browsing


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def test_the_list_says_each_export_with_its_last_and_next_run() -> None:
    text = text_of(Browsing().get(BASE).text)
    assert "Members of Store coffee lovers, not online with E-mail, City, Spent in a year, Segments, to https://crm.example/in/s3cret-token, every hour." in text  # fmt: skip
    assert "1 refused" in text
    assert "Everybody known with User id, to Parquet files, every day." in text
    assert "Stopped" in text
    assert "The database does not answer (connection refused)." in text
    assert "paused" in text


def test_an_empty_list_says_what_an_export_is() -> None:
    browsing = Browsing(FakeApp(empty=True))
    assert "An export tells another system who is in a segment" in browsing.get(BASE).text


def test_a_page_shows_the_runs_and_what_was_refused() -> None:
    text = text_of(Browsing().get(f"{BASE}/vips").text)
    assert "run 3, took 1 s" in text
    assert "1,204" in text
    assert "anna.bianchi@posta.example is blocked here" in text
    stopped = text_of(Browsing().get(f"{BASE}/db").text)
    assert "The last run stopped: the database does not answer" in stopped
    assert "Resume" in stopped


def test_a_form_makes_an_export_of_what_it_says() -> None:
    browsing = Browsing()
    page = browsing.get(f"{BASE}/new?segment=store-coffee&field=computed.spent").text
    assert 'value="Store coffee lovers, not online to "' in page
    assert '<option value="store-coffee" selected>' in page
    assert 'value="computed.spent" checked' in page
    answer = browsing.post(BASE, WEBHOOK)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{BASE}/coffee-lovers-to-the-newsletter"
    made = browsing.app.carried.saved["coffee-lovers-to-the-newsletter"]
    assert made.target == WebhookTarget("https://news.example/in", "NEWS_SECRET", 200)
    assert made.fields == ("identifiers.email", "computed.spent", "traits.address.city", "traits.city")
    assert (made.segment, made.purpose, made.every) == ("store-coffee", "email_marketing", 360)
    assert browsing.post(BASE, WEBHOOK).headers["location"].endswith("newsletter-2")


@pytest.mark.parametrize(
    ("change", "field", "problem"),
    [
        ({"name": " "}, "name", "Give it a name"),
        ({"url": "crm.example"}, "url", "Write the whole address"),
        ({"url": "https://"}, "url", "Write the whole address"),
        ({"url_batch": "0"}, "batch", "Write a whole number from 1 to 5,000."),
        ({"url_batch": "many"}, "batch", "Write a whole number from 1 to 5,000."),
        ({"secret_env": "not a name"}, "secret_env", "not the secret itself"),
        ({"to": "file", "keep": "-3"}, "keep", "Write a whole number from 1 to 1,000."),
        ({"to": "postgres", "table": "a b", "dsn_env": "D", "table_batch": "1"}, "table", "Write the name of a table"),
        ({"to": "postgres", "table": "t", "dsn_env": "", "table_batch": "1"}, "dsn_env", "Write the name of a variable"),
        ({"to": "ftp"}, "to", "Choose where to."),
        ({"every": "often"}, "every", "Choose how often it runs."),
        ({"other": "city"}, "fields", "unknown field `city`"),
    ],
)  # fmt: skip
def test_what_is_wrong_stands_beside_its_field(change: dict[str, str], field: str, problem: str) -> None:
    browsing = Browsing()
    browsing.get(f"{BASE}/new")
    answer = browsing.post(BASE, WEBHOOK | change)
    assert answer.status_code == 400
    found = re.search(rf'id="err-{field}">([^<]*)<', answer.text)
    assert found
    assert problem in html.unescape(found[1])
    assert "Not saved." in answer.text
    assert "coffee-lovers-to-the-newsletter" not in browsing.app.carried.saved


def test_an_export_is_edited_and_stays_paused() -> None:
    browsing = Browsing()
    page = browsing.get(f"{BASE}/db/edit").text
    assert 'name="dsn_env" value="CC_DSN"' in page
    assert 'name="to" value="postgres" checked' in page
    form = WEBHOOK | {"to": "postgres", "dsn_env": "CC_DSN", "table": "cc.people", "table_batch": "10"}
    assert browsing.post(f"{BASE}/db", form).status_code == 303
    assert browsing.app.carried.saved["db"].target == PostgresTarget("CC_DSN", "cc.people", 10)
    assert browsing.app.carried.saved["db"].paused


def test_an_export_runs_now_pauses_and_goes_on() -> None:
    browsing = Browsing()
    browsing.get(f"{BASE}/sheet")
    assert browsing.post(f"{BASE}/sheet/run").status_code == 303
    assert "Done: 12 added." in browsing.get(f"{BASE}/sheet").text
    browsing.post(f"{BASE}/sheet/pause")
    assert browsing.app.carried.saved["sheet"].paused
    browsing.post(f"{BASE}/sheet/pause")
    assert not browsing.app.carried.saved["sheet"].paused
    browsing.app.carried.slow = True
    browsing.post(f"{BASE}/sheet/run")
    page = browsing.get(f"{BASE}/sheet").text
    assert "It runs. Its report stands here when it has ended." in page
    assert "It is running." in page
    assert browsing.post(f"{BASE}/sheet/run").status_code == 409


def test_removing_asks_first_and_says_what_follows() -> None:
    browsing = Browsing()
    page = browsing.get(f"{BASE}/sheet/remove").text
    assert "The other side keeps what it has" in page
    assert "Remove the export" in page
    assert "sheet" in browsing.app.carried.saved
    browsing.post(f"{BASE}/sheet/remove")
    assert "sheet" not in browsing.app.carried.saved
    assert isinstance(FakeApp().carried.saved["sheet"].target, FileTarget)


@pytest.mark.parametrize("role", ["marketer", "developer", "privacy", "viewer"])
def test_only_administrators_carry_things_out(role: str) -> None:
    browsing = as_role(role)
    page = browsing.get(BASE).text
    assert "New export" not in page
    assert "s3cret-token" not in page
    assert "to crm.example" in page
    shown = browsing.get(f"{BASE}/vips").text
    assert "s3cret-token" not in shown
    assert "Run now" not in shown
    for path in (f"{BASE}/new", f"{BASE}/vips/edit", f"{BASE}/vips/remove"):
        assert browsing.get(path).status_code == 403
    for path in (BASE, f"{BASE}/vips", f"{BASE}/vips/run", f"{BASE}/vips/pause", f"{BASE}/vips/remove"):
        assert browsing.post(path, WEBHOOK).status_code == 403
    assert len(browsing.app.carried.runs("vips")) == 3
    assert ("anna.bianchi@" in shown) == (role in ("marketer", "privacy"))


def test_an_export_that_is_not_there_is_told_with_what_may_be_meant() -> None:
    answer = Browsing().get(f"{BASE}/vip")
    assert answer.status_code == 404
    assert "did you mean `vips`?" in html.unescape(answer.text)


def test_a_segment_and_a_trait_lead_to_their_export_and_removal() -> None:
    browsing = Browsing()
    page = browsing.get("/console/people/segments/store-coffee").text
    assert f'href="{BASE}/new?segment=store-coffee"' in page
    assert 'href="/console/people/segments/store-coffee/remove"' in page
    trait = browsing.get("/console/people/traits/spent").text
    assert f'href="{BASE}/new?field=computed.spent"' in trait
    viewer = as_role("viewer").get("/console/people/segments/store-coffee").text
    assert "/remove" not in viewer
    assert f"{BASE}/new" not in viewer


def test_a_segment_in_use_is_not_offered_for_removal() -> None:
    browsing = Browsing()
    page = browsing.get("/console/people/segments/complaint/remove").text
    assert "Cannot remove" in page
    assert "Store coffee lovers, not online" in page
    assert "Remove the segment" not in page
    free = browsing.get("/console/people/segments/store-coffee/remove").text
    assert "Remove the segment" in free
    browsing.post("/console/people/segments/store-coffee/remove")
    assert browsing.app.groups.held("segment", "store-coffee") is None


def test_conditions_are_listed_used_and_removed() -> None:
    browsing = Browsing()
    text = text_of(browsing.get("/console/people/conditions").text)
    assert "2 conditions" in text
    assert "times = 3" in text
    builder = browsing.get("/console/people/segments/new?condition=often").text
    assert 'name="r.0.condition"' in builder
    assert '<option value="often" selected>Comes often</option>' in builder
    assert 'name="r.0.given.times"' in builder
    assert "Remove the condition" in browsing.get("/console/people/conditions/often/remove").text
    browsing.post("/console/people/conditions/often/remove")
    assert browsing.app.groups.held("condition", "often") is None
    assert browsing.get("/console/people/conditions/often/remove").status_code == 404
    assert as_role("viewer").post("/console/people/conditions/ordered/remove").status_code == 403


def test_a_radius_is_drawn_around_a_store_in_the_builder() -> None:
    browsing = Browsing()
    near = {"kind": "did", "event": "Order Completed", "where": [{"field": "place", "op": "near", "value": {"store": "S1", "km": 0.5}}]}  # fmt: skip
    browsing.app.groups._hold("segment", {"id": "near", "name": "Near", "rule": near}, "giulia")
    page = browsing.get("/console/people/segments/near").text
    assert 'name="r.0.where.0.value.store"' in page
    assert "within 500 m of store S1" in text_of(page)
    assert 'value="point">the point' in page
