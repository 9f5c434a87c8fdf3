"""Reading a catalogue: the good, and every fault by its path."""

import msgspec
import pytest

from patron.decide.catalogue import MAX_OFFERS, parse, read, version
from patron.decide.example import CATALOGUE_TOML
from patron.decide.index import CatalogueIndex
from patron.decide.variants import allows
from patron.model.clock import DAY
from patron.model.errors import BadRequest
from patron.model.offers import Catalogue, Condition, Offer, Quiet

HEAD = '[[offer]]\nid = "tea"\nname = "Tea"\n'


def test_an_offer_with_everything() -> None:
    text = HEAD + (
        'placements = ["till", "web_home", "till"]\nchannels = ["pos"]\nvalid_from = 2026-01-01\n'
        'valid_until = "2026-12-31"\npurpose = "ads"\nbecause = "Bought {totals.orders} times"\n'
        'conditions = [{field = "traits.city", op = "in", value = ["Turin"]}, {field = "channels.pos", op = "exists"}]\n'
        "content = {title = 'Tea', until = 2026-12-31, nested = {price = 1.5, list = [1, true]}}\n"
    )
    (offer,) = parse(text).offers
    assert offer.placements == ("till", "web_home")
    assert offer.conditions == (
        Condition("traits.city", "in", ("Turin",)),
        Condition("channels.pos", "exists"),
    )
    assert offer.content == {
        "title": "Tea",
        "until": "2026-12-31",
        "nested": {"price": 1.5, "list": [1, True]},
    }
    assert (offer.valid_until or 0) - (offer.valid_from or 0) == 365 * DAY, (
        "a date until which is meant inclusively"
    )
    assert (offer.purpose, offer.because) == ("ads", "Bought {totals.orders} times")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("1970-01-02", DAY),
        ('"1970-01-02"', DAY),
        ("1970-01-01T01:00:00Z", 3_600_000),
        ("1970-01-01T01:00:00", 3_600_000),
        ('"1970-01-01T02:00:00.250+01:00"', 3_600_250),
    ],
)
def test_instants(written: str, expected: int) -> None:
    assert parse(HEAD + f"valid_from = {written}").offers[0].valid_from == expected


FAULTS = [
    ("", None, None),
    ("[[offer]]\nid = ", "", "this is not TOML"),
    ("x = " + "[" * 5_000, "", "this is not TOML"),
    ('offer = "tea"', "offer", "write [[offer]] above each"),
    ("[offers]\n", "offers", "did you mean `offer`?"),
    ("[[offer]]\nname = 'Tea'", "offer[0].id", "is missing"),
    ("[[offer]]\nid = 'tea'", "offer[0].name", "is missing"),
    ("[[offer]]\nid = 'Tea!'\nname = 'T'", "offer[0].id", "a-z 0-9"),
    ("[[offer]]\nid = 'tea\\n'\nname = 'T'".replace("'tea\\n'", '"tea\\n"'), "offer[0].id", "a-z 0-9"),
    ("[[offer]]\nid = 'nothing'\nname = 'T'", "offer[0].id", "always a candidate"),
    ("[[offer]]\nid = 3\nname = 'T'", "offer[0].id", "a-z 0-9"),
    (HEAD + HEAD, "offer[1].id", "also the id of offer[0]"),
    (HEAD + "placement = ['till']", "offer[0].placement", "did you mean `placements`?"),
    (HEAD + "placements = 'till'", "offer[0].placements", "a list of names"),
    (HEAD + "placements = ['']", "offer[0].placements", "a list of names"),
    (HEAD + "channels = ['web', 'kisok']", "offer[0].channels[1]", "did you mean `kiosk`?"),
    (HEAD + "valid_from = 3", "offer[0].valid_from", "needs a date"),
    (HEAD + "valid_from = 'soon'", "offer[0].valid_from", "needs a date"),
    (HEAD + "valid_from = 12:00:00", "offer[0].valid_from", "needs a date"),
    (
        HEAD + "valid_from = 2026-02-02\nvalid_until = 2026-02-01",
        "offer[0].valid_until",
        "nobody could ever get",
    ),
    (HEAD + "because = 'Bought {total.orders}'", "offer[0].because", "unknown slot `{total.orders}`"),
    (HEAD + "because = 'Bought {orders'", "offer[0].because", "without its partner"),
    (HEAD + "because = 4", "offer[0].because", "needs a text"),
    (HEAD + "purpose = ' '", "offer[0].purpose", "not empty"),
    (HEAD + "conditions = 'all'", "offer[0].conditions", "needs a list such as"),
    (HEAD + "conditions = [{field = 'totals.orders'}]", "offer[0].conditions[0]", "needs `field` and `op`"),
    (HEAD + "conditions = [{field = 'x', op = '='}]", "offer[0].conditions[0]", "unknown field `x`"),
    (
        HEAD + "conditions = [{field = 'channels.web', op = 'exists', vlaue = 3}]",
        "offer[0].conditions[0].vlaue",
        "did you mean `value`?",
    ),
    (HEAD + "content = 'Tea'", "offer[0].content", "needs a table"),
    (HEAD + "content = {price = nan}", "offer[0].content.price", "no finite number"),
    (HEAD + "content = {list = [{n = 99999999999999999999}]}", "offer[0].content.list[0].n", "beyond 64-bit"),
]


@pytest.mark.parametrize(("text", "path", "words"), FAULTS, ids=lambda x: repr(x)[:40])
def test_faults_are_named_by_path(text: str, path: str | None, words: str | None) -> None:
    found, faults = read(text)
    if path is None:
        assert (found, faults) == (Catalogue(), ())
        return
    assert [f for f in faults if f.path == path and words in f.problem], faults
    with pytest.raises(BadRequest, match="the catalogue has a fault at") as caught:
        parse(text)
    assert caught.value.faults == faults
    assert caught.value.code == "bad_catalogue"


def test_all_faults_come_at_once() -> None:
    _, faults = read(HEAD + "because = '{'\nplacement = 'x'\nvalid_from = 'soon'\n" + HEAD)
    assert len(faults) == 4


def test_too_many_offers() -> None:
    text = "".join(f'[[offer]]\nid = "o{i}"\nname = "O"\n' for i in range(MAX_OFFERS + 1))
    assert read(text)[1][0].path == "offer"


def test_good_offers_have_an_order_free_canonical_version() -> None:
    a, b = (
        Offer(id="a", name="A", content={"x": 1, "y": 2}),
        Offer(id="a", name="A", content={"y": 2, "x": 1}),
    )
    assert version(Catalogue((a,))) == version(Catalogue((b,)))
    assert version(Catalogue((a,))) != version(
        Catalogue((Offer(id="a", name="B", content={"x": 1, "y": 2}),))
    )
    assert version(Catalogue((a,)), ["ads", "b"]) == version(Catalogue((a,)), ["b", "ads"])
    assert len(version(Catalogue(()))) == 12


def test_the_example_is_good_and_shows_every_part_at_work() -> None:
    found = parse(CATALOGUE_TOML)
    offers = found.offers
    assert len(offers) == 8
    declared = {place.id for place in found.placements}
    assert {place for offer in offers for place in offer.placements} == declared
    assert {"web_home", "web_product", "kiosk_home", "till", "associate_card", "app_home"} < declared, (
        "the demo's touchpoints and the towns ask there"
    )
    assert {place.channel for place in found.placements} >= {
        "web", "app", "push", "email", "kiosk", "signage", "pos", "associate_tablet", "call_centre",
    }  # fmt: skip
    for place in found.placements:
        assert [one.id for one in offers if allows(place, one)], f"{place.id} shows nothing"
        assert not place.outbound or all(one.purpose != "service" for one in offers if allows(place, one))
    assert sum(len(offer.variants) for offer in offers) == 2
    assert len({offer.family for offer in offers} - {""}) == 1
    assert (len(found.caps), len(found.scoring.weights)) == (1, 1)
    assert found.quiet == Quiet(21 * 60, 8 * 60)
    assert {offer.margin for offer in offers} > {1.0}
    assert any(offer.cost for offer in offers)
    msgspec.json.encode(offers)
    index = CatalogueIndex(offers)
    impersonal = {offer.id for i, offer in enumerate(offers) if not index.personal >> i & 1}
    assert impersonal == {"rain-tasting", "coffee-for-hello", "house-blend"}, (
        "a stranger must get something too"
    )


PINNED = """
[[offer]]
id = "tea"
name = "Tea"
placements = ["till", "web_home"]
channels = ["pos"]
valid_from = 2026-01-01
valid_until = "2026-12-31"
purpose = "ads"
because = "Bought {totals.orders} times"
conditions = [{field = "traits.city", op = "in", value = ["Turin"]}, {field = "channels.pos", op = "exists"}]
content = {title = "Tea", until = 2026-12-31, nested = {price = 1.5, list = [1, true]}}
"""


def test_a_catalogue_of_the_first_keys_keeps_the_version_that_old_decisions_name() -> None:
    """Printed by the Patron that knew no other keys; a log of that time has to be read for ever."""
    assert version(parse(PINNED)) == "f49052cc7105"
    assert version(parse(PINNED), ["b", "ads"]) == "2b47f8b5c017"
    assert version(Catalogue()) == "9f2d75aaf6f8"
    assert version(Catalogue(), ["ads", "b"]) == "31097fccaa4d"


@pytest.mark.parametrize(
    "more",
    [
        "value = 2",
        "margin = 0.9",
        "stock = 0",
        'family = "hot"',
        "variant = [{content = {title = 'T'}}]",
        "[[placement]]\nid = 'till'\nname = 'T'\n[[placement]]\nid = 'web_home'\nname = 'W'",
        "[[cap]]\nid = 'c'\nlimit = 1\ndays = 1",
        "[quiet]\nstart = '21:00'\nend = '08:00'",
        "[scoring]\nnothing = 0.1",
    ],
)
def test_whatever_is_said_beyond_them_makes_another_version(more: str) -> None:
    assert version(parse(PINNED + more)) != version(parse(PINNED))


def test_saying_a_default_is_saying_nothing() -> None:
    said = "value = 1\ncost = -0.0\npriority = 1.0\nvariant = []\n[scoring]\nnothing = 0\nweight = []\n"
    assert version(parse(PINNED + said)) == version(parse(PINNED))
