"""What a touchpoint asks when somebody comes: who they are as far as it can tell, and where they stand."""

from patron.sim.alive.visits import AskDecision
from patron.sim.engine.state import APP, STORE
from patron.sim.luck import Dice
from patron.sim.messages import Message, known_by
from patron.sim.telling.online import own_cookie
from patron.sim.town import Town
from patron.sim.world.shops import online_time, opening_time, touchpoint


def ask_of(town: Town, row: int, channel: int, day: int, date: int) -> AskDecision | None:
    """The question of one visit; None when nothing there asks.

    A web or app visit asks under the browser (or the account, once it is known there); a till asks when a card is read. It
    is the browser, card and moment of the messages that tell of the visit (`patron.sim.telling.scenes`).
    """
    person, dice = town.who(row), Dice(town.seed, int(town.people.ids[row]), day)
    if channel == STORE:
        shows = dice.chance(town.parameters.touchpoints.shows_card, "shows card") or not person.noisy
        if not (person.has_card(day) and shows):
            return None
        at, store = opening_time(person.country, date, dice), town.home(row)
        context: Message = {
            "touchpoint": touchpoint(store, "till", 1 + dice.below(store.tills, "till")),
            "externalIds": known_by(card=person.card),
            "store_id": store.id,
        }
        return AskDecision(at, "till", "pos", {}, context)
    at = online_time(person.country, date, dice)
    if channel == APP and person.install:
        ids: Message = {"userId": person.user_id} if person.user_id else {"anonymousId": person.install}
        return AskDecision(at, "app_home", "app", ids, {})
    cookie = own_cookie(person)
    ids = {"userId": person.user_id} if cookie.told and person.user_id else {"anonymousId": cookie.id}
    return AskDecision(at, "web_home", "web", ids, {"page": {"path": "/"}})
