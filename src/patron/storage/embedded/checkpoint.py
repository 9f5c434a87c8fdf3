"""The parent's end of the writer child: frames go out without ever blocking, answers come in, a dead child is replaced.

Everything sent since the last answer is kept and sent again to a new child, so the death of one loses nothing: its
transaction was rolled back.
"""

import fcntl
import logging
import os
import select
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

import msgspec

from patron.storage.embedded.writer import LENGTH

PIPE_BYTES = 1 << 20
BUFFER_BYTES = 1 << 16
"""Frames wait until there are so many bytes of them: every write to the pipe is a system call and wakes the child."""
RETRY_SECONDS = 1.0
_SET_PIPE_SIZE = getattr(fcntl, "F_SETPIPE_SZ", None)
_logger = logging.getLogger("patron.storage.state")


class WriterChild:
    """A `writer` process and what it still owes an answer for."""

    def __init__(self, database: Path, keep_open: tuple[int, ...] = ()) -> None:
        self._database = database
        self._keep_open = keep_open
        self._process: subprocess.Popen[bytes] | None = None
        self._sent: list[bytes] = []
        self._outgoing: deque[memoryview] = deque()
        self._buffer: list[bytes] = []
        self._buffered = 0
        self._incoming = b""
        self._number = 0
        self._retry_at = 0.0
        self.waiting = False
        self.failure: str | None = None
        self.restarts = 0

    @property
    def pid(self) -> int | None:
        """The child's process id, while there is one."""
        return None if self._process is None else self._process.pid

    @property
    def backlog(self) -> bool:
        """Whether the pipe did not take everything yet."""
        return bool(self._outgoing)

    def send(self, *frame: object) -> None:
        """Queue a frame; it is kept until the next answer."""
        data = msgspec.msgpack.encode(frame)
        framed = LENGTH.pack(len(data)) + data
        self._sent.append(framed)
        self._buffer.append(framed)
        self._buffered += len(framed)
        if self._buffered >= BUFFER_BYTES:
            self.pump()

    def ask(self, name: str, *fields: object) -> None:
        """Queue a frame that will be answered; `poll` tells when."""
        self._number += 1
        self.waiting = True
        self.send(name, self._number, *fields)
        self.pump()

    def poll(self) -> bool:
        """Whether the last question is answered with success. Never blocks; resends to a new child when one died."""
        if not self.waiting:
            return True
        self.pump()
        if self.waiting and self._process is not None:
            self._take_answers()
        return not self.waiting

    def wait(self, seconds: float) -> None:
        """Sleep until there is something to do for `poll`, at most `seconds`."""
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            time.sleep(min(seconds, 0.05))
            return
        writing = [process.stdin] if self._outgoing else []
        select.select([process.stdout], writing, [], seconds)

    def pump(self) -> None:
        """Write as much as the pipe takes."""
        if self._buffer:
            self._outgoing.append(memoryview(b"".join(self._buffer)))
            self._buffer, self._buffered = [], 0
        if self._process is None and not self._start():
            return
        assert self._process is not None
        assert self._process.stdin is not None
        fd = self._process.stdin.fileno()
        try:
            while self._outgoing:
                view = self._outgoing[0]
                written = os.write(fd, view)
                if written == len(view):
                    self._outgoing.popleft()
                else:
                    self._outgoing[0] = view[written:]
        except BlockingIOError:
            pass
        except OSError as error:
            self._lost(f"its pipe broke ({error})")

    def close(self) -> None:
        """Let the child finish what was sent and end."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

    def _start(self) -> bool:
        if time.monotonic() < self._retry_at:
            return False
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", "patron.storage.embedded.writer", str(self._database)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=self._keep_open,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                start_new_session=True,
            )
        except OSError as error:
            self._lost(f"it cannot be started ({error})")
            return False
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        for pipe in (self._process.stdin, self._process.stdout):
            os.set_blocking(pipe.fileno(), False)
        if _SET_PIPE_SIZE is not None:
            try:
                fcntl.fcntl(self._process.stdin.fileno(), _SET_PIPE_SIZE, PIPE_BYTES)
            except OSError:
                _logger.debug("the system allows no larger pipe to the state writer")
        self._outgoing = deque(memoryview(frame) for frame in self._sent)
        self._incoming = b""
        return True

    def _lost(self, why: str) -> None:
        process, self._process = self._process, None
        code = None
        if process is not None:
            process.kill()
            code = process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
        self.failure = f"the state writer ended: {why}" + (f", exit code {code}" if code is not None else "")
        self.restarts += 1
        self._retry_at = time.monotonic() + (RETRY_SECONDS if self.restarts > 1 else 0.0)
        _logger.warning("%s; starting another one", self.failure)

    def _take_answers(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            data = os.read(self._process.stdout.fileno(), 65536)
        except BlockingIOError:
            return
        if not data:
            self._lost("it went away")
            return
        self._incoming += data
        while len(self._incoming) >= LENGTH.size:
            (length,) = LENGTH.unpack_from(self._incoming)
            if len(self._incoming) < LENGTH.size + length:
                return
            answer = msgspec.msgpack.decode(self._incoming[LENGTH.size : LENGTH.size + length])
            self._incoming = self._incoming[LENGTH.size + length :]
            self._answered(answer)

    def _answered(self, answer: list[Any]) -> None:
        number, error = answer
        if number != self._number:
            return
        if error is None:
            self.waiting = False
            self.failure = None
            self.restarts = 0
            self._sent = []
            return
        self._lost(f"it could not write ({error})")
