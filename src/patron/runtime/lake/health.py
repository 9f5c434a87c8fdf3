"""How the lake is, as the console shows it."""

from collections.abc import Iterable
from pathlib import Path

from patron.model.audiences import LakeTable, LakeView
from patron.model.errors import PatronError
from patron.runtime.backend import LocalBackend


async def lake_view(backend: LocalBackend) -> LakeView:
    """Positions, tables, retention, and what went wrong last. A lake that cannot be read is told as an error."""
    workspace, jobs = backend.workspace, backend.app.jobs
    errors = [(0, problem)] if jobs is not None and (problem := jobs.problem) else []
    if jobs is not None and jobs.status is not None and jobs.status.problem not in ("", jobs.problem):
        errors.append((0, jobs.status.problem))
    try:
        told = await backend.lake_status()
    except (PatronError, OSError) as error:
        return LakeView(0, workspace.applied, None, (), None, _retention(backend), ((0, str(error)), *errors))
    tables = tuple(
        LakeTable(one.table, len(one.files), one.rows, one.bytes, one.version) for one in told["tables"]
    )
    flushed = _newest(Path(file) for one in told["tables"] if one.table == "events" for file in one.files)
    return LakeView(
        told["position"],
        told["lag"],
        flushed,
        tables,
        None,
        _retention(backend),
        tuple(errors),
        told["url"],
    )


def _newest(files: Iterable[Path]) -> int | None:
    """When the newest of the files was written, ms; None for files elsewhere."""
    found = []
    for file in files:
        try:
            found.append(int(file.stat().st_mtime * 1000))
        except OSError:
            continue
    return max(found, default=None)


def _retention(backend: LocalBackend) -> tuple[tuple[str, str], ...]:
    """How long each class is kept, as configured."""
    rules = backend.workspace.settings.retention
    found = []
    for name in rules.__struct_fields__:
        value = getattr(rules, name)
        if isinstance(value, int) and not isinstance(value, bool):
            words = name.replace("_days", "").replace("_", " ").capitalize()
            found.append((words, f"{value:,} days" if value else "for ever"))
    return tuple(found)
