"""Rules as people read them, and slots that lead back to their fields."""

import msgspec
import pytest

from patron.rules.describe import Names, describe, describe_rule
from patron.rules.tree import (
    AllOf,
    AnyOf,
    Bucket,
    Computed,
    Consented,
    Did,
    Fact,
    Member,
    Not,
    Param,
    Segment,
    Sequence,
    Step,
    Use,
    Where,
    Window,
)

MONTH = Window(days=30)
ONLINE = Where("channel", "in", ["web", "app"])


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (Did("Store Entered"), "People who visited a store."),
        (Did("Store Entered", ">=", 2, within=MONTH), "People who visited a store at least 2 times in the last 30 days."),
        (Did("Store Entered", "=", 1, within=Window(days=1)), "People who visited a store exactly 1 time today."),
        (Did("Order Completed", "=", 0), "People who have not ordered."),
        (Did("Order Completed", "in", [1, 2]), "People who ordered 1 or 2 times."),
        (Not(Did("Order Completed", within=Window(hours=6))), "People who have not ordered in the last 6 hours."),
        (Did("AR Try-On Completed"), "People who did “AR Try-On Completed”."),
        (
            Did("Order Completed", ">=", 500, "sum", "revenue", (ONLINE,), MONTH),
            "People whose total revenue of orders on the web or in the app in the last 30 days is at least 500.",
        ),
        (Did("Order Completed", "<=", 30, "first"), "People whose first order was at most 30 days ago."),
        (Did("Order Completed", ">", 90, "last"), "People whose last order was more than 90 days ago."),
        (
            Did("Product Viewed", "=", "coffee", "most_frequent", "category", within=MONTH),
            "People whose most frequent category of product views in the last 30 days is coffee.",
        ),
        (
            Did("*", ">=", 2, "distinct", "channel", within=MONTH),
            "People whose number of different channels of events in the last 30 days is at least 2.",
        ),
        (
            Did("Product Viewed", where=(Where("properties.category", "=", "tea"), Where("properties.price", ">", 5))),
            "People who viewed a product where category is tea and price is more than 5.",
        ),
        (
            Sequence((Step("Product Viewed"), Step("Product Added"), Step("Order Completed", (ONLINE,))), Window(hours=2), MONTH),
            ("People who viewed a product, then added a product to the cart, then ordered on the web or in the app, "
            "within 2 hours, in the last 30 days."),
        ),
        (
            AllOf((Did("Store Entered"), Fact("traits.city", "in", ["Bari", "Turin"]), Fact("scores.churn", ">", 0.5))),
            "People who visited a store, and whose city is Bari or Turin, and whose churn score is more than 0.5.",
        ),
        (
            AllOf((Did("Store Entered"), AnyOf((Did("Order Completed"), Fact("traits.vip", "=", True))))),
            "People who visited a store, and (who ordered, or whose vip is yes).",
        ),
        (AnyOf((Did("Order Completed"), Did("Store Entered"))), "People who ordered, or visited a store."),
        (
            AllOf((Did("Order Completed"), Not(Member("complaint")), Not(Fact("traits.city", "=", "Bari")))),
            "People who ordered; except people who are in the segment “Open complaint”; except people whose city is Bari.",
        ),
        (Not(Member("complaint")), "People who are not in the segment “Open complaint”."),
        (Not(Fact("traits.city", "=", "Bari")), "People who are not among people whose city is Bari."),
        (Consented("ads", "email"), "People who agreed to “ads” on the channel email."),
        (Consented("ads", granted=False), "People who said no to “ads”."),
        (Bucket("test", 0.1, 0.3), "People who are among a random 20% (drawn by “test”, from 0.1)."),
        (Use("regular", {"times": 3}), "People who meet “regular” (times: 3)."),
        (Fact("traits.due", "in_next", 7), "People whose due lies in the next 7 days."),
        (Fact("computed.orders_90d", ">=", 3), "People whose orders in 90 days is at least 3."),
        (Fact("traits.email", "missing"), "People whose email is not known."),
        (Did("A", within=Window(days=Param("n"))), "People who did “A” in the last a given number (n) of days."),
    ],
)  # fmt: skip
def test_a_rule_is_a_sentence(rule, sentence):
    names = Names(segments={"complaint": "Open complaint"}, computed={"orders_90d": "Orders in 90 days"})
    assert describe_rule(rule, names).text == sentence


def test_traits_are_things():
    refunds, orders = Did("Order Refunded", within=MONTH), Did("Order Completed", within=MONTH)
    said = describe(Computed("r", "R", refunds, per=orders)).text
    assert said == "Number of returns in the last 30 days divided by number of orders in the last 30 days."
    assert (
        describe(Computed("l", "L", Did("Order Completed", measure="last"))).text
        == "Days since the last order."
    )


def test_accounts_and_hats():
    segment = Segment("s", "S", Did("Order Completed"), subject="account", hat="business")
    assert describe(segment).text == "Accounts that ordered, by what they did for an account."


def test_every_slot_leads_to_a_field_of_the_rule():
    rule = AllOf(
        (
            Did("Store Entered", ">=", 2, within=MONTH, where=(ONLINE,)),
            Not(AnyOf((Fact("traits.a", "=", 1), Not(Sequence((Step("A"), Step("B")), Window(days=1)))))),
            Did("Order Completed", ">", 5, "average", "revenue"),
            Not(Member("m")),
        )
    )
    plain = {"rule": msgspec.to_builtins(rule)}
    slots = [slot for slot in describe_rule(rule).slots if slot.path]
    assert len(slots) >= 12
    for slot in slots:
        assert slot.text.strip()
        place = plain
        for step in slot.path.removeprefix("$.").replace("]", "").replace("[", ".").split("."):
            place = place[int(step)] if step.isdigit() else place[step]


def test_hostile_names_stay_on_one_line():
    said = describe_rule(Did("a\u202eb\n" + "x" * 190)).text
    assert said.isprintable()
    assert len(said) < 120
