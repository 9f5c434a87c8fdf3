"""What followed a decision: shown or not, and the orders credited to it, in any channel, on any node of the person.

Crediting is bookkeeping, not proof: an order inside the windows of two decisions is credited to both, and most orders
would have come anyway. What deciding changed is measured against the people held out (`patron.experiments`).
"""

from collections.abc import Iterable
from typing import NamedTuple

from patron.model.clock import DAY
from patron.model.offers import Decision, Outcome

WINDOW = 7 * DAY


class Order(NamedTuple):
    """One order of the person: `units` and `refunded` in 1/10,000 of `currency`, `time` in ms UTC."""

    id: str
    time: int
    currency: str
    units: int
    refunded: int = 0


def outcome(
    decision: Decision, orders: Iterable[Order], shown_times: Iterable[int], window_ms: int = WINDOW
) -> Outcome:
    """What followed a decision within `window_ms`. Call it again whenever an order, a refund or a merge arrives late.

    Parameters
    ----------
    orders : all orders of the person (merged nodes, every channel). Credited are those with
        time < order <= time + window, net of refunds whenever they came; one refunded in full is not credited.
    shown_times : times of the `Offer Shown` events that carry this decision's id. The first one inside the window
        counts; a client clock that runs behind cannot show an offer before it was decided.

    >>> one = Decision("d", 1000, "n", "p", "till", "pos", "tea", .5, "treated", .5, "tea")
    >>> outcome(one, [Order("o1", 1000, "EUR", 5), Order("o2", 1500, "EUR", 219000, 19000)], [1200], window_ms=500)
    Outcome(shown=1200, orders=('o2',), revenue={'EUR': 200000})
    """
    begin, end = decision.time, decision.time + window_ms
    shown = min((max(time, begin) for time in shown_times if time <= end), default=None)
    credited: list[Order] = []
    revenue: dict[str, int] = {}
    for order in sorted(set(orders), key=lambda o: (o.time, o.id)):
        undone = order.refunded > 0 and order.refunded >= order.units
        if begin < order.time <= end and not undone:
            credited.append(order)
            revenue[order.currency] = revenue.get(order.currency, 0) + order.units - order.refunded
    return Outcome(shown=shown, orders=tuple(dict.fromkeys(o.id for o in credited)), revenue=revenue)
