"""What sells near here lately: a spike in one town is seen there within minutes and nowhere else, and few sales change nothing."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from patron.decide.encoding import look
from patron.decide.fit import NAMES, SIZE, TRENDS
from patron.decide.learn.grid import snap
from patron.decide.learn.packing import length
from patron.model.clock import DAY, HOUR, MINUTE
from patron.model.offers import Ask
from patron.runtime.backend import LocalBackend
from patron.runtime.decisions.arms import Arm, Arms, encode
from patron.runtime.decisions.looks import MOVES, SCHEMA, VERSION
from patron.runtime.decisions.model import looked_at
from patron.runtime.settings import FILE
from tests.flow.inprocess import play, running, send, source

NOW = 1_800_014_400_000
STORES = [
    {"store": f"{town[:2]}{n}", "name": f"{town} {n}", "city": town, "latitude": 45.0, "longitude": 9.0, "country": "IT"}
    for town in ("Torino", "Bari", "Como")
    for n in (1, 2)
]  # fmt: skip
CATALOGUE = """
[[placement]]
id = "screen"
name = "Screen in the store"
channel = "signage"
slots = 6
explore = false
reward = "order"
""" + "".join(
    f'[[offer]]\nid = "show-{n}"\nname = "Product {n}"\nproducts = ["P{n}"]\ncontent = {{title = "Product {n}"}}\n'
    for n in range(6)
)


class Town:
    """A chain of six stores in three towns, with a till each."""

    def __init__(self, backend: LocalBackend) -> None:
        self.backend = backend
        self._count = 0

    async def open(self) -> None:
        await source(self.backend, "till", "pos", assurance="verified")
        await self.backend.set_catalogue(CATALOGUE)
        await self.backend.load_feed("stores", json.dumps({"rows": STORES}).encode(), {}, "test")

    async def sells(self, store: str, products: Sequence[int], name: str = "Order Completed") -> None:
        """One purchase of each product, all by different people."""
        events = []
        for product in products:
            self._count += 1
            told: dict[str, Any] = {"store_id": store}
            if name == "Order Completed":
                told |= {"order_id": f"o{self._count}", "products": [{"product_id": f"P{product}"}]}
            else:
                told |= {"product_id": f"P{product}"}
            who = f"u{self._count}"
            events.append(
                {"type": "track", "event": name, "messageId": who, "userId": who, "properties": told}
            )
        await send(self.backend, "till", events)

    async def later(self, time: int) -> None:
        await self.backend.step_clock(self.backend.workspace.clock.now() + time)

    async def asks(self, store: str, user: str = "someone new") -> Any:
        ask = Ask("screen", user_id=user, channel="", context={"store_id": store}, count=6)
        return await self.backend.decide(ask, trusted=True, source=None, user_hash="")

    async def shown(self, store: str) -> list[str]:
        made = await self.asks(store)
        return [made["action"], *(one["action"] for one in made["slate"])]

    def fit(self, decision: str) -> dict[str, int]:
        """What the record says of the place."""
        row = self.backend.workspace.decisions.get(decision)
        assert row is not None
        rating = look(row.record).rating
        assert rating is not None
        return dict(zip(NAMES[TRENDS:], rating.features[TRENDS - SIZE :], strict=True))


async def _chain(path: Path, work: Callable[[Town], Any]) -> Any:
    async with running(path, now=NOW):
        pass
    (path / FILE).write_text("[decide]\nholdout = 0.0\n", "utf-8")
    async with running(path, now=NOW) as backend:
        town = Town(backend)
        await town.open()
        return await work(town)


async def _usual_day(town: Town) -> None:
    """Product 0 is the chain's bestseller, all others sell alike."""
    for store in STORES:
        await town.sells(str(store["store"]), [0] * 20 + [1, 2, 3, 4, 5] * 2)
    await town.later(2 * DAY)


def test_a_spike_in_one_town_leads_on_its_screens_within_minutes_and_nowhere_else(tmp_path: Path) -> None:
    async def work(town: Town) -> None:
        await _usual_day(town)
        await town.sells("To1", [0, 0, 0, 1, 2])
        await town.sells("Ba1", [0, 0, 0, 1, 2])
        await town.later(MINUTE)
        before = {store: await town.shown(store) for store in ("To1", "To2", "Ba1", "Co1")}
        assert {shown[0] for shown in before.values()} == {"show-0"}
        assert before["To1"].index("show-4") > 1
        await town.sells("To1", [4] * 20)
        await town.later(10 * MINUTE)
        for store, shown in before.items():
            now = await town.shown(store)
            assert (now[0] == "show-4") if store.startswith("To") else (now == shown), store
        made = await town.asks("To1")
        assert "Selling fast at Torino 1 today" in made["reasons"]
        told = town.fit(made["decisionId"])
        assert told["selling in this store"] > 0
        assert told["selling in this town"] > 0
        assert "Selling fast in Torino today" in (await town.asks("To2"))["reasons"]
        kept = town.backend.decision(made["decisionId"]).decision
        assert "Selling fast at Torino 1 today" in kept.reasons
        await town.later(2 * DAY)
        assert (await town.shown("To1"))[0] == "show-0"

    play(_chain(tmp_path / "shop", work))


def test_three_purchases_in_a_tiny_store_do_not_swamp_the_bestseller(tmp_path: Path) -> None:
    async def work(town: Town) -> None:
        await _usual_day(town)
        await town.sells("Co1", [5, 5, 5])
        await town.later(MINUTE)
        made = await town.asks("Co1")
        assert made["action"] == "show-0"
        assert town.fit(made["decisionId"])["popular"] > 200
        assert town.fit(made["decisionId"])["selling in this town"] == 0
        for n in range(30):  # one person alone is no trend
            await send(
                town.backend,
                "till",
                [
                    {
                        "type": "track",
                        "event": "Product Viewed",
                        "userId": "one",
                        "messageId": f"v{n}",
                        "properties": {"product_id": "P5", "store_id": "Co1"},
                    }
                ],
            )
        await town.later(MINUTE)
        assert (await town.shown("Co1"))[0] == "show-0"
        await town.sells("Co1", [5] * 25, "Product Viewed")
        await town.later(MINUTE)
        assert "show-5" in (await town.shown("Co1"))[:2]

    play(_chain(tmp_path / "shop", work))


def test_after_a_kill_and_after_an_erasure_the_state_is_that_of_a_replay(tmp_path: Path) -> None:
    folder = tmp_path / "shop"

    async def work(town: Town) -> tuple[list[str], list[str]]:
        await _usual_day(town)
        await town.sells("To1", [4] * 20)
        await town.backend.checkpoint()
        await town.sells("Ba2", [3] * 20)
        await town.later(MINUTE)
        return await town.shown("To2"), await town.shown("Ba1")

    async def again() -> tuple[list[str], list[str]]:
        async with running(folder, now=NOW) as backend:
            town = Town(backend)
            found = await town.shown("To2"), await town.shown("Ba1")
            rows = backend.workspace.state.table("trends")
            gone = [name for name in rows.keys() if name.endswith("user_id:u200")]
            assert len(gone) == 1
            await backend.erase("user_id:u200", "dpo")
            assert not [name for name in rows.keys() if name.endswith("user_id:u200")]
            replay = await backend.verify_replay()
            assert replay["equal"], replay["differences"]
            await town.later(DAY + HOUR)
            await town.asks("To1")  # rows go with the next message after their time
            kinds = {name.split("/")[1] for name in rows.keys()}
            assert kinds == {"b"}
            await town.later(10 * DAY)
            await town.asks("To1")
            assert not list(rows.keys())
            replay = await backend.verify_replay()
            assert replay["equal"], replay["differences"]
        return found

    assert play(_chain(folder, work)) == play(again())


def test_what_a_record_looked_at_is_read_whole_or_not_at_all(tmp_path: Path) -> None:
    async def work(town: Town) -> None:
        await _usual_day(town)
        made = await town.asks("To1")
        row = town.backend.workspace.decisions.get(made["decisionId"])
        assert row is not None
        rating = look(row.record).rating
        assert rating is not None
        told = rating.features
        end = 1 + length(told[1:], SCHEMA.size)
        assert len(told) == end + SIZE
        new = looked_at(told)
        assert new is not None
        assert new.fit.steps[1 + TRENDS] > 0
        assert looked_at(told[: end + TRENDS]) is None, "some signs are missing"
        assert looked_at(told[:end]) is None
        assert looked_at(told + b"more than is known") is None
        assert looked_at(told[1:]) is None, "from before records told their schema"
        assert looked_at(bytes((VERSION - 1,)) + told[1:]) is None, "of another schema"

    play(_chain(tmp_path / "shop", work))


def test_what_was_learned_with_another_schema_no_longer_counts_and_makes_room() -> None:
    def sums(size: int, version: int) -> Arm:
        words = np.zeros(3 + size + size * (size + 1) // 2, "<i8")
        words[:3] = version << 32 | size, 500, 9
        return Arm(data=words.tobytes())

    row = snap(np.ones(SCHEMA.size) / 8)
    for version in (0, VERSION - 1):  # 0: from before sums told their schema
        held = _Rows(
            {"order/tea": sums(SCHEMA.size, version), "joint:order within a week/joint": sums(90, version)}
        )
        arms = Arms(held)
        assert arms.ridge("order", SCHEMA.size).seen == 0
        assert not held
        arms.observe("order", "tea", row, 1)
        words = np.frombuffer(encode(held["order/tea"]), "<i8")
        assert words[:2].tolist() == [VERSION << 32 | SCHEMA.size, 1], "what is learned from now on is kept"


def test_another_schema_has_another_version() -> None:
    told = (VERSION, SCHEMA.fingerprint, MOVES)
    assert told == (
        6,
        "337577c428a95774",
        ("orders", "last seen", "first seen", "sent lately", "clicked lately", "response", "channel"),
    ), (
        "what was learned would be read as something else: raise the version of `runtime.decisions.looks.SCHEMA`, then change this"
    )


class _Rows(dict[str, Arm]):
    """A table of arms as they were read."""

    def __init__(self, rows: dict[str, Arm]) -> None:
        super().__init__(rows)
        self.touched: list[str] = []

    def put(self, name: str, arm: Arm) -> None:
        self[name] = arm

    def delete(self, name: str) -> None:
        del self[name]

    def touch(self, name: str) -> None:
        self.touched.append(name)


def test_rows_of_a_trend_are_small(tmp_path: Path) -> None:
    async def work(town: Town) -> None:
        lines = [{"product_id": f"X{n}"} for n in range(119)]
        event = {
            "type": "track",
            "event": "Order Completed",
            "messageId": "m",
            "userId": "u",
            "properties": {"order_id": "o", "store_id": "To1", "products": lines},
        }
        await send(town.backend, "till", [event])
        rows = dict(town.backend.workspace.state.table("trends").items())
        assert [len(row["To1"]) for row in rows.values()] == [50]
        assert len(msgspec.msgpack.encode(rows)) < 400

    play(_chain(tmp_path / "shop", work))


def test_a_cut_identifier_and_its_undoing_leave_what_a_replay_finds(tmp_path: Path) -> None:
    def bought(number: int) -> dict[str, Any]:
        told = {"order_id": f"k{number}", "store_id": "To1", "products": [{"product_id": f"P{number % 3}"}]}
        event = {"type": "track", "event": "Order Completed", "messageId": f"k{number}", "properties": told}
        return {**event, "anonymousId": "kiosk"}

    async def work(town: Town) -> None:
        backend = town.backend
        for number in range(6):
            await send(backend, "till", [bought(number)])
            await town.later(HOUR)
        rows = backend.workspace.state.table("trends")
        whole = dict(rows.items())
        cut = await backend.split("anonymous_id:kiosk", [], "anonymous_id:kiosk", NOW + 3 * HOUR, "tester")
        assert {name.split("/", 2)[2] for name in rows.keys()} != {"anonymous_id:kiosk"}
        replay = await backend.verify_replay()
        assert replay["equal"], replay["differences"]
        await backend.undo_split(cut.id, "tester")
        assert dict(rows.items()) == whole
        replay = await backend.verify_replay()
        assert replay["equal"], replay["differences"]

    play(_chain(tmp_path / "shop", work))
