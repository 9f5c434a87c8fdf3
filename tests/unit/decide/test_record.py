"""A decision put together: holdout, reasons, expiry; and its compact record."""

import base64

import msgspec
import pytest

from patron.decide.choose import choose, draw_seed
from patron.decide.eligible import Known
from patron.decide.encoding import decode_record, encode_drawn, encode_record
from patron.decide.explain import funnel, restore, why, why_not
from patron.decide.gates import GATES
from patron.decide.index import CatalogueIndex
from patron.decide.record import ANSWER_LIFE, Terms, decide, weigh
from patron.model.offers import Ask, Condition, Decision, Dropped, Offer

FACTS = {"totals.orders": 4, "traits.first_name": "Ana", "context.weather": "rain"}
OFFERS = [
    Offer(
        id="kit",
        name="Kit",
        because="Bought {totals.orders} times",
        content={"title": "Kit"},
        valid_until=1_500_000,
    ),
    Offer(id="mug", name="Mug", placements=("till",)),
    Offer(
        id="vip",
        name="Vip",
        conditions=(Condition("totals.orders", ">=", 2), Condition("traits.vip", "=", True)),
    ),
]
INDEX = CatalogueIndex(OFFERS)


def made(
    group: str = "treated",
    number: int = 0,
    index: CatalogueIndex = INDEX,
    now: int = 1_000_000,
    **more: object,
) -> Decision:
    known = Known("user_id:7", "p_1", {**FACTS, **more}, identified="verified")
    name = f"d_{number}"
    seed = draw_seed(b"s", name)
    return decide(
        index, Ask("web_home"), known, decision_id=name, seed=seed, group=group, holdout=0.5, now=now
    )


def one_with(action: str, group: str = "treated") -> Decision:
    return next(d for n in range(1000) if (d := made(group, n)).would == action)


def test_a_treated_person_gets_what_was_drawn() -> None:
    decision = one_with("kit")
    assert (decision.action, decision.would, decision.propensity) == ("kit", "kit", 0.5)
    assert decision.content == {"title": "Kit"}
    assert decision.candidates == ("kit", "mug", "vip", "nothing")
    assert decision.eligible == ("kit", "nothing")
    assert [(d.offer, d.gate) for d in decision.dropped] == [("mug", "placement"), ("vip", "conditions")]
    assert decision.reasons == ("Bought 4 times", "Drawn at random from 2 choices, each with a chance of 0.5")
    assert decision.catalogue == INDEX.version
    assert decision.policy == "uniform-1"


def test_a_held_out_person_gets_nothing_for_certain_and_the_draw_is_kept() -> None:
    decision = one_with("kit", "control")
    assert (decision.action, decision.would, decision.propensity) == ("nothing", "kit", 1.0)
    assert decision.content == {}
    assert decision.eligible == ("kit", "nothing")
    assert decision.reasons == (
        "Held out: in the 50% of people who see no offers, so that the effect can be measured",
    )


def test_held_out_or_not_the_draw_is_the_same() -> None:
    assert [made("treated", n).would for n in range(50)] == [made("control", n).would for n in range(50)]


def test_a_recorded_decision_can_be_drawn_again() -> None:
    for number in range(20):
        decision = made(number=number)
        assert choose(decision.eligible[:-1], decision.seed) == (decision.action, decision.propensity)


def test_nothing_drawn_says_so() -> None:
    assert one_with("nothing").reasons[0] == "Leaving people alone is always one of the choices"
    empty = made(index=CatalogueIndex([]))
    assert (empty.action, empty.propensity, empty.reasons) == (
        "nothing",
        1.0,
        ("Nothing else was allowed here and now",),
    )


def test_reasons_fall_back_to_the_conditions_then_to_open() -> None:
    rule = CatalogueIndex(
        [Offer(id="r", name="R", because="Likes {taste}", conditions=(Condition("totals.orders", ">=", 2),))]
    )
    decision = next(d for n in range(100) if (d := made(number=n, index=rule)).action == "r")
    assert decision.reasons[0] == "Has bought at least 2 times", (
        "a missing slot must not leave a hole in the sentence"
    )
    free = CatalogueIndex([Offer(id="f", name="F")])
    shown = next(d for n in range(100) if (d := made(number=n, index=free)).action == "f")
    assert shown.reasons[0] == "Open to everyone here"


@pytest.mark.parametrize(
    "hostile", ["\u202eanA", "{traits.first_name}", "x" * 10_000, "a\nb\x00c", "{0.__class__}"]
)
def test_a_hostile_trait_stays_a_short_line_and_is_not_a_template(hostile: str) -> None:
    index = CatalogueIndex([Offer(id="h", name="H", because="Hello {first_name}")])
    decision = next(
        d
        for n in range(100)
        if (d := made(number=n, index=index, **{"traits.first_name": hostile})).action == "h"
    )
    assert decision.reasons[0].startswith("Hello")
    assert decision.reasons[0].isprintable()
    assert len(decision.reasons[0]) <= 200
    assert "class '" not in decision.reasons[0]
    if hostile.startswith("{"):
        assert hostile in decision.reasons[0]


def test_an_answer_expires_and_never_after_its_offer() -> None:
    assert one_with("kit").expires == 1_500_000
    assert one_with("nothing").expires == 1_000_000 + ANSWER_LIFE


def test_an_unknown_group_is_refused() -> None:
    with pytest.raises(ValueError, match="`treated` or `control`"):
        made("held")


# --- the compact record ---


def test_a_record_gives_back_the_whole_decision() -> None:
    for group in ("treated", "control"):
        for number in range(20):
            decision = made(group, number)
            data = encode_record(decision, INDEX.ids)
            bare = decode_record(data, INDEX.ids)
            assert bare.candidates == decision.candidates
            assert bare.eligible == decision.eligible
            assert [(d.offer, d.gate, d.detail) for d in bare.dropped] == [
                (d.offer, d.gate, d.detail) for d in decision.dropped
            ]
            assert restore(bare, INDEX) == decision
            assert encode_record(bare, INDEX.ids) == data


def big() -> tuple[CatalogueIndex, Decision]:
    def offer(i: int) -> Offer:
        conditions = (
            Condition("totals.orders", ">=", i % 9),
            Condition(f"traits.t{i % 40}", "!=", f"v{i % 3}"),
        )
        return Offer(
            id=f"a-rather-long-offer-name-{i:03d}",
            name=f"Offer {i}",
            placements=("web_home",) if i % 5 else ("till",),
            valid_until=5 if i % 13 == 0 else None,
            purpose="ads" if i % 7 == 0 else "personalization",
            conditions=conditions,
            because="Bought {totals.orders} times, most of all {traits.t1}, and was last here {totals.orders} days ago",
            content={"title": "x" * 500},
        )

    index = CatalogueIndex([offer(i) for i in range(200)], ["ads"])
    facts = {f"traits.t{i}": f"v{i % 4}" for i in range(40)}
    known = Known(
        "anonymous_id:3f0c7d1e-8d2b-4a53-9a53-1d2b3c4d5e6f",
        "p_0123456789abcdef01234567",
        {**FACTS, **facts},
        identified="verified",
    )
    seeds = ((f"d_0123456789abcdef{n:08d}", draw_seed(b"s", str(n))) for n in range(100))
    decisions = (
        decide(
            index,
            Ask("web_home"),
            known,
            decision_id=name,
            seed=seed,
            group="treated",
            holdout=0.5,
            now=10**12,
        )
        for name, seed in seeds
    )
    return index, next(d for d in decisions if d.action != "nothing")


def test_a_record_of_200_candidates_is_under_1_kb_even_in_base64() -> None:
    index, decision = big()
    data = encode_record(decision, index.ids)
    assert len(decision.candidates) == 201
    assert {drop.gate for drop in decision.dropped} == {"placement", "validity", "consent", "conditions"}
    assert len(base64.b64encode(data)) <= 1000
    assert restore(decode_record(data, index.ids), index) == decision


def test_a_decision_is_recorded_alike_with_and_without_names() -> None:
    rules = tuple(Condition(f"traits.t{n}", "=", n) for n in range(4))
    index = CatalogueIndex(
        [Offer(id=f"o{n}", name="O", conditions=rules[: 1 + n % 4], because="{t0}") for n in range(19)]
    )
    for right in range(5):
        known = Known("n", "p", {f"traits.t{n}": n for n in range(right)}, identified="verified")
        for group in ("treated", "control"):
            terms = {"decision_id": "d", "seed": 3, "group": group, "holdout": 0.5, "now": 7}
            drawn = weigh(index, Ask("till"), known, Terms(**terms))  # type: ignore[arg-type]
            made = decide(index, Ask("till"), known, **terms)  # type: ignore[arg-type]
            assert encode_drawn(drawn, index) == encode_record(made, index.ids)
            assert {drop.detail for drop in made.dropped} == ({right} if right < 4 else set())
    with pytest.raises(ValueError, match="was made with catalogue"):
        encode_drawn(drawn, INDEX)


def test_a_record_that_does_not_add_up_is_refused() -> None:
    decision = made()
    tea = Dropped("tea", "placement", "")
    for broken in (
        msgspec.structs.replace(decision, dropped=decision.dropped[1:]),
        msgspec.structs.replace(decision, dropped=(*decision.dropped, decision.dropped[0])),
        msgspec.structs.replace(decision, dropped=(*decision.dropped, Dropped("kit", "consent", ""))),
        msgspec.structs.replace(decision, dropped=(*decision.dropped, Dropped("mug", "consent", ""))),
        msgspec.structs.replace(decision, eligible=("nothing",)),
        msgspec.structs.replace(decision, dropped=(*decision.dropped, tea)),
        msgspec.structs.replace(decision, dropped=(Dropped("mug", "luck", ""), decision.dropped[1])),
        msgspec.structs.replace(decision, action="tea"),
        msgspec.structs.replace(decision, candidates=("kit", "nothing")),
    ):
        with pytest.raises(ValueError, match=r"does not add up|does not have"):
            encode_record(broken, INDEX.ids)


def test_a_part_of_the_catalogue_can_be_the_candidates() -> None:
    decision = msgspec.structs.replace(
        made(), candidates=("kit", "vip", "nothing"), dropped=made().dropped[1:]
    )
    bare = decode_record(encode_record(decision, INDEX.ids), INDEX.ids)
    assert bare.candidates == ("kit", "vip", "nothing")
    assert bare.eligible == ("kit", "nothing")


def test_another_catalogue_or_other_bytes_are_refused() -> None:
    data = encode_record(made(), INDEX.ids)
    for wrong, ids in ((b"", INDEX.ids), (b"\xff\x00", INDEX.ids), (data[:-3], INDEX.ids), (data, ("kit",))):
        with pytest.raises(ValueError, match=r"not a decision record|does not add up|another catalogue"):
            decode_record(wrong, ids)
    with pytest.raises(ValueError, match="another catalogue"):
        decode_record(data, [f"o{i}" for i in range(20)])
    fields = msgspec.msgpack.decode(data)
    with pytest.raises(ValueError, match="format 4"):
        decode_record(msgspec.msgpack.encode([4, *fields[1:]]), INDEX.ids)
    with pytest.raises(ValueError, match="was made with catalogue"):
        restore(made(), CatalogueIndex([Offer(id="x", name="X")]))


def test_a_record_made_before_there_was_a_gate_of_stock_is_read() -> None:
    decision = made()
    fields = msgspec.msgpack.decode(encode_record(decision, INDEX.ids))
    gates = 13
    assert len(fields[gates]) == len(GATES)
    old = [1, *fields[1:gates], fields[gates][:-1], *fields[gates + 1 : -1]]
    again = decode_record(msgspec.msgpack.encode(old), INDEX.ids)
    assert again == decode_record(encode_record(decision, INDEX.ids), INDEX.ids)


def test_what_feeds_said_is_in_the_record() -> None:
    used = (("context.weather.rain", 1.2, 7), ("stock.quantity@P1", 0, 9))
    decision = msgspec.structs.replace(made(), used=used)
    assert decode_record(encode_record(decision, INDEX.ids), INDEX.ids).used == used


# --- why, why not ---


def test_why_and_why_not_are_sentences_about_every_candidate() -> None:
    kit, nothing, held = one_with("kit"), one_with("nothing"), one_with("kit", "control")
    assert why(kit).startswith("Bought 4 times. Drawn at random from 2 choices")
    assert why_not(kit, "kit") == "It was chosen."
    assert why_not(kit, "nothing") == "It was allowed, but lost the draw: one of 2 with equal chances."
    assert why_not(kit, "mug") == "Dropped: Only for till."
    assert why_not(kit, "vip") == "Dropped: Only for someone who has a vip that is yes."
    assert why_not(kit, "gone") == "It was not in the catalogue at that time."
    assert why_not(nothing, "kit").startswith("It was allowed, but lost the draw")
    assert (
        why_not(held, "kit")
        == "It was allowed, but this person is held out. It would have been chosen otherwise."
    )
    assert why_not(held, "nothing") == "Nothing was shown: this person is held out."
    bare = decode_record(encode_record(kit, INDEX.ids), INDEX.ids)
    assert why_not(bare, "mug") == "Dropped at the gate “right place”."


def test_the_funnel_counts_down_to_what_was_drawn_from() -> None:
    steps = funnel(made())
    assert [(s.gate, s.left) for s in steps] == list(zip(GATES, [2] * 5 + [1] * 13, strict=True))
    assert steps[-1].left == len(made().eligible) - 1
    assert sum(step.dropped for step in steps) == len(made().dropped)
