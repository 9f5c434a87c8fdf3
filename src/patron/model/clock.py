"""Time as a value. `now` is milliseconds since 1970 UTC and is stored with what it caused."""

import time
from typing import Protocol

DAY = 86_400_000
HOUR = 3_600_000
MINUTE = 60_000


class Clock(Protocol):
    """The one source of time at the doors. Rooms never see it: they take `now`."""

    def now(self) -> int:
        """Milliseconds since 1970 UTC, never less than the last answer."""
        ...


class SystemClock:
    """The machine's clock, held monotonic: when it jumps back, the last answer stands until it catches up."""

    def __init__(self, floor: int = 0) -> None:
        self._last = floor

    def now(self) -> int:
        """Milliseconds since 1970 UTC."""
        self._last = max(self._last, time.time_ns() // 1_000_000)
        return self._last


class SteppedClock:
    """Time that moves only when told: a simulated year runs in minutes, and day 11 can be tested.

    >>> clock = SteppedClock(1000)
    >>> clock.step(2000); clock.now()
    2000
    """

    def __init__(self, start: int) -> None:
        self._now = start

    def now(self) -> int:
        """Milliseconds since 1970 UTC, as last stepped."""
        return self._now

    def step(self, now: int) -> None:
        """Move to `now`. Raises ValueError when that lies in the past: time is monotonic."""
        if now < self._now:
            raise ValueError(
                f"the clock stands at {self._now} and cannot go back to {now}; give a later time"
            )
        self._now = now
