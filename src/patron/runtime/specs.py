"""The tables of the state: how the rows of each are kept, and how many stay decoded."""

from typing import Any

from patron.decide.grants import Grant
from patron.decide.pace import Paced
from patron.decide.stocks import Stock
from patron.feeds.versions import Version
from patron.identity.accounts import Account, Membership
from patron.identity.graph import Group, Ident
from patron.identity.households import Home
from patron.model.access import ApiKey, Source
from patron.model.feeds import FeedLoad
from patron.model.policies import Launch
from patron.model.sends import SendRow
from patron.profiles.partial import Partial, decode, encode
from patron.runtime.decisions import arms, entered, pace
from patron.runtime.decisions.rewards import Taught
from patron.runtime.feeds.feeds import FeedCount
from patron.runtime.segments.served import SeriesRow, ServedRow
from patron.runtime.tables import (
    Assignment,
    AuditRow,
    DayCount,
    DeadRow,
    DecisionRow,
    DefinitionRow,
    Plain,
    SplitRecord,
    User,
)
from patron.segments import standing, tally
from patron.storage.embedded.state import TableSpec


def table_specs(resident: int) -> list[TableSpec]:
    """Of people about `resident` stay decoded; of other rows as many as stand here."""
    return [
        TableSpec("nodes", Partial, resident, encode=encode, decode=decode),
        TableSpec("idents", Ident, 2 * resident),
        TableSpec("groups", Group, resident),
        TableSpec("accounts", Account, 5_000),
        TableSpec("members", Membership, 5_000),
        TableSpec("homes", Home, 5_000),
        TableSpec("decisions", DecisionRow, 20_000),
        TableSpec("asked", list[str], 20_000),
        TableSpec("shown", int, 20_000),
        TableSpec("assigned", Assignment, 20_000),
        TableSpec("grants", list[Grant], 20_000),
        TableSpec("stocks", Stock, 1_000),
        TableSpec("interests", dict[str, list[int]], 50_000),
        TableSpec("cycles", list[int], 5_000),
        TableSpec("trends", dict[str, list[str]], 50_000),
        TableSpec("entered", entered.Entry, 20_000),
        TableSpec("arms", arms.Arm, 1_000_000, encode=arms.encode, decode=arms.decode),
        TableSpec("taught", Taught, 20_000),
        TableSpec("paced", Paced, 1_000, encode=pace.encode, decode=pace.decode),
        TableSpec("policies", Launch, 1_000),
        TableSpec("sends", SendRow, 1_000),
        TableSpec("dead", DeadRow, 20_000),
        TableSpec("cuts", list[int], 5_000),
        TableSpec("splits", SplitRecord, 5_000),
        TableSpec("sources", Source, 1_000),
        TableSpec("keys", ApiKey, 1_000),
        TableSpec("users", User, 1_000),
        TableSpec("audit", AuditRow, 5_000),
        TableSpec("days", DayCount, 5_000),
        TableSpec("tombstones", int, 20_000),
        TableSpec("receipts", dict[str, Any], 1_000),
        TableSpec("config", Plain, 1_000),
        TableSpec("feed_rows", list[Version], 20_000),
        TableSpec("feed_kinds", FeedCount, 1_000),
        TableSpec("feed_loads", FeedLoad, 1_000),
        TableSpec("definitions", DefinitionRow, 5_000),
        TableSpec("tallies", dict, resident, encode=tally.encode, decode=tally.decode),
        TableSpec("standings", standing.Standing, resident, encode=standing.encode, decode=standing.decode),
        TableSpec("series", SeriesRow, 5_000),
        TableSpec("served", ServedRow, 5_000),
        TableSpec("heard", int, 1_000),
    ]
