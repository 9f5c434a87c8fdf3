"""Keeping a workspace well: health and metrics, backups, replay checks, dry runs, retention."""

import asyncio
import os
import re
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from patron import __version__
from patron.identity.diff import dry_run as identity_dry_run
from patron.identity.rules import IdentityRules
from patron.model.clock import DAY, SteppedClock
from patron.model.errors import BadRequest, ConfigError, Conflict, Forbidden
from patron.model.views import Health
from patron.runtime import letters, portable
from patron.runtime.app import App
from patron.runtime.recovery import open_workspace
from patron.storage.embedded import backup

MB = 1 << 20


def health(app: App) -> Health:
    """How the process and its directory are."""
    workspace, status = app.workspace, app.status()
    free = shutil.disk_usage(workspace.path).free / MB
    waiting = letters.waiting(app)
    return Health(
        status=status,
        people=workspace.world.people,
        identifiers=len(workspace.idents),
        events=status.applied,
        uptime_s=round(time.monotonic() - app.started, 1),
        memory_mb=round(_memory(), 1),
        log_mb=round(sum(s.bytes for s in workspace.log.segments()) / MB, 2),
        state_mb=round(_size(workspace.path / "state.db") / MB, 2),
        disk_free_mb=round(free, 0),
        last_checkpoint=app.last_checkpoint,
        dead_letters=waiting,
        clock="stepped" if isinstance(workspace.clock, SteppedClock) else "system",
        now=workspace.clock.now(),
        version=__version__,
        checks=_checks(app, free, waiting),
    )


def _checks(app: App, free: float, letters: int) -> list[tuple[str, bool, str]]:
    workspace, status = app.workspace, app.status()
    need = workspace.settings.storage.min_free_mb
    behind = status.accepted - status.applied
    return [
        (
            "Log",
            status.durable <= status.accepted,
            f"{status.accepted:,} messages, {status.durable:,} durable",
        ),
        ("State", behind < workspace.settings.collect.queue, f"{behind:,} messages wait to be applied"),
        ("Disk", free > 4 * need, f"{free:,.0f} MB free; nothing more is taken below {need} MB"),
        (
            "Sources",
            len(workspace.sources) > 0,
            f"{len(workspace.sources)} sources; add one: patron source add",
        ),
        ("Dead letters", letters < 1_000, f"{letters:,} wait to be looked at"),
        _lake(app),
        ("Python", sys.version_info >= (3, 11), f"{sys.version_info.major}.{sys.version_info.minor}"),
    ]


def _lake(app: App) -> tuple[str, bool, str]:
    """How the jobs process is that keeps the lake."""
    jobs = app.jobs
    if jobs is None:
        return "Lake", True, "no jobs process here; `[lake] enabled` starts one with `patron serve`"
    if jobs.problem:
        return "Lake", False, jobs.problem
    if jobs.status is None:
        return "Lake", True, "its process is starting"
    behind = max(0, app.workspace.applied - jobs.status.position)
    return "Lake", True, f"{behind:,} messages on their way to it"


def metrics(app: App) -> str:
    """Prometheus text: counters and gauges without any personal label."""
    status = app.status()
    rows = [
        ("patron_messages_accepted_total", "counter", "Messages appended to the log.", status.accepted),
        ("patron_messages_applied_total", "counter", "Messages applied to the state.", status.applied),
        (
            "patron_messages_waiting",
            "gauge",
            "Messages durable or on their way, not applied yet.",
            app.pipeline.waiting,
        ),
        ("patron_identifiers", "gauge", "Identifiers known.", len(app.workspace.idents)),
        ("patron_profiles", "gauge", "Node profiles kept.", len(app.workspace.nodes)),
        ("patron_dead_letters", "gauge", "Dead letters kept.", len(app.workspace.dead)),
        ("patron_decisions", "gauge", "Decisions kept.", len(app.workspace.decisions)),
        ("patron_memory_bytes", "gauge", "Resident memory.", int(_memory() * MB)),
        (
            "patron_lake_position",
            "gauge",
            "Log position up to which everything is in the lake.",
            app.jobs.status.position if app.jobs is not None and app.jobs.status is not None else 0,
        ),
        ("patron_dirty_rows", "gauge", "Rows that the next checkpoint writes.", app.workspace.state.dirty),
    ]
    segments = app.workspace.segments.health()
    rows += [
        ("patron_segments_live", "gauge", "Segments in force here.", segments.segments),
        ("patron_segments_filling", "gauge", "Segments that wait for their past.", segments.filling),
        ("patron_segments_tallies", "gauge", "Nodes with a tally.", segments.tallies),
        (
            "patron_segments_moving_events_total",
            "counter",
            "Events that changed a membership.",
            segments.moving,
        ),
    ]
    lines = [f"# HELP {n} {text}\n# TYPE {n} {kind}\n{n} {value}" for n, kind, text, value in rows]
    lines.append("# HELP patron_events_today Events of today by channel.\n# TYPE patron_events_today gauge")
    lines += [
        f'patron_events_today{{channel="{r.channel}"}} {r.today}' for r in app.rates.channels(app.workspace)
    ]
    return "\n".join(lines) + "\n"


def backup_place(app: App, asked: str, *, local: bool) -> Path:
    """Where a backup goes. The command line on this machine (`local`) chooses any new folder by its absolute path; a
    key only gives a name, and the folder is made below `storage.backups`, so no key can write elsewhere on this disk.

    Raises BadRequest (`bad_path`) or Forbidden (`backup_place`).
    """
    if local:
        if not asked.startswith("/") or "\0" in asked:
            raise BadRequest("bad_path", "Give an absolute path on the server's machine.")
        return Path(asked)
    if asked.startswith("/"):
        raise Forbidden(
            "backup_place",
            "A key gives a backup a name, such as monday; it is made below `storage.backups`. "
            "Only `patron backup` on the server's machine chooses another folder.",
        )
    if not _BACKUP_NAME.fullmatch(asked):
        raise BadRequest("bad_path", "Give the backup a name of letters, digits, dots and dashes.")
    data = app.workspace.path.resolve()
    folder = app.workspace.settings.storage.backups
    return (Path(folder) if folder else data.with_name(f"{data.name}-backups")) / asked


_BACKUP_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


async def backup_to(app: App, dest: Path) -> dict[str, Any]:
    """Copy the directory to `dest`, consistent as of now."""
    try:
        if os.path.lexists(dest):
            raise Conflict("exists", f"{dest} exists already; a backup goes to a new folder.")
        await app.checkpoint()
        report = await asyncio.to_thread(backup.backup, app.workspace.path, dest, log=app.workspace.log)
    except (ConfigError, OSError) as error:
        raise BadRequest("bad_path", f"No backup can be made there: {error}.") from error
    return {
        "path": str(dest),
        "position": app.workspace.applied,
        "files": report.files,
        "bytes": report.bytes,
    }


def dry_run(app: App, rules: dict[str, Any]) -> Any:
    """What other identity rules would change on the evidence there is: people merged, people split, with examples."""
    try:
        other = msgspec.convert(
            {**msgspec.to_builtins(app.workspace.settings.identity), **rules}, IdentityRules
        )
    except msgspec.ValidationError as error:
        raise BadRequest("bad_rules", f"These identity rules cannot be read: {error}.") from error
    return identity_dry_run(app.workspace.idents, app.workspace.settings.identity, other)


async def verify_replay(app: App) -> dict[str, Any]:
    """Rebuild the state from the log in a folder beside, acting on nobody, and compare every row's bytes."""
    await app.checkpoint()
    with tempfile.TemporaryDirectory(prefix="patron-replay-") as folder:
        copy = Path(folder) / "copy"
        await asyncio.to_thread(backup.backup, app.workspace.path, copy, log=app.workspace.log, record=False)
        return await asyncio.to_thread(_compare, copy, Path(folder) / "fresh", app.workspace.clock.now())


def _compare(copy: Path, fresh: Path, now: int) -> dict[str, Any]:
    """`now`: the time by which both have let go who leaves by time alone."""
    backup.restore(copy, fresh, [])
    held = open_workspace(fresh)
    held.segments.finish(now)
    kept = portable.rows(held)
    held.close()
    for name in ("state.db", "state.db-wal", "state.db-shm"):
        (fresh / name).unlink(missing_ok=True)
    rebuilt = open_workspace(fresh)
    rebuilt.segments.finish(now)
    again = portable.rows(rebuilt)
    rebuilt.close(checkpoint=False)
    # Names that were heard and traffic counts tell what arrived, not what is kept: erased messages stay in them, and a rebuild
    # never saw those. Of names it is noted besides that somebody looked for them.
    passed = {"heard", "days"} if any(table == "receipts" for table, _ in kept) else {"heard"}
    differ = (p for p in kept.keys() | again.keys() if p[0] not in passed and kept.get(p) != again.get(p))
    names = sorted(f"{table}/{key}" for table, key in differ)
    return {"equal": not names, "messages": rebuilt.applied, "rows": len(again), "differences": names[:100]}


async def retain(app: App) -> dict[str, int]:
    """Drop log segments, dead letters and audit lines older than their class allows. 0 days = for ever."""
    workspace, keep, now = app.workspace, app.workspace.settings.retention, app.workspace.clock.now()
    letters, lines = len(workspace.dead), len(workspace.audit)
    before = {
        "dead": now - keep.dead_letters_days * DAY if keep.dead_letters_days else 0,
        "audit": now - keep.audit_days * DAY if keep.audit_days else 0,
    }
    if any(_older(getattr(workspace, name), time) for name, time in before.items()):
        await app.record("Retention Applied", before)
    segments = await _drop_segments(app, now - keep.events_days * DAY) if keep.events_days else 0
    return {
        "segments": segments,
        "dead_letters": letters - len(workspace.dead),
        "audit": lines - len(workspace.audit),
    }


def _older(table: Any, time: int) -> bool:
    return any(row.time < time for _, row in table.items())


async def _drop_segments(app: App, before: int) -> int:
    """Whole sealed segments whose newest message is older; profiles keep what they learned from them."""
    log = app.workspace.log
    old = [
        s for s in log.segments() if s.sealed and s.received_last < before and s.last <= app.workspace.applied
    ]
    if old:
        await app.checkpoint()
    for segment in old:
        log.drop(segment.first)
    return len(old)


def _memory() -> float:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize() / MB
    except (OSError, ValueError, IndexError):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / MB if sys.platform == "darwin" else peak / 1024


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
