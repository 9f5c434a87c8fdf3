"""Work beside events, by a clock of its own."""

import asyncio

import pytest

from patron.runtime.breath import PAUSE, TURN, Breath


class Time:
    """Seconds that pass when something works or sleeps."""

    def __init__(self) -> None:
        self.now = self.slept = self.worked = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds

    async def works(self, breath: Breath, steps: int, seconds: float) -> None:
        for _ in range(steps):
            self.now += seconds
            self.worked += seconds
            await breath.take()


@pytest.mark.parametrize("step", [TURN / 3, 2 * TURN, 400 * TURN])
def test_while_events_wait_a_twentieth_of_the_time_is_worked(step: float) -> None:
    time = Time()
    asyncio.run(time.works(Breath(lambda: True, time, time.sleep), 1000, step))
    assert time.worked / time.now == pytest.approx(0.05, rel=0.02)


def test_else_others_get_a_turn_after_each_millisecond() -> None:
    time = Time()
    asyncio.run(time.works(Breath(lambda: False, time, time.sleep), 1000, TURN / 3))
    assert time.slept == pytest.approx(PAUSE * time.worked / TURN, rel=0.5)
