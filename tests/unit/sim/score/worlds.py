"""Small worlds written by hand: exactly the messages a test names, with their owners."""

import json
from pathlib import Path
from typing import Any

from patron.sim.generation.folder import EVENTS, TRUTH, Manifest, SourceFile, write_manifest

AT = "2026-03-02T10:00:00.000Z"


def track(name: str, event: str = "Product Viewed", *, at: str = AT, **rest: Any) -> dict[str, Any]:
    """A track call with an id; `rest` are its properties but for `anonymousId`, `userId`, `context` and `receivedAt`."""
    told = {key: rest.pop(key) for key in ("anonymousId", "userId", "context", "receivedAt") if key in rest}
    return {
        "type": "track",
        "messageId": name,
        "event": event,
        "timestamp": at,
        "receivedAt": at,
        "properties": rest,
        **told,
    }


def world(
    folder: Path,
    sources: dict[str, list[dict[str, Any]]],
    owners: dict[str, int],
    **truth: list[dict[str, Any]],
) -> Path:
    """Write a world; `truth` are further files of the truth by name."""
    for part in (EVENTS, TRUTH):
        (folder / part).mkdir(parents=True)
    for name, messages in sources.items():
        _lines(folder / EVENTS / f"{name}.ndjson", messages)
    people = [
        {"messageId": name, "person": person, "household": person // 4} for name, person in owners.items()
    ]
    for name, lines in {"person_map": people, **truth}.items():
        _lines(folder / TRUTH / f"{name}.ndjson", lines)
    files = tuple(SourceFile(name, name, len(messages)) for name, messages in sources.items())
    write_manifest(
        folder,
        Manifest(world="made", size="3", seed=1, first=20_514, days=2, people=3, sources=files),
    )
    return folder


def _lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
