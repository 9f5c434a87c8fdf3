"""HTTP/1.1 as uvicorn speaks it, with a short way for requests that arrive whole: most events and asks do.

A POST to one of the application's `direct` addresses whose last byte came with its first is answered without an ASGI
scope, without messages, without a task, and in one write. Everything else (bodies that come in pieces, pipelined requests, other methods
and addresses) goes uvicorn's way, to the same application: both ways give the same answers.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

Headers = list[tuple[bytes, bytes]]
"""Names in lower case, as they came."""
Answer = tuple[int, bytes, bytes]
r"""Status, the header lines (each with its `\r\n`), body."""
Direct = Callable[[Headers, bytes], Coroutine[Any, None, Answer]]
"""Answers a POST from its headers and its whole body; never raises for what a client sent.

It may wait for futures, and for nothing that needs a task of its own (`asyncio.timeout`, task groups).
"""

log = logging.getLogger("patron.http")
_CLOSE = b"connection: close\r\n"
_FAULT: Answer = (
    500,
    b"content-type: text/plain\r\ncontent-length: 21\r\n" + _CLOSE,
    b"Internal Server Error",
)


class _Nobody:
    """Stands where uvicorn keeps the event that wakes a reader of the body: here nobody reads."""

    def set(self) -> None:
        pass


class _Cycle:
    """A request on the short way, and as much of one as uvicorn's protocol looks at."""

    __slots__ = ("disconnected", "keep_alive", "protocol", "response_complete", "work")
    message_event = _Nobody()

    def __init__(
        self, protocol: "DirectProtocol", work: Coroutine[Any, None, Answer], keep_alive: bool
    ) -> None:
        self.protocol = protocol
        self.work = work
        self.keep_alive = keep_alive
        self.disconnected = False
        self.response_complete = False

    def step(self, _done: "asyncio.Future[Any] | None" = None) -> None:
        """Go on until the next future, or to the end."""
        try:
            awaited = self.work.send(None)
        except StopIteration as end:
            self.protocol.answer(self, end.value)
        except (Exception, asyncio.CancelledError):
            log.exception("a direct answer failed")
            self.protocol.answer(self, _FAULT)
        else:
            if awaited is None:  # it gave way once
                self.protocol.loop.call_soon(self.step)
            else:
                awaited._asyncio_future_blocking = False  # noqa: SLF001 - what a task does with what it is given
                awaited.add_done_callback(self.step)


class DirectProtocol(HttpToolsProtocol):
    """One connection. The application offers its short ways as `direct`: address as it stands in the request -> `Direct`."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._directs: Mapping[bytes, Direct] = getattr(self.config.app, "direct", None) or {}
        self._held: Direct | None = None
        """The short way of the request that is being received, until it turns out to come in pieces."""
        self._body = b""
        self._keeps = False
        self._late: asyncio.Task[None] | None = None
        self._quiet: float | None = None
        """Since when nothing is asked, seconds of the loop's clock."""

    # --- receiving ----------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Parse what came; a request that is not whole by now goes uvicorn's way."""
        super().data_received(data)
        if self._held is not None:
            self._held, body = None, self._body
            self._begin()
            if body:
                super().on_body(body)

    def on_message_begin(self) -> None:
        """Begin a request; what uvicorn prepares waits until it is needed."""
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._held = None

    def on_headers_complete(self) -> None:
        """Choose the way."""
        direct = self._directs.get(self.url)
        parser, before = self.parser, self.cycle
        if (
            direct is None
            or (before is not None and not before.response_complete)
            or parser.get_method() != b"POST"
            or parser.should_upgrade()
        ):
            self._begin()
            return
        self._held, self._body = direct, b""
        self._keeps = parser.get_http_version() != "1.0" and parser.should_keep_alive()

    def _begin(self) -> None:
        url, headers, expected = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expected
        self.headers.extend(headers)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        if self._held is None:
            super().on_body(body)
        else:
            self._body += body

    def on_message_complete(self) -> None:
        """A request is whole."""
        if self._held is None:
            super().on_message_complete()
            return
        direct, self._held = self._held, None
        cycle = _Cycle(self, direct(self.headers, self._body), self._keeps)
        self.cycle = cycle  # type: ignore[assignment]
        cycle.step()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP."""
        self._held = None
        super().send_400_response(msg)

    # --- answering ------------------------------------------------------------------------------------------------

    def answer(self, cycle: _Cycle, answer: Answer) -> None:
        """Send the answer of a request on the short way; nobody waits for it when the client has gone."""
        if cycle.disconnected:
            return
        if self.flow.write_paused:
            self._late = self.loop.create_task(self._drained(cycle, answer))
            return
        status, head, content = answer
        closes = _CLOSE in head
        last = b"\r\n" if closes or cycle.keep_alive else _CLOSE + b"\r\n"
        self.transport.write(b"".join((STATUS_LINE[status], head, last, content)))
        cycle.response_complete = True
        if closes or not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()

    async def _drained(self, cycle: _Cycle, answer: Answer) -> None:
        """Answer a client that is slow to read, when it has read what was sent before."""
        await self.flow.drain()
        self.answer(cycle, answer)

    # --- keeping the connection ---------------------------------------------------------------------------------------

    def on_response_complete(self) -> None:
        """Go on with the next request, or wait for one."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._quiet = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._watch(self.timeout_keep_alive)

    def _unset_keepalive_if_required(self) -> None:
        # A timer set and cleared for every request costs more than one that looks at the time when it rings.
        self._quiet = None

    def _watch(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection on which nothing was asked for too long."""
        self.timeout_keep_alive_task = None
        if self._quiet is None or self.transport.is_closing():
            return
        left = self._quiet + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._watch(left)
        else:
            super().timeout_keep_alive_handler()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        super().connection_lost(exc)
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None
