"""Asking the lake for the segments and computed traits that it answers: anew within minutes of an event, an hour or a change of rules."""

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from patron.model.clock import HOUR, MINUTE
from patron.model.errors import BadRequest
from patron.rules.tree import Computed, Segment, Subject
from patron.runtime.analysis import Moment, Standings, Values
from patron.runtime.segments.asking import IN, analyst_of, moment_of, read
from patron.runtime.segments.belonging import is_moment
from patron.runtime.segments.from_lake import Listed, Valued, minutes_behind
from patron.runtime.segments.subjects import calendar_of

if TYPE_CHECKING:
    from patron.runtime.app import App

SHARE = 20
"""It asks at most a twentieth of the time."""
WATCH = 0.5
"""Seconds between two looks whether something is due."""
RETRY = 10.0
"""Seconds until a question that failed is asked again."""
_logger = logging.getLogger("patron")


class _State(NamedTuple):
    """What an answer rests on."""

    version: int
    applied: int
    hour: int


class Rounds:
    """Has the answers of `FromLake` made anew. One round at a time; whoever waits for one shares it."""

    def __init__(self, app: "App") -> None:
        self._app = app
        self._held = app.workspace.from_lake
        self._asked: _State | None = None
        self._ended = (-math.inf, -math.inf)
        """When the last round ended: by the timer (s) and by the workspace's clock (ms)."""
        self._took = 0.0
        self._failed = False
        self._turn = asyncio.Lock()

    async def run(self) -> None:
        """Ask whenever it is due, until this is cancelled."""
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                await asyncio.sleep(WATCH)
                if self._is_due():
                    try:
                        await self.look()
                    except Exception:
                        _logger.exception("the lake could not be asked for segments; it is asked again")

    async def ready(self, name: str = "") -> None:
        """Wait for an answer by the definitions in force; at once where there is one, and where `name` is a segment or trait of others.

        Raises BadRequest, Busy or StorageError when the lake cannot be asked.
        """
        wanted = self._held.wanted()
        is_asked = any(name in some for some in wanted) if name else any(wanted)
        if is_asked and self._state().version != self._version:
            await self.look()

    async def look(self) -> None:
        """Ask now. Raises BadRequest or Busy when the lake cannot be asked."""
        if not self._app.workspace.settings.lake.enabled:
            return
        wanted = self._state()
        async with self._turn:
            if self._asked is not None and not self._failed and self._asked >= wanted:
                return  # somebody else had it asked meanwhile
            began, self._failed = time.monotonic(), True
            try:
                await self._ask()
                self._failed = False
            finally:
                self._held.end()
                self._took = time.monotonic() - began
                self._ended = (time.monotonic(), self._app.workspace.clock.now())

    @property
    def _version(self) -> int:
        return -1 if self._asked is None else self._asked.version

    def _state(self) -> _State:
        workspace = self._app.workspace
        now = workspace.clock.now()
        return _State(workspace.definitions.active().version, workspace.applied, now // HOUR)

    def _is_due(self) -> bool:
        if not self._app.workspace.settings.lake.enabled or not any(self._held.wanted()):
            return False
        timed, clocked = self._ended
        state, rest = self._state(), time.monotonic() - timed
        if self._failed:
            return rest > RETRY
        if self._asked is None or state.version != self._asked.version:
            return True
        minutes = minutes_behind(self._app.workspace.settings.lake.flush_seconds)
        long_ago = rest >= 60 * minutes or self._app.workspace.clock.now() >= clocked + MINUTE * minutes
        return state != self._asked and long_ago and rest >= SHARE * self._took

    async def _ask(self) -> None:
        workspace = self._app.workspace
        applied = workspace.applied
        self._held.begin()  # what comes while the lake is written may not be in its answer
        applied = min(applied, await self._app.start_jobs().flush())
        state, active = self._state()._replace(applied=applied), workspace.definitions.active()
        segments, traits = self._held.wanted()
        asking = _Asking(self._app, moment_of(workspace, active))
        for subject in get_args(Subject):
            await asking.segments([one for one in segments.values() if one.subject == subject])
            await asking.traits([one for one in traits.values() if one.subject == subject])
        self._held.take(asking.lists, asking.valued, asking.problems)
        self._asked = state


class _Asking:
    """One round."""

    def __init__(self, app: "App", moment: Moment) -> None:
        self._analyst = analyst_of(app)
        self._moment = moment
        self._calendar = calendar_of(app.workspace)
        self.lists: list[Listed] = []
        self.valued: list[Valued] = []
        self.problems: dict[str, str] = {}

    async def segments(self, asked: Sequence[Segment]) -> None:
        """How everybody stands to segments of one kind of subject."""
        if not asked:
            return
        lists: list[list[str]] = [[] for _ in asked]
        barred = [0] * len(asked)
        try:
            async for _, subject, stands in self._rows(Standings(tuple(asked))):
                for number, code in enumerate(stands):
                    if code == IN:
                        lists[number].append(subject)
                    elif code:
                        barred[number] += 1
        except BadRequest as error:
            await self._singly("segment", asked, error)
            return
        for one, members, without in zip(asked, lists, barred, strict=True):
            members.sort()
            self.lists.append(Listed(one, members, without, self._moment.now))
            await asyncio.sleep(0)

    async def traits(self, asked: Sequence[Computed]) -> None:
        """What computed traits of one kind of subject are worth, of everybody."""
        if not asked:
            return
        values: list[dict[str, Any]] = [{} for _ in asked]
        try:
            async for kinds, subject, found in self._rows(Values(tuple(asked))):
                for trait, held, value, kind in zip(asked, values, found, kinds, strict=True):
                    if value is not None:
                        held[subject] = self._shown(trait, read(value, kind))
        except BadRequest as error:
            await self._singly("trait", asked, error)
            return
        self.valued += [Valued(one, held) for one, held in zip(asked, values, strict=True)]

    async def _rows(self, question: Standings | Values) -> AsyncGenerator[tuple[list[bool], str, list[Any]]]:
        """Of each subject: which columns are decimals, its id, and its cells. Others are served meanwhile."""
        async with contextlib.aclosing(self._analyst.slices(question, self._moment)) as slices:
            async for head, batch in slices:
                kinds = [kind.startswith("decimal") for _, kind in head.columns[1:]]
                for subject, *cells in batch:
                    yield kinds, subject, cells
                await asyncio.sleep(0)

    async def _singly(
        self, kind: str, asked: Sequence[Segment] | Sequence[Computed], error: BadRequest
    ) -> None:
        """One that cannot be asked must not keep the others from their answers."""
        if len(asked) == 1:
            self.problems[f"{kind}/{asked[0].id}"] = error.message
            return
        for one in asked:
            if isinstance(one, Segment):
                await self.segments([one])
            else:
                await self.traits([one])

    def _shown(self, trait: Computed, value: Any) -> Any:
        """As profiles have it: of the first and last event the time, here the beginning of its day."""
        if not is_moment(trait):
            return value
        return self._calendar.begins(self._calendar.day(self._moment.now) - value)
