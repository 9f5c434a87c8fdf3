"""How many messages a second one write key may send: a token bucket per key."""

import math

from patron.model.clock import Clock
from patron.model.errors import RateLimited

_BURST_SECONDS = 2


class Rates:
    """Token buckets, filled by the clock. A body is let in while its key has any token, and may run into debt:
    so a batch bigger than the bucket still passes, and the next one waits for it.

    >>> from patron.model.clock import SteppedClock
    >>> rates = Rates(SteppedClock(0))
    >>> rates.charge("k", rate=10, messages=50)
    >>> rates.charge("k", rate=10, messages=1)
    Traceback (most recent call last):
    patron.model.errors.RateLimited: This key may send 10 messages a second; wait 4 s.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: dict[str, tuple[float, int]] = {}

    def charge(self, key: str, *, rate: int, messages: int) -> None:
        """Take `messages` tokens of a key that may send `rate` a second. Raises RateLimited."""
        now = self._clock.now()
        most = float(rate * _BURST_SECONDS)
        tokens, then = self._buckets.get(key, (most, now))
        tokens = min(most, tokens + (now - then) * rate / 1000)
        if tokens < 1:
            self._buckets[key] = (tokens, now)
            wait = max(1, math.ceil((1 - tokens) / rate))
            raise RateLimited(
                "rate_limited",
                f"This key may send {rate} messages a second; wait {wait} s.",
                retry_after=wait,
            )
        self._buckets[key] = (tokens - messages, now)
