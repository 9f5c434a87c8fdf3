"""What a touchpoint asks when somebody comes, or is to be written to: who they are as far as it can tell, and where."""

from collections.abc import Sequence

from patron.sim.alive.visits import AskDecision
from patron.sim.engine.state import APP, STORE
from patron.sim.luck import Dice
from patron.sim.messages import Message, Pen, known_by
from patron.sim.telling import kiosk
from patron.sim.telling.occasion import Occasion
from patron.sim.telling.online import own_cookie
from patron.sim.telling.service import addressed
from patron.sim.town import Town
from patron.sim.world.identities import Dossier, said_email
from patron.sim.world.people import CHANNELS
from patron.sim.world.shops import local_midnight, online_time, opening_time, touchpoint

ASSOCIATE = 0.30
"""Share of visitors with a card whose card an associate reads before the till does."""


def ask_of(town: Town, row: int, channel: int, day: int, date: int) -> AskDecision | None:
    """The question of one visit; None when nothing there asks.

    A web or app visit asks under the browser (or the account, once it is known there). In a store the kiosk asks for those
    who say who they are, the associate's tablet or the till when a card is read. It is the browser, card and moment of
    the messages that tell of the visit (`patron.sim.telling.scenes`).
    """
    person, dice = town.who(row), Dice(town.seed, int(town.people.ids[row]), day)
    if channel == STORE:
        return _in_store(town, row, person, day, date)
    at = online_time(person.country, date, dice)
    if channel == APP and person.install:
        ids: Message = {"userId": person.user_id} if person.user_id else {"anonymousId": person.install}
        return AskDecision(at, "app_home", "app", ids, {})
    cookie = own_cookie(person)
    ids = {"userId": person.user_id} if cookie.told and person.user_id else {"anonymousId": cookie.id}
    return AskDecision(at, "web_home", "web", ids, {"page": {"path": "/"}})


def message_to(town: Town, row: int, channels: Sequence[int], date: int, hour: float) -> AskDecision:
    """The question before a message by one of some channels: under the address, number or app that the first one has."""
    person, (first, *beside) = town.who(row), channels
    ids = addressed(person, first)()
    context: Message = ids.pop("context", {})
    at = local_midnight(person.country, date) + int(hour * 3_600_000)
    return AskDecision(
        at, CHANNELS[first], CHANNELS[first], ids, context, tuple([CHANNELS[k] for k in beside])
    )


def _in_store(town: Town, row: int, person: Dossier, day: int, date: int) -> AskDecision | None:
    t, store = town.parameters.touchpoints, town.home(row)
    pen, dice = Pen(town.seed, person.number, day, run=4), Dice(town.seed, person.number, day)
    who = Occasion(town.setting, town.noise, pen, dice, person, store, day)
    at, here = opening_time(person.country, date, dice), {"store_id": store.id}
    if dice.chance(t.kiosk, "kiosk") and kiosk.accepts(who, kiosk.offered(who)):
        scans = who.has_card() and dice.chance(t.scans_card, "scans")
        said = known_by(card=person.card) if scans else known_by(email=said_email(person, 30, town.noise))
        return AskDecision(
            at, "kiosk_home", "kiosk", {}, {**who.device("kiosk", 1), "externalIds": said, **here}
        )
    if not (who.has_card() and (dice.chance(t.shows_card, "shows card") or not person.noisy)):
        return None
    known: Message = {"externalIds": known_by(card=person.card), **here}
    if dice.chance(ASSOCIATE, "associate asks"):
        return AskDecision(at, "associate_card", "associate_tablet", {}, {**who.device("tablet", 1), **known})
    device = {"touchpoint": touchpoint(store, "till", 1 + dice.below(store.tills, "till"))}
    return AskDecision(at, "till", "pos", {}, {**device, **known})
