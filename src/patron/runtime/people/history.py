"""A person's timeline from the log: rows of the index, decoded one page at a time."""

from collections.abc import Sequence

from patron.model.people import Person
from patron.model.ports import IndexRow
from patron.model.views import TimelineEvent, TimelinePage
from patron.profiles.timeline import Row, matching, page
from patron.runtime.people import people, views
from patron.runtime.workspace import Workspace


def history(
    workspace: Workspace,
    person: Person,
    cursor: str | None,
    order: str,
    limit: int,
    channel: str = "",
    name: str = "",
    sources: Sequence[str] = (),
) -> TimelinePage:
    """One page of events by their own time, over all channels and all nodes of a person.

    Raises BadRequest for a cursor of another order.
    """
    rows = people.rows(workspace, person)
    members = set(person.members)
    workspace.recall(row.position for row in rows)
    keep = matching(channel, name, sources)

    def read(row: Row) -> TimelineEvent | None:
        hit = workspace.event_at(row[1])
        if hit is None or hit[1].node not in members or not keep(hit[0]):
            return None
        return views.timeline_event(hit[0], hit[1].node, IndexRow(row[0], row[1], is_node=True))

    found = page([(r.time, r.position) for r in rows], read, limit=limit, order=order, cursor=cursor)
    return TimelinePage(found.entries, found.cursor, len(rows))
