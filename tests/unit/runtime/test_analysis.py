"""Questions over a real lake on disk, each in a process of its own."""

import asyncio
import contextlib

import pytest

from patron.insights import Funnel
from patron.model.errors import BadRequest
from patron.model.events import Event
from patron.model.lake import PEOPLE
from patron.rules.tree import Computed, Did, Member, Segment
from patron.runtime.analysis import Analyst, Moment, Reach, Standings, Values
from patron.runtime.lake.processes import LakeProcesses
from patron.storage.lake.asking import Query
from patron.storage.lake.store import LakeStore
from tests.property.rules import lake as lakes

NOW = 1_774_778_400_000
MOMENT = Moment(NOW, "Europe/Rome")
BUYERS = Segment("buyers", "Buyers", Did("Order Completed", ">=", 2))


@pytest.fixture(scope="module")
def analyst(tmp_path_factory: pytest.TempPathFactory) -> Analyst:
    folder = tmp_path_factory.mktemp("data") / "lake"
    store = LakeStore(str(folder), {}, "test")
    names = ("Product Viewed", "Order Completed", "Order Completed")
    placed = [
        (Event(i, "s", "web", "track", name, f"m{i}", NOW - 9 + i, NOW), 1) for i, name in enumerate(names, 1)
    ]
    people = [{"node": n, "person": f"p{n}", "position": n, "known": 0} for n in (1, 2)]
    store["people"].append(lakes.table(PEOPLE, people), 3)
    store["events"].append(lakes.events_table(placed), 3)
    return Analyst(LakeProcesses(), Query(str(folder), seconds=30.0, memory_mb=512))


def test_members_values_and_insights(analyst: Analyst) -> None:
    head, rows = asyncio.run(analyst.run(Standings((BUYERS,)), MOMENT))
    assert [name for name, _ in head.columns] == ["subject", "buyers"]
    assert sorted(rows) == [["p1", 1], ["p2", 0]]
    _, reach = asyncio.run(analyst.run(Reach((BUYERS,)), MOMENT))
    assert reach == [["buyers", 1, 0]]
    orders = Computed("orders", "Orders", Did("Order Completed"))
    _, values = asyncio.run(analyst.run(Values((orders,)), MOMENT))
    assert {who: float(value) for who, value in values} == {"p1": 2.0, "p2": 0.0}
    _, funnel = asyncio.run(analyst.run(Funnel(("Product Viewed", "Order Completed")), MOMENT))
    assert ["across", "*", 2, 1] in funnel


def test_a_definition_is_said_in_sql_over_several_lines(analyst: Analyst) -> None:
    found = asyncio.run(analyst.sql(BUYERS, MOMENT))
    assert found.startswith(("SELECT\n", "WITH "))
    assert "'Order Completed'" in found
    value = asyncio.run(analyst.sql(Computed("orders", "Orders", Did("Order Completed")), MOMENT))
    assert "'Order Completed'" in value
    assert value != found
    round_ = Segment("a", "A", Member("a"))
    with pytest.raises(BadRequest, match=r"cannot be said in SQL: .*circle") as refused:
        asyncio.run(analyst.sql(round_, Moment(NOW, "UTC", segments=(round_,))))
    assert refused.value.code == "no_sql"


def test_a_circle_is_refused_with_a_sentence(analyst: Analyst) -> None:
    round_ = Segment("a", "A", Member("a"))
    with pytest.raises(BadRequest, match="circle"):
        asyncio.run(analyst.run(Standings((round_,)), Moment(NOW, "UTC", segments=(round_,))))


def test_a_cancelled_question_ends_its_process(analyst: Analyst) -> None:
    async def cancelled() -> None:
        task = asyncio.create_task(analyst.run(Standings((BUYERS,)), MOMENT))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.wait_for(analyst.run(Reach((BUYERS,)), MOMENT), 60)

    asyncio.run(cancelled())


def test_rows_in_slices_are_all_the_rows(analyst: Analyst) -> None:
    async def held(question: Standings) -> list[list[object]]:
        async with contextlib.aclosing(analyst.slices(question, MOMENT)) as slices:
            return [row async for head, rows in slices for row in rows if head.columns[0][0] == "subject"]

    assert sorted(asyncio.run(held(Standings((BUYERS,))))) == [["p1", 1], ["p2", 0]]
    with pytest.raises(BadRequest, match="one kind of subject"):
        asyncio.run(held(Standings((BUYERS, Segment("b", "B", Did("A"), subject="account")))))
