"""Work that goes on beside events, in slices, with a rest after each."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable

SLICE = 0.001
"""Seconds of a turn of the loop."""
PAUSE = 0.001
"""Seconds of a rest in which others get their turn."""
BUSY = 19
"""While events wait, a rest is so many times as long as the slice before it: a twentieth of the time is worked."""


async def spread(
    steps: Iterable[None],
    is_busy: Callable[[], bool] = bool,
    timer: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Work through steps a slice at a time.

    Parameters
    ----------
    is_busy : whether something waits that comes first; rests are longer then.

    >>> asyncio.run(spread(iter([None, None])))
    """
    began = timer()
    for _ in steps:
        spent = timer() - began
        if spent > SLICE:
            await sleep(max(PAUSE, BUSY * spent) if is_busy() else PAUSE)
            began = timer()
