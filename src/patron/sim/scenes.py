"""A day told in messages: turns the `Plan` of a day into what the systems of the retailer would have sent."""

from collections.abc import Iterable

import numpy as np

from patron.model.clock import HOUR
from patron.sim import cast, instore, online, pain, service
from patron.sim.catalogue import CATEGORIES
from patron.sim.engine.day import Plan
from patron.sim.engine.letters import Delivered
from patron.sim.engine.shopping import prices
from patron.sim.engine.state import APP, STORE
from patron.sim.identities import Dossier
from patron.sim.luck import Dice, Luck
from patron.sim.messages import Pen, Told
from patron.sim.online import Basket
from patron.sim.people import CHANNELS
from patron.sim.shops import COUNTRIES, online_time, opening_time
from patron.sim.town import Town


def tell(town: Town, plan: Plan) -> list[Told]:
    """Everything that is sent about one day, in no particular order; refunds lie days ahead."""
    pens: dict[int, Pen] = {}
    tellers = _Day(town, plan, pens)
    for delivered in plan.delivered:
        tellers.letters(delivered)
    for at, row in enumerate(plan.shoppers.rows.tolist()):
        tellers.visit(at, row)
    for row in plan.browsers.tolist():
        tellers.browse(row)
    tellers.rest()
    told = [told for pen in pens.values() for told in pen.told]
    told.extend(cast.scenes(town.seed, plan.day, plan.date, town.days, _planted(town), town.noise))
    return told


def _planted(town: Town) -> Iterable[int]:
    return [number for number in cast.DOSSIERS if town.row(number) is not None]


class _Day:
    """The tellers of one day, with what they share."""

    def __init__(self, town: Town, plan: Plan, pens: dict[int, Pen]) -> None:
        self.town, self.plan, self.pens = town, plan, pens
        self.noise = town.noise
        self.price = prices(town.setting, plan.date).tolist()

    def pen(self, row: int) -> Pen:
        """The pen of a person today."""
        if row not in self.pens:
            self.pens[row] = Pen(self.town.seed, int(self.town.people.ids[row]), self.plan.day)
        return self.pens[row]

    def dice(self, row: int) -> Dice:
        """The luck of a person today."""
        return Dice(self.town.seed, int(self.town.people.ids[row]), self.plan.day)

    def _habits(self, person: Dossier) -> Dice:
        return Dice(self.town.seed, person.number)

    def letters(self, delivered: Delivered) -> None:
        """Messages of one channel, and the web visits of those who click."""
        send = delivered.send
        for at, row in enumerate(send.rows.tolist()):
            person, dice, pen = self.town.who(row), self.dice(row), self.pen(row)
            clicked = service.message(pen, dice, person, self.plan.date, delivered, at)
            if clicked is not None:
                session = online.open_session(pen, dice, person, "web", clicked + 1500, 3)
                session.campaign, session.medium = send.campaign, CHANNELS[send.channel]
                online.arrive(session, self.noise, 3)
                online.wander(session, [int(send.category[at])], self.currency(person), self._habits(person))

    def currency(self, person: Dossier) -> str:
        """What a person pays in."""
        return COUNTRIES[person.country].currency

    def basket(self, at: int, person: Dossier, prefix: str, *, honoured: bool = True) -> Basket | None:
        """What the visitor at an index of the plan wants to pay; None when nothing. `honoured`: coupons count."""
        plan, dice = self.plan, Dice(self.town.seed, person.number, self.plan.day)
        chosen = plan.wanted[at].nonzero()[0].tolist()
        if not chosen:
            return None
        number = online.order_number(prefix, person.number, plan.day, 0)
        wanted = [(category, float(plan.spend[at, category])) for category in chosen]
        price, coupon = list(self.price), ""
        for category in plan.offered[at].nonzero()[0].tolist() if honoured else ():
            price[category] *= 1.0 - self.town.parameters.buying.offer_discount
            coupon = self.coupon(category)
        return online.make_basket(
            number, self.currency(person), wanted, price, dice, self._habits(person), coupon
        )

    def coupon(self, category: int) -> str:
        """The code of the week's offer on a category."""
        return f"C{self.plan.date // 7}-{CATEGORIES[category][:4].upper()}"

    def visit(self, at: int, row: int) -> None:
        """One person's visit of the day, in whichever channel."""
        if self.plan.shoppers.channel[at] == STORE:
            self._store(at, row)
        else:
            self._shop_online(at, row, "app" if self.plan.shoppers.channel[at] == APP else "web")

    def _shop_online(self, at: int, row: int, source: str) -> None:
        person, dice, pen = self.town.who(row), self.dice(row), self.pen(row)
        basket = self.basket(at, person, source[0].upper())
        start = online_time(person.country, self.plan.date, dice)
        session = online.open_session(pen, dice, person, source, start, own=True)
        if source == "app":
            session.version = pain.app_version(self.town.seed, person, self.town.parameters.pain)
        online.arrive(session, self.noise)
        looked = instore.wanted_first(self.plan.need[row].tolist())[: 1 + dice.below(4, "looks")]
        online.wander(session, looked, self.currency(person), self._habits(person))
        if basket and not self.plan.bought[at].any():
            pain.checkout_fails(session, basket)
        elif basket:
            if online.check_out(session, basket, self.noise) == "pick_up":
                store, at_ms = self.town.home(row), session.at
                pain.pick_up(pen, dice, person, store, at_ms, basket, self.town.parameters.pain)
                return
            instore.refund(pen, dice, person, self.town.home(row), session.at, self.plan.day, basket, True)
        elif dice.chance(0.25, "left in cart"):
            session.step()
            session.track("Cart Viewed", {"currency": self.currency(person)}, "/cart")

    def _store(self, at: int, row: int) -> None:
        town, plan, day = self.town, self.plan, self.plan.day
        person, dice, pen, store = town.who(row), self.dice(row), self.pen(row), town.home(row)
        now = opening_time(person.country, plan.date, dice)
        eager = instore.wanted_first(plan.need[row].tolist())
        if dice.chance(town.parameters.visits.research, "research"):
            session = online.open_session(
                pen, dice, person, "web", now - int(dice.between(1, 14, "hours before") * HOUR), 2
            )
            online.arrive(session, self.noise, 2)
            online.wander(
                session, eager[: 1 + dice.below(3, "looks")], self.currency(person), self._habits(person)
            )
        if person.install and person.consents.get("location") and dice.chance(0.92, "fence"):
            instore.walk_in(pen, person, store, now)
        now += int(dice.between(60_000, 300_000, "strolls"))
        if dice.chance(instore.KIOSK, "kiosk"):
            now = instore.kiosk(pen, dice, person, store, now, day, eager[0], self.noise)
        if plan.shoppers.contacted[at]:
            now += int(dice.between(60_000, 240_000, "talks"))
            instore.contact(pen, dice, person, store, now, day, eager, self.noise)
        refused = bool(plan.offered[at].any()) and pain.coupon_refused(dice, person, town.parameters.pain)
        basket = self.basket(at, person, "T", honoured=not refused)
        if basket:
            if refused:
                card = person.card if instore.has_card(person, day) else None
                code = self.coupon(int(plan.offered[at].argmax()))
                pain.coupon_denied(pen, store, now + 50_000, code, card)
            now += int(dice.between(60_000, 700_000, "queues"))
            instore.pay(pen, dice, person, store, now, day, basket, self.noise)
            instore.refund(pen, dice, person, store, now, day, basket, False)

    def browse(self, row: int) -> None:
        """Somebody only looks around on the web."""
        person, dice, pen = self.town.who(row), self.dice(row), self.pen(row)
        start = online_time(person.country, self.plan.date, dice, 5)
        use_app = person.install is not None and dice.chance(0.35, "browses in app")
        session = online.open_session(pen, dice, person, "app" if use_app else "web", start, 5)
        online.arrive(session, self.noise, 5)
        eager = instore.wanted_first(self.plan.need[row].tolist())
        count = 1 + dice.below(4, "browses")
        looked = [dice.below(len(CATEGORIES), "curious", k) if k else eager[0] for k in range(count)]
        online.wander(session, looked, self.currency(person), self._habits(person))

    def rest(self) -> None:
        """What needs no visit: the customer file on the first day, cards handed out, calls, changed consents."""
        town, plan, luck = self.town, self.plan, Luck(self.town.seed, self.town.people.ids)
        for row in range(len(town.people)) if plan.day == 0 else ():
            service.records(self.pen(row), self.dice(row), town.who(row), plan.date, self.noise)
        new = (luck.uniform(0, "new card") < town.parameters.identity.new_cards) & (
            luck.uniform(0, "enrolled") * 90 // 1 == plan.day
        )
        for row in np.flatnonzero(new).tolist():
            self._enrol(row)
        for row in np.flatnonzero(luck.uniform(plan.day, "calls") < service.CALLS_A_DAY).tolist():
            person, dice = town.who(row), self.dice(row)
            if person.caller and person.noisy:
                at = opening_time(person.country, plan.date, dice, 70)
                service.call(self.pen(row), dice, person, at, self.noise)
        for row in np.flatnonzero(
            luck.uniform(plan.day, "changes mind") < service.CONSENT_CHANGES_A_DAY
        ).tolist():
            person = town.who(row)
            if person.noisy and (person.user_id or person.card_named):
                service.mind_changed(self.pen(row), self.dice(row), person, plan.date)

    def _enrol(self, row: int) -> None:
        person, dice = self.town.who(row), self.dice(row)
        if person.noisy and person.card_since == self.plan.day:
            at = opening_time(person.country, self.plan.date, dice, 60)
            instore.enrol(self.pen(row), dice, person, self.town.home(row), at, self.noise)
