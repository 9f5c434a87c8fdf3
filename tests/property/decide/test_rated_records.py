"""Ranked decisions: the record holds all that the draw rested on, and replays to the same answer bit for bit."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from patron.decide.eligible import Known
from patron.decide.encoding import decode_record, encode_drawn, encode_record, look
from patron.decide.explain import restore, why_not
from patron.decide.index import CatalogueIndex
from patron.decide.rating import Learned, drawn, propensities, rate, scores_of
from patron.decide.record import Terms, spell, weigh
from patron.decide.scoring import Expected, Places, Scorer
from patron.model.offers import Ask, Catalogue, Offer, Placement, Scoring

SIZE = 12
SCORES = st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=1, max_size=40)


class Told:
    """A model that expects what it is told, by the offer's place."""

    def __init__(self, means: list[float]) -> None:
        self._means = np.array(means)

    def expect(self, _index: Any, places: Places, _ask: Ask, _known: Known, _now: int) -> Expected:
        return Expected(self._means[places], 0.0, 0.0, b"x", 9, bytes(range(len(places))))


def _catalogue(formula: str, explore: bool) -> Catalogue:
    offers = tuple(
        Offer(
            f"o{n}",
            f"O {n}",
            family="ab"[n % 2] if n < 6 else "",
            value=1.0,
            cost=float(n == 3),
            purpose="service" if n % 4 == 0 else "ads",
        )
        for n in range(SIZE)
    )
    place = Placement("home", "Home", slots=5, explore=explore)
    return Catalogue(offers, (place,), scoring=Scoring(formula))


@given(
    st.lists(st.floats(-5, 5, allow_nan=False), min_size=SIZE, max_size=SIZE),
    st.sampled_from(["propensity * value - cost", "propensity / cost", "1 / (value - 1)", "0"]),
    st.booleans(), st.booleans(), st.booleans(), st.integers(0, 2**53 - 1), st.integers(1, 9),
)  # fmt: skip
def test_a_record_replays_bit_for_bit(
    means: list[float], formula: str, explore: bool, held: bool, here: bool, seed: int, count: int
) -> None:
    catalogue = _catalogue(formula, explore)
    index = CatalogueIndex(catalogue)
    policy = Learned(Scorer(catalogue), Told(means))
    terms = Terms("d", seed, "control" if held else "treated", 0.5, 7, here, count)
    made = weigh(index, Ask("home"), Known("user_id:1", "p", {}), terms, policy)
    data = encode_drawn(made, index)
    decision = spell(made, index)
    assert data == encode_record(decision, index.ids)
    back = restore(decode_record(data, index.ids), index)
    assert back == decision
    rating = look(data).rating
    if rating is not None:
        at, chance = drawn(rating, seed)
        assert back.eligible[at] == back.would
        if not held:
            assert (back.action, back.propensity) == (back.eligible[at], chance)
            assert 0 < chance <= 1
    served = {offer.id for offer in catalogue.offers if offer.purpose == "service"} | {"nothing"}
    if held or here:
        assert back.action in served
    assert len(back.slate) <= max(0, count - 1)
    assert back.action not in back.slate
    assert len(set(back.slate)) == len(back.slate)
    for name in (*index.ids, "nothing"):
        assert why_not(back, name)


@given(SCORES, st.floats(0, 1e6))
def test_chances_add_up_and_follow_the_scores(scores: list[float], gamma: float) -> None:
    rating = rate(np.array(scores), gamma)
    chances = propensities(rating)
    assert abs(chances.sum() - 1) < 1e-9
    assert (chances > 0).all()
    kept = scores_of(rating)
    assert kept.max() == max(scores)
    widest = max(scores) - min(scores)
    assert np.abs(kept - scores).max() <= widest / 200 + 1e-9
    best = int(np.argmin(np.frombuffer(rating.codes, np.uint8)))
    assert chances[best] >= chances.max() - 1e-12
