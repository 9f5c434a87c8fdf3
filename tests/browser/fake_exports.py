"""A double of exports: definitions and runs in memory."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from patron.model.errors import BadRequest, Conflict, Fault
from patron.model.exports import Export, ExportView, FileTarget, PostgresTarget, Rejected, Run, WebhookTarget

NOW = 1_795_254_127_000
MIN = 60_000
EMPTY: dict[str, Any] = {}


def _some() -> dict[str, Export]:
    return {
        "vips": Export("vips", "Store coffee lovers to the CRM", WebhookTarget("https://crm.example/in/s3cret-token", "CRM_SECRET"), "store-coffee", ("identifiers.email", "traits.city", "computed.spent", "segments"), every=60),
        "sheet": Export("sheet", "Everybody, for the analysts of the head office", FileTarget("parquet"), "", ("identifiers.user_id",)),
        "db": Export("db", "Complaints to the call centre", PostgresTarget("CC_DSN", "cc.complaints"), "complaint", ("identifiers.phone",), every=15, paused=True),
    }  # fmt: skip


def _runs() -> dict[str, list[Run]]:
    return {
        "vips": [
            Run(3, NOW - 30 * MIN, NOW - 30 * MIN + 1400, 2, 1, 1, (Rejected("p_7F3K2Q", "anna.bianchi@posta.example is blocked here"),), 1, 7),
            Run(2, NOW - 90 * MIN, NOW - 90 * MIN + 2_000, 0, 0, 0, (), 0, 7),
            Run(1, NOW - 150 * MIN, NOW - 150 * MIN + 9_400, 1_204, 0, 0, (), 0, 7),
        ],
        "db": [Run(1, NOW - 9 * MIN, NOW - 8 * MIN, 0, 0, 0, (), 0, 0, "the database does not answer (connection refused)")],
    }  # fmt: skip


@dataclass
class FakeExports:
    """Exports that run at once and tell of twelve people."""

    saved: dict[str, Export] = field(default_factory=_some)
    done: dict[str, list[Run]] = field(default_factory=_runs)
    slow: bool = False
    """Whether a run goes on for longer than a page waits."""
    running: str = ""

    def rows(self) -> list[ExportView]:
        return [self._view(export) for _, export in sorted(self.saved.items())]

    def _view(self, export: Export) -> ExportView:
        runs = self.done.get(export.id, [])
        due = NOW if not runs else runs[0].started + export.every * MIN
        files = f"/data/exports/{export.id}/files" if isinstance(export.target, FileTarget) else ""
        return ExportView(
            export,
            self.running == export.id,
            runs[0] if runs else None,
            None if export.paused else due,
            files,
        )

    def row(self, name: str) -> ExportView | None:
        return self._view(self.saved[name]) if name in self.saved else None

    def runs(self, name: str) -> list[Run]:
        return self.done.get(name, [])

    def identifiers(self) -> tuple[str, ...]:
        return ("user_id", "email", "phone", "card", "crm_id")

    async def save(self, name: str, definition: dict[str, Any], by: str) -> None:
        try:
            export = msgspec.convert({**definition, "id": name}, Export)
        except msgspec.ValidationError as error:
            raise BadRequest("bad_export", f"This is no export: {error}.") from error
        bad = [f for f in export.fields if not f.startswith(("identifiers.", "traits.", "computed.", "segments"))]  # fmt: skip
        if bad:
            faults = tuple(Fault(f"$.fields[{n}]", f"unknown field `{one}`") for n, one in enumerate(bad))
            raise BadRequest("bad_export", "This export cannot be run.", faults)
        self.saved[name] = export

    async def pause(self, name: str, by: str, *, paused: bool) -> None:
        self.saved[name] = msgspec.structs.replace(self.saved[name], paused=paused)

    async def remove(self, name: str, by: str) -> None:
        self.saved.pop(name)

    async def start(self, name: str) -> Run | None:
        if self.running == name:
            raise Conflict("export_runs", f"The export {name} is running; wait for it to end.")
        if self.slow:
            self.running = name
            return None
        before = self.done.setdefault(name, [])
        run = Run(before[0].number + 1 if before else 1, NOW, NOW + 20, added=12)
        before.insert(0, run)
        return run
