"""What a query starts from: the lake's tables, the moment it is asked for, and each event with the subject it belongs to."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

import ibis
import ibis.expr.types as ir
from msgspec import Struct

from patron.model.clock import HOUR
from patron.model.lake import EVENTS, MEMBERS, PEOPLE
from patron.rules.calendar import Calendar
from patron.rules.expressions.days import moment
from patron.rules.expressions.functions import milliseconds
from patron.rules.tree import Computed, Segment, Subject

SUBJECT = "subject"
"""Column of a subject's id: a person's, an account's, or a household's."""
_STAMP = 16


class Lake(NamedTuple):
    """The tables that rules read, with the columns of `model.lake`: bound to a connection, or unbound.

    >>> unbound().people.columns[:3]
    ('node', 'since', 'until')
    """

    events: ir.Table
    people: ir.Table
    members: ir.Table | None = None
    """For rules on accounts."""
    scores: ir.Table | None = None
    """`subject`, `name`, `value`: what models say of subjects."""


class At(Struct, frozen=True):
    """When a question is asked, and what its rules refer to.

    `as_of` (ms) leaves out what was not received, or not known of identity, by then: "who was in on 1 March".
    """

    now: int
    calendar: Calendar
    opt_in: Collection[str] = ()
    """Purposes that need a yes (`decide.opt_in`)."""
    segments: Mapping[str, Segment] = {}
    computed: Mapping[str, Computed] = {}
    stores: Mapping[str, tuple[float, float]] = {}
    as_of: int | None = None
    household_people: int = 10
    """What more people call their home is no household."""


def unbound() -> Lake:
    """The tables by name and type only: expressions over them are shown as SQL, or run by a backend that has them."""
    read = {name: kind for name, kind in EVENTS.items() if name != "envelope"}  # that one is for replay
    return Lake(ibis.table(read, "events"), ibis.table(PEOPLE, "people"), ibis.table(MEMBERS, "members"))


def owners(lake: Lake, at: At, subject: Subject, among: ir.Table | None = None) -> ir.Table:
    """Whose each node is: `node`, `since`, `until`, `subject`. Of a node's rows those of the greatest position stand.

    Parameters
    ----------
    among : `person`: of accounts and households only these people count.

    Raises
    ------
    ValueError : the lake has no table for subjects of this kind.
    """
    people = _latest(_known(lake.people, at), "node")
    owned = people.select("node", "since", "until", subject=people.person)
    if subject == "person":
        return owned
    people_of = _at_home(lake, at, owned) if subject == "household" else _in_accounts(lake, at, owned)
    if among is not None:
        people_of = people_of.semi_join(among, "person")
    return owned.join(people_of, owned.subject == people_of.person).select(
        owned.node, owned.since, owned.until, subject=people_of.belongs
    )


def _in_accounts(lake: Lake, at: At, owned: ir.Table) -> ir.Table:
    """`belongs`, `person`: the people of each account."""
    if lake.members is None:
        raise ValueError("the lake does not say who belongs to an account; ask for people")
    members = _known(lake.members, at).select("account", "person_node").distinct()
    joined = members.join(owned, members.person_node == owned.node)
    return joined.select(belongs=joined.account, person=joined.subject).distinct()


def _at_home(lake: Lake, at: At, owned: ir.Table) -> ir.Table:
    """`belongs`, `person`: the household of each person, by the home last told; those that too many people call so left out."""
    told = events_of(lake, at, owned, lake.events.home.notnull())
    homes = told.group_by(SUBJECT).agg(belongs=told.home.argmax(stamp_of(told)))
    crowds = homes.group_by("belongs").agg(people=homes.count())
    held = homes.semi_join(crowds.filter(crowds.people <= at.household_people), "belongs")
    return held.select("belongs", person=held.subject)


def events_of(lake: Lake, at: At, owned: ir.Table, wanted: ir.BooleanValue | None) -> ir.Table:
    """Every event that counts at that moment, with `subject`, and its time in `milliseconds`; only those `wanted`."""
    events = lake.events
    kept = [events.time < moment((at.now // HOUR + 1) * HOUR)]
    if at.as_of is not None:
        kept.append(events.received <= moment(at.as_of))
    if wanted is not None:
        kept.append(wanted)
    events = events.filter(kept)
    owned = owned.rename(owner="node")
    whose = [
        events.node == owned.owner,
        owned.since.isnull() | (events.time >= owned.since),
        owned.until.isnull() | (events.time < owned.until),
    ]
    joined = events.join(owned, whose).drop("owner", "since", "until")
    return joined.mutate(milliseconds=milliseconds(joined.time))


def stamp_of(events: ir.Table) -> ir.StringValue:
    """What orders events of `events_of` as they were said: by time, then source and message id."""
    return events.milliseconds.cast("string").lpad(_STAMP, "0") + events.source + "/" + events.message_id


def _known(table: ir.Table, at: At) -> ir.Table:
    return table if at.as_of is None else table.filter(table.known <= moment(at.as_of))


def _latest(table: ir.Table, key: str) -> ir.Table:
    ranked = table.mutate(latest=table.position.max().over(ibis.window(group_by=key)))
    return ranked.filter(ranked.position == ranked.latest).drop("latest")
