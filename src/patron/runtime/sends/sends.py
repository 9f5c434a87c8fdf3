"""Sends of a running workspace: tried, begun, carried on beside events, stopped, and read by whoever sends them.

A send follows from the log: each decision is a fact under an id that its person always gets, and how far it came is a fact
after each part. So a process that is killed goes on where it was; nobody is decided for twice, nobody is left out.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import msgspec

from patron.decide.encoding import look
from patron.model.access import ApiKey
from patron.model.clock import DAY, MINUTE
from patron.model.errors import BadRequest, Conflict, Fault, NotFound
from patron.model.people import Person
from patron.model.sends import Mix, Send, SendEffect, SendReport, SendRow, SendView, SentPage, State
from patron.profiles.public import iso
from patron.rules.calendar import Calendar
from patron.rules.faults import near
from patron.runtime.breath import Breath
from patron.runtime.decisions.answer import Answers
from patron.runtime.people import scoped
from patron.runtime.people.everybody import Everybody
from patron.runtime.segments.addressed import unaddressable
from patron.runtime.sends import pages as send_pages
from patron.runtime.sends import sent
from patron.runtime.sends.effect import effect_of
from patron.runtime.sends.report import Tally
from patron.runtime.sends.sending import Sender, obstacle
from patron.runtime.workspace import plain

if TYPE_CHECKING:
    from patron.runtime.app import App

MOST_TRIED = 20_000
"""People that a dry run looks at; of more, a sample."""
PART = 50
"""People decided for between two notes of how far it came."""
RETRY = 1.0
"""Seconds until a send goes on that could not."""
_ALL = 10**9
_SLICE = 100
_EDGE = 8
"""Letters of an id that say how far a send is."""
_log = logging.getLogger("patron")


class Sends:
    """The sends of one workspace."""

    def __init__(self, app: "App", answers: Answers) -> None:
        self._app = app
        self._workspace = app.workspace
        self._answers = answers
        self._reports: dict[str, tuple[int, State, SendReport]] = {}
        self._effects: dict[str, tuple[int, SendEffect]] = {}
        self._stopping: set[str] = set()

    def allow(self, key: ApiKey) -> None:
        """Refuse a key that sees only some fields (403): decisions of a send name people by their identifiers."""
        scoped.need_whole(key, "Decisions of a send name people by their identifiers")

    # --- what there is ----------------------------------------------------------------------------------------------

    def all(self) -> list[SendView]:
        """Every send, the newest first."""
        return [self._view(row) for row in self._workspace.sent.all()]

    def get(self, name: str) -> SendView:
        """One send. Raises NotFound."""
        return self._view(self._row(name))

    def _row(self, name: str) -> SendRow:
        row = self._workspace.sent.get(name)
        if row is None:
            meant = near(name, [one.send.id for one in self._workspace.sent.all()])
            raise NotFound("unknown_send", f"There is no send {name[:64]}{meant or '.'}")
        return row

    def _view(self, row: SendRow) -> SendView:
        count = self._workspace.sent.count(row.send.id)
        return SendView(
            row.send.id, row.send, row.state, row.started, row.ended, row.by, row.looked, row.unreachable, count
        )  # fmt: skip

    def told(self, view: SendView) -> dict[str, Any]:
        """A send as the API gives it."""
        value: dict[str, Any] = plain(view)
        del value["send"]
        ended = iso(view.ended) if view.ended else None
        return value | {"definition": plain(view.send), "started": iso(view.started), "ended": ended}

    def definition(self, value: object) -> Send:
        """A send as somebody wrote it. Raises BadRequest with the place of each problem."""
        if not isinstance(value, dict):
            raise BadRequest("bad_send", "A send is an object with `id`, `name` and `placements`.")
        try:
            send = msgspec.convert(value, Send)
        except msgspec.ValidationError as error:
            problem, _, path = str(error).partition(" - at `")
            raise BadRequest(
                "bad_send", "This is no send.", (Fault(path.rstrip("`") or "$", problem),)
            ) from error
        faults = list(self._faults(send))
        if faults:
            raise BadRequest("bad_send", f"This cannot be sent: {faults[0].problem}.", tuple(faults))
        return send

    def _faults(self, send: Send) -> Iterator[Fault]:
        workspace = self._workspace
        problem = obstacle(send, self._answers.index)
        if problem:
            yield Fault("$.offers" if problem.startswith("there is no offer") else "$.placements", problem)
        if len(set(send.placements)) < len(send.placements):
            yield Fault("$.placements", "a placement stands there twice")
        if send.hours == (24, 24) or send.hours[0] == 24:
            yield Fault("$.hours", "a window begins at 0 to 23 o'clock and ends at 0 to 24")
        if send.segment and send.segment not in workspace.definitions.active().segments:
            yield Fault("$.segment", f"there is no segment {send.segment[:64]}; see `patron segment list`")
        elif send.segment:
            problem = unaddressable(workspace, send.segment)
            if problem:
                yield Fault("$.segment", f"{send.segment} {problem}")

    # --- trying ------------------------------------------------------------------------------------------------------

    async def dry(self, value: object, most: int = MOST_TRIED) -> SendReport:
        """Who would get what, where and when, who would not and why; nothing is reserved, nothing is recorded.

        Of more than `most` people an even sample is looked at. Raises BadRequest.
        """
        await self._answered(value)
        send, workspace = self.definition(value), self._workspace
        books = deepcopy(workspace.given.stocks(self._answers.index))
        sender = Sender(workspace, self._answers, send, workspace.clock.now(), books)
        problem = sender.ready()
        tally, breath = Tally(workspace.catalogues.version), Breath()
        looked = unreachable = 0
        people_of, audience = await self._some(send, most)
        async for person in people_of:
            await breath.take()
            problem = problem or sender.ready()
            if problem:
                raise BadRequest("bad_send", f"The catalogue changed meanwhile: {problem}.")
            looked += 1
            places = sender.reach(person)
            if not places:
                unreachable += 1
                continue
            made = sender.decide(person, places)
            sender.enter(made)
            tally.add(made.row)
        report = tally.report(looked, unreachable, sender.index, sampled=audience > looked)
        return msgspec.structs.replace(report, audience=max(audience, looked))

    async def _answered(self, value: object) -> None:
        """Wait for what only the lake says of who is meant."""
        segment = value.get("segment") if isinstance(value, dict) else None
        if isinstance(segment, str) and segment:
            await self._app.rounds.ready(segment)

    async def _some(self, send: Send, most: int) -> tuple[AsyncIterator[Person], int]:
        """Everybody of a send, or an even sample; and how many there are."""
        if not send.segment:
            everybody = Everybody(self._workspace)
            count = self._workspace.world.people
            return (everybody.after() if count <= most else everybody.some(most)), count
        names = self._workspace.live.members(send.segment, "", _ALL)
        step = max(1, -(-len(names) // most))
        return self._people(names[::step]), len(names)

    # --- the real thing ---------------------------------------------------------------------------------------------

    async def start(self, value: object, by: str) -> SendView:
        """Begin a send; it goes on beside events. Raises BadRequest, or Conflict when there is one of this id."""
        await self._answered(value)
        send = self.definition(value)
        if self._workspace.sent.get(send.id) is not None:
            raise Conflict("send_exists", f"There is a send {send.id} already; give this one another id.")
        await self._app.record(sent.STARTED, sent.Start(send, by))
        return self.get(send.id)

    async def stop(self, name: str, by: str) -> SendView:
        """Decide for nobody else; what is decided stays. Raises NotFound, or Conflict when it is over."""
        row = self._row(name)
        if row.state != "running":
            raise Conflict("send_over", f"The send {name} is {row.state} already.")
        self._stopping.add(name)  # at once: what is decided until the log has it would come behind the answer
        try:
            await self._close(name, "stopped", by)
        finally:
            self._stopping.discard(name)
        return self.get(name)

    async def _close(self, name: str, state: State, by: str) -> None:
        await self._app.record(sent.CLOSED, sent.Close(name, state, by))

    async def serve(self) -> None:
        """Carry on what is begun, for as long as the workspace is open; one that fails does not hold up the others."""
        books = self._workspace.sent
        while not self._app.closing:
            if not books.running():
                books.begun.clear()
                await books.begun.wait()
            for row in books.running():
                if not self._app.closing:
                    try:
                        await self._run(row)
                    except Exception:  # noqa: BLE001 - one that fails must not end the others
                        _log.exception("the send %s waits and goes on by itself", row.send.id)
                        await asyncio.sleep(RETRY)

    async def _run(self, row: SendRow) -> None:
        """Carry one on to its end, from where it is."""
        send = row.send
        if send.segment:
            await self._app.rounds.ready(send.segment)
        sender = Sender(self._workspace, self._answers, send, row.started)
        breath = Breath()
        while True:
            row = self._row(send.id)
            over = await self._walk(row, sender, breath)
            if not over or not self._goes_on(send.id):
                return
            if row.pass_ > 1:
                await self._close(send.id, "ended", "patron")
                return
            await self._advance(send.id, "", 2, 0, 0)

    async def _walk(self, row: SendRow, sender: Sender, breath: Breath) -> bool:
        """Once over everybody behind the cursor; whether it came to the end."""
        name, waiting = row.send.id, dict[str, asyncio.Future[int]]()
        looked, unreachable, cursor = 0, 0, row.cursor
        first = row.pass_ == 1
        async for person in self._audience(row.send, row.cursor):
            await breath.take()
            if self._app.closing or not self._goes_on(name):
                break
            problem = sender.ready() or (
                "its time is over" if self._workspace.clock.now() >= sender.end else ""
            )
            if problem:
                _log.warning("the send %s is stopped: %s", name, problem)
                await self._close(name, "stopped", f"patron: {problem}")
                break
            looked, cursor = looked + first, _edge(person.id)
            places = sender.reach(person)
            unreachable += first and not places
            if places and not sender.is_done(person, waiting) and self._belongs(person, row.send):
                made = sender.decide(person, places)
                waiting[made.drawn.id] = self._answers.keep(made.drawn.id, made.row)
            if looked >= PART or len(waiting) >= PART:
                await self._settled(waiting)
                self._workspace.crash("send_part")
                await self._advance(name, cursor, row.pass_, looked, unreachable)
                looked = unreachable = 0
        else:
            await self._settled(waiting)
            await self._advance(name, cursor, row.pass_, looked, unreachable)
            return True
        await self._settled(waiting)
        await self._advance(name, cursor, row.pass_, looked, unreachable)
        return False

    def _goes_on(self, name: str) -> bool:
        return name not in self._stopping and self._row(name).state == "running"

    async def _settled(self, waiting: dict[str, "asyncio.Future[int]"]) -> None:
        """Wait until what was decided is durable and applied."""
        await asyncio.gather(*waiting.values())
        waiting.clear()

    async def _advance(self, name: str, cursor: str, pass_: int, looked: int, unreachable: int) -> None:
        await self._app.record(sent.ADVANCED, sent.Advance(name, cursor, pass_, looked, unreachable))

    def _belongs(self, person: Person, send: Send) -> bool:
        return not send.segment or self._workspace.live.is_in(person.id, send.segment) is True

    def _audience(self, send: Send, after: str) -> AsyncIterator[Person]:
        if not send.segment:
            return Everybody(self._workspace).after(after)
        # all at once: each page would look through everybody again
        return self._people(self._workspace.live.members(send.segment, after, _ALL))

    async def _people(self, names: list[str]) -> AsyncIterator[Person]:
        for at, name in enumerate(names, 1):
            person = self._workspace.graph.person_by_id(name)
            if person is not None and person.id == name:
                yield person
            if at % PART == 0:
                await asyncio.sleep(0)

    # --- what it came to -----------------------------------------------------------------------------------------------

    async def report(self, name: str) -> SendReport:
        """Who got what, where and when; who did not, and why. Raises NotFound."""
        row = self._row(name)
        count = self._workspace.sent.count(name)
        held = self._reports.get(name)
        if held is not None and held[:2] == (count, row.state):
            return held[2]
        tally, breath = Tally(self._workspace.catalogues.version), Breath()
        for _, decision in self._workspace.sent.made(name):
            await breath.take()
            made = self._workspace.decisions.get(decision)
            if made is not None:
                tally.add(made)
        report = tally.report(row.looked, row.unreachable, self._answers.index)
        self._reports[name] = (count, row.state, report)
        return report

    async def effect(self, name: str) -> SendEffect:
        """What it changed so far, against those held out from it. Raises NotFound."""
        row = self._row(name)
        minute = self._workspace.clock.now() // MINUTE  # a page asks every two seconds while a send goes on
        held = self._effects.get(name)
        if held is None or held[0] != minute:
            held = self._effects[name] = (minute, await effect_of(self._workspace, row))
        return held[1]

    async def distinct(self, placement: str, days: int = 28) -> Mix:
        """How different what a placement gave in the last days is; hours are those of the business. Raises NotFound."""
        workspace, index = self._workspace, self._answers.index
        since, zone = workspace.clock.now() - days * DAY, Calendar(workspace.settings.business.timezone)
        tally, found = Tally(workspace.catalogues.version), placement in index.places_of
        for count, name in enumerate(list(workspace.decisions.keys())):
            if count % _SLICE == 0:
                await asyncio.sleep(0)
            row = workspace.decisions.get(name)
            if row is not None and row.time >= since and look(row.record).placement == placement:
                tally.add(row, zone.minute(row.begins) // 60)
                found = True
        if not found:
            raise NotFound("unknown_placement", f"Nothing was ever decided at `{placement[:64]}`.")
        return tally.mix(asked=True)

    async def page(self, name: str, cursor: str, limit: int, *, everyone: bool = False) -> SentPage:
        """A page of decisions: those that give something, or of everybody. It may be short; the cursor leads on.

        While the send goes on, what was decided in the newest millisecond comes later, and there is always a cursor.
        Raises NotFound, BadRequest.
        """
        return await send_pages.page(self._workspace, self._row(name), cursor, limit, everyone=everyone)


def _edge(person: str) -> str:
    """Where the ids begin that come behind a person's: it names nobody, for it stays in the log when they are erased.

    Whoever shares its letters by chance is found when everybody is gone over once more.

    >>> _edge("p_3nkee4npfqohgbhq"), "p_3nkee4npfqohgbhq" < _edge("p_3nkee4npfqohgbhq") < "p_3nkee5"
    ('p_3nkee4~', True)
    """
    return f"{person[:_EDGE]}~"
