"""The catalogue of offers: in the log as a fact, in the directory as a file that people edit."""

from typing import Any

from patron.decide.catalogue import parse
from patron.runtime.answer import Answers
from patron.runtime.app import App
from patron.runtime.create import CATALOGUE_FILE
from patron.runtime.tables import CATALOGUE, Plain
from patron.runtime.workspace import plain


class Offers:
    """The offers of one running workspace."""

    def __init__(self, app: App, answers: Answers) -> None:
        self._app = app
        self._answers = answers
        self._file = app.workspace.path / CATALOGUE_FILE

    @property
    def _text(self) -> str:
        return str((self._app.workspace.config.get(CATALOGUE) or Plain("")).value)

    def shown(self) -> Any:
        """The offers in force."""
        index = self._answers.index
        return {"version": index.version, "offers": plain(index.offers), "text": self._text}

    async def save(self, text: str) -> Any:
        """Check and load a catalogue; the file in the directory follows. Raises ConfigError."""
        parse(text)
        await self._app.record("Configuration Changed", {CATALOGUE: text})
        self._file.write_text(text, "utf-8")
        return self.shown()

    async def take_up(self) -> None:
        """Load the file in the directory, when it is another than what is in force. Raises ConfigError."""
        text = self._file.read_text("utf-8") if self._file.exists() else ""
        known = f"{CATALOGUE}/{self._answers.index.version}" in self._app.workspace.config
        if text != self._text or not known:
            parse(text)
            await self._app.record("Configuration Changed", {CATALOGUE: text})
