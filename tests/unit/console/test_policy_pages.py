"""The pages of policies and the ranks of a decision, over the double: what they say, what they refuse."""

import html
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from patron.console import charts
from patron.console.pages.decisions import MOST, ranked
from patron.console.policy_words import asked, every_day, goes, small
from patron.decide.rating import GREEDY, propensities, rate
from patron.model.errors import BadRequest
from patron.model.offers import Decision
from patron.model.policies import ArmRow, PolicyDay, PolicyView
from tests.browser.fake_console import FakeApp
from tests.unit.console.browsing import Browsing

BASE = "/console/decisions/policies"
SVG = "{http://www.w3.org/2000/svg}"


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def drawn(svg: str) -> ET.Element:
    return ET.fromstring(str(svg).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" '))


def test_the_list_leads_to_every_placement_even_of_an_odd_name() -> None:
    browsing = Browsing()
    page = browsing.get(BASE).text
    links = re.findall(rf'href="({BASE}/[^"]+)"', page)
    assert len(links) == 3
    assert all(browsing.get(html.unescape(link)).status_code == 200 for link in links)
    assert "asked for, not declared in the catalogue" in text_of(page)
    assert browsing.get(f"{BASE}/nowhere").status_code == 404
    assert "Nothing was decided yet" in text_of(Browsing(FakeApp(empty=True)).get(BASE).text)


def test_a_placement_says_how_it_decides_and_how_it_goes() -> None:
    page = Browsing().get(f"{BASE}/web_home").text
    text = text_of(page)
    assert "The best ranked is given most often, the others now and then" in text
    assert "it decided 5,000 times and 228 clicks followed, 0.0456 a decision" in text
    assert "Held out 5,000" in text
    assert "Windows closed 9,120" in text
    assert "learned-1 4,100 uniform-1 900" in text
    assert "10% off the second order second-order-10 3,100 62.0% 0.0712" in text
    assert "2026-11-07 0 not measured" in text
    assert "<script>alert" not in page
    assert "30 days on average" not in text
    till = text_of(Browsing().get(f"{BASE}/till").text)
    assert "Nothing was decided here" in till
    assert (
        "2.5 messages in 30 days on average; lately it was 2.4. Today one is sent where it brings at least 0.71"
        in till
    )


def test_what_is_asked_waits_and_then_is_judged() -> None:
    browsing = Browsing()
    path = f"{BASE}/web_home?challenger=greedy&stop=&at_most=&hours=24&formula=propensity+*+2&days=90"
    waiting = browsing.get(path)
    assert browsing.app.deciding.asked == []
    link = re.search(r'hx-get="([^"]+)"', waiting.text)
    assert link
    text = text_of(browsing.get(html.unescape(link[1])).text)
    change = {"stop": (), "at_most": 0, "hours": 24, "formula": "propensity * 2"}
    assert browsing.app.deciding.asked == [("greedy", "web_home", change, 90)]
    assert "It would do better Accepted" in text
    assert "95% interval +16.1 to +44.5" in text
    assert "Self-normalised (SNIPS) the one that counts 0.0594 0.0523 to 0.0665" in text
    assert "Nothing shown 1,200 300" in text
    assert "without a card or a login" not in text


def test_what_is_paid_for_unrecognised_is_said_to_be_missing_where_sales_are_the_reward() -> None:
    text = text_of(Browsing().get(f"{BASE}/till?challenger=greedy&now=1").text)
    assert "was bought without a card or a login is missing from all figures alike" in text


def test_a_refusal_gives_its_reason_and_no_figure() -> None:
    text = text_of(Browsing().get(f"{BASE}/web_home?challenger=greedy&stop=hostile&stop=gone&now=1").text)
    assert "It cannot be said Refused" in text
    assert text.count("lies outside what the log could show") == 1
    assert "Estimates" not in text
    caution = text_of(Browsing().get(f"{BASE}/web_home?challenger=greedy&at_most=1&now=1").text)
    assert "Too little to say Caution" in caution
    assert "The line is zero." not in caution


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("challenger=greedy&at_most=-1", "At most: a whole number from 0 to 10,000, not '-1'."),
        ("challenger=greedy&hours=9999", "The hours: a whole number from 1 to 8,784"),
        ("challenger=best&now=1", "`challenger` is one of greedy, uniform."),
        ("challenger=greedy&formula=import+os&now=1", "there is no name `import`"),
        (f"challenger=greedy&formula={'x' * 1001}", "A formula has at most 1,000 characters."),
    ],
)
def test_what_cannot_be_asked_is_said_beside_the_form(query: str, said: str) -> None:
    answer = Browsing().get(f"{BASE}/web_home?{query}")
    assert answer.status_code == 400
    assert said in text_of(answer.text)
    assert 'aria-busy="true"' not in answer.text


def test_too_many_offers_are_refused() -> None:
    with pytest.raises(BadRequest, match="1,000 offers"):
        asked({"challenger": ["greedy"], "stop": [f"o{n}" for n in range(1001)]})


def test_people_held_out_alone_are_no_decisions() -> None:
    view = PolicyView("till", "Till", "margin", 24, {}, 7, 7, 0, [], [])
    assert goes(view, 7) == "In the last 7 days only people who are held out asked here."
    paid = PolicyView("till", "Till", "margin", 24, {}, 4, 0, 0, [ArmRow("a", "A", 4, 1.0, 2.5)], [])
    assert goes(paid, 1) == "In the last 1 day it decided 4 times and 10 of margin followed, 2.5 a decision."


def test_bars_start_at_zero_and_a_day_without_decisions_leaves_a_gap() -> None:
    days = every_day([PolicyDay("2026-10-31", 3, 0.5, 1.0), PolicyDay("2026-11-02", 1, 1.0, 0.0)])
    assert [day.day for day in days] == ["2026-10-31", "2026-11-01", "2026-11-02"]
    bars = list(drawn(charts.stacked([(3.0, 0.0), (0.0, 0.0), (0.0, 1.0)], "x <y>")).iter(f"{SVG}rect"))
    assert [float(bar.get("height", "0")) for bar in bars] == pytest.approx([100, 33.3])
    assert all(float(bar.get("y", "0")) + float(bar.get("height", "0")) == pytest.approx(100) for bar in bars)
    line = [one.get("d", "") for one in drawn(charts.steps([0.5, None, 1.0], "x")).iter(f"{SVG}path")][1]
    assert line == "M0 50.0H10M20 0.0H30"
    lost = [one.get("d", "") for one in drawn(charts.steps([-1.0, 1.0], "x")).iter(f"{SVG}path")]
    assert lost == ["M0 50.0H20", "M0 100.0H10L10 0.0H20"]


def test_intervals_share_a_scale_and_stay_inside_it() -> None:
    one = drawn(charts.interval(0.0, 0.5, 1.0, (0.0, 1.0), 0.5))
    paths = [path.get("d") for path in one.iter(f"{SVG}path")]
    assert paths == ["M50.0 0V20", "M2.0 10H98.0M2.0 6V14M98.0 6V14", "M50.0 4V16"]
    assert "NaN" not in str(charts.interval(0.0, 0.0, 0.0, (0.0, 0.0), None))


def _decided(count: int, would: str, gamma: float = 9.0) -> Decision:
    names = (*(f"o{n:02}" for n in range(count - 1)), "nothing")
    scores = np.linspace(1.0, 0.0, count)
    return Decision(
        id="d", time=0, node="n", person="p", placement="till", channel="pos", action=would, propensity=0.1,
        group="treated", holdout=0.5, would=would, candidates=names, eligible=names, rating=rate(scores, gamma),
    )  # fmt: skip


def test_ten_and_the_chosen_one_are_ranked_best_first() -> None:
    rows = ranked(_decided(30, "o25"))
    assert [one.rank for one in rows] == [*range(1, MOST + 1), 26]
    assert [one.slot for one in rows] == [0] * MOST + [1]
    assert [one.chance for one in rows] == sorted((one.chance for one in rows), reverse=True)
    made = _decided(30, "o25")
    assert made.rating
    assert rows[-1].chance == float(propensities(made.rating)[25])
    assert len(ranked(_decided(4, "o00"))) == 4


def test_the_page_of_a_ranked_decision_says_rank_score_and_chance() -> None:
    page = Browsing().get("/console/decisions/d_01JD7Q8ZK4").text
    text = text_of(page)
    assert "1. Descaling kit with beans It was allowed and came 1st of 4 by score" in text
    assert "0.31 0.45" in text
    assert "2. Burr grinder G2 Chosen Shown first of a list 0.24 0.21" in text
    assert "it was shown behind it, as number 2." in text
    assert "The model rested on 1,204 decisions. Shown behind it: Double points today." in text
    assert "Every one had the same chance" not in text
    plain = text_of(Browsing().get("/console/decisions/d_01JD7Q8ZK3").text)
    assert "Score" not in plain
    assert "Had the same chance" in plain


def test_a_greedy_rating_gives_one_offer_all_chance() -> None:
    rows = ranked(_decided(3, "o00", GREEDY))
    assert [one.chance for one in rows] == [1.0, 0.0, 0.0]


def test_small_figures_keep_three_digits_that_count() -> None:
    assert [small(value) for value in (1e-9, 0.1 + 0.2, -1234.5, 100.0, 999.96)] == ["0.000000001", "0.3", "−1,234", "100", "1,000"]  # fmt: skip
