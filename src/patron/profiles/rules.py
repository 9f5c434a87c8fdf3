"""The numbers that bound a profile, and the event names that are always counted by themselves."""

from typing import Annotated

from msgspec import Meta, Struct

Bound = Annotated[int, Meta(ge=1)]
"""A number of things kept: at least one."""

STANDARD_NAMES: frozenset[str] = frozenset(
    {
        # our own names for calls that carry none
        *("Identified", "Page Viewed", "Screen Viewed", "Grouped", "Aliased"),
        # Segment's e-commerce specification
        *("Products Searched", "Product List Viewed", "Product List Filtered"),
        *("Promotion Viewed", "Promotion Clicked", "Product Clicked", "Product Viewed"),
        *("Product Added", "Product Removed", "Cart Viewed", "Checkout Started", "Checkout Step Viewed"),
        *("Checkout Step Completed", "Payment Info Entered", "Order Updated", "Order Completed"),
        *("Order Refunded", "Order Cancelled", "Coupon Entered", "Coupon Applied", "Coupon Denied"),
        *("Coupon Removed", "Product Added to Wishlist", "Product Removed from Wishlist"),
        *("Wishlist Product Added to Cart", "Product Shared", "Cart Shared", "Product Reviewed"),
        # its e-mail and mobile specifications
        *("Email Delivered", "Email Opened", "Email Link Clicked", "Email Bounced"),
        *("Email Marked as Spam", "Unsubscribed", "Push Notification Received", "Push Notification Tapped"),
        *("Push Notification Bounced", "Deep Link Opened", "Application Installed", "Application Opened"),
        *(
            "Application Updated",
            "Application Backgrounded",
            "Application Crashed",
            "Application Uninstalled",
        ),
        # stores, calls, and what we do ourselves
        *("Store Entered", "Store Left", "Zone Dwelled", "Card Scanned", "Associate Contacted"),
        *("Cart Line Scanned", "App Checkout Completed", "Reservation Created", "Reservation Ready"),
        *("Reservation Collected", "Reservation Cancelled", "Complaint Opened", "Complaint Closed"),
        *("Call Started", "Call Ended", "Survey Answered", "Training Completed", "Suggestion Rated"),
        *("Consent Changed", "Decision Exposed", "Offer Decided", "Offer Shown", "Offer Clicked"),
        *("Offer Accepted", "Offer Dismissed", "Message Sent", "Message Delivered", "Message Opened"),
        *("Message Clicked", "Message Replied", "Message Failed"),
    }
)
"""Event names that are counted exactly whatever other names a node meets."""


class ProfileRules(Struct, frozen=True, forbid_unknown_fields=True):
    """How much of each kind a node remembers. Every bound is a law of the set of events, never of their order.

    Changing a rule changes what later events keep; replay the log to apply it to the past as well.

    >>> ProfileRules(currency="GBP").days
    400
    """

    currency: str = "EUR"
    """Currency of amounts that name none (ISO 4217, three letters)."""
    names: Bound = 256
    """Event names counted by themselves beside the declared ones: the lexicographically smallest."""
    declared: tuple[str, ...] = ()
    """Event names that are always counted by themselves, beside Segment's standard ones."""
    traits: Bound = 200
    """Traits kept: the latest written."""
    trait_bytes: Bound = 2048
    """Largest trait value (as MessagePack); a larger one is not kept."""
    consents: Bound = 200
    """Pairs of purpose and channel kept: the latest written."""
    history: Bound = 50
    """Explicit changes of consent kept: the latest."""
    recents: Bound = 50
    """Latest events kept in short."""
    days: Bound = 400
    """Daily counts are kept while newer than the node's newest event minus this many days."""
    orders: Bound = 2_000
    """Orders kept: the latest. No person has more; a guest account that a whole shop uses may."""
    refunds: Bound = 2_000
    """Refunds and cancellations kept, each: the latest."""
    collection_purposes: tuple[str, ...] = ("collection", "analytics", "profiling")
    """An event that carries a refusal of one of these feeds only what operations need: money, consents, counts."""
