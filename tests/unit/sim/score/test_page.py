"""The card as a table, as JSON and as a page that needs nothing else."""

import json
import re
from html import escape
from html.parser import HTMLParser

import msgspec
import pytest

from patron.cli.sim.score import text
from patron.sim.score import charts
from patron.sim.score.card import MET, MISSED, NO_BAR, Bar, Card, Day, Mark, Row, SourceLine, shown
from patron.sim.score.figures import FIGURES
from patron.sim.score.later import LATER
from patron.sim.score.page import page

NASTY = '<script>alert("x")</script>&'


def card(**changes):
    rows = [
        Row(
            group=figure.group,
            name=figure.name,
            definition=figure.definition,
            kind=figure.kind,
            value=1,
            text=shown(1, figure.kind),
            verdict=MET if figure.bar else NO_BAR,
        )
        for figure in FIGURES
    ]
    made = Card(
        world="default",
        size="100",
        seed=1001,
        first=20_500,
        days=3,
        people=10,
        messages=100,
        against="http://127.0.0.1:1",
        held_people=12,
        held_events=99,
        read_seconds=1.5,
        rows=[*rows, *LATER],
        identity=[Mark("person precision", 0.95, 0.94), Mark("F1", 0.5, None), Mark("household", 0.9, 0.99)],
        daily=[
            Day("EUR", 20_500, 1_000, 1_000),
            Day("EUR", 20_502, 2_000, 1_900),
            Day("GBP", 20_500, -50, -50),
        ],
        sources=[SourceLine("web", 100, 97, 2, 1, 0)],
        gaps=[],
    )
    return msgspec.structs.replace(made, **changes)


class Tags(HTMLParser):
    """Fails on a tag that is closed out of turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.loads += [v for k, v in attrs if k in {"src", "href", "action", "xlink:href", "srcset"} and v]
        if tag not in {"meta", "link", "rect", "path"}:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append(tag)

    def handle_endtag(self, tag):
        if tag not in {"rect", "path"}:
            assert self.open.pop() == tag


def read(html: str) -> Tags:
    tags = Tags()
    tags.feed(html)
    assert tags.open == []
    return tags


def test_the_page_is_whole_and_loads_nothing():
    html = page(card())
    tags = read(html)
    assert tags.loads == ["data:,"]
    assert "script" not in tags.seen
    assert "url(" not in html
    assert "@import" not in html
    assert "prefers-color-scheme" in html or "light-dark(" in html


def test_what_others_wrote_stays_text():
    lines = [
        Row(group="Identity", name="x", definition=NASTY, note=NASTY, text=NASTY, bar=NASTY),
        *card().rows,
    ]
    html = page(card(world=NASTY, against=NASTY, gaps=[NASTY], rows=lines, size=NASTY, sources=[SourceLine(NASTY, 1, 1, 0, 0, 0)]))  # fmt: skip
    assert "<script" not in html
    assert read(html).seen.count("script") == 0


def test_every_figure_and_named_place_is_on_the_page_and_in_the_table():
    html, table = page(card()), text(card())
    for row in card().rows:
        assert row.name in table
        assert escape(row.name)[1:] in html
    for name in ("replenishment error", "channel choice", "decision regret", "OPE coverage", "attribution error", "map edge F1", "associate ranking", "CLV"):  # fmt: skip
        assert re.search(rf"^{name} .*not computed  needs ", table, re.MULTILINE)


def test_every_figure_says_what_it_is():
    for figure in FIGURES:
        assert len(figure.definition) > 30, figure.name
    assert len({figure.name for figure in FIGURES}) == len(FIGURES)


def test_bars_are_those_that_were_set():
    bars = {figure.name: figure.bar for figure in FIGURES}
    assert bars["pairwise F1 of the evidence ceiling"] == Bar(low=0.92)
    assert bars["person precision"] == Bar(low=0.94)
    assert bars["household precision"] == Bar(low=0.99)
    for exact in (
        "totals off the truth",
        "sent by Patron against a refusal",
        "messages missing",
        "dead letters",
    ):
        assert bars[exact] == Bar(high=0)


def test_a_missed_bar_is_the_headline():
    rows = [
        msgspec.structs.replace(row, verdict=MISSED) if row.name == "dead letters" else row
        for row in card().rows
    ]
    missed = card(rows=rows)
    assert missed.missed == 1
    assert "bars missed: dead letters</h1>" in page(missed)
    assert f"{missed.met} met, 1 missed, {len(LATER)} not computed" in text(missed)


def test_the_card_survives_json():
    again = msgspec.json.decode(json.dumps(msgspec.to_builtins(card())), type=Card)
    assert page(again) == page(card())


@pytest.mark.parametrize(
    ("value", "kind", "told"),
    [
        (0.9199999, "share", ".919"),
        (0.99996, "share", ".999"),
        (0.92, "share", ".920"),
        (0.0, "share", ".000"),
        (-4_205, "cents", "-42.05"),
        (7, "cents", "0.07"),
        (0.8331, "percent", "83.31%"),
        (0.0125, "points", "1.25 points"),
    ],
)
def test_a_value_is_never_rounded_up_to_a_bar(value, kind, told):
    assert shown(value, kind) == told


def test_days_that_differ_are_marked():
    drawn = charts.days([100, 200, 300], [100, 150, 300], "three")
    assert drawn.count('class="off"') == 1
    assert drawn.count('class="day"') == 3
    assert charts.days([], [], "none").startswith("<svg")


def test_a_share_below_its_bar_looks_bad():
    assert 'class="bad"' in charts.share(0.9, 0.99)
    assert 'class="good"' in charts.share(0.99, 0.99)
    assert 'class="plain"' in charts.share(0.5, None)
    assert 'width="100.000"' in charts.share(7.0, None)
