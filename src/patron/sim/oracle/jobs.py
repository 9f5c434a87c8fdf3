"""Work in several processes, its results in the order of the jobs, its CPU seconds counted."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from typing import Any, TypeVar

from patron.model.errors import PatronError
from patron.sim.workers import workers

Result = TypeVar("Result")


class CrewLost(PatronError):
    """A process died under its work, mostly for want of memory; the message says what to do."""


class Crew:
    """Processes that share jobs; with one, the work is done here.

    >>> with Crew(1) as crew:
    ...     list(crew.each(max, [(1, 2), (4, 3)]))
    [2, 4]
    """

    def __init__(self, processes: int, progress: Callable[[int, int], None] | None = None) -> None:
        self._pool = workers(processes) if processes > 1 else None
        self._progress = progress or (lambda _done, _all: None)
        self._begun, self._others = time.process_time(), 0.0

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    @property
    def cpu_seconds(self) -> float:
        """CPU seconds of all processes since the crew was called together or last `restarted`."""
        return time.process_time() - self._begun + self._others

    def restart(self) -> None:
        """Count CPU seconds from now."""
        self._begun, self._others = time.process_time(), 0.0

    def each(self, work: Callable[..., Result], jobs: Sequence[tuple[Any, ...]]) -> Iterator[Result]:
        """`work(*job)` for each job, in their order. Raises CrewLost when a process dies."""
        self._progress(0, len(jobs))
        if self._pool is None or len(jobs) == 1:
            for done, job in enumerate(jobs, start=1):
                yield work(*job)
                self._progress(done, len(jobs))
            return
        waiting = [self._pool.submit(_timed, work, job) for job in jobs]
        waiting.reverse()  # a result is let go once it is handed on
        while waiting:
            try:
                result, seconds = waiting.pop().result()
            except BrokenExecutor:
                raise CrewLost(_LOST) from None
            self._others += seconds
            yield result
            self._progress(len(jobs) - len(waiting), len(jobs))


def _timed(work: Callable[..., Result], job: tuple[Any, ...]) -> tuple[Result, float]:
    began = time.process_time()
    result = work(*job)
    return result, time.process_time() - began


_LOST = (
    "a process died, perhaps for want of memory: give fewer --processes and run again with --only for what is "
    "missing; the files that were finished are kept"
)
