"""The page of a policy on its way, over the double: the path, the guards, the buttons, and who may press them."""

import html
import re

import pytest

from tests.browser.fake_console import FakeApp
from tests.unit.console.browsing import Browsing
from tests.unit.console.test_audience_pages import as_role
from tests.unit.console.test_policy_pages import text_of

BASE = "/console/decisions/launches"


def test_the_list_leads_to_every_policy_with_its_stage() -> None:
    browsing = Browsing()
    page = browsing.get("/console/decisions/policies").text
    links = re.findall(rf'href="({BASE}/[^"]+)"', page)
    assert [link.rpartition("/")[2] for link in links] == ["new", "bold", "calm", "worst", "odd", "now"]
    assert all(browsing.get(html.unescape(link)).status_code == 200 for link in links)
    assert "✕ Rolled back" in page
    assert browsing.get(f"{BASE}/nobody").status_code == 404
    assert (
        "None yet: the default decides everywhere"
        in Browsing(FakeApp(empty=True)).get("/console/decisions/policies").text
    )
    assert "The bold one" in browsing.get("/console/decisions/policies/web_home").text


def test_a_policy_shows_its_way_its_guards_and_what_each_button_does() -> None:
    page = Browsing().get(f"{BASE}/bold").text
    text = text_of(page)
    assert "It decides for 10% of people; the rest get the champion." in text
    way = re.findall(r'<li class="(done|now|ahead)"', page)
    assert way == ["done"] * 4 + ["now"] + ["ahead"] * 2
    assert "Reward a decision Fine" in text
    assert "0.041" in text
    assert "Showed nothing Tripped" in text
    assert "31% to 69%" in text
    assert "of 100 decisions of its own at web_home 12 are past their window" in text
    for button in ("Show to half of all people", "Back to 1% of people", "Roll back"):
        assert f">{button}</button>" in page
    assert "Why all the same" in text
    assert "&lt;b&gt;because&lt;/b&gt;" in page
    assert "Overrode: Too few rows." in text


def test_what_was_rolled_back_says_by_whom_and_may_begin_anew() -> None:
    page = Browsing().get(f"{BASE}/worst").text
    assert re.findall(r'<li class="(done|now|ahead)"', page) == ["done"] * 4 + ["now"] + ["ahead"] * 3
    assert "A guard rolled it back" in text_of(page)
    assert "Rolled back patron" in text_of(page)
    assert ">Start the shadow</button>" in page
    assert "Stop</button>" not in page


def test_a_step_is_taken_and_a_refusal_stands_on_the_page_with_its_reason() -> None:
    browsing = Browsing()
    moved = browsing.post(f"{BASE}/bold/move", {"to": "1%"})
    assert moved.status_code == 303
    assert "Done: 1% of people." in text_of(browsing.get(f"{BASE}/bold").text)
    refused = browsing.post(f"{BASE}/calm/move", {"to": "evaluated"})
    assert refused.status_code == 409
    assert "Not moved to “Evaluated”. At web_home: There are no rows." in text_of(refused.text)
    assert "Why all the same" in refused.text
    browsing.post(f"{BASE}/calm/move", {"to": "evaluated", "why": "seen elsewhere"})
    assert browsing.app.launches.done == [
        ("move", "bold", "1%", "giulia", ""), ("move", "calm", "evaluated", "giulia", "seen elsewhere"),
    ]  # fmt: skip


def test_judging_waits_and_then_says_how_often_it_would_choose_otherwise() -> None:
    browsing = Browsing()
    waiting = browsing.get(f"{BASE}/calm?judge=1").text
    link = re.search(r'hx-get="([^"]+)"', waiting)
    assert link
    text = text_of(browsing.get(html.unescape(link[1])).text)
    assert "in 12.3% of them it would have chosen otherwise" in text
    assert "Accepted" in text


def test_a_policy_is_made_by_a_form_that_says_what_is_wrong() -> None:
    browsing = Browsing()
    form = browsing.get(f"{BASE}/new")
    assert "Placements where it is to decide" in form.text
    wrong = browsing.post(
        BASE, {"id": "B!", "name": "", "kind": "learned", "explore": "many", "minimum": "1"}
    )
    assert wrong.status_code == 400
    assert 'role="alert"' in wrong.text
    wrong = browsing.post(BASE, {"id": "B!", "name": "", "kind": "learned", "explore": "99", "minimum": "1"})
    text = text_of(wrong.text)
    for said in ("1 to 40 of a to z", "Give it a name", "Name 1 to 100 placements", "0.1 to 10 times"):
        assert said in text
    assert browsing.post(BASE, {"id": "bold", "name": "B", "placement": "till"}).status_code == 400
    good = {
        "id": "keen",
        "name": "Keen",
        "kind": "greedy",
        "placement": "till",
        "explore": "1",
        "minimum": "",
    }
    assert browsing.post(BASE, good).headers["location"] == f"{BASE}/keen"
    verb, name, policy, by = browsing.app.launches.done[-1]
    assert (verb, name, by, policy.kind, policy.placements, policy.minimum) == (
        "put",
        "keen",
        "giulia",
        "greedy",
        ("till",),
        100,
    )


@pytest.mark.parametrize("path", ["bold", "odd"])
def test_who_may_only_look_finds_no_button_and_is_told_who_may(path: str) -> None:
    browsing = as_role("viewer")
    page = browsing.get(f"{BASE}/{path}").text
    assert "is up to administrators and marketers" in text_of(page)
    assert f'action="{BASE}/{path}/move"' in page
    assert "btn go" not in page.partition("<main")[2]
    assert browsing.post(f"{BASE}/{path}/move", {"to": "stopped"}).status_code == 403
    assert browsing.app.launches.done == []
