"""The ledger of a workspace: who was given what, and how much of each offer is left, durable and reserved."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from patron.decide.grants import CLICKED, CLOSED, SHOWN, Grant, add, close, mark
from patron.decide.index import CatalogueIndex
from patron.decide.stocks import Count, Exhausted, Stock, exhausted, give, keep, note, reserve, tell
from patron.model.events import Event
from patron.model.offers import Offer
from patron.model.people import Key
from patron.model.ports import Table
from patron.rules.calendar import Calendar

SHOWN_BY = frozenset({"Offer Shown", "Decision Exposed", "Message Sent"})
USED_BY = frozenset({"Offer Accepted", "Offer Redeemed", "Coupon Redeemed"})
CLICKED_BY = frozenset({"Offer Clicked", "Message Clicked", *USED_BY})
MARKS: Mapping[str, str] = {
    **dict.fromkeys(SHOWN_BY, SHOWN),
    **dict.fromkeys(CLICKED_BY, CLICKED),
    **dict.fromkeys(USED_BY, CLOSED),
    "Offer Dismissed": CLOSED,
}
"""Event -> what it says of the decision that it names."""
_USES = frozenset({"Order Completed", *USED_BY})
TOLD = frozenset({*MARKS, *_USES})
"""Events that the ledger reads."""
_NOTHING = Exhausted()


class Given:
    """Grants by node and stocks by offer, with what is decided but not applied yet."""

    def __init__(
        self,
        grants: Table[list[Grant]],
        stocks: Table[Stock],
        zone: str,
        node_of: Callable[[str], Key | None],
        members_of: Callable[[Key], Iterable[Key]],
    ) -> None:
        self._grants = grants
        self._stocks = stocks
        self._calendar = Calendar(zone)
        self._node_of = node_of
        self._members_of = members_of
        self._by_node: dict[Key, list[Grant]] = {}
        self._by_offer: dict[str, list[Grant]] = {}
        self._codes: dict[str, tuple[Offer, ...]] = {}

    def use(self, index: CatalogueIndex) -> None:
        """Another catalogue is in force: its coupon codes are known from now on."""
        found: dict[str, tuple[Offer, ...]] = {}
        for offer in index.offers:
            for code in _codes(offer):
                found[code] = (*found.get(code, ()), offer)
        self._codes = found

    # --- asking --------------------------------------------------------------------------------------------------

    def held(self, nodes: Iterable[Key]) -> list[Grant]:
        """What somebody was given, over all nodes, reservations of this moment among them."""
        found: list[Grant] = []
        for node in nodes:
            found += self._grants.get(node) or ()
            found += self._by_node.get(node, ())
        return found

    def spent(
        self, index: CatalogueIndex, now: int, at: int = 0, stocks: Mapping[str, Stock] | None = None
    ) -> Exhausted:
        """Of which offers nothing is left now.

        Parameters
        ----------
        at : when it will be shown, if not now: budgets of a day are those of that day.
        stocks : other books than those of this moment, of somebody who only tries.
        """
        if not index.limited:
            return _NOTHING
        if stocks is None:
            stocks = self.stocks(index)
        return exhausted(index.limited, stocks, self._by_offer, now, self._calendar.day(at or now))

    def stocks(self, index: CatalogueIndex) -> dict[str, Stock]:
        """The books of this moment."""
        return {o.id: stock for _, o in index.limited if (stock := self._stocks.get(o.id)) is not None}

    def try_out(self, stocks: dict[str, Stock], grants: Iterable[Grant]) -> None:
        """Enter grants in books of one's own."""
        for grant in grants:
            if grant.limited:
                stock = stocks.setdefault(grant.offer, Stock())
                reserve(stock, grant, self._day(grant))

    # --- reserving -----------------------------------------------------------------------------------------------

    def reserve(self, node: Key, grants: Iterable[Grant]) -> None:
        """Hold what was just decided, until it is applied or released."""
        for grant in grants:
            if node:
                self._by_node.setdefault(node, []).append(grant)
            if grant.limited:
                self._by_offer.setdefault(grant.offer, []).append(grant)

    def release(self, node: Key, grants: Iterable[Grant]) -> None:
        """Give back what was held: it is in the books now, or was never recorded."""
        for grant in grants:
            _drop(self._by_node, node, grant)
            _drop(self._by_offer, grant.offer, grant)

    def apply(self, node: Key, grants: Iterable[Grant]) -> None:
        """Enter what a durable decision gave."""
        for grant in grants:
            if node:
                self._grants.put(node, add(self._grants.get(node) or (), grant))
            if grant.limited:
                stock = self._stock(grant.offer)
                reserve(stock, grant, self._day(grant))

    # --- what follows ----------------------------------------------------------------------------------------------

    def event(self, event: Event, node: Key) -> None:
        """Take in one event of `TOLD`: shown, clicked, used."""
        told = event.properties
        decision = _text(told, "decision_id", "decisionId")
        what = MARKS.get(event.name)
        if decision and what is not None:
            self._mark(decision, what, event)
        if event.name in _USES:
            if decision and what is None:
                self._mark(decision, CLOSED, event)
            offers = self._used(told)
            if offers:
                self._use(event, node, offers)

    def _mark(self, decision: str, what: str, event: Event) -> None:
        node = self._node_of(decision)
        grants = self._grants.get(node) if node else None
        if not node or not grants:
            return
        self._grants.touch(node)
        unseen = [grant for grant in grants if grant.decision == decision and not grant.shown]
        mark(grants, decision, what, event.time)
        for grant in unseen:
            if not grant.limited or keep(self._stock(grant.offer), decision):
                continue
            # shown after its reservation had ended: it is given all the same; before: it counts already (`OPEN_AT_MOST`)
            if event.received >= grant.until:
                give(self._stock(grant.offer), grant.units, self._day(grant))

    # --- erasing -------------------------------------------------------------------------------------------------

    def close(self, nodes: Iterable[Key]) -> None:
        """What is reserved for somebody who is being erased counts as given: nobody will tell whether it was shown."""
        for node in nodes:
            for grant in self._grants.get(node) or ():
                if (
                    grant.limited
                    and (stock := self._stocks.get(grant.offer))
                    and grant.decision in stock.open
                ):
                    keep(self._stock(grant.offer), grant.decision)

    def note(self, erasure: str, now: int) -> None:
        """Note what the books of every offer say, before they lose the decisions of somebody."""
        for offer in list(self._stocks.keys()):
            note(self._stock(offer), erasure, now)

    @property
    def kept(self) -> bool:
        """Whether there are books at all."""
        return len(self._stocks) > 0

    def noted(self, erasure: str) -> dict[str, Count]:
        """What was noted."""
        return {offer: row.noted[erasure] for offer, row in self._stocks.items() if erasure in row.noted}

    def tell(self, erasure: str, told: Mapping[str, Count]) -> None:
        """Add to the books what a replay did not see."""
        for offer, count in told.items():
            tell(self._stock(offer), erasure, count)

    def _used(self, told: Mapping[str, Any]) -> tuple[Offer, ...]:
        code = _text(told, "coupon", "coupon_id", "couponId", "code")
        return self._codes.get(code.casefold(), ()) if code else ()

    def _use(self, event: Event, node: Key, offers: tuple[Offer, ...]) -> None:
        """A coupon was used: closed on every channel, also for somebody who was never given it by us."""
        names = [offer.id for offer in offers]
        known = False
        for member in self._members_of(node):
            grants = self._grants.get(member)
            if grants and any(grant.offer in names for grant in grants):
                known = True
                self._grants.touch(member)
                close(grants, names, event.time)
        if not known:
            offer, time = offers[0], event.time
            used = Grant("", offer.id, time, event.channel, "", shown=time, closed=time, family=offer.family)
            self._grants.put(node, add(self._grants.get(node) or (), used))

    def _day(self, grant: Grant) -> int:
        return self._calendar.day(grant.due or grant.time)

    def _stock(self, offer: str) -> Stock:
        stock = self._stocks.get(offer)
        if stock is None:
            stock = Stock()
            self._stocks.put(offer, stock)
        else:
            self._stocks.touch(offer)
        return stock


def _codes(offer: Offer) -> set[str]:
    """The codes that say that an offer is used: `code` or `coupon` of its content, whatever the case."""
    contents = (offer.content, *(variant.content for variant in offer.variants))
    return {code.casefold() for content in contents if (code := _text(content, "code", "coupon"))}


def _text(told: Mapping[str, Any], *names: str) -> str:
    return next((value for name in names if isinstance(value := told.get(name), str) and value), "")


def _drop(held: dict[str, list[Grant]], key: str, grant: Grant) -> None:
    rows = held.get(key)
    if rows is not None:
        rows[:] = [one for one in rows if one is not grant]
        if not rows:
            del held[key]
