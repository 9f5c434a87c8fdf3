"""The stories and questions beside a workspace's data: small files in its directory (`patron.model.guide`).

`patron demo` and `patron sim practice` write them; the console shows them. A workspace without them shows nothing.
"""

import contextlib
import fcntl
import os
from pathlib import Path
from typing import TypeVar

import msgspec

from patron.model import guide
from patron.model.errors import Conflict
from patron.model.guide import ANSWERS, PRACTICE, STORIES, Answer, Practice, Stories
from patron.storage.embedded.files import write_durably

T = TypeVar("T", Stories, Practice)


def stories(folder: Path) -> Stories | None:
    """The stories planted in a workspace; None when there are none, or the file is not of this version."""
    return _read(folder / STORIES, Stories)


def practice(folder: Path) -> Practice | None:
    """The questions to practise on; None when there are none, or the file is not of this version."""
    return _read(folder / PRACTICE, Practice)


def write(folder: Path, what: Stories | Practice) -> None:
    """Put stories or questions into a workspace; readers see the old file or the new one, whole."""
    name = STORIES if isinstance(what, Stories) else PRACTICE
    write_durably(folder / name, msgspec.json.encode(what))


def answered(folder: Path) -> dict[str, Answer]:
    """The last answer to each question."""
    try:
        return guide.answers((folder / ANSWERS).read_bytes())
    except FileNotFoundError:
        return {}


def answer(folder: Path, one: Answer) -> None:
    """Note an answer. Two processes may do so at once.

    Raises Conflict when the practice is over.
    """
    found = practice(folder)
    if found is None or found.ended:
        raise Conflict("practice_over", "The practice is over: no answer counts any more.")
    descriptor = os.open(folder / ANSWERS, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        os.write(descriptor, (b"\n" if torn else b"") + guide.line(one))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(file: Path, kind: type[T]) -> T | None:
    # what somebody else wrote there must not break every page
    with contextlib.suppress(FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
        found = msgspec.json.decode(file.read_bytes(), type=kind)
        if found.format == guide.FORMAT:
            return found
    return None
