"""The exports that are saved in a workspace, and what they need of its definitions."""

import msgspec

from patron.model.exports import Export
from patron.runtime.facts import EXPORT
from patron.runtime.workspace import Workspace


def every(workspace: Workspace) -> list[Export]:
    """Every export, by id."""
    rows = [row.value for key, row in workspace.config.items() if key.startswith(EXPORT) and row.value]
    return sorted((msgspec.convert(value, Export) for value in rows), key=lambda export: export.id)


def saved(workspace: Workspace, name: str) -> Export | None:
    """One export; None when there is none of this id."""
    held = workspace.config.get(EXPORT + name)
    return msgspec.convert(held.value, Export) if held is not None and held.value else None


def using(workspace: Workspace, kind: str, name: str) -> list[Export]:
    """The exports that tell of a segment's members or of a computed trait.

    Without the definition such an export would tell the other side that everybody left.
    """
    field = f"computed.{name}"
    return [
        export
        for export in every(workspace)
        if (kind == "segment" and export.segment == name) or (kind == "trait" and field in export.fields)
    ]
