"""SQL over the lake of a workspace."""

import msgspec

from patron.model.errors import BadRequest
from patron.runtime.lake.processes import LakeProcesses, bounds_of
from patron.runtime.workspace import Workspace
from patron.storage.lake.asking import FORMATS, Head, Held

LONGEST = 100_000
"""Characters of a query."""
_MODULE = "patron.storage.lake.query"


class Queries:
    """Runs queries of one workspace."""

    def __init__(self, workspace: Workspace, processes: LakeProcesses) -> None:
        self._workspace = workspace
        self._processes = processes

    async def run(self, sql: str, form: str = "json", rows: int = 10_000) -> tuple[Head, bytes]:
        """Run one SELECT; gives the head of the answer and its content. Raises BadRequest with a sentence, or Busy."""
        if form not in FORMATS:
            raise BadRequest("bad_format", f"`format` is one of {', '.join(FORMATS)}.")
        if not sql.strip() or len(sql) > LONGEST:
            raise BadRequest("bad_sql", f"Give one SELECT of at most {LONGEST:,} characters.")
        bounds = bounds_of(self._workspace)
        query = msgspec.structs.replace(bounds, sql=sql, format=form, rows=min(rows, bounds.rows))
        return await self._processes.run(_MODULE, query)

    async def held(self) -> list[Held]:
        """What each table of the lake holds. Raises Busy."""
        _, content = await self._processes.run(_MODULE, bounds_of(self._workspace))
        return msgspec.json.decode(content, type=list[Held])
