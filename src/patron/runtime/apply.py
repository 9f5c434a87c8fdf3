"""Applying the messages of one durable body: the same live and in replay."""

from collections.abc import Iterator

from patron.identity.claims import locate
from patron.model.clock import DAY
from patron.model.events import Event
from patron.model.log import Entry
from patron.model.people import Located
from patron.runtime.flow import advance, index
from patron.runtime.tables import DayCount, sent_key
from patron.runtime.workspace import Found, Workspace

SLICE = 25
_FAULTS = (ValueError, TypeError, KeyError, IndexError, OverflowError, AttributeError)


def apply_body(workspace: Workspace, entry: Entry, found: Found, after: int = 0) -> Iterator[None]:
    """Apply the messages of one body after position `after`, yielding between slices of 25."""
    world, guarded = workspace.world, workspace.tombstones.any()
    workspace.segments.at(entry.received, entry.base)
    counts: dict[tuple[int, str], int] = {}
    channel, received, same, left = entry.channel, entry.received, 0, SLICE
    for event, located, fresh in found:
        if event.position <= after or (guarded and workspace.tombstones.bars(located, event.time)):
            continue
        if not left:
            world.noted(entry.base)
            yield
            left = SLICE
        left -= 1
        if not fresh:
            index(event, located, world, is_node=False)
            continue
        try:
            advance(event, located, world)
        except _FAULTS as error:
            # A fault of ours must not stop the queue: the message stays in the log and shows as a dead letter.
            problem = f"Patron could not apply it: {type(error).__name__}"
            workspace.bury(entry, event.position, "fault", problem, "")
        if event.channel is channel and event.received == received:
            same += 1
        else:
            place = (event.received // DAY, event.channel)
            counts[place] = counts.get(place, 0) + 1
        if event.channel == "pos":
            _visit(event, located, counts)
    world.noted(entry.base)
    if same:
        counts[received // DAY, channel] = counts.get((received // DAY, channel), 0) + same
    _count(workspace, entry, counts)
    if entry.rejects and entry.last > after:
        for reject in entry.rejects:
            workspace.bury(entry, entry.base + reject.index, reject.code, reject.message, reject.path)


def place_again(workspace: Workspace, found: Found) -> Found:
    """The same messages where they belong now: cut times have changed since they were judged."""
    rules, cuts = workspace.settings.identity, workspace.cuts
    return [(event, locate(event, rules, cuts) or old, fresh) for event, old, fresh in found]


def _visit(event: Event, located: Located, counts: dict[tuple[int, str], int]) -> None:
    if event.name == "Order Completed":
        who = (event.received // DAY, "~till" if located.light else "~known")
        counts[who] = counts.get(who, 0) + 1


def _count(workspace: Workspace, entry: Entry, counts: dict[tuple[int, str], int]) -> None:
    """Add to the counts of days by channel, by the receipt that a message tells, and of the source, by its own.

    An import tells of receipts long ago; what its source sent today is what came today.
    """
    for (day, channel), count in counts.items():
        workspace.count_day(f"{day}/{channel}", DayCount(channel, day, count, entry.received))
    sent = sum(count for (_, channel), count in counts.items() if channel[0] != "~")
    if sent:
        day = entry.received // DAY
        workspace.count_day(sent_key(day, entry.source), DayCount(entry.source, day, sent, entry.received))
