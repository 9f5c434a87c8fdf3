"""The ready library: enough of it, live, self-contained, and honest about its data."""

import tomllib
from importlib.resources import files

import jsonschema_rs
import msgspec
import pytest

from patron.profiles.rules import STANDARD_NAMES
from patron.rules.check import problems
from patron.rules.classify import classify
from patron.rules.references import Definitions, reference_problems
from patron.rules.resolve import resolved, resolved_trait
from patron.rules.schema import schema
from patron.rules.walk import needs, rules_of
from patron.segments import library

SENT_BY_TILLS_AND_LETTERS = {"Coupon Redeemed", "Review Submitted", "*"}
"""Names that are not in the specifications of vendors."""


def ids(items):
    return [item.id for item in items]


def ready(*present):
    return {one.item.id: one for one in library.ready(present)}


def test_enough_of_both_with_ids_of_their_own():
    assert len(library.segments()) >= 20
    assert len(library.traits()) >= 20
    for items in (library.segments(), library.traits()):
        assert len(set(ids(items))) == len(items)
        assert len({item.name for item in items}) == len(items)


def test_at_least_18_of_20_segments_are_live():
    live = [classify(resolved(segment, {}).rule).live for segment in library.segments()]
    print(f"live exact: {sum(live)} of {len(live)}")
    assert sum(live) / len(live) >= 18 / 20


def test_nothing_reads_without_bound():
    for item in (*library.segments(), *library.traits()):
        assert classify(*(rule for _, rule in rules_of(item))).costs == ()


@pytest.mark.parametrize("item", [*library.segments(), *library.traits()], ids=lambda item: item.id)
def test_each_stands_by_itself(item):
    assert reference_problems(item, Definitions()) == ()
    assert item.tags
    assert item.purpose in {"personalization", "email_marketing"}
    again = msgspec.to_builtins(resolved(item, {}) if hasattr(item, "rule") else resolved_trait(item))
    assert problems(again, "segment" if hasattr(item, "rule") else "trait") == ()
    for event in needs(*(rule for _, rule in rules_of(item))).events:
        assert event in STANDARD_NAMES | SENT_BY_TILLS_AND_LETTERS


def test_what_is_missing_is_said():
    assert not any(one.ready for one in ready().values())
    browsers = ready("Product Viewed")["browsers"]
    assert (browsers.ready, browsers.needs, browsers.missing) == (
        False,
        ("Order Completed", "Product Viewed"),
        ("Order Completed",),
    )
    assert ready("Product Viewed", "Order Completed")["browsers"].ready


def test_of_alternatives_one_is_enough():
    assert ready("Review Submitted")["reviewers"].ready
    assert ready()["reviewers"].missing == ("Product Reviewed", "Review Submitted")
    assert ready("Store Entered", "Order Completed")["store-regulars"].missing == ()


def test_what_must_not_be_has_to_be_seen():
    assert ready("Message Sent", "Message Opened")["email-sleepers"].missing == ("Message Clicked",)


@pytest.mark.parametrize(("file", "key"), [("segments.toml", "segment"), ("traits.toml", "trait")])
def test_the_files_fit_the_published_schema(file, key):
    validator = jsonschema_rs.validator_for(schema(key))
    for row in tomllib.loads(files(library).joinpath(file).read_text("utf-8"))[key]:
        validator.validate(row)
