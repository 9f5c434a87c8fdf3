"""Joining and parting people by hand: why two identifiers are one person, a merge, a split, and its undoing."""

import datetime as dt
from typing import Any

from patron.identity.explain import apart, why
from patron.identity.normalise import normalise
from patron.model.access import ApiKey
from patron.model.errors import BadRequest, NotFound
from patron.model.views import SplitView
from patron.runtime.app import App
from patron.runtime.people import people, scoped, splits


class Surgery:
    """What is done to the identities of one running workspace; each deed is a fact in the log."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._workspace = app.workspace

    def why(self, person: str, a: str, b: str, key: ApiKey | None = None) -> Any:
        """Why two identifiers are one person, or why not."""
        members = set(people.find(self._workspace, person).members)
        ends = self._key(a), self._key(b)
        for end in ends:
            other = people.by_key(self._workspace, end)
            members.update(other.members if other else ())
        said = why(self._workspace.graph, *ends)
        return {"joined": said.same, "steps": [scoped.sentence(s, members, key) for s in said.sentences]}

    def _key(self, name: str) -> str:
        kind, _, value = name.partition(":")
        normal = normalise(kind, value, self._workspace.settings.identity)
        return f"{kind}:{normal}" if normal else name

    async def split(self, person: str, nodes: list[str], node: str, at: str | int, by: str) -> SplitView:
        """Undo a wrong merge."""
        found = people.find(self._workspace, person)
        keys = tuple(self._key(n) for n in nodes)
        record = splits.plan(self._workspace, found, keys, self._key(node) if node else "", _moment(at), by)
        await self._app.record("Identity Split", record)
        after = splits.effect(self._workspace, record)
        return SplitView(
            record.id,
            after,
            list(record.pairs),
            f"{len(after)} people now. Every event went with its identifier.",
        )

    async def undo_split(self, split: str, by: str) -> SplitView:
        """Take a split back."""
        record = self._workspace.splits.get(split)
        if record is None:
            raise NotFound("unknown_split", f"There is no split {split[:40]}.")
        if record.undone is not None:
            raise BadRequest("undone", "That split was taken back already.")
        await self._app.record("Identity Split Undone", split)
        await self._app.record("Audited", (by, "undo split", split))
        after = splits.effect(self._workspace, record)
        return SplitView(record.id, after, list(record.pairs), "As it was before the split.")

    async def merge(self, person: str, other: str, by: str, key: ApiKey | None = None) -> Any:
        """Join two people by hand; says so when a limit refuses, in words that the key may read."""
        a, b = people.find(self._workspace, person), people.find(self._workspace, other)
        if a.id == b.id:
            raise BadRequest("same_person", "These are one person already.")
        await self._app.record("Identity Joined", (a.root, b.root))
        await self._app.record("Audited", (by, "merge", a.id))
        after = people.by_key(self._workspace, a.root)
        joined = after is not None and b.root in after.members
        message = "One person now."
        if not joined:
            reason = apart(self._workspace.graph, a.root, b.root)
            message = (
                f"Refused, nothing was changed: {scoped.sentence(reason, {*a.members, *b.members}, key)}"
            )
        return {"joined": joined, "id": after.id if after else a.id, "message": message}


def _moment(at: str | int) -> int:
    if isinstance(at, int):
        return at
    try:
        when = dt.datetime.fromisoformat(at)
        return int((when if when.tzinfo else when.replace(tzinfo=dt.UTC)).timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise BadRequest("bad_time", "`at` must be ISO 8601, for example 2026-05-04T10:00:00Z.") from error
