"""The truth of journeys: how often each step is followed by which, counted from lives rather than from what arrived (7.7)."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import lru_cache

from patron.model.clock import DAY
from patron.sim.messages import Told

START, END = "start", "end"
Edge = tuple[str, str, str]
"""Journey, step, next step."""
_Paths = defaultdict[object, list[tuple[int, str]]]
"""What a journey belongs to -> its steps with their times."""
_CALLS = {"page": "Page Viewed", "screen": "Screen Viewed", "identify": "Identified"}


def edges(told: Iterable[Told]) -> Counter[Edge]:
    """The steps of one day's messages, each journey from `START` to `END`.

    Journeys are a person's `day` over all channels, a `pick_up` by its order, and a `message` by its id.
    """
    letters, pick_ups, days = _Paths(list), _Paths(list), _Paths(list)
    for one in told:
        message = one.message
        event = message.get("event", "")
        step = one.at, _step(one.source, event or _CALLS[message["type"]])
        said = message.get("properties", ())
        if "message_id" in said:
            letters[said["message_id"]].append(step)
            if event == "Message Sent":
                continue
        if event.startswith("Reservation"):
            pick_ups[said["order_id"]].append(step)
        elif one.source != "crm":
            days[one.person, one.at // DAY].append(step)
    found: Counter[Edge] = Counter()
    for journey, paths in (("message", letters), ("pick_up", pick_ups), ("day", days)):
        _walk(journey, paths, found)
    return found


def _walk(journey: str, paths: _Paths, found: Counter[Edge]) -> None:
    """Count the edges of every path of one kind of journey."""
    for steps in paths.values():
        steps.sort()
        last = START
        for _, name in steps:
            # looking at five products is one step
            if name != last:
                found[journey, last, name] += 1
                last = name
        found[journey, last, END] += 1


@lru_cache(maxsize=1024)
def _step(source: str, name: str) -> str:
    return f"{source}: {name}"
