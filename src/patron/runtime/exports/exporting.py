"""Exports of a running workspace: defined by facts in the log, run when due, each person within their consents."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from patron.exports import files
from patron.exports.changes import differences
from patron.exports.delivery import Sender, deliver
from patron.exports.files import FileSender
from patron.exports.outbox import Outbox, Pending
from patron.exports.postgres import PostgresSender
from patron.exports.webhook import WebhookSender
from patron.model.access import ApiKey
from patron.model.clock import MINUTE
from patron.model.errors import BadRequest, Conflict, Fault, NotFound, PatronError
from patron.model.exports import (
    Export,
    ExportView,
    FileTarget,
    PostgresTarget,
    Row,
    Run,
    Target,
    is_elsewhere,
)
from patron.model.people import Person
from patron.profiles.public import iso
from patron.rules.consent import lawful
from patron.rules.faults import near
from patron.rules.values import field_of
from patron.runtime.exports.exported import every, saved
from patron.runtime.people import people, scoped, views
from patron.runtime.people.everybody import Everybody
from patron.runtime.segments.addressed import unaddressable
from patron.runtime.settings import environment
from patron.runtime.workspace import plain

if TYPE_CHECKING:
    from patron.runtime.app import App

FOLDER = "exports"
FILES = "files"
TICK = 5.0
"""Seconds between two looks at what is due."""
_ALL = 10**9
_PAUSE = 50
"""Members looked at before everybody else has a turn."""
_FIELDS = ("identifiers.", "traits.", "computed.")
_log = logging.getLogger("patron")


class Exporting:
    """The exports of one workspace: save, list, run, and the clock that runs them."""

    def __init__(self, app: "App") -> None:
        self._app = app
        self._workspace = app.workspace
        self._running: dict[str, asyncio.Lock] = {}
        self._started: set[asyncio.Task[Run]] = set()
        """Runs that somebody began and did not wait for."""

    def allow(self, key: ApiKey) -> None:
        """Refuse a key that sees only some fields (403): an export could carry out the others."""
        scoped.need_whole(key, "Exports carry any field")

    # --- definitions ------------------------------------------------------------------------------------------------

    def all(self) -> list[Export]:
        """Every export, by id."""
        return every(self._workspace)

    def get(self, name: str) -> Export:
        """One export. Raises NotFound."""
        held = saved(self._workspace, name)
        if held is None:
            meant = near(name, [export.id for export in self.all()])
            raise NotFound("unknown_export", f"There is no export {name[:64]}{meant or '.'}")
        return held

    async def save(self, name: str, value: object, by: str) -> dict[str, Any]:
        """Define an export, or another version of it. Raises BadRequest with the place of each problem."""
        if not isinstance(value, dict):
            raise BadRequest("bad_export", "An export is an object with `name`, `target` and `fields`.")
        try:
            export = msgspec.convert({**value, "id": name}, Export)
        except msgspec.ValidationError as error:
            fault = _fault(str(error))
            raise BadRequest("bad_export", "This is no export.", (fault,)) from error
        faults = self._faults(export)
        if faults:
            raise BadRequest("bad_export", "This export cannot be run.", tuple(faults))
        await self._put(export, by)
        return self.shown(export)

    async def _put(self, export: Export, by: str) -> None:
        """Save. Where another place is told, a run under way ends first, so that it is not taken for one of that place."""
        fact = {"id": export.id, "definition": plain(export), "by": by}
        held = saved(self._workspace, export.id)
        if held is None or not is_elsewhere(held.target, export.target):
            await self._app.record("Export Saved", fact)
            return
        async with self._lock(export.id):
            await self._app.record("Export Saved", fact)
            await asyncio.to_thread(self._outbox(export.id).begin_anew)

    async def pause(self, name: str, by: str, *, paused: bool) -> dict[str, Any]:
        """Stop running an export by the clock, or go on. Raises NotFound."""
        export = msgspec.structs.replace(self.get(name), paused=paused)
        await self._put(export, by)
        return self.shown(export)

    async def remove(self, name: str, by: str) -> dict[str, Any]:
        """Take an export away, with what it remembers of whom it told; the other side keeps what it has."""
        self.get(name)
        async with self._lock(name):
            await self._app.record("Export Saved", {"id": name, "definition": None, "by": by})
            await asyncio.to_thread(_remove, self._folder(name))
        return {"id": name, "removed": True}

    def _faults(self, export: Export) -> list[Fault]:
        active = self._workspace.definitions.active()
        found = []
        if export.segment and export.segment not in active.segments:
            found.append(
                Fault("$.segment", f"there is no segment {export.segment[:64]}; see `patron segment list`")
            )
        elif export.segment and (problem := unaddressable(self._workspace, export.segment, filling=True)):
            found.append(Fault("$.segment", f"{export.segment} {problem}"))
        for at, name in enumerate(export.fields):
            root, _, rest = name.partition(".")
            if name != "segments" and not (rest and name.startswith(_FIELDS)):
                problem = "write identifiers.TYPE, traits.NAME, computed.ID or segments"
                found.append(Fault(f"$.fields[{at}]", f"unknown field `{name[:64]}`; {problem}"))
            elif root == "computed" and rest not in active.traits:
                found.append(
                    Fault(
                        f"$.fields[{at}]", f"there is no computed trait {rest[:64]}; see `patron trait list`"
                    )
                )
        if len(set(export.fields)) < len(export.fields):
            found.append(Fault("$.fields", "a field stands there twice"))
        secret = _secret_of(export.target)
        if secret and environment(secret) is None:
            found.append(
                Fault(
                    "$.target", f"the server's environment has no variable {secret}; set it and start again"
                )
            )
        return found

    # --- runs -------------------------------------------------------------------------------------------------------

    def view(self, export: Export) -> ExportView:
        """An export with its last run and when the next is due."""
        runs = self._outbox(export.id).runs()
        folder = str(self._folder(export.id) / FILES) if isinstance(export.target, FileTarget) else ""
        due = None if export.paused else self._due(export, runs)
        return ExportView(export, self._lock(export.id).locked(), runs[-1] if runs else None, due, folder)

    def shown(self, export: Export) -> dict[str, Any]:
        """An export with its last run and when the next is due, as the API gives it."""
        view = self.view(export)
        return {
            "id": export.id,
            "definition": plain(export),
            "running": view.running,
            "last": told(view.last) if view.last else None,
            "due": None if view.due is None else iso(view.due),
            "files": view.files or None,
        }

    def ended(self, name: str) -> list[Run]:
        """The runs of an export that ended, newest first. Raises NotFound."""
        return self._outbox(self.get(name).id).runs()[::-1]

    def runs(self, name: str) -> list[dict[str, Any]]:
        """The same as the API gives them."""
        return [told(run) for run in self.ended(name)]

    async def run(self, name: str) -> dict[str, Any]:
        """Run an export now. Raises NotFound, or Conflict while it runs."""
        export = self.get(name)
        if self._lock(name).locked():
            raise Conflict("export_runs", f"The export {name} is running; wait for it to end.")
        return told(await self._run(export))

    async def start(self, name: str, patience: float) -> Run | None:
        """Run an export now; gives what it did, or None when it goes on after `patience` seconds. Raises as `run`."""
        export = self.get(name)
        if self._lock(name).locked():
            raise Conflict("export_runs", f"The export {name} is running; wait for it to end.")
        task = asyncio.ensure_future(self._run(export))
        self._started.add(task)
        task.add_done_callback(self._let_go)
        done, _ = await asyncio.wait({task}, timeout=patience)
        return task.result() if done else None

    def _let_go(self, task: asyncio.Task[Run]) -> None:
        self._started.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            _log.error("an export could not be run", exc_info=fault)

    async def serve(self) -> None:
        """Run what is due, for as long as the workspace is open; one that fails does not hold up the others."""
        while True:
            for export in () if self._app.exports.closed else self.all():
                if self._is_due(export):
                    try:
                        await self._run(export)
                    except (PatronError, OSError):
                        _log.exception("the export %s could not be run", export.id)
            await asyncio.sleep(TICK)

    def _is_due(self, export: Export) -> bool:
        if export.paused or self._lock(export.id).locked():
            return False
        return self._workspace.clock.now() >= self._due(export, self._outbox(export.id).runs())

    def _due(self, export: Export, runs: list[Run]) -> int:
        return runs[-1].started + export.every * MINUTE if runs else self._workspace.clock.now()

    async def _run(self, export: Export) -> Run:
        gate = self._app.exports
        if gate.closed:
            raise Conflict("erasing", "Somebody is being erased; run the export when that is done.")
        async with self._lock(export.id):
            with gate.run():
                return await self._carried(export)

    async def _carried(self, export: Export) -> Run:
        box = self._outbox(export.id)
        rows, without = await self._rows(export)
        if box.pending is None:
            changes = list(differences(box.told, rows))
            box.begin(Pending(box.next_number, self._workspace.clock.now(), changes, without_basis=without))
        run = await deliver(
            export.id, box, self._sender(export, rows), self._workspace.clock.now, self._app.exports
        )
        if run.error:
            _log.warning("export %s, run %d: %s", export.id, run.number, run.error)
        return run

    def _sender(self, export: Export, rows: list[Row]) -> Sender:
        target = export.target
        if isinstance(target, FileTarget):
            folder = self._folder(export.id) / FILES
            return FileSender(folder, target, export.fields, lambda: ((r.key, r.values) for r in rows))
        secret = environment(_secret_of(target)) or ""
        if isinstance(target, PostgresTarget):
            return PostgresSender(target, export.fields, secret)
        return WebhookSender(export.id, target, export.fields, secret)

    # --- who and what -----------------------------------------------------------------------------------------------

    async def _rows(self, export: Export) -> tuple[list[Row], int]:
        """Everybody to be told of now, by id, and how many may not be."""
        rows, without = [], 0
        await self._workspace.above.look()
        await self._answered(export)
        older = self._workspace.segments.keeps_older(export.segment)
        problem = unaddressable(self._workspace, export.segment, filling=older) if export.segment else ""
        if problem:  # an empty list would take everybody away on the other side
            raise Conflict("segment_unknown", f"Nobody was told: {export.segment} {problem}.")
        async for person in self._people(export):
            profile = people.profile(self._workspace, person)
            said = {key: (word.granted, word.stamp[0]) for key, word in profile.consents.items()}
            if lawful(export.purpose, said, self._workspace.settings.decide.opt_in):
                await self._workspace.above.ready(person)
                rows.append(Row(person.id, tuple(self._values(person, profile, export.fields))))
            else:
                without += 1
        return rows, without

    async def _answered(self, export: Export) -> None:
        """Wait for what only the lake says of what is told."""
        if "segments" in export.fields:
            await self._app.rounds.ready()
        named = [name.removeprefix("computed.") for name in export.fields if name.startswith("computed.")]
        for name in (export.segment, *named):
            if name:
                await self._app.rounds.ready(name)

    def _people(self, export: Export) -> AsyncIterator[Person]:
        return self._members(export.segment) if export.segment else Everybody(self._workspace).after()

    async def _members(self, segment: str) -> AsyncIterator[Person]:
        # all at once: each page would look through everybody again
        for at, name in enumerate(self._workspace.live.members(segment, "", _ALL), 1):
            person = self._workspace.graph.person_by_id(name)
            if person is not None:
                yield person
            if at % _PAUSE == 0:
                await asyncio.sleep(0)

    def _values(self, person: Person, profile: Any, fields: tuple[str, ...]) -> Iterator[Any]:
        traits = {name: written.value for name, written in profile.traits.items()}
        computed = (
            self._workspace.live.computed(person) if any(f.startswith("computed.") for f in fields) else {}
        )
        for field in fields:
            root, _, name = field.partition(".")
            if root == "traits":
                yield field_of(traits, name)
            elif root == "computed":
                yield computed.get(name)
            elif root == "segments":
                yield sorted(b.segment for b in self._workspace.live.of(person))
            else:
                held = [i for i in views.identifiers(self._workspace, person) if i.type == name]
                yield max(held, key=lambda i: (i.last_seen, i.value)).value if held else None

    # --- places -----------------------------------------------------------------------------------------------------

    def _folder(self, name: str) -> Path:
        return self._workspace.path / FOLDER / name

    def _outbox(self, name: str) -> Outbox:
        return Outbox(self._folder(name))

    def _lock(self, name: str) -> asyncio.Lock:
        return self._running.setdefault(name, asyncio.Lock())


def forget(folder: Path, keys: frozenset[str]) -> tuple[int, str]:
    """Remove erased people from what exports remember and from their files; how many places, and a sentence."""
    boxes = [path for path in sorted(folder.iterdir()) if path.is_dir()] if folder.exists() else []
    found = sum(Outbox(path).forget(keys) + files.forget(path / FILES, keys) for path in boxes)
    return (
        found,
        f"{found} rows of exports on this disk removed; other sides are told of the removal in the next run",
    )


def told(run: Run) -> dict[str, Any]:
    """A run as the API gives it."""
    value: dict[str, Any] = msgspec.to_builtins(run)
    full = {
        name: getattr(run, name)
        for name in ("added", "changed", "removed", "refused", "without_basis", "error")
    }
    return {
        **value,
        **full,
        "rejected": value.get("rejected", []),
        "started": iso(run.started),
        "ended": iso(run.ended),
    }


_NEEDS = {
    "$.id": "needs lower-case letters, digits, - and _, at most 64",
    "$.name": "needs a text of at most 200 characters",
    "$.every": "needs minutes from 1 to 44,640 (31 days)",
    "$.target": 'needs an object with `kind`: "file", "webhook" or "postgres"',
    "$.target.kind": 'is "file", "webhook" or "postgres"',
    "$.target.url": "needs an address such as https://crm.example/patron",
    "$.target.table": "needs the name of a table, such as vips or crm.vips",
    "$.target.format": 'is "csv", "jsonl" or "parquet"',
    "$.target.batch": "needs a whole number from 1 to 5,000",
    "$.target.keep": "needs a whole number from 1 to 1,000",
}
"""What a field of an export has to be."""


def _fault(said: str) -> Fault:
    """What a validation error says, at its field.

    >>> _fault("Invalid value 'ftp' - at `$.target.kind`"), _fault("Object missing required field `target`")
    (Fault(path='$.target.kind', problem='is "file", "webhook" or "postgres"'), Fault(path='$.target', problem='is missing'))
    """
    problem, _, rest = said.partition(" - at `")
    path = rest.rstrip("`") or "$"
    for kind in ("missing required field", "contains unknown field"):
        _, found, name = problem.partition(f"{kind} `")
        if found:
            what = "is missing" if "missing" in kind else "is not a field of it"
            return Fault(f"{path}.{name.rstrip('`')}", what)
    return Fault(path, _NEEDS.get(path, problem))


def _secret_of(target: Target) -> str:
    if isinstance(target, FileTarget):
        return ""
    return target.dsn_env if isinstance(target, PostgresTarget) else target.secret_env


def _remove(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
