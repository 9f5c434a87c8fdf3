"""A living simulated town: what a real retailer would send, with the truth kept beside it.

The simulator talks to the product through its public HTTP API only. `history` is the past as it arrived, `live` goes on
from now, `stories` says whom to look at; `generate.generate` writes the past and its truth into a folder.

>>> import datetime as dt
>>> town = make_town(seed=7, today=dt.date(2026, 11, 21), size=20, days=10)
>>> first = next(history(town))
>>> first.source_name, first.message["type"]
('crm', 'identify')
"""

from patron.sim.alive.live import Live, live
from patron.sim.alive.visits import AskDecision
from patron.sim.messages import SOURCES, Delivery
from patron.sim.telling.cast import Story
from patron.sim.telling.history import history
from patron.sim.town import Town, make_town


def stories(town: Town) -> list[Story]:
    """The people worth opening in a town, with an identifier (`type:value`) that finds each.

    >>> import datetime as dt
    >>> stories(make_town(today=dt.date(2026, 11, 21), size=10))[0].identifier
    'email:a.bianchi@posta.example'
    """
    from patron.sim.telling import cast

    return cast.stories(town.people)


__all__ = [
    "SOURCES",
    "AskDecision",
    "Delivery",
    "Live",
    "Story",
    "Town",
    "history",
    "live",
    "make_town",
    "stories",
]
