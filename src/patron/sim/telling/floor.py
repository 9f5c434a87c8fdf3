"""On the shop floor: the app that notices a store, beacons between the shelves, and a word with an associate."""

import math

from msgspec import Struct

from patron.model.clock import HOUR
from patron.sim.messages import Message, known_by
from patron.sim.telling.occasion import Occasion
from patron.sim.world.catalogue import CATEGORIES
from patron.sim.world.identities import listed_as, said_email
from patron.sim.world.shops import associate

_DEGREE_M = 111_320.0
"""Metres of one degree of latitude."""
_DWELLS = 0.5
"""Share of visits with the app in which a beacon notices where somebody stands."""


class Talk(Struct, frozen=True):
    """An associate and a visitor, as the engine drew it."""

    associate: int
    """Number in the store, from 0."""
    prompted: bool
    writes: bool
    """Whether a follow-up goes out the next day."""


def come_near(who: Occasion, at: int, distance: float) -> None:
    """The app says that the phone is within the fence; it measures the place with some noise."""
    g, dice = who.parameters.geofence, who.dice
    angle = 2.0 * math.pi * dice.uniform("bearing")
    north = distance * math.cos(angle) + g.noise_m * dice.normal("north")
    east = distance * math.sin(angle) + g.noise_m * dice.normal("east")
    spot = {
        "lat": round(who.store.lat + north / _DEGREE_M, 5),
        "lon": round(who.store.lon + east / (_DEGREE_M * math.cos(math.radians(who.store.lat))), 5),
        "accuracy_m": max(5, round(g.noise_m * (0.5 + dice.uniform("accuracy")))),
    }
    context: Message = {"device": who.phone(), "consent": {"categoryPreferences": {"location": True}}}
    properties = {"store_id": who.store.id, "source": "geofence", **spot}
    who.pen.track("app", at, "Store Entered", properties, **who.app_ids(), context=context)


def dwell(who: Occasion, at: int, category: int) -> None:
    """A beacon notices where somebody with the app stands for a while: mostly where what they need is."""
    if not who.dice.chance(_DWELLS, "dwells"):
        return
    zone = CATEGORIES[category]
    seen: Message = {
        "store_id": who.store.id,
        "zone": zone,
        "seconds": 20 + who.dice.below(240, "dwell seconds"),
        "beacon": f"b-{who.store.id[1:]}-{1 + category}",
    }
    who.pen.track("app", at, "Zone Dwelled", seen, **who.app_ids(), context={"device": who.phone()})


def contact(who: Occasion, at: int, categories: list[int], talk: Talk) -> None:
    """An associate speaks with somebody, notes it on the tablet, and perhaps writes the day after."""
    a, dice, person = who.parameters.associates, who.dice, who.person
    context: Message = who.device("tablet", 1 + dice.below(2, "tablet"), who.visit_id())
    if who.has_card():
        if dice.chance(a.card_read, "card at tablet"):
            context["externalIds"] = known_by(card=person.card)
    elif talk.writes or dice.chance(a.email_given, "email at tablet"):
        context["externalIds"] = known_by(email=said_email(person, 40, who.noise))
    if "externalIds" in context:
        context["identification"] = {"mode": "told_to_staff"}
    name = associate(who.store, 1 + talk.associate)
    properties = {**_noted(who, name, categories), "prompted": talk.prompted}
    if talk.writes:
        properties["follow_up"] = "email"
    who.pen.track("associate_tablet", at, "Associate Contacted", properties, context=context)
    if talk.prompted and dice.chance(0.4, "rates"):
        rated: Message = {
            "associate_id": name,
            "store_id": who.store.id,
            "useful": dice.chance(0.7, "useful"),
        }
        who.pen.track("associate_tablet", at + 60_000, "Suggestion Rated", rated, context=dict(context))
    if talk.writes:
        _follow_up(who, at, name)


def false_contact(who: Occasion, at: int, number: int) -> None:
    """An associate (`number` in the store, from 0) notes a contact with a card holder who is not there."""
    category = who.dice.below(len(CATEGORIES), "made-up topic")
    context: Message = {
        **who.device("tablet", 1, who.visit_id()),
        "externalIds": known_by(card=who.person.card),
        "identification": {"mode": "told_to_staff"},
    }
    noted = {**_noted(who, associate(who.store, 1 + number), [category]), "prompted": False}
    who.pen.track("associate_tablet", at, "Associate Contacted", noted, context=context, true=False)


def _noted(who: Occasion, name: str, categories: list[int]) -> Message:
    shelves = who.setting.assortment.shelves
    topic = [shelves[c][who.dice.below(len(shelves[c]), "topic", c)].id for c in categories[:2]]
    return {"store_id": who.store.id, "associate_id": name, "topic": topic}


def _follow_up(who: Occasion, at: int, name: str) -> None:
    after = at + 16 * HOUR + int(who.dice.between(0, 6, "follow up hour") * HOUR)
    told = {
        "message_id": f"f-{who.pen.number():016x}",
        "channel": "email",
        "campaign_id": "associate_follow_up",
        "associate_id": name,
    }
    context: Message = {"externalIds": listed_as(who.person, email=who.person.email)}
    who.pen.track("email", after, "Message Sent", told, context=context)
