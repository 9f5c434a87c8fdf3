"""The ready library and the schema."""

from typing import Any

import msgspec

from patron.model.errors import NotFound
from patron.rules.tree import Computed, Condition, Segment
from patron.runtime.definitions import Kind
from patron.runtime.rulebook import Rulebook
from patron.runtime.workspace import Workspace


def schema() -> dict[str, Any]:
    """The JSON Schema."""
    _, parts = msgspec.json.schema_components([Segment, Computed, Condition])
    return {"$defs": parts}


def definition(name: str, other: str = "") -> tuple[Kind, dict[str, Any]]:
    """A ready definition."""
    raise NotFound("unknown_ready", f"There is no ready definition {name[:64]} {other}")


async def listed(workspace: Workspace, book: Rulebook) -> list[dict[str, Any]]:
    """All of them."""
    return []
