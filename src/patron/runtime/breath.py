"""Work beside events: a millisecond at a time."""

import asyncio
import time

TURN = 0.001
"""Seconds that such work takes of a turn of the loop."""
PAUSE = 0.001


class Breath:
    """Lets everybody else have a turn once some work took long enough."""

    def __init__(self) -> None:
        self._until = time.perf_counter() + TURN

    async def take(self) -> None:
        """Go on at once, or in the next turn."""
        if time.perf_counter() > self._until:
            await asyncio.sleep(PAUSE)
            self._until = time.perf_counter() + TURN
