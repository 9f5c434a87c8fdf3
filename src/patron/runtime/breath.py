"""Work beside events: a millisecond at a time, and hardly any while what comes first waits."""

import asyncio
import time
from collections.abc import Awaitable, Callable

TURN = 0.001
"""Seconds that such work takes of a turn of the loop."""
PAUSE = 0.001
BUSY = 19
"""While something that comes first waits, a rest is up to so many times as long as the work before it: a twentieth of the time is worked."""
LONG = 0.05
"""Seconds of a rest after which is looked whether it still waits."""


class Breath:
    """Lets everybody else have a turn once some work took long enough.

    Parameters
    ----------
    is_busy : whether something waits that comes first; rests are longer then.
    """

    def __init__(
        self,
        is_busy: Callable[[], bool] = bool,
        timer: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._is_busy, self._timer, self._sleep = is_busy, timer, sleep
        self._began = timer()

    async def take(self) -> None:
        """Go on at once, or in a later turn."""
        worked = self._timer() - self._began
        if worked <= TURN:
            return
        until = self._timer() + BUSY * worked
        await self._sleep(PAUSE)
        while self._is_busy() and (left := until - self._timer()) > 0:
            await self._sleep(min(left, LONG))
        self._began = self._timer()
