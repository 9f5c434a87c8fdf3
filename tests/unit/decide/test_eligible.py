"""The gates one by one, their order, and what an unproven identity may see."""

import pytest

from patron.decide.eligible import Known, eligible
from patron.decide.gates import GATES
from patron.decide.index import CatalogueIndex
from patron.model.clock import DAY
from patron.model.offers import Ask, Condition, Offer
from patron.rules.consent import standing

NOW = 20_000 * DAY


def known(facts: dict[str, object] | None = None, **more: object) -> Known:
    return Known("anonymous_id:1", "p_1", facts or {}, **{"own_device": True, **more})  # type: ignore[arg-type]


def gate_of(
    offer: Offer, ask: Ask, who: Known, opt_in: tuple[str, ...] = (), now: int = NOW
) -> tuple[str, str]:
    kept, dropped = eligible(CatalogueIndex([offer], opt_in), ask, who, now)
    assert len(kept) + len(dropped) == 1
    return (dropped[0].gate, dropped[0].reason) if dropped else ("", "")


def test_placement() -> None:
    mug = Offer(id="mug", name="Mug", placements=("till", "kiosk_home"))
    assert gate_of(mug, Ask("till"), known()) == ("", "")
    assert gate_of(mug, Ask("web_home"), known()) == ("placement", "Only for till, kiosk_home")
    assert gate_of(Offer(id="tea", name="Tea"), Ask("anything"), known()) == ("", "")


def test_channel() -> None:
    mug = Offer(id="mug", name="Mug", channels=("pos",))
    assert gate_of(mug, Ask("x", channel="pos"), known()) == ("", "")
    assert gate_of(mug, Ask("x", channel="web"), known()) == ("channel", "Only in pos")


@pytest.mark.parametrize(
    ("begin", "end", "expected"),
    [
        (NOW, None, ""),
        (NOW + 1, None, "Starts on 4 October 2024"),
        (None, NOW + 1, ""),
        (None, NOW, "Ended on 3 October 2024"),
        (0, 1, "Ended on 1 January 1970"),
        (None, 0, "Ended on 31 December 1969"),
        (NOW, NOW + 1, ""),
    ],
)
def test_validity_holds_from_the_first_instant_and_not_at_the_last(
    begin: int | None, end: int | None, expected: str
) -> None:
    offer = Offer(id="tea", name="Tea", valid_from=begin, valid_until=end)
    assert gate_of(offer, Ask("x"), known()) == (("validity" if expected else ""), expected)


def test_validity_of_several_offers_at_one_moment() -> None:
    offers = [Offer(id=f"o{i}", name="O", valid_from=i * 10, valid_until=i * 10 + 15) for i in range(5)]
    index = CatalogueIndex(offers)
    for now in range(-5, 70):
        kept, _ = eligible(index, Ask("x"), known(), now)
        assert kept == tuple(o.id for o in offers if (o.valid_from or 0) <= now < (o.valid_until or 0))


CONSENT = [
    ({}, (), ""),
    ({}, ("ads",), "No consent to ads, which needs a yes first"),
    ({("ads", "*"): (True, 5)}, ("ads",), ""),
    ({("ads", "*"): (False, 5)}, (), "Refused ads"),
    ({("ads", "*"): (False, 5)}, ("ads",), "Refused ads"),
    ({("ads", "web"): (False, 5)}, (), "Refused ads"),
    ({("ads", "pos"): (False, 5)}, (), ""),
    ({("ads", "pos"): (True, 5)}, ("ads",), "No consent to ads, which needs a yes first"),
    ({("other", "*"): (False, 5)}, (), ""),
    ({("ads", "*"): (False, 5), ("ads", "web"): (True, 6)}, ("ads",), ""),
    ({("ads", "*"): (False, 6), ("ads", "web"): (True, 5)}, (), "Refused ads"),
    ({("ads", "*"): (False, 5), ("ads", "web"): (True, 5)}, (), "Refused ads"),
    ({("ads", "*"): (True, 5), ("ads", "web"): (False, 5)}, (), "Refused ads"),
]


@pytest.mark.parametrize(("consents", "opt_in", "expected"), CONSENT)
def test_consent(
    consents: dict[tuple[str, str], tuple[bool, int]], opt_in: tuple[str, ...], expected: str
) -> None:
    offer = Offer(id="tea", name="Tea", purpose="ads")
    assert gate_of(offer, Ask("x"), known(consents=consents), opt_in) == (
        ("consent" if expected else ""),
        expected,
    )


def test_never_asked_is_not_a_refusal() -> None:
    assert standing({}, "ads", "web") is None
    assert standing({("ads", "pos"): (False, 1)}, "ads", "web") is None


PERSONAL = [
    Offer(id="a", name="A", conditions=(Condition("totals.orders", ">", 0),)),
    Offer(
        id="a", name="A", conditions=(Condition("context.rain", "=", 1), Condition("traits.vip", "missing"))
    ),
    Offer(id="a", name="A", because="Bought {totals.orders} times"),
    Offer(id="a", name="A", because="Likes {taste}"),
]


@pytest.mark.parametrize("offer", PERSONAL)
@pytest.mark.parametrize(
    ("identified", "own", "open_"),
    [
        ("verified", False, True),
        ("verified", True, True),
        ("asserted", False, False),
        ("anonymous", False, False),
        ("anonymous", True, True),
        ("asserted", True, True),
    ],
)
def test_personal_content_goes_only_to_a_proven_identity_or_the_device_itself(
    offer: Offer, identified: str, own: bool, open_: bool
) -> None:
    who = known({"totals.orders": 3, "context.rain": 1}, identified=identified, own_device=own)
    gate, reason = gate_of(offer, Ask("x"), who)
    assert (gate == "") is open_
    assert open_ or (gate, reason) == ("identity", "Rests on personal data, and who asks is not proven")


def test_an_impersonal_offer_is_open_to_a_stranger() -> None:
    rain = Offer(
        id="a",
        name="A",
        because="It is {context.weather}",
        conditions=(Condition("context.weather", "exists"),),
    )
    assert gate_of(rain, Ask("x"), known({"context.weather": "rain"}, own_device=False)) == ("", "")


def test_all_conditions_must_hold_and_the_first_that_fails_is_named() -> None:
    offer = Offer(
        id="a",
        name="A",
        conditions=(
            Condition("totals.orders", ">=", 2),
            Condition("traits.city", "=", "Turin"),
            Condition("context.weather", "=", "rain"),
        ),
    )
    facts: dict[str, object] = {"totals.orders": 2, "traits.city": "Turin", "context.weather": "rain"}
    assert gate_of(offer, Ask("x"), known(facts)) == ("", "")
    assert (
        gate_of(offer, Ask("x"), known({**facts, "context.weather": "sun"}))[1]
        == "Only when weather is rain here and now"
    )
    assert gate_of(offer, Ask("x"), known({**facts, "traits.city": "Bari", "context.weather": "sun"}))[1] == (
        "Only for someone who has a city that is Turin"
    )
    assert gate_of(offer, Ask("x"), known({}))[1] == "Only for someone who has bought at least 2 times"


def test_a_field_is_read_while_one_offer_still_needs_it() -> None:
    rule = Condition("totals.orders", ">=", 2)
    gone = Offer(id="gone", name="G", placements=("till",), conditions=(rule,))
    asked = Offer(id="asked", name="A", conditions=(rule,))
    kept, dropped = eligible(CatalogueIndex([gone, asked]), Ask("web_home"), known({"totals.orders": 1}), NOW)
    assert kept == ()
    assert [(drop.offer, drop.gate) for drop in dropped] == [("gone", "placement"), ("asked", "conditions")]


def test_the_first_gate_in_order_is_the_one_that_is_named() -> None:
    worst: dict[str, object] = {
        "placements": ("till",),
        "channels": ("pos",),
        "valid_until": 5,
        "purpose": "ads",
        "conditions": (Condition("totals.orders", ">", 0),),
    }
    refusal = {("ads", "*"): (False, 1)}
    met = []
    for repaired in ("placements", "channels", "valid_until", "purpose", "identity", "conditions"):
        offer = Offer(id="a", name="A", **worst)  # type: ignore[arg-type]
        own = repaired == "conditions"
        met.append(gate_of(offer, Ask("web_home"), known(consents=refusal, own_device=own))[0])
        worst.pop(repaired, None)
    sold_out = known(own_device=True, around=Shelf(0b1))
    met.append(gate_of(Offer(id="a", name="A", content={"sku": "P1"}), Ask("web_home"), sold_out)[0])
    assert tuple(met) == GATES[:7]


class Shelf:
    """What feeds would say: some offers are out of stock."""

    def __init__(self, out: int) -> None:
        self.out = out

    def used(self, stopped: int) -> tuple[tuple[str, object, int], ...]:
        return (("stock.quantity@P1", 0, 5),) if stopped else ()


def test_stock_stops_last_and_says_which_product() -> None:
    mug = Offer(id="mug", name="Mug", content={"sku": "P1"})
    till = Offer(id="mug", name="Mug", content={"sku": "P1"}, placements=("till",))
    empty = known(around=Shelf(0b1))
    assert gate_of(mug, Ask("web_home"), empty) == ("stock", "Out of stock in this store: P1")
    assert gate_of(till, Ask("web_home"), empty)[0] == "placement"
    assert gate_of(mug, Ask("web_home"), known(around=Shelf(0))) == ("", "")


def test_a_condition_on_stock_is_on_the_stock_of_what_the_offer_sells() -> None:
    rule = (Condition("stock.quantity", ">=", 3),)
    offers = [Offer(id=p.lower(), name=p, content={"sku": p}, conditions=rule) for p in ("P1", "P2", "P3")]
    facts = {"stock.quantity@P1": 5, "stock.quantity@P2": 2}
    kept, dropped = eligible(CatalogueIndex(offers), Ask("web_home"), known(facts), NOW)
    assert kept == ("p1",)
    assert [(d.offer, d.reason) for d in dropped] == [
        (name, "Only when stock is at least 3 here and now") for name in ("p2", "p3")
    ]


def test_an_index_refuses_a_catalogue_that_was_not_checked() -> None:
    tea = Offer(id="tea", name="Tea")
    for offers in ([tea, tea], [Offer(id="nothing", name="N")]):
        with pytest.raises(ValueError, match="ids must be unique"):
            CatalogueIndex(offers)
    with pytest.raises(ValueError, match="unknown field"):
        CatalogueIndex([Offer(id="a", name="A", conditions=(Condition("x", "=", 1),))])


def test_an_empty_catalogue_leaves_nothing() -> None:
    assert eligible(CatalogueIndex([]), Ask("x"), known(), NOW) == ((), ())
