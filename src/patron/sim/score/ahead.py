"""Reading ahead: one thread asks and decodes while the reader reckons, so that neither waits for the other."""

import contextlib
import queue
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
WAIT = 0.2
"""Seconds after which a full queue asks whether anybody still reads."""


def ahead(values: Iterable[T], most: int) -> Iterator[T]:
    """The same values in the same order, at most `most` of them made before they are asked for.

    Only one thread touches `values`, until the reader has had the last, has met what it raised, or has been closed.

    >>> list(ahead(iter("abc"), 2))
    ['a', 'b', 'c']
    """
    made: queue.Queue[tuple[T] | BaseException | None] = queue.Queue(most)
    stop = threading.Event()
    thread = threading.Thread(target=_make, args=(values, made, stop), daemon=True)
    thread.start()
    try:
        while (one := made.get()) is not None:
            if isinstance(one, BaseException):
                raise one
            yield one[0]
    finally:
        stop.set()
        thread.join()


def _make(
    values: Iterable[T], made: "queue.Queue[tuple[T] | BaseException | None]", stop: threading.Event
) -> None:
    end: BaseException | None = None
    try:
        for value in values:
            if not _put((value,), made, stop):
                return
    except BaseException as error:  # noqa: BLE001 - the reader raises it
        end = error
    _put(end, made, stop)


def _put(one: T, made: "queue.Queue[T]", stop: threading.Event) -> bool:
    while not stop.is_set():
        with contextlib.suppress(queue.Full):
            made.put(one, timeout=WAIT)
            return True
    return False
