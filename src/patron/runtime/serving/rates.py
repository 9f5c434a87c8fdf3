"""Live traffic: events a second by channel over the last ten seconds, and how far the state is behind."""

from collections import deque

from patron.model.clock import DAY
from patron.model.events import CHANNELS
from patron.model.views import ChannelRate
from patron.runtime.workspace import Workspace

SPAN = 10


class Rates:
    """A sliding window over the per-channel day counts, ticked once a second."""

    def __init__(self) -> None:
        self._window: deque[dict[str, int]] = deque(maxlen=SPAN + 1)

    def tick(self, workspace: Workspace) -> None:
        """Take one sample."""
        self._window.append(self._totals(workspace))

    def lag(self, waiting: int) -> float:
        """Milliseconds that the state is behind the log: what waits, at the present rate (0 when nothing waits)."""
        if not waiting:
            return 0.0
        return round(1000.0 * waiting / max(sum(self._per_second().values()), 1000.0), 1)

    def channels(self, workspace: Workspace) -> list[ChannelRate]:
        """Every channel, those with traffic first."""
        day, rates = workspace.clock.now() // DAY, self._per_second()
        found = []
        for channel in CHANNELS:
            row = workspace.days.get(f"{day}/{channel}")
            before = row or workspace.days.get(f"{day - 1}/{channel}")
            last = before.last if before else None
            found.append(ChannelRate(channel, rates.get(channel, 0.0), row.count if row else 0, last))
        return found

    def _totals(self, workspace: Workspace) -> dict[str, int]:
        day = workspace.clock.now() // DAY
        totals = {}
        for channel in CHANNELS:
            rows = (workspace.days.get(f"{d}/{channel}") for d in (day - 1, day))
            totals[channel] = sum(r.count for r in rows if r is not None)
        return totals

    def _per_second(self) -> dict[str, float]:
        if len(self._window) < 2:
            return {}
        first, last = self._window[0], self._window[-1]
        seconds = len(self._window) - 1
        return {c: max(0.0, (last[c] - first[c]) / seconds) for c in last}
