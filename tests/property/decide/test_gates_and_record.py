"""Gates by bit masks against gates in plain words, and records that lose nothing."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from patron.decide.eligible import Known, eligible
from patron.decide.encoding import decode_record, encode_drawn, encode_record
from patron.decide.explain import restore
from patron.decide.index import CatalogueIndex, is_personal_offer
from patron.decide.record import Terms, decide, spell, weigh
from patron.model.offers import Ask, Condition, Offer
from patron.rules.consent import standing
from patron.rules.matches import matches

NAMES = st.sampled_from(["a", "b", "c"])
CONDITIONS = st.sampled_from(
    [
        Condition("totals.orders", ">=", 1),
        Condition("totals.orders", ">=", 2),
        Condition("totals.orders", "<", 2),
        Condition("traits.x", "=", "u"),
        Condition("traits.x", "missing"),
        Condition("context.w", "in", ("r", "s")),
    ]
)
OFFERS = st.lists(
    st.builds(
        Offer,
        id=st.just(""),
        name=st.just("N"),
        placements=st.lists(NAMES, max_size=2, unique=True).map(tuple),
        channels=st.lists(st.sampled_from(["web", "pos"]), max_size=1).map(tuple),
        valid_from=st.one_of(st.none(), st.integers(0, 6)),
        valid_until=st.one_of(st.none(), st.integers(0, 6)),
        purpose=st.sampled_from(["p", "q"]),
        conditions=st.lists(CONDITIONS, max_size=3).map(tuple),
        because=st.sampled_from(["", "{totals.orders}", "{context.w}"]),
        content=st.just({"k": 1}),
    ),
    max_size=14,
).map(
    lambda rows: [
        Offer(**{f: getattr(o, f) for f in o.__struct_fields__ if f != "id"}, id=f"o{i}")
        for i, o in enumerate(rows)
    ]
)
ASKS = st.builds(Ask, placement=NAMES, channel=st.sampled_from(["web", "pos"]))
KNOWN = st.builds(
    Known,
    node=st.just("n"),
    person=st.just("p"),
    facts=st.fixed_dictionaries(
        {},
        optional={
            "totals.orders": st.integers(0, 3),
            "traits.x": st.sampled_from(["u", "v", 1]),
            "context.w": st.sampled_from(["r", "t"]),
        },
    ),
    consents=st.dictionaries(
        st.tuples(st.sampled_from(["p", "q"]), st.sampled_from(["*", "web", "pos"])),
        st.tuples(st.booleans(), st.integers(0, 2)),
        max_size=4,
    ),
    identified=st.sampled_from(["verified", "asserted", "anonymous"]),
    own_device=st.booleans(),
)
OPT_IN = st.sampled_from([(), ("p",), ("p", "q")])


def first_gate(offer: Offer, ask: Ask, known: Known, now: int, opt_in: tuple[str, ...]) -> str:
    said = standing(known.consents, offer.purpose, ask.channel)
    stops: list[tuple[str, Any]] = [
        ("placement", offer.placements and ask.placement not in offer.placements),
        ("channel", offer.channels and ask.channel not in offer.channels),
        ("validity", offer.valid_from is not None and now < offer.valid_from),
        ("validity", offer.valid_until is not None and now >= offer.valid_until),
        ("consent", said is False or (said is None and offer.purpose in opt_in)),
        ("identity", is_personal_offer(offer) and not (known.own_device or known.identified == "verified")),
        ("conditions", not all(matches(c, known.facts) for c in offer.conditions)),
    ]
    return next((gate for gate, stopped in stops if stopped), "")


@given(OFFERS, ASKS, KNOWN, st.integers(-1, 7), OPT_IN)
def test_the_masks_say_what_plain_words_say(
    offers: list[Offer], ask: Ask, known: Known, now: int, opt_in: tuple[str, ...]
) -> None:
    kept, dropped = eligible(CatalogueIndex(offers, opt_in), ask, known, now)
    expected = {offer.id: first_gate(offer, ask, known, now, opt_in) for offer in offers}
    assert kept == tuple(offer for offer, gate in expected.items() if not gate)
    assert {drop.offer: drop.gate for drop in dropped} == {o: gate for o, gate in expected.items() if gate}
    assert len(dropped) + len(kept) == len(offers)
    assert all(drop.reason for drop in dropped)


@given(OFFERS, ASKS, KNOWN, st.integers(-1, 7), OPT_IN, st.integers(0, 2**53 - 1), st.booleans())
def test_a_record_loses_nothing(
    offers: list[Offer], ask: Ask, known: Known, now: int, opt_in: tuple[str, ...], seed: int, held: bool
) -> None:
    index = CatalogueIndex(offers, opt_in)
    group = "control" if held else "treated"
    made = spell(weigh(index, ask, known, Terms("d", seed, group, 0.5, now)), index)
    data = encode_record(made, index.ids)
    assert restore(decode_record(data, index.ids), index) == made
    assert encode_record(decode_record(data, index.ids), index.ids) == data
    assert made.action in made.eligible
    assert made.would in made.eligible
    assert made.propensity == (1.0 if held else 1 / len(made.eligible))
    assert not held or made.action == "nothing"


@given(OFFERS, ASKS, KNOWN, st.integers(-1, 7), OPT_IN, st.integers(0, 2**53 - 1), st.booleans())
def test_a_weighed_decision_is_recorded_as_the_spelled_one(
    offers: list[Offer], ask: Ask, known: Known, now: int, opt_in: tuple[str, ...], seed: int, held: bool
) -> None:
    index = CatalogueIndex(offers, opt_in)
    group = "control" if held else "treated"
    drawn = weigh(index, ask, known, Terms("d", seed, group, 0.5, now))
    made = decide(index, ask, known, decision_id="d", seed=seed, group=group, holdout=0.5, now=now)
    assert spell(drawn, index) == made
    assert encode_drawn(drawn, index) == encode_record(made, index.ids)
    again = weigh(index, ask, known, Terms("d", seed, group, 0.5, now))
    assert again == drawn, "what the index remembers of one decision changes no other"
