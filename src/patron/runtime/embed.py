"""A workspace inside somebody's own Python process: what `patron.open` gives to scripts and notebooks.

The workspace runs on an event loop in a thread of its own, so that the caller needs none and a notebook, which has
one, is not in its way. Every method hands its work over and waits; answers are the plain values of the HTTP API.
"""

import asyncio
import atexit
import datetime as dt
import gc
import os
import re
import sys
import threading
import uuid
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec

from patron.model.access import ApiKey, Source
from patron.model.errors import BadRequest, ConfigError, DirectoryLocked, Fault, NotFound, StorageError
from patron.model.ingest import Receipt
from patron.model.offers import Ask
from patron.runtime.backend import LocalBackend
from patron.runtime.create import create
from patron.storage.embedded import directory

DEFAULT_SOURCE = "python"
"""The source of events that name no other; made when the first one is sent."""
MESSAGES, BYTES = 500, 1 << 20
"""Messages and bytes of one body of `App.batch`: each is on disk before the next is sent."""
_PAGE = 200
_WHOLE = ApiKey("python", "", "", ("admin",))
_INDEX = re.compile(r"\$\.batch\[(\d+)\]")
T = TypeVar("T")


class App:
    """One workspace in this process, from `patron.open`. Use it in a `with`, or `close` it.

    People are named `type:value`, such as `email:ana@mail.example`, or by their id. What comes back is what the HTTP
    API answers. Methods may be called from any thread. Errors are `patron.errors`, each with what to do next.
    """

    def __init__(self, path: Path, source: str = DEFAULT_SOURCE) -> None:
        self.path = path
        self._source_name = source
        self._source: Source | None = None
        self._tuning = (gc.get_threshold(), sys.getswitchinterval())
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="patron-app", daemon=True)
        self._thread.start()
        self._open = True
        try:
            self._backend = self._wait(_start(path))
        except BaseException:
            self._end()
            raise
        atexit.register(self.close)
        if source != DEFAULT_SOURCE:
            try:
                self._source = self._call(lambda: self._known(source))
            except BaseException:
                self.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Write a checkpoint and let go of the directory; harmless when done twice."""
        if self._open:
            try:
                self._wait(self._backend.app.stop())
            finally:
                self._end()

    # --- events in ------------------------------------------------------------------------------------------------

    def track(
        self,
        user_id: str | None,
        event: str,
        properties: Mapping[str, Any] | None = None,
        *,
        anonymous_id: str | None = None,
        context: Mapping[str, Any] | None = None,
        timestamp: dt.datetime | str | int | None = None,
        message_id: str | None = None,
    ) -> None:
        """Something happened to a person; returns when it is on disk and in the profile.

        `timestamp` is when it happened (a datetime with a time zone, ISO 8601 or milliseconds since 1970), now when left
        out. A `message_id` is counted once, however often it is sent. Raises BadRequest with the reason of a message
        that does not fit; it is kept as a dead letter. Shape: the Segment spec's `track` call.
        """
        message = {"type": "track", "event": event, "properties": properties or {}}
        self._one({**message, **_named(user_id, anonymous_id, context, timestamp, message_id)})

    def identify(
        self,
        user_id: str | None,
        traits: Mapping[str, Any] | None = None,
        *,
        anonymous_id: str | None = None,
        context: Mapping[str, Any] | None = None,
        timestamp: dt.datetime | str | int | None = None,
        message_id: str | None = None,
    ) -> None:
        """What is known of a person: traits, among them e-mail, phone and card, which join their identifiers.

        Parameters and errors as of `track`. Shape: the Segment spec's `identify` call.
        """
        message = {"type": "identify", "traits": traits or {}}
        self._one({**message, **_named(user_id, anonymous_id, context, timestamp, message_id)})

    def batch(self, messages: Iterable[Mapping[str, Any]]) -> Receipt:
        """Many messages of any call of the Segment spec (`type`, `userId`, `timestamp`, ...), as its wire writes them.

        Much quicker than one by one. A message that does not fit becomes a dead letter and fails no other: the answer
        counts `accepted`, `duplicates` and `rejected`, and `faults` names the first of these by their place.
        A batch without messageIds that is sent again, byte for byte, is counted once.
        """
        total, before = Receipt(0, 0), 0
        for texts in _bodies(messages):
            receipt = self._wait(self._accept(texts))
            faults = tuple(_moved(fault, before) for fault in receipt.faults)
            total = Receipt(
                receipt.position,
                total.accepted + receipt.accepted,
                total.duplicates + receipt.duplicates,
                total.rejected + receipt.rejected,
                (*total.faults, *faults)[:10],
            )
            before += len(texts)
        return total

    # --- people and decisions out -----------------------------------------------------------------------------------

    def profile(self, person: str) -> dict[str, Any]:
        """One profile, by any identifier: `GET /v1/profiles/{person}`. Raises NotFound, or Gone when erased."""
        value: dict[str, Any] = self._call(lambda: self._backend.resource(person, "profile", _WHOLE))
        return value

    def events(
        self, person: str, *, order: str = "desc", channel: str = "", event: str = ""
    ) -> Iterator[dict[str, Any]]:
        """The person's timeline over all channels by event time, latest first, read as far as it is asked for.

        `order="asc"` begins with the earliest; `channel` and `event` keep only those of a channel or name.
        """
        if order not in {"asc", "desc"}:
            raise BadRequest("bad_query", "`order` must be asc or desc.")
        page = self._page(person, None, order, channel, event)  # at once: an unknown person is told here
        return self._pages(page, person, order, channel, event)

    def decide(
        self,
        placement: str | Sequence[str],
        *,
        user_id: str | None = None,
        anonymous_id: str | None = None,
        channel: str = "",
        context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The next best action for a person at a placement, recorded before it is given: `POST /v1/decide`.

        Of several placements, each with a channel of its own, it is the one whose best offer scores highest; the answer's
        `placement` and `channel` say which. The process is trusted: content may be personal, and all reasons are given.
        """
        first, *beside = [placement] if isinstance(placement, str) else list(dict.fromkeys(placement)) or [""]
        if not all((first, *beside)):
            raise BadRequest("bad_body", "`placement` is empty: name the place that asks, e.g. kiosk_home.")
        if beside and channel:
            raise BadRequest(
                "bad_body", "Each of several placements has a channel of its own: leave out `channel`."
            )
        ask = Ask(first, user_id, anonymous_id, channel, dict(context or {}), beside=tuple(beside))
        answer = self._wait(self._backend.decide(ask, trusted=True, source=None, user_hash=""))
        value: dict[str, Any] = msgspec.to_builtins(answer)
        return value

    def erase(self, person: str) -> dict[str, Any]:
        """Erase a person from every store; it cannot be undone. Gives a receipt per store."""
        receipt = self._wait(self._backend.erase(person, "python"))
        value: dict[str, Any] = msgspec.to_builtins(receipt)
        return value

    # --- the loop beside --------------------------------------------------------------------------------------------

    def _one(self, message: Mapping[str, Any]) -> None:
        receipt = self._wait(self._accept([_encoded(message)]))
        if receipt.faults:
            code, _, problem = receipt.faults[0].problem.partition(": ")
            raise BadRequest(
                code,
                f"{problem} The message is kept as a dead letter.",
                tuple(_alone(f) for f in receipt.faults),
            )

    async def _accept(self, texts: list[bytes]) -> Receipt:
        source = self._source
        if source is None:
            source = self._source = await self._made(self._source_name)
        return await self._backend.app.ingest.accept(
            source, "batch", b'{"batch":[' + b",".join(texts) + b"]}"
        )

    async def _made(self, name: str) -> Source:
        if self._backend.workspace.sources.get(name) is None:
            await self._backend.add_source(name, "backend", "live", "asserted")
        return self._known(name)

    def _known(self, name: str) -> Source:
        source = self._backend.workspace.sources.get(name)
        if source is None:
            raise NotFound(
                "unknown_source",
                f"There is no source {name[:64]}. Make it: "
                f"patron source add {name[:64]} --channel web --data {self.path}",
            )
        return source

    def _pages(self, page: Any, *asked: str) -> Iterator[dict[str, Any]]:
        while True:
            yield from page["data"]
            if page["cursor"] is None:
                return
            person, *rest = asked
            page = self._page(person, page["cursor"], *rest)

    def _page(self, person: str, cursor: str | None, order: str, channel: str, event: str) -> Any:
        return self._call(lambda: self._backend.events(person, _PAGE, cursor, order, channel, event, _WHOLE))

    def _call(self, work: Callable[[], Any]) -> Any:
        """Run something on the loop, where the state lives, and give its plain value."""

        async def run() -> Any:
            return work()

        value = self._wait(run())
        return value if isinstance(value, Source) else msgspec.to_builtins(value)

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        if not self._open:
            work.close()
            raise StorageError(f"{self.path} was closed. Open it again: patron.open({str(self.path)!r})")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _end(self) -> None:
        """Stop the loop, and give back what a workspace tunes in the interpreter for millions of rows."""
        self._open = False
        atexit.unregister(self.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        gc.set_threshold(*self._tuning[0])
        sys.setswitchinterval(self._tuning[1])


def open_app(path: Path, source: str, *, make: bool) -> App:
    """`patron.open`: open a data directory in this process, making it first when `make` and there is none."""
    if make and not directory.exists(path):
        create(path)
    if not directory.exists(path):
        raise ConfigError(f"{path} is no Patron directory. Make one: patron.open({str(path)!r}, create=True)")
    return App(path, source)


async def _start(path: Path) -> LocalBackend:
    try:
        return await LocalBackend.start(path, lasting=True)
    except DirectoryLocked as error:
        server = await asyncio.to_thread(directory.running, path)
        if server is None:
            owner = (path / directory.LOCK_FILE).read_text("ascii", "replace").strip()
            place = "in this process" if owner == str(os.getpid()) else f"in process {owner or '(unknown)'}"
            raise DirectoryLocked(
                f"{path} is open already {place}, and one process holds a directory at a time. Close it there first."
            ) from error
        raise DirectoryLocked(
            f"{path} is served by process {server.pid} at {server.url}, and one process holds a directory at a time. "
            f"Talk to that server (POST {server.url}/v1/track, GET {server.url}/v1/profiles/...), or stop it first."
        ) from error


def _named(
    user_id: str | None,
    anonymous_id: str | None,
    context: Mapping[str, Any] | None,
    timestamp: dt.datetime | str | int | None,
    message_id: str | None,
) -> dict[str, Any]:
    """The fields that every call has, those given."""
    if isinstance(timestamp, dt.datetime) and timestamp.tzinfo is None:
        raise BadRequest(
            "bad_time",
            "`timestamp` has no time zone: write datetime(..., tzinfo=datetime.UTC), or an ISO text.",
        )
    fields = {
        "userId": user_id,
        "anonymousId": anonymous_id,
        "context": context,
        "timestamp": timestamp,
        "messageId": message_id or str(uuid.uuid4()),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _bodies(messages: Iterable[Mapping[str, Any]]) -> Iterator[list[bytes]]:
    texts: list[bytes] = []
    size = 0
    for message in messages:
        text = _encoded(message)
        if texts and (len(texts) == MESSAGES or size + len(text) > BYTES):
            yield texts
            texts, size = [], 0
        texts.append(text)
        size += len(text)
    if texts:
        yield texts


def _encoded(message: Mapping[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(message, enc_hook=_plain)
    except (TypeError, ValueError, RecursionError) as error:  # UnicodeEncodeError is a ValueError
        raise BadRequest("bad_json", f"This message cannot be written as JSON: {error}.") from error


def _plain(value: Any) -> Any:
    """Numbers of numpy and pandas are numbers; mappings are objects."""
    if isinstance(value, Mapping):
        return dict(value)
    item = getattr(value, "item", None)
    if item is None:
        raise TypeError(f"a value of the type {type(value).__name__}")
    return item()


def _moved(fault: Fault, by: int) -> Fault:
    """A fault of one body at its place among all messages."""
    return Fault(_INDEX.sub(lambda m: f"$.batch[{int(m.group(1)) + by}]", fault.path, count=1), fault.problem)


def _alone(fault: Fault) -> Fault:
    return Fault(_INDEX.sub("$", fault.path, count=1), fault.problem)
