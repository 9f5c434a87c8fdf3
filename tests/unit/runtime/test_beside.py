"""Work beside events, by a clock of its own."""

import asyncio
from collections.abc import Iterator

import pytest

from patron.runtime.beside import PAUSE, SLICE, spread


class Time:
    """Seconds that pass when something works or sleeps."""

    def __init__(self) -> None:
        self.now = self.slept = self.worked = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds

    def works(self, steps: int, seconds: float) -> Iterator[None]:
        for _ in range(steps):
            self.now += seconds
            self.worked += seconds
            yield


@pytest.mark.parametrize("step", [SLICE / 3, 2 * SLICE, 400 * SLICE])
def test_while_events_wait_a_twentieth_of_the_time_is_worked(step: float) -> None:
    time = Time()
    asyncio.run(spread(time.works(1000, step), lambda: True, time, time.sleep))
    assert time.worked / time.now == pytest.approx(0.05, rel=0.02)


def test_else_others_get_a_turn_after_each_slice() -> None:
    time = Time()
    asyncio.run(spread(time.works(1000, SLICE / 3), lambda: False, time, time.sleep))
    assert time.slept == pytest.approx(PAUSE * time.worked / SLICE, rel=0.5)
