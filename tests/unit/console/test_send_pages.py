"""The pages of sends, over the double: what they say, what they try, what they begin, and what they refuse."""

import html
import re

import pytest

from patron.console.pages.sends import BASE
from patron.console.port import User
from tests.browser.fake_console import PASSWORD, FakeApp
from tests.unit.console.browsing import Browsing

FORM = {"name": "Autumn news", "placement": "push", "segment": "", "holdout": "10", "from": "9", "until": "20", "within": "24"}  # fmt: skip


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def test_the_list_leads_to_every_send_and_says_how_different_a_placement_is() -> None:
    browsing = Browsing()
    page = browsing.get(BASE).text
    links = re.findall(rf'href="({BASE}/(?!new)[^"]+)"', page)
    assert len(links) == 3
    assert all(browsing.get(html.unescape(link)).status_code == 200 for link in links)
    assert "<script>alert" not in page
    same = text_of(browsing.get(f"{BASE}?placement=till&days=7").text)
    assert (
        "Only a name differs All 900 decisions give the same message, which varies only by {first_name}"
        in same
    )
    assert browsing.get(f"{BASE}?placement=nowhere").status_code == 404
    assert browsing.get(f"{BASE}/none").status_code == 404
    assert "Nothing was sent yet" in text_of(Browsing(FakeApp(empty=True)).get(BASE).text)


def test_a_send_says_who_gets_what_where_and_when_and_who_not() -> None:
    page = Browsing().get(f"{BASE}/spring").text
    text = text_of(page)
    assert "Ended 10,000 people looked at: 8,800 decided for, 1,200 without an address." in text
    assert "Get something 6,000 60% of 10,000 people looked at" in text
    assert "Held out 880" in text
    assert "Offer 0 1,000 17%" in text
    assert "And 1 offer more." in text
    assert "Newsletter 4,000 67%" in text
    assert "most at 19:00, 1,900 people" in text
    assert "A cap is reached cap 1,100 11%" in text
    assert "60 different combinations" in text
    assert "hx-trigger" not in page.partition('id="send"')[2][:200]
    assert "every 2s" in Browsing().get(f"{BASE}/running").text


def test_it_is_tried_before_it_begins() -> None:
    browsing = Browsing()
    first = browsing.get(f"{BASE}/new").text
    assert "Send it for real" not in first
    tried = browsing.post(f"{BASE}/new", {**FORM, "do": "try"})
    assert tried.status_code == 200
    assert "Nothing is sent, reserved or recorded yet." in text_of(tried.text)
    assert "Send it for real" in tried.text
    wanted = {
        "id": "autumn-news", "name": "Autumn news", "placements": ["push"], "segment": "", "offers": [],
        "holdout": 0.1, "hours": [9, 20], "within": 24,
    }  # fmt: skip
    assert browsing.app.posted.asked == [("dry", wanted)]
    begun = browsing.post(f"{BASE}/new", {**FORM, "do": "start"})
    assert (begun.status_code, begun.headers["location"]) == (303, f"{BASE}/autumn-news")
    assert browsing.app.posted.asked[1:] == [("start", wanted)]
    browsing.post(f"{BASE}/new", {**FORM, "do": "start"})
    assert browsing.app.posted.asked[-1][1]["id"] == "autumn-news-2", "an id that nobody has"
    assert ("audit", "giulia", "start_send", "autumn-news") in browsing.app.calls
    stopped = browsing.post(f"{BASE}/running/stop")
    assert stopped.status_code == 303
    assert "Stopped" in text_of(browsing.get(f"{BASE}/running").text)


def test_a_sample_says_so() -> None:
    browsing = Browsing()
    browsing.get(f"{BASE}/new")
    text = text_of(browsing.post(f"{BASE}/new", {**FORM, "do": "try", "offer": "tea"}).text)
    assert "A sample of 10,000 of 90,000 people" in text
    assert "varies only by {first_name}" in text


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": " "}, "Give it a name"),
        ({"placement": ""}, "Choose at least one placement"),
        ({"holdout": "95"}, "Write a share from 0 to 90 percent"),
        ({"from": "24"}, "Write two hours of the day"),
        ({"within": "900"}, "Write a whole number of hours"),
        ({"segment": "nobody"}, "There is no segment nobody"),
        ({"name": "Taken", "do": "start"}, "There is a send of this id already"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(change: dict, says: str) -> None:
    browsing = Browsing()
    browsing.get(f"{BASE}/new")
    fields = {
        key: value for key, value in {**FORM, "do": "try", **change}.items() if key != "placement" or value
    }
    answer = browsing.post(f"{BASE}/new", fields)
    assert answer.status_code == 400
    assert says in text_of(answer.text)


def test_who_may_only_look_begins_and_stops_nothing() -> None:
    app = FakeApp()
    app.accounts["eve"] = (User("eve", "Eve", "viewer"), PASSWORD)
    browsing = Browsing(app, signed_in=False)
    browsing.sign_in("eve")
    browsing.get(f"{BASE}/new")
    assert browsing.post(f"{BASE}/new", {**FORM, "do": "start"}).status_code == 403
    assert browsing.post(f"{BASE}/running/stop").status_code == 403
    assert browsing.post(f"{BASE}/new", {**FORM, "do": "try"}).status_code == 200
    assert "Stop</button>" not in browsing.get(f"{BASE}/running").text
