"""The lake of a running workspace, as the doors ask for it: how it is, SQL, flushing, compaction."""

from typing import Any

from patron.runtime.app import App
from patron.runtime.lake.child import lake_url
from patron.runtime.lake.queries import Queries
from patron.storage.lake.asking import Head


class LocalLake:
    """One operation a method."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._queries = Queries(app.workspace, app.lake)

    async def status(self) -> Any:
        """How far it is, table by table."""
        jobs, applied, tables = self._app.jobs, self._app.workspace.applied, await self._queries.held()
        position = next((t.position for t in tables if t.table == "events"), 0)
        return {
            "url": lake_url(self._app.workspace),
            "running": jobs is not None and jobs.running,
            "position": position,
            "applied": applied,
            "lag": max(0, applied - position),
            "problem": jobs.problem if jobs is not None else "",
            "tables": tables,
        }

    async def query(self, sql: str, form: str, rows: int) -> tuple[Head, bytes]:
        """One SELECT, in a process of its own. Raises BadRequest with a sentence, or Busy."""
        return await self._queries.run(sql, form, rows)

    async def flush(self) -> Any:
        """Write everything applied so far. Raises StorageError."""
        return {"position": await self._app.start_jobs().flush()}

    async def compact(self) -> Any:
        """Merge small files and drop what retention does not keep. Raises StorageError."""
        return await self._app.start_jobs().ask("compact", self._app.workspace.clock.now())
