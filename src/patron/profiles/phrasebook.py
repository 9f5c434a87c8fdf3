"""What each event says in words: a table from event name to (sentence, detail).

It knows Segment's e-commerce, e-mail and mobile specifications, what stores and calls send, and our own facts. Any
other name is its own sentence, with a few of its properties beside.
"""

from patron.model.events import Event
from patron.profiles import phrases as say
from patron.profiles.phrases import Phrase
from patron.profiles.wording import clean, device_text, joined, place_text, products_text, words_of

OURS_PREFIXES = ("Offer ", "Message ", "Decision ", "Trial ")
OURS = frozenset(
    {
        *("Email Delivered", "Email Opened", "Email Link Clicked", "Email Bounced"),
        *("Push Notification Received", "Push Notification Tapped", "Push Notification Bounced"),
    }
)


def phrase(event: Event) -> tuple[str, str]:
    """Sentence and detail of an event, not yet cut to length.

    >>> phrase(Event(1, "shop", "web", "track", "Product Viewed", "m", 0, 0, properties={"name": "Burr grinder G2"}))
    ('Viewed Burr grinder G2', '')
    """
    told = PHRASES.get(event.name)
    return told(event) if told is not None else _custom(event)


def _custom(event: Event) -> tuple[str, str]:
    facts = [
        f"{words_of(name)} {text}"
        for name, value in list(event.properties.items())[:20]
        if not name.endswith("_id") and (text := clean(value, 40))
    ]
    return clean(event.name) or "Something happened", joined(*facts[:3]) or say.where(event)


PHRASES: dict[str, Phrase] = {
    "Identified": say.identified,
    "Page Viewed": say.viewed_page,
    "Screen Viewed": say.viewed_screen,
    "Grouped": say.joined_group,
    "Aliased": say.plain("Was given another id"),
    "Products Searched": say.naming("Searched for", "query", without="Searched for products"),
    "Product List Viewed": say.browsed,
    "Product List Filtered": say.browsed,
    "Promotion Viewed": say.naming("Saw the promotion", "name", "promotion_id", without="Saw a promotion"),
    "Promotion Clicked": say.naming(
        "Clicked the promotion", "name", "promotion_id", without="Clicked a promotion"
    ),
    "Product Clicked": say.about("Clicked"),
    "Product Viewed": say.about("Viewed"),
    "Product Added": say.about("Put", " in the basket"),
    "Product Removed": say.about("Took", " out of the basket"),
    "Cart Viewed": say.plain("Looked at the basket"),
    "Checkout Started": say.plain("Started to check out"),
    "Checkout Step Viewed": say.step("Saw"),
    "Checkout Step Completed": say.step("Completed"),
    "Payment Info Entered": say.plain("Entered payment details"),
    "Checkout Failed": say.checkout_failed,
    "Order Completed": say.bought,
    "Order Updated": say.of_order("Changed"),
    "Order Refunded": say.returned,
    "Order Cancelled": say.of_order("Cancelled"),
    "Coupon Entered": say.coupon("Entered"),
    "Coupon Applied": say.coupon("Used"),
    "Coupon Denied": say.coupon("", " was refused"),
    "Coupon Removed": say.coupon("Removed"),
    "Product Added to Wishlist": say.about("Saved", " to the wish list"),
    "Product Removed from Wishlist": say.about("Took", " off the wish list"),
    "Wishlist Product Added to Cart": say.about("Put", " from the wish list in the basket"),
    "Product Shared": say.about("Shared"),
    "Cart Shared": say.plain("Shared the basket", "share_via"),
    "Product Reviewed": say.reviewed,
    "Email Delivered": say.to_message("Received"),
    "Email Opened": say.to_message("Opened"),
    "Email Link Clicked": say.to_message("Clicked a link in"),
    "Email Bounced": say.to_message("Did not receive"),
    "Email Marked as Spam": say.to_message("Marked", " as spam"),
    "Unsubscribed": say.plain("Unsubscribed", "list_id", "reason"),
    "Push Notification Received": say.to_message("Received"),
    "Push Notification Tapped": say.to_message("Tapped"),
    "Push Notification Bounced": say.to_message("Did not receive"),
    "Deep Link Opened": say.plain("Opened a link into the app"),
    "Application Installed": say.plain("Installed the app"),
    "Application Opened": say.plain("Opened the app"),
    "Application Updated": say.plain("Updated the app"),
    "Application Backgrounded": say.plain("Left the app"),
    "Application Crashed": say.plain("The app crashed"),
    "Application Uninstalled": say.plain("Removed the app"),
    "Store Entered": lambda e: ("Entered the store", place_text(e)),
    "Store Left": lambda e: ("Left the store", place_text(e)),
    "Zone Dwelled": say.dwelled,
    "Card Scanned": lambda e: (
        f"Scanned card{f' at {device}' if (device := device_text(e)) else ''}",
        place_text(e),
    ),
    "Associate Contacted": say.talked,
    "Cart Line Scanned": say.about("Scanned"),
    "App Checkout Completed": say.about("Paid in the app for", without="the basket"),
    "Reservation Created": say.about("Reserved"),
    "Reservation Ready": lambda e: (
        f"{products_text(e.properties) or 'A reservation'} is ready to collect",
        say.where(e),
    ),
    "Reservation Collected": say.fetched("Collected", "after"),
    "Reservation Abandoned": say.fetched("Gave up waiting for", "after"),
    "Reservation Cancelled": say.about("Cancelled the reservation of", without="a product"),
    "Complaint Opened": say.complained,
    "Complaint Closed": say.plain("Complaint closed", "resolution", "reason"),
    "Call Started": say.called,
    "Call Ended": say.call_ended,
    "Survey Answered": say.answered,
    "Training Completed": say.plain("Completed a training", "topic", "name"),
    "Suggestion Rated": say.plain("Rated a suggestion", "rating"),
    "Consent Changed": say.consented,
    "Decision Exposed": say.offered,
    "Offer Decided": say.offered,
    "Offer Shown": say.offered,
    "Offer Clicked": say.to_offer("Clicked the offer"),
    "Offer Accepted": say.to_offer("Accepted the offer"),
    "Offer Dismissed": say.to_offer("Dismissed the offer"),
    "Offer Redeemed": say.to_offer("Used the offer"),
    "Message Sent": say.to_message("Sent"),
    "Message Delivered": say.to_message("Delivered"),
    "Message Opened": say.to_message("Opened"),
    "Message Clicked": say.to_message("Clicked a link in"),
    "Message Replied": say.replied,
    "Message Failed": say.to_message("Could not deliver"),
    "Message Suppressed": say.not_sent,
    "Message Not Sent": say.not_sent,
}
