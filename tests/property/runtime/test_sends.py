"""Caps, stocks and budgets hold over a send and everybody who asks meanwhile, whatever comes between."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from patron.decide.grants import Grant
from patron.model.clock import HOUR
from patron.model.offers import Ask
from patron.rules.calendar import Calendar
from patron.runtime.backend import LocalBackend
from patron.runtime.create import create
from patron.runtime.settings import FILE
from tests.flow.inprocess import play, running, send, source
from tests.property.costly import costly, quick_folder

NOON = 1_800_014_400_000
ROME = Calendar("Europe/Rome")
PEOPLE = 8
CATALOGUE = """
[[placement]]
id = "mail"
name = "Newsletter"
channel = "email"
outbound = true
explore = {explore}
reward = "click"

[[placement]]
id = "text"
name = "Text"
channel = "sms"
outbound = true
reward = "click"

[[placement]]
id = "web_home"
name = "Web home"
channel = "web"

[[offer]]
id = "coupon"
name = "Coupon"
value = 50.0
cost = 2.0
stock = {stock}

[[offer]]
id = "gift"
name = "Gift"
value = 40.0
cost = 3.0
budget = {budget}.0

[[offer]]
id = "tea"
name = "Tea"
value = 20.0

[[cap]]
id = "days"
limit = {limit}
days = {days}

[[cap]]
id = "hours"
limit = 2
hours = 24
each = "offer"
"""


@st.composite
def stories(draw: st.DrawFn) -> dict:
    number = st.integers(1, 4)
    asks = st.lists(st.tuples(st.integers(0, PEOPLE - 1), st.sampled_from(("mail", "text", "web_home")), st.integers(0, 6)), max_size=25)  # fmt: skip
    return {
        "catalogue": CATALOGUE.format(
            explore=draw(st.sampled_from(("true", "false"))),
            stock=draw(number), budget=3 * draw(number), limit=draw(number), days=draw(st.integers(1, 3)),
        ),
        "hours": draw(st.sampled_from(((0, 24), (9, 20), (22, 3)))),
        "rounds": [(draw(asks), draw(st.integers(1, 30)), draw(st.booleans())) for _ in range(draw(st.integers(1, 3)))],
    }  # fmt: skip


async def _ask(backend: LocalBackend, user: int, placement: str, turns: int) -> None:
    for _ in range(turns):
        await asyncio.sleep(0.001)
    ask = Ask(placement, user_id=f"u{user}", channel="")
    await backend.decide(ask, trusted=True, source=None, user_hash="")


async def _sent(backend: LocalBackend, name: str, hours: tuple[int, int]) -> None:
    body = {"id": name, "name": name, "placements": ["mail", "text"], "hours": list(hours), "within": 48}
    await backend.sends.start(body, "test")
    while backend.sends.get(name).state == "running":
        await asyncio.sleep(0.002)


async def _shown(backend: LocalBackend, told: set[str]) -> None:
    """Whoever sends says so at once: everything that was given counts for good."""
    rows = [(name, row) for name, row in list(backend.workspace.decisions.items()) if name not in told]
    told.update(name for name, _ in rows)
    messages = [
        {"type": "track", "event": "Message Sent", "userId": row.node[8:], "messageId": name, "properties": {"decision_id": name}}
        for name, row in rows if row.grants
    ]  # fmt: skip
    if messages:
        await send(backend, "shop", messages)


def _most(grants: Iterable[Grant], days: int) -> int:
    """The most of some grants within so many calendar days."""
    at = [ROME.day(one.due or one.time) for one in grants]
    return max((sum(first <= day < first + days for day in at) for first in at), default=0)


def _most_rolling(grants: Iterable[Grant], hours: int) -> int:
    at = [one.due or one.time for one in grants]
    return max((sum(first <= time < first + hours * HOUR for time in at) for first in at), default=0)


@costly
@given(stories())
def test_nothing_is_overspent_by_sends_and_asks_together(story: dict) -> None:
    async def told(path: Path) -> None:
        create(path)
        (path / FILE).write_text('[business]\ntimezone = "Europe/Rome"\n[decide]\nholdout = 0.0\n', "utf-8")
        async with running(path, now=NOON) as backend:
            await source(backend, "shop")
            await backend.set_catalogue(story["catalogue"])
            known = [{"type": "identify", "userId": f"u{n}", "traits": {"email": f"u{n}@mail.example", "phone": f"+39333000000{n}"}, "messageId": f"i{n}"} for n in range(PEOPLE)]  # fmt: skip
            await send(backend, "shop", known)
            told: set[str] = set()
            for number, (asks, hours, again) in enumerate(story["rounds"]):
                work = [_ask(backend, *one) for one in asks]
                await asyncio.gather(*work, _sent(backend, f"s{number}", story["hours"]))
                if again:
                    await _sent(backend, f"again{number}", story["hours"])
                await _shown(backend, told)
                await backend.step_clock(backend.workspace.clock.now() + hours * HOUR)
            _check(backend)

    with quick_folder() as place:
        play(told(place / "shop"))


def _check(backend: LocalBackend) -> None:
    index = backend.answers.index
    by_person: dict[str, list[Grant]] = defaultdict(list)
    by_offer: dict[str, list[Grant]] = defaultdict(list)
    sends: dict[str, list[str]] = defaultdict(list)
    for _, row in backend.workspace.decisions.items():
        if row.sent is not None:
            sends[row.sent.send].append(row.node)
        for grant in row.grants:
            by_person[row.node].append(grant)
            by_offer[grant.offer].append(grant)
    days, hours = index.catalogue.caps
    for grants in by_person.values():
        assert _most(grants, days.days) <= days.limit
        for offer in index.ids:
            assert _most_rolling([one for one in grants if one.offer == offer], hours.hours) <= hours.limit
    assert len(by_offer["coupon"]) <= (index.by_id["coupon"].stock or 0)
    assert 3.0 * len(by_offer["gift"]) <= (index.by_id["gift"].budget or 0.0)
    for nodes in sends.values():
        assert len(nodes) == len(set(nodes)) == PEOPLE
