"""What deciding keeps between decisions, put together: the catalogues, the ledger, interests, the model and its rewards."""

from collections.abc import Callable, Iterable
from typing import Any

from patron.decide.grants import Grant
from patron.feeds.kinds import KINDS
from patron.identity.graph import Graph
from patron.model.people import Key
from patron.model.ports import Table
from patron.profiles.merge import orders_of
from patron.profiles.orders import Purchase
from patron.profiles.partial import Partial
from patron.runtime.decisions.entered import Entered
from patron.runtime.decisions.given import Given
from patron.runtime.decisions.interests import LiveInterests
from patron.runtime.decisions.launches import Launches
from patron.runtime.decisions.model import Model
from patron.runtime.decisions.pace import Pace
from patron.runtime.decisions.prepared import Prepared
from patron.runtime.decisions.rewards import Rewards
from patron.runtime.decisions.trends import Trends
from patron.runtime.feeds.feeds import Feeds
from patron.runtime.settings import Settings
from patron.runtime.tables import CATALOGUE, DecisionRow, Plain

_CATEGORY = KINDS["catalogue"].values.index("category")


class Deciding:
    """The parts of one workspace that decisions rest on.

    Parameters
    ----------
    table : gives a table of the state by its name.
    now : the time, ms.
    secret : of the workspace, for who is drawn into what.
    """

    def __init__(
        self,
        table: Callable[[str], Table[Any]],
        settings: Settings,
        graph: Graph,
        feeds: Feeds,
        now: Callable[[], int],
        secret: bytes,
    ) -> None:
        self._graph = graph
        self._feeds = feeds
        self._now = now
        self._rules = settings.profiles
        self._nodes: Table[Partial] = table("nodes")
        self._decisions: Table[DecisionRow] = table("decisions")
        config: Table[Plain] = table("config")
        self.catalogues = Prepared(config, settings.decide.opt_in)
        self.grants: Table[list[Grant]] = table("grants")
        zone = settings.business.timezone
        self.given = Given(self.grants, table("stocks"), zone, self._node_of, self._members_of)
        self.entered = Entered(table("entered"), secret)
        if CATALOGUE in config:
            self.given.use(self.catalogues.present)
            self.entered.use(self.catalogues.present)
        self.interests = LiveInterests(table("interests"), table("cycles"))
        even = settings.decide.policy == "uniform"
        self.launches = Launches(table("policies"), secret, self._names_of, even=even)
        self.trends = Trends(table("trends"), feeds.town_of, now)
        self.model = Model(table("arms"), self.interests, self._category_of, self.trends)
        self.pace = Pace(table("paced"))
        self.rewards = Rewards(
            self.model,
            table("taught"),
            self._decisions,
            table("asked"),
            self._members_of,
            self._bought,
            self.catalogues.version,
            self.launches,
            self.pace,
        )

    def _node_of(self, decision: str) -> Key | None:
        row = self._decisions.get(decision)
        return None if row is None else row.node

    def _members_of(self, node: Key) -> tuple[Key, ...]:
        person = self._graph.person_of(node)
        return (node,) if person is None else person.members

    def _names_of(self, node: Key) -> tuple[str, ...]:
        person = self._graph.person_of(node)
        return (node,) if person is None else (node, person.id, *person.members)

    def _bought(self, members: Iterable[Key]) -> list[Purchase]:
        parts = [part for key in members if (part := self._nodes.get(key)) is not None]
        return list(orders_of(parts, self._rules).values())

    def _category_of(self, product: str) -> str:
        now = self._now()
        version = self._feeds.as_of("catalogue", product, now, now)
        said = version.values[_CATEGORY] if version is not None and version.values else None
        return said if isinstance(said, str) else ""
