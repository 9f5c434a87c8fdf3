"""Web and app: sessions of looking, putting into the cart and ordering, and when people say who they are."""

from typing import Any

from msgspec import Struct

from patron.model.clock import HOUR
from patron.sim.luck import Dice, scramble
from patron.sim.messages import Message, line, money
from patron.sim.telling.occasion import Occasion
from patron.sim.world.catalogue import CATEGORIES, Product
from patron.sim.world.identities import Cookie, Dossier, said_email, said_name, said_phone
from patron.sim.world.shops import COUNTRIES

OLD_VERSIONS = ("4.1.3", "4.1.5", "4.3.0")
"""Of the app, beside the one that breaks."""


class Basket(Struct, frozen=True):
    """What somebody buys at once: an order number and its lines."""

    order_id: str
    currency: str
    lines: tuple[tuple[Product, int, int], ...]
    """(product, quantity, cents for one)."""
    margin: float
    """Share of what it costs that the shop earns."""
    coupon: str = ""
    """The coupon that made some of it cheaper."""

    @property
    def cents(self) -> int:
        """What it costs."""
        return sum(quantity * cents for _, quantity, cents in self.lines)

    def products(self) -> list[Message]:
        """The lines as the e-commerce spec writes them."""
        return [line(product, quantity, cents, self.currency) for product, quantity, cents in self.lines]

    def order(self, **more: Any) -> Message:
        """Properties of its `Order Completed`."""
        return {
            "order_id": self.order_id,
            "revenue": money(self.cents),
            "margin": round(self.cents * self.margin) / 100,
            "currency": self.currency,
            "products": self.products(),
            **({"coupon": self.coupon} if self.coupon else {}),
            **more,
        }


class Session(Struct):
    """One visit to the web shop or the app while it is being told."""

    who: Occasion
    source: str
    at: int
    cookie: Cookie
    known: bool
    """Logged in: messages carry the user id."""
    campaign: str | None = None
    medium: str = "email"
    delay: int = 0
    refuses: bool = False
    version: str = ""
    """Of the app; "" on the web."""
    k: int = 0

    @property
    def person(self) -> Dossier:
        """Whose visit it is."""
        return self.who.person

    @property
    def dice(self) -> Dice:
        """Their luck that day."""
        return self.who.dice

    def step(self, low: int = 9_000, high: int = 70_000) -> int:
        """Let some time pass; the new time."""
        self.k += 1
        self.at += int(self.dice.between(low, high, f"{self.source} step", self.k))
        return self.at

    def ids(self) -> Message:
        """The ids that messages of the session carry."""
        ids: Message = {"anonymousId": self.cookie.id}
        if self.known:
            ids["userId"] = self.person.user_id
        return ids

    def context(self, path: str = "/") -> Message:
        """The context of a message: page or screen, language, campaign, device."""
        context: Message = {"locale": COUNTRIES[self.person.country].locale}
        if self.source == "web":
            context["page"] = {"path": path, "url": f"https://www.alderrosso.example{path}"}
        elif self.person.device:
            context["device"] = self.who.phone()
        if self.version:
            context["app"] = {"name": "Alder & Rosso", "version": self.version}
        if self.campaign:
            context["campaign"] = {"name": self.campaign, "source": "crm", "medium": self.medium}
        if self.refuses:
            context["consent"] = {"categoryPreferences": {"analytics": False}}
        return context

    def track(self, event: str, properties: Message, path: str = "/") -> None:
        """Write one event of the session, now."""
        self.who.pen.track(
            self.source,
            self.at,
            event,
            properties,
            **self.ids(),
            context=self.context(path),
            delay=self.delay,
        )

    def look(self, product: Product) -> None:
        """See a product's page."""
        currency = self.who.currency
        view = line(product, 1, product.price(currency), currency)
        del view["quantity"]
        self.track("Product Viewed", view, f"/p/{product.id}")

    def identify(self, traits: Message, mode: str) -> None:
        """Say who they are, and what the shop may do."""
        context = self.context("/account")
        context["identification"] = {"mode": mode, "notice_version": COUNTRIES[self.person.country].notice}
        if self.who.consents and not self.refuses:
            context["consent"] = {"categoryPreferences": dict(self.who.consents)}
        self.who.pen.write(
            self.source,
            self.at,
            "identify",
            {**self.ids(), "traits": traits, "context": context},
            delay=self.delay,
        )


def open_session(who: Occasion, source: str, at: int, k: int = 0, *, own: bool = False) -> Session:
    """Begin a visit: which browser (or the app), and whether they are logged in on it. Those who come to buy use one of their own."""
    person, dice = who.person, who.dice
    if source == "app" and person.install:
        cookie = Cookie(person.install, "phone", False, person.user_id is not None)
        offline = dice.chance(who.parameters.transport.offline, "offline", k)
        delay = int(dice.between(0.3, 9.0, "offline hours", k) * HOUR) if offline else 0
        version = app_version(who)
        return Session(who, "app", at, cookie, person.user_id is not None, delay=delay, version=version)
    cookie = own_cookie(person) if own else dice.pick(person.cookies, "which cookie", k)
    refuses = person.noisy and who.habits.chance(
        who.parameters.identity.refuses_analytics, "refuses analytics"
    )
    return Session(who, "web", at, cookie, False, refuses=refuses)


def app_version(who: Occasion) -> str:
    """The version of the app on somebody's phone; one of them breaks at the checkout."""
    pain = who.parameters.pain
    if who.habits.chance(pain.app_version_share, "app version"):
        return pain.app_version
    return who.habits.pick(OLD_VERSIONS, "which app version")


def own_cookie(person: Dossier) -> Cookie:
    """The browser on which somebody buys: the first that is not the family's."""
    return next((cookie for cookie in person.cookies if not cookie.shared), person.cookies[0])


def arrive(session: Session, k: int = 0) -> None:
    """The first moments: the page or screen, and a log-in or an address given, when they do that here."""
    person, who = session.person, session.who
    first = {**session.ids(), "name": "Home", "context": session.context("/")}
    if session.source == "app":
        who.pen.write("app", session.at, "screen", first, delay=session.delay)
        return
    who.pen.write("web", session.at, "page", first)
    if not session.cookie.told:
        return
    if person.user_id:
        session.step(4_000, 20_000)
        session.known = True
        session.identify({"email": person.email}, "login")
    elif who.dice.chance(who.parameters.identity.says_email, "says email", k):
        session.step(8_000, 30_000)
        session.identify({"email": said_email(person, 10 + k, who.noise)}, "typed")


def wander(session: Session, categories: list[int]) -> None:
    """Look at some products: mostly of what they need."""
    if session.dice.chance(0.2, "search", session.k):
        session.step()
        session.track("Products Searched", {"query": CATEGORIES[categories[0]]}, "/search")
    for category in categories:
        session.step()
        session.look(session.who.setting.assortment.pick(session.dice, session.who.habits, category))


def check_out(session: Session, basket: Basket) -> str:
    """Put a basket into the cart, go to the till of the web, and order; guests give name, e-mail and phone. Returns how they get it:
    `delivery` or `pick_up`."""
    for product, quantity, cents in basket.lines:
        session.step(5_000, 30_000)
        session.track("Product Added", line(product, quantity, cents, basket.currency), f"/p/{product.id}")
    session.step(10_000, 40_000)
    session.track(
        "Checkout Started",
        {"order_id": basket.order_id, "value": money(basket.cents), "currency": basket.currency},
        "/checkout",
    )
    if basket.coupon:
        session.step(4_000, 15_000)
        entered = {"order_id": basket.order_id, "coupon_id": basket.coupon}
        session.track("Coupon Entered", entered, "/checkout")
    session.step(20_000, 90_000)
    if not session.known:
        _as_guest(session)
    picked_up = session.dice.chance(session.who.parameters.pain.pick_up, "pick up")
    fulfilment = "pick_up" if picked_up else "delivery"
    session.track("Order Completed", basket.order(fulfilment=fulfilment), "/thanks")
    return fulfilment


def _as_guest(session: Session) -> None:
    person, noise = session.person, session.who.noise
    traits: Message = {"email": said_email(person, 20, noise), **said_name(person, 20, noise)}
    if session.dice.chance(0.7, "guest phone"):
        traits["phone"] = said_phone(person, 20, noise)
    traits["address"] = {"country": session.who.market.code}
    session.identify(traits, "typed")
    session.step(5_000, 20_000)


def order_number(prefix: str, person: int, day: int, k: int) -> str:
    """An order number that no other order of the town has and that tells nothing.

    >>> order_number("W", 12, 3, 0) != order_number("W", 12, 3, 1)
    True
    """
    packed = ((person & (1 << 22) - 1) << 10 | day & (1 << 10) - 1) << 4 | k & 15
    return f"{prefix}-{scramble(packed, 36):011d}"


def make_basket(
    who: Occasion, order_id: str, wanted: list[tuple[int, float]], price: list[float], coupon: str = ""
) -> Basket:
    """Turn what somebody means to spend by category (list-price EUR) into products: at least one of each, at most six."""
    lines = []
    for category, euros in wanted:
        product = who.setting.assortment.pick(who.dice, who.habits, category)
        quantity = min(6, max(1, round(euros * 100 / product.eur)))
        lines.append((product, quantity, product.paid(who.currency, price[category])))
    return Basket(order_id, who.currency, tuple(lines), who.parameters.buying.margin, coupon)
