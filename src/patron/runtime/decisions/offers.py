"""The catalogue at work: in the log as a fact, in the directory as a file that people edit, tried before it is loaded."""

import asyncio
from collections.abc import Collection
from typing import Any

from patron.decide.catalogue import parse, version
from patron.decide.changes import Trial, changes, tried
from patron.decide.variants import allows
from patron.model.errors import BadRequest, ConfigError, Conflict, NotFound
from patron.profiles.public import iso
from patron.rules.faults import near
from patron.runtime.app import App
from patron.runtime.create import CATALOGUE_FILE
from patron.runtime.decisions import catalogues
from patron.runtime.decisions.answer import Answers
from patron.runtime.decisions.catalogues import BY, Held, Kept
from patron.runtime.tables import CATALOGUE
from patron.runtime.workspace import plain
from patron.storage.embedded.files import write_durably

LONGEST = 4_000_000
"""Characters of a catalogue's text."""
BY_FILE = f"edited {CATALOGUE_FILE}"
"""Who changed a catalogue that was found changed on disk."""


class Offers:
    """The catalogue of one running workspace."""

    def __init__(self, app: App, answers: Answers) -> None:
        self._app = app
        self._answers = answers
        self._file = app.workspace.path / CATALOGUE_FILE
        self._saving = asyncio.Lock()

    @property
    def text(self) -> str:
        """The catalogue in force, as written."""
        return catalogues.text_in_force(self._app.workspace)

    @property
    def segments(self) -> Collection[str]:
        """Ids of the segments that offers may name: those of people."""
        written = self._app.workspace.definitions.active().written
        return {name for name, one in written.segments.items() if one.subject == "person"}

    def held(self, name: str = "") -> Held | None:
        """The version in force, or an earlier one; None when there never was such a version."""
        return catalogues.held(self._app.workspace, name)

    def kept(self) -> list[Kept]:
        """Every version, newest first."""
        return catalogues.kept(self._app.workspace)

    def shown(self) -> dict[str, Any]:
        """The catalogue in force: its text, what that says, and its version."""
        found = self._need(self._answers.index.version)
        return {
            "version": found.version,
            "since": None if found.since is None else iso(found.since),
            "by": found.by,
            **plain(found.catalogue),
            "text": found.text,
        }

    def placements(self) -> list[dict[str, Any]]:
        """Every declared placement, with the offers that it may ever show."""
        held = catalogues.in_force(self._app.workspace)
        return [
            {**plain(place), "offers": [offer.id for offer in held.offers if allows(place, offer)]}
            for place in held.placements
        ]

    def versions(self) -> list[dict[str, Any]]:
        """Every version, newest first, for the API."""
        return [_told(row) for row in self.kept()]

    def version(self, name: str) -> dict[str, Any]:
        """The text of a version. Raises NotFound."""
        return {"version": name, "text": self._need(name).text}

    def difference(self, before: str, after: str) -> dict[str, Any]:
        """What changed between two versions, and both texts. Raises NotFound."""
        old, new = self._need(before), self._need(after)
        return {
            "before": {"version": before, "text": old.text},
            "after": {"version": after, "text": new.text},
            "changes": plain(changes(old.catalogue, new.catalogue)),
        }

    def _need(self, name: str) -> Held:
        found = self.held(name)
        if found is None:
            meant = near(name, [row.version for row in self.kept()])
            raise NotFound("unknown_version", f"There never was a catalogue {name[:64]}{meant or '.'}")
        return found

    def tried(self, text: str) -> Trial:
        """What loading a text would say and change."""
        _check_length(text)
        now, opt_in = catalogues.in_force(self._app.workspace), self._app.workspace.settings.decide.opt_in
        return tried(text, now, opt_in, self.segments)

    async def save(self, text: str, by: str = "", based_on: str = "") -> dict[str, Any]:
        """Check and load a catalogue; the file in the directory follows.

        Raises
        ------
        BadRequest : it has faults. Conflict : another version than `based_on` is in force by now.
        """
        _check_length(text)
        text = text.replace("\r\n", "\n")  # what a browser makes of a line's end is no change
        async with self._saving:
            present = self._answers.index.version
            if based_on and based_on != present:
                raise Conflict(
                    "catalogue_changed",
                    f"The catalogue was changed meanwhile: {present} is in force, this was written over {based_on[:64]}. "
                    "Nothing was loaded. Look at the changes and load again.",
                )
            parse(text, self.segments)
            # the file first: a crash in between is a file that was edited, and is taken up at the next start
            before = self._file.read_text("utf-8") if self._file.exists() else ""
            await asyncio.to_thread(self._write, text)
            try:
                await self._app.record("Configuration Changed", {CATALOGUE: text, BY: by})
            except Exception:
                await asyncio.to_thread(self._write, before)
                raise
            return self.shown()

    def _write(self, text: str) -> None:
        """Replace the file where it really lies (people link to one elsewhere), with the rights it had."""
        file = self._file.resolve()
        mode = file.stat().st_mode & 0o777 if file.exists() else None
        write_durably(file, text.encode())
        if mode is not None:
            file.chmod(mode)

    async def take_up(self) -> None:
        """Load the file in the directory, when it is another than what is in force. Raises BadRequest."""
        try:
            text = self._file.read_text("utf-8") if self._file.exists() else ""
        except UnicodeDecodeError as error:
            raise ConfigError(f"{self._file} is not UTF-8 text; save it as UTF-8 and start again.") from error
        opt_in = self._app.workspace.settings.decide.opt_in
        changed = text != self.text
        if changed:
            parse(text, self.segments)
        known = f"{CATALOGUE}/{version(parse(text), opt_in)}" in self._app.workspace.config
        if changed or not known:
            by = BY_FILE if changed else "changed settings"
            await self._app.record("Configuration Changed", {CATALOGUE: text, BY: by})


def _check_length(text: str) -> None:
    if len(text) > LONGEST:
        raise BadRequest(
            "bad_catalogue", f"A catalogue has at most {LONGEST:,} characters, this has {len(text):,}."
        )


def _told(row: Kept) -> dict[str, Any]:
    return {
        **plain(row),
        "since": None if row.since is None else iso(row.since),
        "until": None if row.until is None else iso(row.until),
    }
