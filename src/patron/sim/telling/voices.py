"""What people say about it: answers to a short survey, reviews they are asked for, complaints."""

from patron.model.clock import DAY, HOUR, MINUTE
from patron.sim.messages import Message, known_by
from patron.sim.telling.occasion import Occasion
from patron.sim.world.identities import listed_as

ASKED, ANSWERED = 0.15, 0.30
"""Shares of moments after which a survey is sent, and of surveys that are answered."""
REVIEWS = 0.25
"""Share of those asked for a review who write one."""
COMPLAINTS = ("late delivery", "damaged item")
"""Reasons of calls that open a complaint."""


def survey(who: Occasion, at: int, moment: str, trouble: bool, delight: bool = False) -> None:
    """How satisfied somebody was, 1 to 5, an hour or more after a moment; for those the shop may write to."""
    if not who.consents.get("email_marketing") or not who.dice.chance(ASKED * ANSWERED, f"survey {moment}"):
        return
    mood = 4.3 - 2.2 * trouble + 0.6 * delight + 0.8 * who.dice.normal(f"mood {moment}")
    said: Message = {
        "kind": "csat",
        "score": min(5, max(1, round(mood))),
        "moment": moment,
        "store_id": who.store.id,
    }
    later = at + HOUR + int(who.dice.between(0, 20, f"survey wait {moment}") * HOUR)
    context: Message = {"externalIds": listed_as(who.person, email=who.person.email)}
    who.pen.track("email", later, "Survey Answered", said, context=context)


def review(who: Occasion, at: int) -> None:
    """The shop asks how the purchase of yesterday's e-receipt was; some write a review."""
    context: Message = {"externalIds": known_by(email=who.person.email)}
    about = {
        "message_id": f"r-{who.pen.number():016x}",
        "channel": "email",
        "campaign_id": "review_request",
        "kind": "service",
    }
    who.pen.track("email", at, "Message Sent", dict(about), context=dict(context))
    if who.dice.chance(REVIEWS, "reviews"):
        rating = min(5, max(1, round(4.2 + 0.9 * who.dice.normal("rating"))))
        after = at + int(who.dice.between(10, 600, "review wait")) * MINUTE
        said = {"rating": rating, "store_id": who.store.id}
        who.pen.track("email", after, "Review Submitted", said, context=dict(context))


def complaint(who: Occasion, at: int, call: Message, reason: str) -> None:
    """A complaint is opened in a call, and closed some days later. `call` is the context of the call."""
    number = f"K-{who.pen.number() % 10**9:09d}"
    opened = {"complaint_id": number, "reason": reason, "store_id": who.store.id}
    who.pen.track("call_centre", at, "Complaint Opened", opened, context=dict(call))
    closed = at + (1 + who.dice.below(5, "complaint days")) * DAY
    said = {**opened, "outcome": who.dice.pick(("refunded", "replaced", "explained"), "outcome")}
    desk = {"id": call["touchpoint"]["id"], "kind": call["touchpoint"]["kind"], "visit_id": who.visit_id()}
    context: Message = {"touchpoint": desk, "externalIds": call["externalIds"]}
    who.pen.track("call_centre", closed, "Complaint Closed", said, context=context)
