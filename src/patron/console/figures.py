"""The counts of the home page, for today in the workspace's zone."""

import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from patron.console.port import Figures
from patron.model.clock import DAY, HOUR
from patron.model.views import ChannelRate
from patron.runtime.workspace import Workspace


def figures(workspace: Workspace, rates: Sequence[ChannelRate]) -> Figures:
    """Decisions by hour beside those of a week ago, events by all channels, and visits in store."""
    now = workspace.clock.now()
    first = _midnight(now, workspace.settings.workspace.zone) // HOUR
    counts = [workspace.decisions_at(first + number) for number in range(24)]
    before = [workspace.decisions_at(first + number - 7 * 24)[0] for number in range(24)]
    visits, known = workspace.visits(now // DAY)
    return Figures(
        sum(made for made, _ in counts),
        sum(silent for _, silent in counts),
        sum(rate.today for rate in rates),
        visits,
        known,
        [made for made, _ in counts],
        before if any(before) else [],
    )


def _midnight(now: int, zone: str) -> int:
    day = dt.datetime.fromtimestamp(now / 1000, ZoneInfo(zone))
    return int(day.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)
