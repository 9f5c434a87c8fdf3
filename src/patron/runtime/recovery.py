"""Starting again: index what has no sidecar, apply what came after the checkpoint. Nothing is judged or acted twice."""

from collections.abc import Callable
from pathlib import Path

from patron.model.errors import CorruptLog
from patron.model.events import Batch
from patron.model.log import Entry
from patron.runtime import facts
from patron.runtime.apply import apply_body
from patron.runtime.flow import index
from patron.runtime.judge import days_of
from patron.runtime.segments.above_cap import AboveCap
from patron.runtime.segments.memberships import Memberships
from patron.runtime.workspace import Crash, Workspace
from patron.storage.embedded import directory


def open_workspace(path: Path, clock: str = "system", crash: Crash | None = None) -> Workspace:
    """Open a directory and replay what its state has not seen.

    Raises DirectoryLocked, NewerSchema, CorruptLog or ConfigError, each saying what to do.
    """
    hold = directory.hold(path)
    try:
        workspace = Workspace(path, hold, clock, crash)
        workspace.above = AboveCap(workspace)
        workspace.live = Memberships(workspace.segments, workspace.from_lake, workspace.above)
        recover(workspace)
        # only now is the newest receipt time known, below which time must not fall
        workspace.clock = workspace.clock_of(clock)
    except BaseException:
        hold.release()
        raise
    return workspace


def recover(workspace: Workspace, progress: Callable[[int, int], None] | None = None) -> int:
    """Bring a workspace that was just opened up to the end of its log; gives the number of messages applied.

    Raises CorruptLog when the state knows more than the log.
    """
    start, log = workspace.state.offset, workspace.log
    if start > log.last:
        raise CorruptLog(
            f"{workspace.path}: the state knows message {start}, the log ends at {log.last}: acknowledged messages "
            "are missing from the log. Restore a backup; nothing was changed."
        )
    workspace.segments.open(int(workspace.state.meta.get("now", 0)), start)
    if workspace.definitions.active().version:
        # a checkpoint may have been written between a definition and its taking up
        workspace.segments.take(workspace.definitions.active())
    for first, last in log.unindexed():
        _reindex(workspace, first, min(last, start))
    replayed = workspace.replayed(start + 1)
    for entry, body in log.read(start + 1):
        if entry.kind == "fact":
            if entry.base > start:
                facts.apply(workspace, entry, body)
                for _ in facts.passing(workspace):
                    pass
        else:
            batch = workspace.read(entry, body)
            if replayed is not None and entry.base <= replayed.last:
                batch = replayed.whole(entry, batch)
            for _ in apply_body(workspace, entry, workspace.located(entry, batch), start):
                pass
            _remember(workspace, entry, batch)
        workspace.mark(entry)
        if progress is not None:
            progress(entry.last, log.last)
    log.applied(workspace.applied)
    workspace.reload()
    workspace.launches.recount(workspace.decisions.items(), workspace.rewards.steps, workspace.nodes)
    return log.last - start


def _reindex(workspace: Workspace, first: int, last: int) -> None:
    replayed = workspace.replayed(first) if last >= first else None
    for entry, body in workspace.log.read(first) if last >= first else ():
        if entry.base > last:
            break
        if entry.kind == "track":
            batch = workspace.read(entry, body)
            if replayed is not None and entry.base <= replayed.last:
                batch = replayed.whole(entry, batch)
            for event, located, fresh in workspace.located(entry, batch):
                if first <= event.position <= last:
                    index(event, located, workspace.world, is_node=fresh)
        elif entry.base >= first:
            facts.index(workspace, entry, body)
        workspace.world.noted(entry.base)
        workspace.log.applied(min(entry.last, last))


def _remember(workspace: Workspace, entry: Entry, batch: Batch) -> None:
    """Put replayed messages back into the duplicate filter; what it holds already is left as it is."""
    events, checksums = batch.events, batch.payload_hashes
    if entry.duplicates:
        copies = set(entry.duplicates)
        kept = [n for n, place in enumerate(batch.indexes) if place not in copies]
        events, checksums = [events[n] for n in kept], [checksums[n] for n in kept]
    positions = [event.position for event in events]
    ids = [event.message_id for event in events]
    workspace.dedup.admit(entry.source, ids, days_of(events), checksums, positions)
