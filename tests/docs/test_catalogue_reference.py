"""The reference of the catalogue: its example is good and has every key, and every key is explained."""

import re
import tomllib

from patron.decide.catalogue import parse
from patron.decide.formula import TERMS
from patron.decide.reading.places import REWARDS
from patron.model.offers import Cap, Offer, Placement, Quiet, Scoring, Variant, Weight
from tests.docs.documents import ROOT, code_blocks

TEXT = (ROOT / "docs" / "catalogue.md").read_text("utf-8")
EXAMPLE = next(block for block in code_blocks(TEXT) if "[[offer]]" in block)
WRITTEN = {"variants": "variant", "weights": "weight"}
"""Fields that a text calls otherwise: a heading stands above each."""


def keys(struct: type) -> set[str]:
    return {WRITTEN.get(name, name) for name in struct.__struct_fields__}


def test_the_example_is_good_and_says_every_key() -> None:
    found = parse(EXAMPLE, segments=[])
    assert (len(found.offers), len(found.placements), len(found.caps)) == (1, 2, 1)
    document = tomllib.loads(EXAMPLE)
    offer = document["offer"][0]
    assert set(offer) == keys(Offer)
    assert set(offer["variant"][0]) == keys(Variant)
    assert set(document["placement"][0]) == keys(Placement)
    assert set(document["cap"][0]) | {"hours"} == keys(Cap)
    assert set(document["quiet"]) == keys(Quiet)
    assert set(document["scoring"]) == keys(Scoring)
    assert set(document["scoring"]["weight"][0]) == keys(Weight)


def test_every_key_is_explained() -> None:
    told = set(re.findall(r"`([a-z_]+)`", TEXT))
    for struct in (Offer, Variant, Placement, Cap, Quiet, Scoring, Weight):
        assert keys(struct) - told == set(), struct.__name__
    assert set(REWARDS) - told == set()
    terms = next(row for row in TEXT.splitlines() if row.startswith("| `formula`"))
    assert all(term in terms for term in TERMS)


def test_the_defaults_told_are_those_that_hold() -> None:
    offer, place, scoring = Offer(id="a", name="A"), Placement("p", "P"), Scoring()
    for key, value in {
        "value": offer.value, "cost": offer.cost, "margin": offer.margin, "priority": offer.priority,
        "slots": place.slots, "window_hours": place.window_hours, "unsubscribe_cost": scoring.unsubscribe_cost,
        "nothing": scoring.nothing, "cooldown_hours": offer.cooldown_hours,
    }.items():  # fmt: skip
        row = next(line for line in TEXT.splitlines() if line.startswith(f"| `{key}` |"))
        assert row.endswith(f"| {value:g} |"), row
    assert f"| `{scoring.formula}` |" in TEXT
    assert f"`{place.reward}` |" in TEXT
    assert f"`{offer.purpose}` |" in TEXT
