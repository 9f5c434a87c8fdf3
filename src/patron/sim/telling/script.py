"""The script of the planted people: a book of scenes, each so many days before today at a local time."""

from collections.abc import Callable

from patron.model.clock import DAY, HOUR, MINUTE
from patron.sim.messages import Message, known_by, line
from patron.sim.telling import floor, online
from patron.sim.telling.occasion import Occasion
from patron.sim.world.associates import ADVISER
from patron.sim.world.catalogue import product_named
from patron.sim.world.shops import COUNTRIES, associate, local_midnight, touchpoint


class Stage:
    """One planted person on one day, and the time of the scene being played."""

    def __init__(self, who: Occasion, date: int) -> None:
        self.who, self.date = who, date
        self.pen, self.dice, self.person, self.store = who.pen, who.dice, who.person, who.store
        self.at = 0
        self.scene = 0
        self.other_card = ""

    def basket(self, prefix: str, *names: str) -> online.Basket:
        """An order of one each of these products."""
        currency = self.who.currency
        number = online.order_number(prefix, self.person.number, self.who.day, 8 + self.scene % 8)
        lines = tuple((product_named(name), 1, product_named(name).price(currency)) for name in names)
        return online.Basket(number, currency, lines, self.who.parameters.buying.margin)

    def session(self, *, known: bool, campaign: str | None = None) -> online.Session:
        """A web visit on the first browser of the person."""
        session = online.open_session(self.who, "web", self.at, self.scene)
        session.cookie, session.known, session.campaign = self.person.cookies[0], known, campaign
        home = {**session.ids(), "name": "Home", "context": session.context("/")}
        self.pen.write("web", self.at, "page", home)
        return session


Scene = Callable[[Stage], None]
Book = tuple[tuple[int, float, Scene], ...]
"""(days before today, local hour, scene)."""


def _looks(*names: str, known: bool = False, campaign: str | None = None) -> Scene:
    def play(stage: Stage) -> None:
        session = stage.session(known=known, campaign=campaign)
        for name in names:
            session.step(20_000, 90_000)
            session.look(product_named(name))

    return play


def _buys(*names: str, late: int = 0) -> Scene:
    """At the till, with the card that is read; `late` = days until the till's file arrives."""

    def play(stage: Stage) -> None:
        number = 1 + stage.scene % stage.store.tills
        context: Message = {
            "touchpoint": touchpoint(stage.store, "till", number),
            "externalIds": known_by(card=stage.person.card),
            "identification": {"mode": "card_read"},
        }
        more = {
            "fulfilment": "in_store",
            "store_id": stage.store.id,
            "receipt": f"{number}-{stage.pen.number() % 10**6:06d}",
        }
        order = stage.basket("T", *names).order(**more)
        stage.pen.track(
            "pos", stage.at, "Order Completed", order, context=context, delay=late * (DAY + 20 * MINUTE)
        )

    return play


def _kiosk(benefit: str) -> Scene:
    """Types the e-mail at the kiosk, confirms it by a code, and agrees to letters and personal offers."""

    def play(stage: Stage) -> None:
        person, market = stage.person, COUNTRIES[stage.person.country]
        visit = stage.who.visit_id()
        device: Message = {"touchpoint": touchpoint(stage.store, "kiosk", 1, visit)}
        view = line(product_named("Descaling kit"), 1, product_named("Descaling kit").eur, market.currency)
        stage.pen.track("kiosk", stage.at, "Product Viewed", view, context=dict(device))
        context: Message = {
            **device,
            "externalIds": known_by(email=person.email),
            "identification": {"mode": "code", "benefit": benefit, "notice_version": market.notice},
            "locale": market.locale,
            "consent": {"categoryPreferences": {"email_marketing": True, "personalization": True}},
        }
        stage.pen.write(
            "kiosk", stage.at + 40_000, "identify", {"traits": {"email": person.email}, "context": context}
        )
        place = device["touchpoint"]["id"]
        for k, purpose in enumerate(("email_marketing", "personalization")):
            change = {"purpose": purpose, "granted": True, "text_version": market.notice, "place": place}
            mine = {**device, "externalIds": known_by(email=person.email)}
            stage.pen.track("kiosk", stage.at + 41_000 + k, "Consent Changed", change, context=mine)

    return play


def _receipt_by_mail(stage: Stage) -> None:
    """Card read and address given for the receipt in one message: they belong together."""
    person = stage.person
    context: Message = {
        "touchpoint": touchpoint(stage.store, "till", 2),
        "externalIds": known_by(card=person.card, email=person.email),
        "identification": {"mode": "card_read"},
    }
    traits = {"email": person.email, "firstName": person.given, "lastName": person.family}
    stage.pen.write("pos", stage.at, "identify", {"traits": traits, "context": context})


def _logs_in(stage: Stage) -> None:
    session = stage.session(known=True)
    session.step(5_000, 15_000)
    person = stage.person
    traits = {"email": person.email, "firstName": person.given, "lastName": person.family}
    session.identify(traits, "login")


def _orders(*names: str) -> Scene:
    def play(stage: Stage) -> None:
        session = stage.session(known=True)
        online.check_out(session, stage.basket("W", *names))

    return play


def _letter(
    subject: str, category: str, *, opens: bool, clicks: bool = False, answers: str = "", who: str = ""
) -> Scene:
    """A letter to the person, and what they do with it."""

    def play(stage: Stage) -> None:
        context: Message = {"externalIds": known_by(email=stage.person.email)}
        letter: Message = {
            "message_id": f"x-{stage.pen.number():016x}",
            "channel": "email",
            "campaign_id": "associate_follow_up" if who else "machine-care",
            "subject": subject,
            "category": category,
        }
        if who:
            letter["associate_id"] = who
        did = [("Message Sent", 0), *([("Message Opened", 95 * MINUTE)] if opens else [])]
        did += [("Message Clicked", 97 * MINUTE)] if clicks else []
        for event, after in did:
            stage.pen.track("email", stage.at + after, event, dict(letter), context=dict(context))
        if answers:
            stage.pen.track(
                "email",
                stage.at + 3 * HOUR,
                "Message Replied",
                {**letter, "text": answers},
                context=dict(context),
            )

    return play


def _call_with_wrong_card(stage: Stage) -> None:
    """Anna calls about a late delivery and tells her e-mail; the agent types another card number than hers."""
    person, call = stage.person, f"call-{stage.pen.number() & 0xFFFFFFFFFF:010x}"
    device: Message = {"touchpoint": {"id": "desk-4", "kind": "call_centre", "visit_id": call}}
    known: Message = {**device, "externalIds": known_by(email=person.email)}
    told = {"mode": "told_to_staff"}
    start = {"call_id": call, "agent_id": "agent-4", "reason": "late delivery"}
    stage.pen.track("call_centre", stage.at, "Call Started", start, context=dict(known))
    names = {"email": person.email, "firstName": person.given, "lastName": person.family}
    asked: Message = {"traits": names, "context": {**known, "identification": told}}
    stage.pen.write("call_centre", stage.at + 45_000, "identify", asked)
    end = {"call_id": call, "agent_id": "agent-4", "duration_s": 322, "resolved": True}
    stage.pen.track("call_centre", stage.at + 322_000, "Call Ended", end, context=dict(known))
    ids = known_by(card=stage.other_card, email=person.email)
    desk: Message = {"id": "desk-4", "kind": "call_centre"}  # noted after the call, outside of its record
    wrong: Message = {
        "traits": {},
        "context": {"touchpoint": desk, "externalIds": ids, "identification": told},
    }
    stage.pen.write("call_centre", stage.at + 371_000, "identify", wrong)


def _served(*names: str, buys: bool = True) -> Scene:
    """Luca walks in, his associate shows him something, and mostly he takes it."""

    def play(stage: Stage) -> None:
        floor.come_near(stage.who, stage.at, 10.0)
        context: Message = {
            "touchpoint": touchpoint(stage.store, "tablet", 1),
            "externalIds": known_by(card=stage.person.card),
            "identification": {"mode": "told_to_staff"},
        }
        who = associate(stage.store, 1 + ADVISER[1])
        topic = [product_named(name).id for name in names]
        said = {
            "store_id": stage.store.id,
            "associate_id": who,
            "topic": topic,
            "prompted": False,
            "follow_up": "email",
        }
        stage.pen.track(
            "associate_tablet", stage.at + 4 * MINUTE, "Associate Contacted", said, context=context
        )
        if buys:
            stage.at += 16 * MINUTE
            _buys(*names)(stage)

    return play


def _app_opens(stage: Stage) -> None:
    session = online.open_session(stage.who, "app", stage.at, stage.scene)
    session.delay = 0
    online.arrive(session)
    traits = {"email": stage.person.email, "firstName": stage.person.given, "lastName": stage.person.family}
    session.identify(traits, "login")


_ADVISER = "A-02-3"
ANNA: Book = (
    (88, 21.2, _looks("Burr grinder G2", "Espresso machine E1")),
    (74, 12.3, _buys("Espresso beans 1 kg")),
    (60, 12.4, _buys("Espresso beans 1 kg", "Filter roast, Ethiopia 250 g")),
    (46, 18.1, _buys("Espresso beans 1 kg")),
    (33, 20.8, _looks("Burr grinder G2")),
    (32, 11.9, _buys("Espresso beans 1 kg", "Linen tea towels, set of 3")),
    (19, 10.5, _kiosk("coffee")),
    (19, 10.7, _receipt_by_mail),
    (19, 10.71, _buys("Espresso beans 1 kg")),
    (14, 19.2, _logs_in),
    (13, 20.1, _looks("Milk jug 350 ml", "Espresso cups, set of 4", known=True)),
    (12, 8.2, _orders("Milk jug 350 ml")),
    (8, 16.9, _call_with_wrong_card),
    (5, 7.7, _letter("Your machine is due a clean", "coffee", opens=True, clicks=True)),
    (5, 9.35, _looks("Descaling kit", known=True, campaign="machine-care")),
    (4, 12.3, _buys("Espresso beans 1 kg", late=2)),
    (2, 21.2, _looks("Burr grinder G2", known=True)),
    (1, 10.6, _buys("Filter roast, Ethiopia 250 g")),
)
"""Anna: coffee every fortnight, a kiosk, an account, a call with a mistake in it."""

MARTA: Book = tuple(
    (ago, 9.6 + ago % 3, _buys("Cat food, salmon 1.5 kg", *extra))
    for ago, extra in (
        (85, ()),
        (75, ("Cat litter, clumping 10 l",)),
        (64, ()),
        (53, ("Cat litter, clumping 10 l",)),
        (43, ()),
        (34, ()),
        (24, ("Cat litter, clumping 10 l",)),
        (15, ()),
        (6, ("Grain-free treats 300 g",)),
        (3, ()),
    )
)
"""Marta: cat food, with a card that nobody wrote a name on."""

LUCA: Book = (
    (86, 19.0, _app_opens),
    (85, 17.5, _served("Chef's knife 20 cm")),
    (71, 17.8, _served("Extra virgin olive oil 750 ml", "Pesto trio")),
    (70, 10.0, _letter("The pan we spoke about is back", "cookware", opens=True, clicks=True, who=_ADVISER)),
    (66, 18.2, _served("Cast-iron pan 28 cm")),
    (47, 18.0, _served("Balsamic vinegar 250 ml", "Sea salt and pepper set")),
    (33, 17.2, _served("Wine glasses, set of 6", buys=False)),
    (
        32,
        10.0,
        _letter(
            "Six glasses, put aside until Saturday",
            "tableware",
            opens=True,
            answers="Keep them for me, I will pass on Friday.",
            who=_ADVISER,
        ),
    ),
    (29, 18.6, _served("Wine glasses, set of 6")),
    (12, 17.9, _served("Dark chocolate gift box")),
    (9, 19.5, _app_opens),
    (3, 18.1, _served("Espresso machine E1")),
    (
        2,
        10.0,
        _letter(
            "How is the first espresso?",
            "machines",
            opens=True,
            answers="Excellent. Which beans next?",
            who=_ADVISER,
        ),
    ),
)
"""Luca: the neighbourhood store as it should be."""

BOOKS: dict[str, Book] = {"Anna Bianchi": ANNA, "Marta Conti": MARTA, "Luca Moretti": LUCA}


def play(stage: Stage, ago: int, other_card: str) -> None:
    """Play the scenes that stand `ago` days before today, if the person has a book."""
    stage.other_card = other_card
    late = stage.dice.below(25 * MINUTE, "minutes")  # one for the whole day: its scenes keep their order
    for number, (days, hour, scene) in enumerate(
        BOOKS.get(f"{stage.person.given} {stage.person.family}", ())
    ):
        if days == ago:
            stage.scene = number
            stage.at = local_midnight(stage.person.country, stage.date) + round(hour * HOUR) + late
            scene(stage)
