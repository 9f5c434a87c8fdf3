"""Golden sentences: each event as the timeline shows it."""

import pytest

from patron.model.clock import DAY
from patron.model.events import ConsentClaim, Event
from patron.profiles.merge import Profile, Seen, Totals, Written
from patron.profiles.orders import Purchase
from patron.profiles.phrasebook import PHRASES
from patron.profiles.rules import STANDARD_NAMES
from patron.profiles.sentence import display_name, sentence, summary

BEANS = {"product_id": "P0412", "name": "Espresso beans 1 kg", "price": 21.9, "quantity": 1}
BOLOGNA = {"id": "till-12-3", "store_id": "S12", "store_name": "Bologna Indipendenza"}


def event(name: str, channel: str = "web", **fields: object) -> Event:
    kinds = {"Identified": "identify", "Page Viewed": "page", "Screen Viewed": "screen", "Grouped": "group"}
    given = {"position": 1, "source": channel, "message_id": "m", "time": 0, "received": 0}
    return Event(**{**given, "channel": channel, "type": kinds.get(name, "track"), "name": name, **fields})


def track(name: str, channel: str = "web", /, **properties: object) -> Event:
    return event(name, channel, properties=properties)


GOLDEN = [
    (
        event(
            "Order Completed",
            "pos",
            properties={"order_id": "T-1", "revenue": 21.9, "fulfilment": "in_store", "products": [BEANS]},
            context={"touchpoint": BOLOGNA},
            store="S12",
            touchpoint="till-12-3",
        ),
        ("Bought Espresso beans 1 kg", "Bologna Indipendenza, till 12-3, Order T-1", "€21.90", False),
    ),
    (
        track(
            "Order Completed",
            order_id=771204,
            total="24.50",
            fulfilment="delivery",
            products=[{"name": "Milk jug 350 ml"}, {"name": "Whisk"}, {"name": "Tea"}],
        ),
        ("Ordered Milk jug 350 ml and 2 more", "Home delivery, Order 771204", "€24.50", False),
    ),
    (
        track("Order Completed", products=[BEANS], currency="GBP", fulfilment="pick_up"),
        ("Ordered Espresso beans 1 kg", "Collect in store", "£21.90", False),
    ),
    (track("Order Completed", revenue=1234.5, currency="usd"), ("Placed an order", "", "$1,234.50", False)),
    (
        track("Order Refunded", "pos", order_id="O1", products=[BEANS], place="S07", reason="did_not_fit"),
        ("Returned Espresso beans 1 kg", "S07, Order O1, did not fit", "−€21.90", False),
    ),
    (
        track("Order Refunded", order_id="O1", total=-5, currency="CHF"),
        ("Order O1 was refunded", "", "−CHF 5.00", False),
    ),
    (track("Order Cancelled", order_id="O1"), ("Cancelled order O1", "", "", False)),
    (track("Product Viewed", name="Burr grinder G2", price=189.0), ("Viewed Burr grinder G2", "", "", False)),
    (track("Product Viewed", product_id="P0412"), ("Viewed P0412", "", "", False)),
    (track("Product Added", name="Tea", revenue=3), ("Put Tea in the basket", "", "", False)),
    (track("Products Searched", query="mokka"), ("Searched for “mokka”", "", "", False)),
    (track("Checkout Step Completed", step=2), ("Completed checkout step 2", "", "", False)),
    (
        track("Coupon Denied", "pos", coupon_name="C-9X2", reason="expired"),
        ("Coupon C-9X2 was refused", "expired", "", False),
    ),
    (
        event("Identified", "kiosk", traits={"email": "a@x.it"}, touchpoint="K-07", store="S12"),
        ("Typed an e-mail at kiosk K-07", "Store S12", "", False),
    ),
    (
        event(
            "Identified",
            "kiosk",
            traits={"email": "a@x.it"},
            touchpoint="K-07",
            context={"identification": {"mode": "code"}},
        ),
        ("Typed an e-mail at kiosk K-07, confirmed by code", "", "", False),
    ),
    (
        event("Identified", "pos", touchpoint="till-3", context={"identification": {"mode": "card_read"}}),
        ("Scanned card at till 3", "", "", False),
    ),
    (event("Card Scanned", "pos", touchpoint="TILL_3"), ("Scanned card at till 3", "", "", False)),
    (
        event("Identified", "associate_tablet", traits={"phone": "1"}, touchpoint="tablet-2"),
        ("Gave a phone number to staff at tablet 2", "", "", False),
    ),
    (event("Identified", "call_centre", traits={"email": "1"}), ("Gave an e-mail in a call", "", "", False)),
    (
        event("Identified", "crm", traits={"email": "1", "first_name": "A", "birthday": "x"}),
        ("Customer record updated", "e-mail, first name, birthday", "", False),
    ),
    (event("Identified", user_id="u1"), ("Logged in", "", "", False)),
    (event("Identified", traits={"plan": "x"}), ("Details updated", "plan", "", False)),
    (event("Grouped", group_id="acme", traits={"name": "Acme"}), ("Joined Acme", "", "", False)),
    (
        event("Page Viewed", context={"page": {"path": "/p/1", "title": "Coffee"}}),
        ("Looked at Coffee", "/p/1", "", False),
    ),
    (track("Store Entered", "app", store_id="S12"), ("Entered the store", "Store S12", "", False)),
    (track("Zone Dwelled", zone="pet", seconds=74), ("Stayed 1 min 14 s in the pet zone", "", "", False)),
    (
        track("Call Started", "call_centre", reason="late delivery", order_id=770958),
        ("Called about a late delivery, order 770958", "", "", False),
    ),
    (
        track("Call Ended", duration_s=190, resolved=False),
        ("Call ended", "3 min 10 s, not resolved", "", False),
    ),
    (track("Complaint Opened", topic="invoice"), ("Complained about an invoice", "", "", False)),
    (
        track("Associate Contacted", topic=["P1", "P2"]),
        ("Talked with an associate about P1, P2", "", "", False),
    ),
    (
        track("Associate Contacted", associate_id="A-02-3", store_id="S02"),
        ("Talked with an associate", "Associate A-02-3, Store S02", "", False),
    ),
    (
        track("Reservation Collected", "pos", order_id="W-1", store_id="S03", wait_minutes=1),
        ("Collected an order after 1 minute", "Store S03, Order W-1", "", False),
    ),
    (
        track("Reservation Abandoned", "pos", store_id="S03", wait_minutes=36, reason="left the queue"),
        ("Gave up waiting for an order after 36 minutes", "Store S03, left the queue", "", False),
    ),
    (
        track("Reservation Abandoned", "pos", wait_minutes=True, name="Milk jug"),
        ("Gave up waiting for Milk jug", "", "", False),
    ),
    (
        event(
            "Checkout Failed",
            "app",
            properties={"error": "no network"},
            context={"app": {"version": "4.2.0"}},
        ),
        ("The checkout failed", "no network, app 4.2.0", "", False),
    ),
    (
        event("Checkout Failed", properties={}, context={"app": "x"}),
        ("The checkout failed", "", "", False),
    ),
    (
        event(
            "Consent Changed",
            "kiosk",
            consents=(ConsentClaim("email_marketing", True, text_version="v7", place="K-07"),),
        ),
        ("Agreed to e-mail marketing", "Text v7, K-07", "", False),
    ),
    (
        track("Survey Answered", kind="csat", score=4, moment="after_visit"),
        ("Answered a survey: 4", "CSAT, after visit", "", False),
    ),
    (
        track("Offer Shown", "pos", offer_name="descaling kit with beans", propensity=0.61),
        ("Offered: descaling kit with beans", "Probability 0.61", "", True),
    ),
    (
        track("Decision Exposed", action="none", propensity=0.5),
        ("Nothing offered", "Probability 0.50", "", True),
    ),
    (
        track("Message Opened", "email", subject="Your machine is due a clean", campaign_id="K3"),
        ("Opened “Your machine is due a clean”", "K3", "", True),
    ),
    (track("Message Sent", "email", channel="sms"), ("Sent an SMS", "", "", True)),
    (track("Message Replied", text="size 42?"), ("Replied “size 42?”", "", "", True)),
    (track("Message Not Sent", reason="no SMS consent"), ("Not sent: no SMS consent", "", "", True)),
    (
        track("Loyalty Tier Changed", tier="gold", user_id="x", points=40, revenue=2),
        ("Loyalty Tier Changed", "tier gold, points 40, revenue 2", "€2.00", False),
    ),
]


@pytest.mark.parametrize(
    ("given", "told"), GOLDEN, ids=lambda value: value.name if isinstance(value, Event) else ""
)
def test_golden(given, told):
    assert tuple(sentence(given)) == told


@pytest.mark.parametrize("name", sorted(STANDARD_NAMES | set(PHRASES)))
@pytest.mark.parametrize("channel", ["web", "pos"])
def test_every_known_event_has_words_without_any_property(name, channel):
    told = sentence(event(name, channel))
    assert told.sentence
    assert "  " not in told.sentence
    assert told.sentence == told.sentence.strip()
    assert told.money == ""


HOSTILE = [
    "<script>alert(1)</script>",
    "\u202egnp.exe",
    "a\x00b",
    "x" * 10_000,
    "'; DROP TABLE people;--",
    "\n\r\t",
    "\u2066",
]
STRANGE = [None, True, [], {}, [None], {"a": []}, 1e300, -1, 10**30, *HOSTILE]


@pytest.mark.parametrize("name", sorted(PHRASES))
def test_no_value_of_any_property_breaks_a_sentence(name):
    keys = [
        "name",
        "product_id",
        "products",
        "query",
        "coupon",
        "order_id",
        "revenue",
        "step",
        "zone",
        "seconds",
        "topic",
        "reason",
        "offer_name",
        "propensity",
        "subject",
        "channel",
        "text",
        "score",
        "kind",
        "moment",
        "purpose",
        "granted",
        "place",
        "fulfilment",
        "rating",
        "title",
        "category",
        "resolved",
    ]
    for value in STRANGE:
        told = sentence(event(name, "kiosk", properties=dict.fromkeys(keys, value), touchpoint=str(value)))
        text = "".join(told[:3])
        assert told.sentence
        assert len(told.sentence) <= 160
        assert len(told.detail) <= 200
        assert not set(text) & set("\x00\u202e\u2066\n\r\t")


def test_markup_passes_as_text_and_marks_of_direction_are_made_visible():
    assert sentence(track("Product Viewed", name="<b>x</b>")).sentence == "Viewed <b>x</b>"
    assert sentence(track("Product Viewed", name="a\u202eb\x00c\u200bd")).sentence == "Viewed a�b␀cd"
    assert sentence(event("\x00\u2066")).sentence == "␀�"
    assert sentence(event("  ")).sentence == "Something happened"


DECEMBER = 20_058 * DAY
"""1 December 2024."""


def bought(*days: int, cancelled: bool = False) -> dict[str, Purchase]:
    return {f"o{d}": Purchase(d * DAY, "EUR", "pos", 1, 0, cancelled) for d in days}


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        (Profile(), "Nothing is known yet."),
        (
            Profile(
                first=19_790 * DAY,
                last=20_046 * DAY,
                orders=bought(19_800, 20_046),
                channels={
                    "pos": Seen(0, 0, 5),
                    "kiosk": Seen(0, 0, 1),
                    "web": Seen(0, 0, 4),
                    "email": Seen(0, 0, 90),
                },
            ),
            "Customer since March 2024, mostly in store. Last bought on 19 November.",
        ),
        (
            Profile(
                first=19_000 * DAY, last=19_000 * DAY, orders=bought(19_000), channels={"web": Seen(0, 0, 1)}
            ),
            "Customer since January 2022, only on the web. Last bought on 8 January 2022.",
        ),
        (
            Profile(
                first=20_000 * DAY,
                last=20_050 * DAY,
                orders=bought(20_001, cancelled=True),
                channels={"app": Seen(0, 0, 1), "call_centre": Seen(0, 0, 1)},
            ),
            "Known since October 2024, in several channels. Last seen on 23 November, has not bought yet.",
        ),
        (
            Profile(first=20_000 * DAY, last=20_050 * DAY, channels={"email": Seen(0, 0, 3)}),
            "Known since October 2024. Last seen on 23 November, has not bought yet.",
        ),
    ],
)
def test_summary(profile, said):
    assert summary(profile, DECEMBER) == said


def test_summary_of_times_beyond_any_calendar():
    assert summary(Profile(first=-(2**62), last=2**62, totals=Totals()), 2**62)


def named(**traits: object) -> Profile:
    return Profile(traits={name: Written(value, (1, "s/m")) for name, value in traits.items()})


@pytest.mark.parametrize(
    ("profile", "identifiers", "name"),
    [
        (named(first_name="Anna", last_name="Bianchi", name="x"), [], "Anna Bianchi"),
        (named(firstName="Anna", lastName="Bianchi"), [], "Anna Bianchi"),
        (named(name="Anna B.", first_name="Anna"), [], "Anna B."),
        (named(first_name="Anna"), ["email:a@x.it"], "Anna"),
        (named(first_name=7, last_name=["x"], name=" "), ["card:2900 4471", "user_id:88"], "Card 2900 4471"),
        (named(), ["anonymous_id:c", "user_id:88"], "User 88"),
        (named(), ["phone:+39333", "email:a:b@x.it"], "a:b@x.it"),
        (named(), ["anonymous_id:c", "order_id:9"], "Not identified"),
        (named(name="\u202eevil\x00"), [], "�evil␀"),
        (named(name="x" * 500), [], "x" * 79 + "…"),
    ],
)
def test_display_name(profile, identifiers, name):
    assert display_name(profile, identifiers) == name
