"""The kiosk: look something up, and perhaps say who one is for a benefit."""

import math

from patron.sim.messages import Message, known_by, line
from patron.sim.telling.occasion import Occasion
from patron.sim.world.identities import said_email


def offered(who: Occasion) -> str:
    """The benefit that the kiosk offers for saying who one is; each is tried as often."""
    return who.dice.pick(tuple(who.parameters.touchpoints.benefits), "benefit")


def accepts(who: Occasion, benefit: str) -> bool:
    """Whether somebody says who they are for a benefit: sigmoid(openness + v + N(0, 1))."""
    t = who.parameters.touchpoints
    odds = t.openness + t.benefits[benefit] + who.dice.normal("openness")
    return who.dice.uniform("accepts") * (1.0 + math.exp(-odds)) < 1.0


def use(who: Occasion, at: int, category: int) -> int:
    """Use the kiosk: look something up, and perhaps say who they are. Returns when they leave it."""
    visit, benefit, dice = who.visit_id(), offered(who), who.dice
    if accepts(who, benefit):
        say_who(who, at, visit, benefit)
        at += int(dice.between(4_000, 15_000, "kiosk greet"))
    for k in range(1 + dice.below(2, "kiosk looks")):
        product = who.setting.assortment.pick(dice, who.habits, category)
        view = line(product, 1, product.price(who.currency), who.currency)
        del view["quantity"]
        who.pen.track("kiosk", at, "Product Viewed", view, context=who.device("kiosk", 1, visit))
        at += int(dice.between(8_000, 50_000, "kiosk step", k))
    return at


def say_who(who: Occasion, at: int, visit: str, benefit: str) -> None:
    """Identify at a kiosk, by holding the card to it or by typing an address, with the consents shown there."""
    market, scans = (
        who.market,
        who.has_card() and who.dice.chance(who.parameters.touchpoints.scans_card, "scans"),
    )
    context: Message = {
        **who.device("kiosk", 1, visit),
        "identification": {
            "mode": "card_read" if scans else "self_screen",
            "benefit": benefit,
            "notice_version": market.notice,
        },
        "locale": market.locale,
    }
    traits: Message = {}
    if scans:
        context["externalIds"] = known_by(card=who.person.card)
    else:
        traits["email"] = said_email(who.person, 30, who.noise)
        context["externalIds"] = known_by(email=traits["email"])
        asked = ("email_marketing", "personalization")
        context["consent"] = {
            "categoryPreferences": {purpose: who.consents.get(purpose, False) for purpose in asked}
        }
    who.pen.write("kiosk", at, "identify", {"traits": traits, "context": context})
