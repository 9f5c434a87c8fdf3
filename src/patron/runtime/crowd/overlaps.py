"""Two segments in force: how many are in the one, in the other, in both."""

from collections import Counter

from patron.model.audiences import Named, Overlap
from patron.runtime.crowd.sample import Crowd
from patron.runtime.workspace import Workspace

_ALL = 10**9


async def overlap(workspace: Workspace, crowd: Crowd, first: Named, second: Named) -> Overlap:
    """Counted among the members where both are live, else on a sample."""
    live = workspace.live
    if all(live.status(one.id).state == "live" for one in (first, second)):
        a, b = (set(live.members(one.id, "", _ALL)) for one in (first, second))
        only, both, other, total = len(a - b), len(a & b), len(b - a), crowd.total
        return Overlap(first, second, only, both, other, total, total, workspace.clock.now())
    counts: Counter[tuple[bool, bool]] = Counter()
    async for one in crowd.by(workspace.definitions.active()):
        counts[one.subject.is_in(first.id), one.subject.is_in(second.id)] += 1
    only, both, other = (
        round(counts[pair] * crowd.times) for pair in ((True, False), (True, True), (False, True))
    )
    return Overlap(first, second, only, both, other, crowd.seen, crowd.total, crowd.at)
