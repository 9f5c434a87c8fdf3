"""What a person was given: the ledger of caps, families and cool-downs, one row a node, so that it merges and splits with people.

A grant begins as a reservation, made with the decision. Shown (`Offer Shown`, or anything done with it) it is kept; not
shown until its end it is released by itself: from then on it counts for nothing.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from patron.model.clock import DAY, MINUTE

RESERVED = 15 * MINUTE
"""How long a grant waits to be shown, ms."""
KEPT = 100 * DAY
"""How long a node remembers its grants, ms."""
MOST = 300
"""Grants remembered per node; the oldest go first."""
SHOWN, CLICKED, CLOSED = "shown", "clicked", "closed"


class Grant(Struct, array_like=True):
    """One action given to a person, and what became of it. Times in ms UTC; 0 = not so far.

    >>> grant = Grant("d_1", "tea", 1_000, "web", "web_home", until=901_000)
    >>> grant.counts(5_000), grant.counts(901_000)
    (True, False)
    """

    decision: str
    offer: str
    time: int
    channel: str
    placement: str
    outbound: bool = False
    until: int = 0
    """End of the reservation."""
    shown: int = 0
    clicked: int = 0
    closed: int = 0
    """Redeemed, or refused for good: nothing more of it anywhere."""
    family: str = ""
    service: bool = False
    """Not marketing: no cap counts it."""
    units: int = 0
    """What giving it costs, in 1/10,000 of the business's currency."""
    limited: bool = False
    """Whether it draws on a stock or a budget."""
    due: int = 0
    """When it is to be sent, if that is later than `time`: caps and budgets count it there."""

    def counts(self, now: int) -> bool:
        """Whether it was shown, or may still be."""
        return self.shown > 0 or now < self.until


def add(grants: Sequence[Grant], grant: Grant) -> list[Grant]:
    """The grants of a node with one more; what is too old or too much is left out.

    >>> old = Grant("d_1", "tea", 0, "web", "web_home")
    >>> [one.decision for one in add([old], Grant("d_2", "mug", KEPT + 1, "web", "web_home"))]
    ['d_2']
    """
    kept = [one for one in grants if one.time > grant.time - KEPT and one.counts(grant.time)]
    return [*kept[1 - MOST :], grant]


def mark(grants: Iterable[Grant], decision: str, what: str, time: int) -> bool:
    """Note that a decision's grant was shown, clicked or closed, the first time each; whether anything changed.

    Who clicked or used something has seen it.

    >>> grants = [Grant("d_1", "tea", 1_000, "web", "web_home")]
    >>> mark(grants, "d_1", CLICKED, 2_000), grants[0].shown, grants[0].clicked, mark(grants, "d_2", CLICKED, 2_000)
    (True, 2000, 2000, False)
    """
    changed = False
    for grant in grants:
        if grant.decision == decision:
            changed |= _note(grant, SHOWN, time)
            if what != SHOWN:
                changed |= _note(grant, what, time)
    return changed


def close(grants: Iterable[Grant], offers: Iterable[str], time: int) -> bool:
    """Note that an offer was used, by whatever decision it came; whether anything changed."""
    named, changed = set(offers), False
    for grant in grants:
        if grant.offer in named and grant.counts(time):
            changed |= _note(grant, SHOWN, time) | _note(grant, CLOSED, time)
    return changed


def _note(grant: Grant, what: str, time: int) -> bool:
    before = getattr(grant, what)
    if before and before <= time:
        return False
    setattr(grant, what, time)
    return True
