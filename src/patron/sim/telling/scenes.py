"""A day told in messages: turns the `Plan` of a day into what the systems of the retailer would have sent."""

import numpy as np

from patron.model.clock import HOUR
from patron.sim.engine.day import Plan
from patron.sim.engine.letters import Delivered
from patron.sim.engine.minds import PURPOSES
from patron.sim.engine.shopping import prices
from patron.sim.engine.state import APP, STORE
from patron.sim.luck import Dice, Luck
from patron.sim.messages import Pen, Told
from patron.sim.telling import cast, floor, kiosk, online, pain, script, service, till, voices
from patron.sim.telling.floor import Talk
from patron.sim.telling.occasion import Occasion
from patron.sim.telling.online import Basket
from patron.sim.town import Town
from patron.sim.world.catalogue import CATEGORIES
from patron.sim.world.identities import Dossier
from patron.sim.world.people import CHANNELS
from patron.sim.world.shops import STORES, local_midnight, online_time, opening_time

QUIET_HOUR = 19
"""Local hour in which contacts that never were are written down: after the rush."""


def tell(town: Town, plan: Plan) -> list[Told]:
    """Everything that is sent about one day, in no particular order; refunds lie days ahead."""
    tellers = _Day(town, plan)
    for delivered in plan.delivered:
        tellers.letters(delivered)
    for at, row in enumerate(plan.shoppers.rows.tolist()):
        tellers.visit(at, row)
    for row in plan.browsers.tolist():
        tellers.browse(row)
    tellers.passers_by()
    tellers.rest()
    told = [told for who in tellers.known.values() for told in who.pen.told]
    told.extend(_scripted(town, plan))
    return told


def _scripted(town: Town, plan: Plan) -> list[Told]:
    """What the script has for the planted people who live here."""
    told: list[Told] = []
    for number, person in cast.DOSSIERS.items():
        if town.row(number) is None:
            continue
        pen, dice = Pen(town.seed, number, plan.day, run=1), Dice(town.seed, number, plan.day)
        store = STORES[cast.HOMES[number]]
        who = Occasion(town.setting, town.noise, pen, dice, person, store, plan.day, person.consents)
        script.play(script.Stage(who, plan.date), town.days - plan.day, cast.DOSSIERS[cast.MARTA].card or "")
        told.extend(pen.told)
    return told


class _Day:
    """The tellers of one day, with what they share."""

    def __init__(self, town: Town, plan: Plan) -> None:
        self.town, self.plan = town, plan
        self.known: dict[int, Occasion] = {}
        self.price = prices(town.setting, plan.date).tolist()
        crossed, now = plan.crossings, plan.consents
        self._near = {row: at for at, row in enumerate(crossed.rows.tolist())}
        moved = (now.agreed | now.refused).any(axis=1) | (now.profiled != town.people.profiled)
        # everybody's at once, in the order of `wanted_first`
        self._wanted = np.argsort(-plan.need, axis=1, kind="stable")
        self._moved = set(np.flatnonzero(moved).tolist())

    def who(self, row: int) -> Occasion:
        """A person today."""
        found = self.known.get(row)
        if found is None:
            town, day, person = self.town, self.plan.day, self.town.who(row)
            pen, dice = Pen(town.seed, person.number, day), Dice(town.seed, person.number, day)
            consents = self._consents(row, person) if row in self._moved else person.consents
            store = town.home(row)
            found = Occasion(town.setting, town.noise, pen, dice, person, store, day, consents)
            self.known[row] = found
        return found

    def _consents(self, row: int, person: Dossier) -> dict[str, bool]:
        """What they agreed to at first, and what they have changed since."""
        now, found = self.plan.consents, dict(person.consents)
        for k, channel in enumerate(CHANNELS):
            purpose = f"{channel}_marketing"
            if purpose in found:
                found[purpose] = (found[purpose] or bool(now.agreed[row, k])) and not now.refused[row, k]
        if "personalization" in found and person.noisy:
            found["personalization"] = bool(now.profiled[row])
        return found

    def letters(self, delivered: Delivered) -> None:
        """Messages of one channel, and the web visits of those who click."""
        send = delivered.send
        for at, row in enumerate(send.rows.tolist()):
            who = self.who(row)
            clicked = service.message(who, self.plan.date, delivered, at)
            if clicked is not None:
                session = online.open_session(who, "web", clicked + 1500, 3)
                session.campaign, session.medium = send.campaign, CHANNELS[send.channel]
                online.arrive(session, 3)
                online.wander(session, [int(send.category[at])])

    def eager(self, row: int) -> list[int]:
        """Categories, those that a person needs most first."""
        first: list[int] = self._wanted[row].tolist()
        return first

    def basket(self, at: int, who: Occasion, prefix: str) -> Basket | None:
        """What the visitor at an index of the plan wants to pay; None when nothing."""
        plan = self.plan
        chosen = plan.wanted[at].nonzero()[0].tolist()
        if not chosen:
            return None
        number = online.order_number(prefix, who.person.number, plan.day, 0)
        wanted = [(category, float(plan.spend[at, category])) for category in chosen]
        price, coupon = list(self.price), ""
        for category in plan.offered[at].nonzero()[0].tolist():
            price[category] *= 1.0 - self.town.parameters.buying.offer_discount
            coupon = self.coupon(category)
        return online.make_basket(who, number, wanted, price, coupon)

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
        who = self.who(row)
        basket, dice = self.basket(at, who, source[0].upper()), who.dice
        start = online_time(who.person.country, self.plan.date, dice)
        session = online.open_session(who, source, start, own=True)
        online.arrive(session)
        online.wander(session, self.eager(row)[: 1 + dice.below(4, "looks")])
        if basket and not self.plan.bought[at].any():
            pain.checkout_fails(session, basket)
            voices.survey(who, session.at, "app_checkout", True)
        elif basket:
            if online.check_out(session, basket) == "pick_up":
                pain.pick_up(who, session.at, basket)
                return
            till.refund(who, session.at, basket, online=True)
        elif dice.chance(0.25, "left in cart"):
            session.step()
            session.track("Cart Viewed", {"currency": who.currency}, "/cart")

    def _store(self, at: int, row: int) -> None:
        plan, who = self.plan, self.who(row)
        dice, eager, shoppers = who.dice, self.eager(row), self.plan.shoppers
        now = opening_time(who.person.country, plan.date, dice)
        if shoppers.fitted[at]:
            pain.appointment(who, now)
        if dice.chance(self.town.parameters.visits.research, "research"):
            self._research(who, now, eager)
        self._fence(row, who, now, eager[0])
        now += int(dice.between(60_000, 300_000, "strolls"))
        if dice.chance(self.town.parameters.touchpoints.kiosk, "kiosk"):
            now = kiosk.use(who, now, eager[0])
        if shoppers.contacted[at]:
            now += int(dice.between(60_000, 240_000, "talks"))
            talk = Talk(
                int(shoppers.associate[at]), bool(shoppers.prompted[at]), bool(shoppers.follow_up[at])
            )
            floor.contact(who, now, eager, talk)
        denied, basket = int(plan.denied[at]), self.basket(at, who, "T")
        if denied >= 0:
            pain.coupon_denied(who, now + 50_000, self.coupon(denied))
        if basket:
            now += int(dice.between(60_000, 700_000, "queues"))
            till.pay(who, now, basket)
            till.refund(who, now, basket, online=False)
        voices.survey(who, now, "after_visit", denied >= 0, bool(shoppers.fitted[at]))

    def _research(self, who: Occasion, before: int, eager: list[int]) -> None:
        """The visit is prepared on the web."""
        at = before - int(who.dice.between(1, 14, "hours before") * HOUR)
        session = online.open_session(who, "web", at, 2)
        online.arrive(session, 2)
        online.wander(session, eager[: 1 + who.dice.below(3, "looks")])

    def _fence(self, row: int, who: Occasion, at: int, category: int) -> None:
        """The app notices a visitor, if it may and if it does."""
        where = self._near.get(row)
        if where is None:
            return
        crossed = self.plan.crossings
        if crossed.sensed[where]:
            floor.come_near(who, at, float(crossed.distance[where]))
        if crossed.greeted[where]:
            service.greeting(who, at)
        if crossed.entered[where]:
            floor.dwell(who, at + 90_000, category)

    def passers_by(self) -> None:
        """Those whom the app notices near a store that they do not enter."""
        crossed = self.plan.crossings
        for row in crossed.rows[~crossed.entered & crossed.sensed].tolist():
            who = self.who(row)
            at = opening_time(who.person.country, self.plan.date, who.dice, 80)
            self._fence(row, who, at, 0)

    def browse(self, row: int) -> None:
        """Somebody only looks around on the web."""
        who = self.who(row)
        dice, person = who.dice, who.person
        start = online_time(person.country, self.plan.date, dice, 5)
        use_app = person.install is not None and dice.chance(0.35, "browses in app")
        session = online.open_session(who, "app" if use_app else "web", start, 5)
        online.arrive(session, 5)
        eager, count = self.eager(row), 1 + dice.below(4, "browses")
        online.wander(
            session, [dice.below(len(CATEGORIES), "curious", k) if k else eager[0] for k in range(count)]
        )

    def rest(self) -> None:
        """What needs no visit: the customer file on the first day, cards handed out, calls, changed consents."""
        town, plan, luck = self.town, self.plan, Luck(self.town.seed, self.town.people.ids)
        for row in range(len(town.people)) if plan.day == 0 else ():
            service.records(self.who(row), plan.date)
        new = (luck.uniform(0, "new card") < town.parameters.identity.new_cards) & (
            luck.uniform(0, "enrolled") * 90 // 1 == plan.day
        )
        for row in np.flatnonzero(new).tolist():
            self._enrol(row)
        for row in np.flatnonzero(luck.uniform(plan.day, "calls") < town.parameters.identity.calls).tolist():
            who = self.who(row)
            if who.person.caller and who.person.noisy:
                service.call(who, opening_time(who.person.country, plan.date, who.dice, 70))
        for row in plan.reviewed.tolist():
            who = self.who(row)
            voices.review(who, opening_time(who.person.country, plan.date, who.dice, 81))
        self._minds()
        self._false_contacts(luck)

    def _minds(self) -> None:
        changes = self.plan.changes
        for row, purpose, granted in zip(
            changes.rows.tolist(), changes.purpose.tolist(), changes.granted.tolist(), strict=True
        ):
            who = self.who(row)
            if who.person.noisy:
                service.mind_changed(who, self.plan.date, PURPOSES[purpose], granted)

    def _false_contacts(self, luck: Luck) -> None:
        """Some associates note contacts with card holders of their store who are not there."""
        gaming = self.town.setting.staff.gaming
        share = self.town.parameters.associates.false_contacts
        named = luck.uniform(self.plan.day, "false contact") < share
        named &= np.isin(self.town.people.home, list(gaming))
        named[self.plan.shoppers.rows] = False
        for row in np.flatnonzero(named).tolist():
            who = self.who(row)
            if who.has_card() and who.person.noisy:
                hour = local_midnight(who.person.country, self.plan.date) + QUIET_HOUR * HOUR
                at = hour + who.dice.below(HOUR, "made-up minute")
                floor.false_contact(who, at, gaming[int(self.town.people.home[row])])

    def _enrol(self, row: int) -> None:
        who = self.who(row)
        if who.person.noisy and who.person.card_since == self.plan.day:
            till.enrol(who, opening_time(who.person.country, self.plan.date, who.dice, 60))
