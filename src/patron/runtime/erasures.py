"""Erasing as a deed that survives a crash: the tombstones are durable first, the rest can be repeated."""

from typing import TYPE_CHECKING

from patron.model.people import Person
from patron.model.views import EraseReceipt
from patron.runtime import privacy
from patron.runtime.flow import uncut
from patron.storage.embedded import backup

if TYPE_CHECKING:
    from patron.runtime.app import App


async def erase(app: "App", person: Person, by: str) -> EraseReceipt:
    """Erase one person: tombstones into the log, then every store, then the receipt into the log."""
    erasure = privacy.prepare(app.workspace, person)
    data = {"id": erasure.id, "ids": erasure.ids, "marks": erasure.marks, "time": erasure.time, "by": by}
    await app.record("Person Erased", {**data, "stores": None})
    return await _finish(app, erasure, data)


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
        await _finish(app, erasure, receipt)


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
    with app.exports.shut():
        return await _carried_out(app, erasure, data)


async def _carried_out(app: "App", erasure: privacy.Erasure, data: dict[str, object]) -> EraseReceipt:
    while app.writing or app.exports.running:
        await app.settle()
    found: set[int] = set()
    for number, _ in enumerate(privacy.mentions(app.workspace, erasure, found)):
        if number % 50 == 49:
            await app.settle()
    receipt = privacy.erase(app.workspace, erasure, found)
    await app.record("Person Erased", {**data, "stores": receipt.stores, "ghosts": erasure.ghosts})
    return receipt


def _mark(app: "App", key: str) -> str:
    return app.workspace.tombstones.mark(uncut(key, app.workspace.cuts))
