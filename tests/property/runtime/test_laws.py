"""The laws of CORE.md over the whole staircase: any order, any slicing, copies, a kill and a replay end the same."""

import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patron.runtime.create import CATALOGUE_FILE
from tests.flow.inprocess import partition, play, rows, running, send, source
from tests.property.costly import quick_folder

NOW = 1_800_000_000_000
DAY = 86_400_000
USERS = ["u1", "u2", "u3"]
DEVICES = ["d1", "d2", "d3", "d4"]
EMAILS = ["ana@x.it", " Ana+shop@X.it", "family@x.it", "noemail@store.it"]
PHONES = ["333 123 4567", "+393331234567", "3339999999"]
NAMES = ["Anna", "Marta", "Luca"]
ORDERS = ["o1", "o2", "o3"]

times = st.integers(0, 40).map(lambda n: NOW - n * 7 * 3_600_000) | st.sampled_from(
    [NOW - 400 * DAY, NOW - 401 * DAY, NOW - 800 * DAY]
)
ids = st.fixed_dictionaries(
    {}, optional={"userId": st.sampled_from(USERS), "anonymousId": st.sampled_from(DEVICES)}
)
traits = st.fixed_dictionaries(
    {},
    optional={
        "email": st.sampled_from(EMAILS),
        "phone": st.sampled_from(PHONES),
        "firstName": st.sampled_from(NAMES),
        "city": st.sampled_from(["Rome", None, 7]),
    },
)
money = st.integers(0, 99_999).map(lambda n: n / 100)
lines = st.lists(
    st.fixed_dictionaries(
        {"product_id": st.sampled_from(["p1", "p2"]), "price": money, "quantity": st.integers(1, 3)}
    ),
    max_size=2,
)


def _track(name: str, **properties: Any) -> Any:
    return st.fixed_dictionaries(
        {"type": st.just("track"), "event": st.just(name), "properties": st.fixed_dictionaries(properties)}
    )


calls = st.one_of(
    _track("Product Viewed", product_id=st.sampled_from(["p1", "p2"])),
    _track(
        "Order Completed",
        order_id=st.sampled_from(ORDERS),
        revenue=money,
        currency=st.sampled_from(["EUR", "GBP"]),
        products=lines,
    ),
    _track("Order Refunded", order_id=st.sampled_from(ORDERS), products=lines),
    _track(
        "Consent Changed", purpose=st.sampled_from(["email_marketing", "profiling"]), granted=st.booleans()
    ),
    st.fixed_dictionaries({"type": st.just("identify"), "traits": traits}),
    st.fixed_dictionaries({"type": st.just("alias"), "previousId": st.sampled_from(DEVICES + USERS)}),
    st.fixed_dictionaries(
        {"type": st.just("group"), "groupId": st.sampled_from(["g1", "g2"]), "traits": st.just({"plan": "a"})}
    ),
)


def _stamp(number: int, call: dict[str, Any], who: dict[str, str], time: int) -> dict[str, Any]:
    from patron.profiles.public import iso

    return {**call, **who, "messageId": f"m{number}", "timestamp": iso(time)}


def _histories(least: int, most: int) -> st.SearchStrategy[list[dict[str, Any]]]:
    made = st.lists(st.tuples(calls, ids, times), min_size=least, max_size=most)
    return made.map(lambda told: [_stamp(n, call, who, time) for n, (call, who, time) in enumerate(told)])


small, large = _histories(1, 25), _histories(40, 80)
histories = st.one_of(small, small, small, large)


async def _made(path: Path) -> None:
    async with running(path) as backend:
        (path / CATALOGUE_FILE).unlink()  # nothing is decided here
        await source(backend, "shop")


@pytest.fixture(scope="module")
def template() -> Iterator[Path]:
    """A directory with one source, to be copied: an example opens three, and should make none.

    It lies in memory where that can be: that bytes reach the disk is proven elsewhere (tests/chaos).
    """
    with quick_folder() as folder:
        play(_made(folder / "template"))
        yield folder / "template"


async def _live(path: Path, bodies: list[list[dict[str, Any]]], *, kill_after: int = -1) -> tuple[Any, Any]:
    """Send the bodies; optionally drop the process's memory in the middle (nothing but the log survives)."""
    first, rest = (bodies, []) if kill_after < 0 else (bodies[:kill_after], bodies[kill_after:])
    async with running(path) as backend:
        for body in first:
            await send(backend, "shop", body)
        if kill_after < 0:
            return partition(backend.workspace), rows(backend.workspace)
    async with running(path) as backend:
        for body in rest:
            await send(backend, "shop", body)
        return partition(backend.workspace), rows(backend.workspace)


def _sliced(messages: list[dict[str, Any]], luck: random.Random) -> list[list[dict[str, Any]]]:
    """The same messages shuffled, some twice, in bodies of any size."""
    told = [*messages, *luck.sample(messages, luck.randint(0, len(messages)))]
    luck.shuffle(told)
    bodies = []
    while told:
        size = luck.randint(1, 6)
        bodies.append(told[:size])
        told = told[size:]
    return bodies


@given(history=histories, seed=st.integers(0, 2**32))
def test_any_order_slicing_copies_kill_and_replay_give_the_same_people_and_bytes(
    template: Path, history: list[dict[str, Any]], seed: int
) -> None:
    luck = random.Random(seed)
    folders = [Path(tempfile.mkdtemp(prefix="laws-", dir=template.parent)) / name for name in "ab"]
    for folder in folders:
        shutil.copytree(template, folder)
    try:
        plain = play(_live(folders[0], [history]))
        bodies = _sliced(history, luck)
        assert play(_live(folders[1], bodies, kill_after=luck.randint(0, len(bodies)))) == plain
    finally:
        for folder in folders:
            shutil.rmtree(folder.parent)
