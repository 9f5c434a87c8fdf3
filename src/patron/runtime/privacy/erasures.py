"""Erasing as a deed that survives a crash: the tombstones are durable first, the rest can be repeated."""

import logging
from typing import TYPE_CHECKING

from msgspec import structs

from patron.model.errors import StorageError
from patron.model.people import Person
from patron.model.views import EraseReceipt
from patron.runtime.flow import uncut
from patron.runtime.lake.child import has_lake
from patron.runtime.privacy import privacy
from patron.storage.embedded import backup

_logger = logging.getLogger("patron")
if TYPE_CHECKING:
    from patron.runtime.app import App


async def erase(app: "App", person: Person, by: str) -> EraseReceipt:
    """Erase one person: tombstones into the log, then every store, then the receipt into the log."""
    erasure = privacy.prepare(app.workspace, person)
    data = {"id": erasure.id, "ids": erasure.ids, "marks": erasure.marks, "time": erasure.time, "by": by}
    await app.record("Person Erased", {**data, "stores": None})
    return await _finish(app, erasure, data)


def receipts(app: "App") -> list[EraseReceipt]:
    """What was erased, newest first."""
    table = app.workspace.receipts
    found = [row for name in table.keys() if (row := table.get(name))]
    found.sort(key=lambda row: -row["time"])
    return [
        EraseReceipt(row["id"], row["time"], [tuple(s) for s in row.get("stores") or ()]) for row in found
    ]


async def resume(app: "App") -> None:
    """Finish erasures that were promised and not done: a crash in the middle, or a restored older backup."""
    workspace = app.workspace
    await _restored(app)
    for name in list(workspace.receipts.keys()):
        receipt = workspace.receipts.get(name)
        if receipt is None or receipt.get("stores") is not None:
            continue
        marks = set(receipt["marks"])
        keys = [k for k in workspace.idents.keys() if _mark(app, k) in marks]
        erasure = privacy.Erasure(name, list(receipt["ids"]), keys, list(receipt["marks"]), receipt["time"])
        try:
            await _finish(app, erasure, receipt)
        except StorageError:
            # The tombstones keep the person out meanwhile; the promise stands in the log.
            _logger.exception("erasure %s is not finished; it is tried again within the hour", name)


async def _restored(app: "App") -> None:
    """Promise again the erasures of the tombstones file that this log does not know: it came from an older backup."""
    workspace = app.workspace
    told = [line.split(" ") for line in backup.tombstones(workspace.path)]
    marks = {mark: int(time) for mark, time in told if not workspace.tombstones.knows(mark)}
    if not marks:
        return
    held = [k for k in workspace.idents.keys() if _mark(app, k) in marks]
    people = {p.id for k in held if (p := workspace.graph.person_of(k)) is not None}
    name, time = f"erase-{workspace.log.last + 1}", max(marks.values())
    data = {
        "id": name,
        "ids": sorted(people),
        "marks": sorted(marks),
        "time": time,
        "by": "restore",
        "stores": None,
    }
    await app.record("Person Erased", data)


async def _finish(app: "App", erasure: privacy.Erasure, data: dict[str, object]) -> EraseReceipt:
    async with app.erasing:
        with app.exports.shut():
            return await _carried_out(app, erasure, data)


async def _carried_out(app: "App", erasure: privacy.Erasure, data: dict[str, object]) -> EraseReceipt:
    await _keep_books(app, erasure)
    await _written(app)
    found: set[int] = set()
    upto = await _mentions(app, erasure, found)
    told = await _erase_lake(app, erasure, found)
    try:
        await _written(app)
        for _ in privacy.mentions(app.workspace, erasure, found, upto + 1):
            pass  # what came since; nothing comes between this and the rewriting
        receipt = privacy.erase(app.workspace, erasure, found)
    finally:
        if app.jobs is not None:
            app.jobs.held = False
    stores = [*receipt.stores, *told]
    await app.record("Person Erased", {**data, "stores": stores, "ghosts": erasure.ghosts})
    return structs.replace(receipt, stores=stores)


async def _keep_books(app: "App", erasure: privacy.Erasure) -> None:
    """Have the log say what was given of each offer, before the decisions that gave it to this person leave the log."""
    given = app.workspace.given
    if given.kept:
        given.close(erasure.keys)
        await app.record("Stocks Noted", erasure.id)
        await app.record("Stocks Told", (erasure.id, given.noted(erasure.id)))


async def _written(app: "App") -> None:
    """Wait until neither a checkpoint nor an export is on its way."""
    while app.writing or app.exports.running:
        await app.settle()


async def _mentions(app: "App", erasure: privacy.Erasure, found: set[int]) -> int:
    """Collect the messages that mention the person; gives the position up to which it looked."""
    upto = app.workspace.applied
    for number, _ in enumerate(privacy.mentions(app.workspace, erasure, found)):
        if number % 50 == 49:
            await app.settle()
    return upto


async def _erase_lake(app: "App", erasure: privacy.Erasure, found: set[int]) -> list[tuple[str, int, str]]:
    """Erase from the lake, and keep its process from reading on until the log is free of the person too.

    The lake comes first: whom to look for is known only as long as the state knows the person. A process that dies meanwhile
    is asked again when it is back.
    """
    if app.jobs is None and not has_lake(app.workspace):
        return []
    jobs = app.start_jobs()
    wanted = privacy.wanted_of(app.workspace, erasure, found)
    left = _ATTEMPTS
    while True:
        try:
            done = await jobs.ask("erase", wanted, held=True)
            await app.lake.drained()
            await jobs.ask("sweep")
            break
        except StorageError:
            left -= 1
            if not left:
                jobs.held = False
                raise
    found.update(done["mentions"])
    told = f"{done['rows']} rows removed and {done['redacted']} redacted in {done['files']} files"
    return [("lake", done["rows"] + done["redacted"], told)]


_ATTEMPTS = 3


def _mark(app: "App", key: str) -> str:
    return app.workspace.tombstones.mark(uncut(key, app.workspace.cuts))
