"""How people speak of events: what somebody did, has done, and what one or several of it are called."""

from msgspec import Struct

from patron.rules.faults import clip
from patron.rules.tree import ANY_EVENT


class EventWords(Struct, frozen=True):
    """An event in words: "who **visited a store**", "who have not **visited a store**", a **store visit**, **store visits**."""

    past: str
    participle: str
    one: str
    many: str


def words_of(event: str) -> EventWords:
    """The words for an event; one that nobody has worded is quoted.

    >>> words_of("Order Completed").past, words_of("AR Try-On Completed").past
    ('ordered', 'did “AR Try-On Completed”')
    """
    known = _WORDS.get(event)
    if known:
        return known
    name = f"“{clip(event, 80)}”"
    return EventWords(f"did {name}", f"done {name}", f"{name} event", f"{name} events")


def _regular(past: str, one: str, many: str = "") -> EventWords:
    return EventWords(past, past, one, many or one + "s")


_WORDS: dict[str, EventWords] = {
    ANY_EVENT: EventWords("did anything", "done anything", "event", "events"),
    "Page Viewed": _regular("viewed a page", "page view"),
    "Screen Viewed": _regular("viewed a screen of the app", "screen view"),
    "Identified": _regular("identified themselves", "identification"),
    "Products Searched": _regular("searched for products", "search", "searches"),
    "Product List Viewed": _regular("viewed a list of products", "list view"),
    "Product Viewed": _regular("viewed a product", "product view"),
    "Product Clicked": _regular("clicked a product", "product click"),
    "Product Added": _regular("added a product to the cart", "addition to the cart", "additions to the cart"),
    "Product Removed": _regular("removed a product from the cart", "removal from the cart", "removals from the cart"),
    "Cart Viewed": _regular("viewed the cart", "cart view"),
    "Checkout Started": EventWords("began a checkout", "begun a checkout", "checkout", "checkouts"),
    "Checkout Failed": _regular("failed at a checkout", "failed checkout"),
    "Order Completed": _regular("ordered", "order"),
    "Order Refunded": _regular("returned something", "return"),
    "Order Cancelled": _regular("cancelled an order", "cancellation"),
    "Coupon Entered": _regular("entered a coupon", "coupon entry", "coupon entries"),
    "Coupon Applied": _regular("applied a coupon", "applied coupon"),
    "Coupon Denied": EventWords("had a coupon denied", "had a coupon denied", "denied coupon", "denied coupons"),
    "Coupon Redeemed": _regular("redeemed a coupon", "redeemed coupon"),
    "Product Reviewed": _regular("reviewed a product", "review"),
    "Review Submitted": EventWords("wrote a review", "written a review", "review", "reviews"),
    "Survey Answered": _regular("answered a survey", "survey answer"),
    "Store Entered": _regular("visited a store", "store visit"),
    "Zone Dwelled": EventWords("stood in a zone of a store", "stood in a zone of a store", "stay in a zone", "stays in a zone"),
    "Associate Contacted": EventWords("spoke with an associate", "spoken with an associate", "talk with an associate", "talks with an associate"),
    "Appointment Booked": _regular("booked an appointment", "booked appointment"),
    "Appointment Kept": EventWords("kept an appointment", "kept an appointment", "kept appointment", "kept appointments"),
    "Reservation Created": _regular("reserved something", "reservation"),
    "Reservation Collected": _regular("collected a reservation", "collected reservation"),
    "Reservation Abandoned": EventWords("gave up waiting for a reservation", "given up waiting for a reservation", "abandoned reservation", "abandoned reservations"),
    "Call Started": _regular("called", "call"),
    "Call Ended": _regular("ended a call", "ended call"),
    "Complaint Opened": _regular("complained", "complaint"),
    "Complaint Closed": EventWords("had a complaint closed", "had a complaint closed", "closed complaint", "closed complaints"),
    "Message Sent": EventWords("were sent a message", "been sent a message", "message", "messages"),
    "Message Opened": _regular("opened a message", "opened message"),
    "Message Clicked": _regular("clicked in a message", "click in a message", "clicks in messages"),
    "Message Replied": _regular("replied to a message", "reply to a message", "replies to messages"),
    "Email Opened": _regular("opened an e-mail", "opened e-mail"),
    "Email Link Clicked": _regular("clicked in an e-mail", "click in an e-mail", "clicks in e-mails"),
    "Unsubscribed": _regular("unsubscribed", "unsubscription"),
    "Application Installed": _regular("installed the app", "installation of the app", "installations of the app"),
    "Application Opened": _regular("opened the app", "opening of the app", "openings of the app"),
    "Consent Changed": _regular("changed a consent", "change of consent", "changes of consent"),
    "Offer Shown": EventWords("were shown an offer", "been shown an offer", "shown offer", "shown offers"),
    "Offer Clicked": _regular("clicked an offer", "offer click"),
    "Offer Accepted": _regular("accepted an offer", "accepted offer"),
}  # fmt: skip
