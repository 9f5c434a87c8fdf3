"""The truth of journeys: how often each step is followed by which, counted from lives rather than from what arrived (7.7)."""

from collections import Counter
from collections.abc import Iterable
from itertools import groupby

from patron.model.clock import DAY
from patron.sim.messages import Message, Told

START, END = "start", "end"
Edge = tuple[str, str, str]
"""Journey, step, next step."""
_CALLS = {"page": "Page Viewed", "screen": "Screen Viewed", "identify": "Identified"}


def edges(told: Iterable[Told]) -> Counter[Edge]:
    """The steps of one day's messages, each journey from `START` to `END`.

    Journeys are a person's `day` over all channels, a `pick_up` by its order, and a `message` by its id.
    """
    found: Counter[Edge] = Counter()
    paths: dict[tuple[str, object], list[tuple[int, str]]] = {}
    for one in told:
        for journey, key in _journeys(one):
            paths.setdefault((journey, key), []).append((one.at, _step(one)))
    for (journey, _), steps in paths.items():
        # looking at five products is one step
        names = [name for name, _ in groupby(name for _, name in sorted(steps))]
        found.update((journey, a, b) for a, b in zip([START, *names], [*names, END], strict=True))
    return found


def _journeys(one: Told) -> Iterable[tuple[str, object]]:
    said: Message = one.message.get("properties", {})
    if "message_id" in said:
        yield "message", said["message_id"]
        if one.message["event"] == "Message Sent":
            return
    if one.message.get("event", "").startswith("Reservation"):
        yield "pick_up", said["order_id"]
    elif one.source != "crm":
        yield "day", (one.person, one.at // DAY)


def _step(one: Told) -> str:
    name = one.message.get("event") or _CALLS[one.message["type"]]
    return f"{one.source}: {name}"
