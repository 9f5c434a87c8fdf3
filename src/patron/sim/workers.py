"""Processes that work side by side, and end when the one that called them ends, in whatever way it does."""

import os
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import parent_process
from multiprocessing.connection import wait


def workers(processes: int) -> ProcessPoolExecutor:
    """A pool of this many processes, none of which outlives this one: not even when it is killed, and can tell nobody.

    >>> with workers(1) as pool:
    ...     pool.submit(max, 1, 2).result()
    2
    """
    return ProcessPoolExecutor(processes, initializer=_watch)


def _watch() -> None:
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()


def _end_with_parent() -> None:
    """Wait until the parent is gone, and leave with it: what is half told is of no use to anybody.

    The sentinel is a pipe that the parent holds open. Brothers and sisters forked later hold it, too, so the youngest
    goes first.
    """
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
