"""The effect of all deciding, worked out beside events when somebody asks, and never twice at once."""

import asyncio
import time
from typing import TYPE_CHECKING

from patron.model.views import ProgrammeEffect
from patron.runtime.breath import Breath
from patron.runtime.decisions.effect import effect_of

if TYPE_CHECKING:
    from patron.runtime.app import App

FRESH = 10_000
"""Milliseconds for which an answer stands."""
SHARE = 20
"""It is worked out at most a twentieth of the time: everybody's orders are read for it."""
NOT_YET = ProgrammeEffect(
    0,
    0,
    "early",
    "Too early: it is being worked out for the first time. Look again in a moment.",
    0.0,
    0.0,
    None,
    None,
    None,
)


class Programme:
    """Answers with what is known, and has it worked out anew once that is old."""

    def __init__(self, app: "App") -> None:
        self._app = app
        self._found: ProgrammeEffect | None = None
        self._until = 0
        self._took = 0.0
        self._work: asyncio.Task[None] | None = None

    async def effect(self, within: float | None = None) -> ProgrammeEffect:
        """The effect as it was at most ten seconds ago, or twenty times as long as it takes to work out.

        Parameters
        ----------
        within : seconds to wait; an older answer then, or `NOT_YET`, and the older one at once where it took longer the last
            time. Without it: for as long as it takes.
        """
        if self._found is None or self._app.workspace.clock.now() > self._until:
            if self._work is None or self._work.done():
                self._work = self._app.keep(self._measure())
            hopeless = within is not None and self._took > within and self._found is not None
            await asyncio.wait({self._work}, timeout=0.0 if hopeless else within)
            if self._work.done():
                self._work.result()
        return self._found or NOT_YET

    async def _measure(self) -> None:
        app = self._app
        began, now = time.monotonic(), app.workspace.clock.now()
        self._found = await effect_of(app.workspace, Breath(lambda: app.pipeline.waiting > 0))
        self._took = time.monotonic() - began
        self._until = now + max(FRESH, round(SHARE * 1_000 * self._took))
