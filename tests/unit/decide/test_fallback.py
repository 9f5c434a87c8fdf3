"""Bundles: what may be in one, that clients and server draw alike, and that nobody can tell what was not drawn."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from patron.cli import touchpoint
from patron.decide import fallback
from patron.decide.eligible import Known
from patron.decide.encoding import decode_record, encode_record
from patron.decide.fallback import FORMAT, MOST, Exposure, Refusal, Seal, exposure_of
from patron.decide.index import CatalogueIndex
from patron.decide.learn.choose import draw, unit
from patron.decide.rating import Rating, drawn, propensities, rate
from patron.decide.record import Terms, weigh
from patron.model.offers import NOTHING, Ask, Offer

SECRET = b"of this workspace"
LIFE = 1_000_000
INDEX = CatalogueIndex(
    [
        Offer("tea", "Tea", content={"title": "Tea"}),
        Offer("mug", "Mug"),
        Offer("coupon", "Coupon", stock=10),
        Offer("budget", "Budget", budget=10.0, cost=1.0),
        Offer("ends", "Ends", valid_until=LIFE - 1),
        Offer("later", "Later", valid_from=1),
        *(Offer(f"more-{n}", f"More {n}") for n in range(9)),
    ]
)
HEX = st.binary(min_size=12, max_size=20).map(bytes.hex)


def sealed(rating: Rating, places: tuple[int, ...]) -> tuple[Seal, str]:
    seal = Seal(FORMAT, "b_1", "till", "pos", INDEX.version, 0, LIFE, places, rating)
    return seal, fallback.sealed(SECRET, seal)


@st.composite
def tables(draw_from: st.DrawFn) -> tuple[Seal, str]:
    size = draw_from(st.integers(0, MOST))
    scores = draw_from(st.lists(st.floats(-5, 5), min_size=size + 1, max_size=size + 1))
    gamma = draw_from(st.sampled_from([-1.0, 0.0, 3.0, 500.0]))
    return sealed(rate(np.array(scores), gamma), tuple(range(size)))


def test_a_bundle_holds_the_best_few_and_nothing_that_cannot_be_promised() -> None:
    made = weigh(INDEX, Ask("till"), Known("", "", {}), Terms("d", 3))
    places, rating = fallback.narrowed(made, INDEX, LIFE)
    names = [INDEX.ids[place] for place in places]
    assert names == ["tea", "mug", "more-0", "more-1", "more-2"]
    assert list(propensities(rating)) == [pytest.approx(1 / 6)] * 6


def test_when_the_best_cannot_be_promised_the_rest_keep_their_order() -> None:
    made = weigh(INDEX, Ask("till"), Known("", "", {}), Terms("d", 3))
    scores = np.array([1.0 if name == "mug" else 9.0 if name == "coupon" else 0.0 for name in made.eligible])
    for gamma in (-1.0, 50.0):
        places, rating = fallback.narrowed(replace(made, rating=rate(scores, gamma)), INDEX, LIFE)
        chances = dict(zip([INDEX.ids[p] for p in places], propensities(rating), strict=False))
        assert sum(propensities(rating)) == pytest.approx(1)
        assert chances["mug"] > 0.5
        assert chances["mug"] > chances["tea"]


@given(tables(), HEX)
def test_touchpoint_server_and_record_draw_the_same(table: tuple[Seal, str], drawn_by: str) -> None:
    seal, text = table
    decision = f"f_{drawn_by}"
    told = fallback.table_of(INDEX, seal, text)
    bundle = {
        "bundle": "b_1", "timezone": "UTC", "parts": [["day", 0, 24]], "when": {"day": {"": 0}},
        "tables": [json.loads(json.dumps(told))], "offers": {},
    }  # fmt: skip
    shown = touchpoint.drawn(bundle, 0, decision)
    made = fallback.decided(
        INDEX, Exposure(decision, shown.action, text, 5, shown.propensity), SECRET, "anonymous_id:a", ""
    )
    assert (made.action, made.propensity) == (shown.action, pytest.approx(shown.propensity, abs=1e-12))
    assert made.propensity > 0
    again = decode_record(encode_record(made, INDEX.ids), INDEX.ids)
    assert again.rating is not None
    at, chance = drawn(again.rating, again.seed)
    assert (again.eligible[at], chance) == (made.action, made.propensity)
    assert touchpoint.unit("b_1", decision) == unit(fallback.number("b_1", decision))


@given(tables(), HEX, st.data())
def test_only_what_was_drawn_is_believed(table: tuple[Seal, str], drawn_by: str, data: st.DataObject) -> None:
    seal, text = table
    decision = f"f_{drawn_by}"
    choices = [*(INDEX.ids[place] for place in seal.places), NOTHING]
    action = choices[draw(propensities(seal.rating), unit(fallback.number("b_1", decision)))]
    fine = Exposure(decision, action, text, 5)
    other = data.draw(st.sampled_from([name for name in (*INDEX.ids, NOTHING) if name != action]))
    at = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from("ABCxyz019-_"))
    changed = text[:at] + letter + text[at + 1 :]
    lies = [
        replace(fine, action=other),
        replace(fine, propensity=2.0),
        replace(fine, time=LIFE + fallback.LEEWAY),
        replace(fine, time=-fallback.LEEWAY - 1),
        replace(fine, seal=text[:-3]),
        replace(fine, seal="é"),
        replace(fine, seal=""),
    ]
    if fallback.opened(SECRET, changed) != seal:
        lies.append(replace(fine, seal=changed))
    for lie in lies:
        with pytest.raises(Refusal) as refused:
            fallback.decided(INDEX, lie, SECRET, "n", "")
        assert len(refused.value.message) > 20
    with pytest.raises(Refusal):
        fallback.decided(INDEX, fine, b"of another workspace", "n", "")
    with pytest.raises(Refusal):
        fallback.decided(CatalogueIndex([Offer("tea", "Tea")]), fine, SECRET, "n", "")
    assert fallback.decided(INDEX, fine, SECRET, "n", "").action == action


@pytest.mark.parametrize(
    "wrong",
    [
        {"bundle_seal": 5},
        {"decision_id": None},
        {"decision_id": "d_" + "a" * 24},
        {"decision_id": "f_" + "A" * 24},
        {"action": ["tea"]},
        {"propensity": "0.5"},
        {"propensity": True},
    ],
)
def test_an_exposure_of_another_shape_is_refused(wrong: dict[str, object]) -> None:
    fine = {"bundle_seal": "x", "decision_id": "f_" + "a" * 24, "action": "tea", "propensity": 0.5}
    assert exposure_of(fine, 5) is not None
    with pytest.raises(Refusal):
        exposure_of({**fine, **wrong}, 5)


def test_a_queue_survives_a_power_cut_in_the_middle_of_a_line(tmp_path) -> None:  # type: ignore[no-untyped-def]
    one = touchpoint.Touchpoint("http://127.0.0.1:9", "wk", "till", tmp_path, clock=lambda: 5.0)
    shown = touchpoint.Shown("f_1", "tea", {}, 1.0, alone=True)
    one._queue(shown, "a", {})
    with (tmp_path / touchpoint.QUEUE).open("a") as queue:
        queue.write('{"type": "tra')
    one._queue(replace(shown, decision="f_2"), "a", {})
    assert [m["messageId"] for m in one._waiting()] == ["f_1-shown", "f_2-shown"]
    assert one.deliver(0.2) == 0
    assert len(one._waiting()) == 2
