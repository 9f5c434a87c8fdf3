"""What is learned, over whole workspaces: from the web to the tablet and back, exact after any start, unlearned when taken back."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from patron.decide.encoding import look
from patron.decide.fit import RULED
from patron.decide.kinds import kind_of
from patron.decide.learn.grid import REWARD_STEP
from patron.decide.learn.ridge import Ridge
from patron.decide.scoring import Expected
from patron.model.clock import DAY, HOUR, MINUTE
from patron.model.offers import NOTHING, Ask
from patron.runtime.backend import LocalBackend
from patron.runtime.decisions.arms import JOINED
from patron.runtime.decisions.looks import JOINT, OWN, PRECISION, SCHEMA
from patron.runtime.decisions.model import looked_at
from patron.runtime.settings import FILE
from patron.storage.embedded import directory
from tests.flow.inprocess import play, running, send, source

NOW = 1_800_014_400_000
PRODUCTS = "".join(
    f'[[offer]]\nid = "show-{n}"\nname = "Product {n}"\nproducts = ["P{n}"]\ncontent = {{title = "Product {n}"}}\n'
    for n in range(30)
)
TABLET = """
[[placement]]
id = "associate_card"
name = "Associate's tablet"
channel = "associate_tablet"
slots = 5
explore = false
reward = "order"

[[placement]]
id = "web_home"
name = "Web home"
channel = "web"
slots = 5
explore = false
reward = "click"
"""


async def _ask(backend: LocalBackend, user: str, placement: str, **more: Any) -> Any:
    return await backend.decide(
        Ask(placement, user_id=user, channel="", **more), trusted=True, source=None, user_hash=""
    )


class Teller:
    """Sends events, each with an id of its own."""

    def __init__(self, backend: LocalBackend) -> None:
        self._backend = backend
        self._count = 0

    async def __call__(self, name: str, source_name: str = "web", **told: Any) -> None:
        self._count += 1
        who = {key: told.pop(key) for key in ("userId", "anonymousId") if key in told}
        event = {
            "type": "track",
            "event": name,
            "messageId": f"{name}-{self._count}",
            **who,
            "properties": told,
        }
        await send(self._backend, source_name, [event])


class _Ids:
    """Ids of decisions as they are drawn, the same in every run."""

    def __init__(self) -> None:
        self._luck = random.Random(7)

    def next(self) -> str:
        return f"d_{self._luck.getrandbits(96):024x}"


def _without_holdout(path: Path) -> None:
    (path / directory.SECRET_FILE).write_bytes(bytes(range(32)))  # every run draws the same
    (path / FILE).write_text("[decide]\nholdout = 0.0\n", "utf-8")


async def _shop(path: Path, work: Callable[[LocalBackend, Teller], Any], catalogue: str) -> Any:
    async with running(path, now=NOW):
        pass
    _without_holdout(path)
    async with running(path, now=NOW) as backend:
        backend.answers._ids = _Ids()
        await source(backend, "web")
        await source(backend, "store", "associate_tablet", assurance="verified")
        await backend.set_catalogue(catalogue)
        return await work(backend, Teller(backend))


def test_saved_on_the_web_it_leads_on_the_tablet_and_tried_in_store_it_leads_on_the_web(
    tmp_path: Path,
) -> None:
    async def work(backend: LocalBackend, tell: Teller) -> tuple[list[str], str]:
        for n in (3, 4, 5):
            await tell("Product Viewed", userId="anna", product_id=f"P{n}")
        await tell("Product Added to Wishlist", userId="anna", product_id="P17")
        await tell("Store Entered", "store", userId="anna", store_id="S1")
        tablet = await _ask(backend, "anna", "associate_card", count=5)
        await backend.step_clock(NOW + 2 * HOUR)
        await tell("Product Tried", "store", userId="anna", product_id="P22")
        await backend.step_clock(NOW + 10 * HOUR)
        web = await _ask(backend, "anna", "web_home", count=5)
        return [tablet["action"], *(one["action"] for one in tablet["slate"])], web["action"]

    tablet, web = play(_shop(tmp_path / "shop", work, TABLET + PRODUCTS))
    assert tablet[0] == "show-17"
    assert set(tablet[1:4]) == {"show-3", "show-4", "show-5"}
    assert web == "show-22"


def test_an_unproved_device_is_ranked_for_by_what_itself_did(tmp_path: Path) -> None:
    async def work(backend: LocalBackend, tell: Teller) -> list[str]:
        both = {
            "type": "identify",
            "messageId": "i",
            "userId": "anna",
            "anonymousId": "browser",
            "traits": {},
        }
        await send(backend, "web", [both])
        await tell("Product Added to Wishlist", userId="anna", product_id="P17")
        await tell("Product Viewed", anonymousId="browser", product_id="P4")
        found = []
        for ask, trusted in (
            (Ask("web_home", anonymous_id="browser", channel=""), False),
            (Ask("web_home", user_id="anna", channel=""), True),
        ):
            made = await backend.decide(ask, trusted=trusted, source=None, user_hash="")
            found.append(made["action"])
        return found

    assert play(_shop(tmp_path / "shop", work, TABLET + PRODUCTS)) == ["show-4", "show-17"]


CLICKS = """
[[placement]]
id = "web_home"
name = "Web home"
reward = "click"

[[placement]]
id = "till"
name = "Till"
reward = "margin"
window_hours = 48

[[offer]]
id = "tea"
name = "Tea"
value = 5.0
margin = 0.5

[[offer]]
id = "mug"
name = "Mug"
value = 5.0
margin = 0.5
"""


def _sums(backend: LocalBackend) -> dict[str, tuple[int, float]]:
    """Arm -> (choices, rewards) as the state keeps them."""
    found = {}
    for name, arm in backend.workspace.state.table("arms").items():
        told = np.frombuffer(arm.data, "<i8") if arm.ridge is None else None
        if told is not None:
            found[name] = int(told[1]), float(told[2]) * REWARD_STEP
        else:
            found[name] = int(arm.ridge.counts[arm.row]), float(arm.ridge.totals[arm.row]) * REWARD_STEP
    return found


def _batch(backend: LocalBackend, kind: str) -> dict[str, Any]:
    """The weights of each action of a kind of reward, solved at once from all decisions and what they are credited with."""
    joint = Ridge(JOINT.size, penalty=PRECISION)
    joint.add(JOINED, JOINT.start(RULED))
    ridge = Ridge(SCHEMA.size, penalty=OWN)
    taught = backend.workspace.state.table("taught")
    for name, row in backend.workspace.decisions.items():
        record = look(row.record)
        looked = looked_at(record.rating.features) if record.rating else None
        place = backend.workspace.catalogues.version(row.catalogue).places_of[record.placement]
        if looked is None or kind_of(place) != kind:
            continue
        if row.action not in ridge:
            ridge.add(row.action)
        whole = JOINT.row(looked.features, looked.fit, shown=row.action != NOTHING)
        for one, name_of, at in ((ridge, row.action, looked.features), (joint, JOINED, whole)):
            one.observe(name_of, at, row.time)
            one.reward(name_of, at, taught.get(name).steps * REWARD_STEP, row.time)
    joint.settle()
    for action in ridge.actions:
        ridge.add(action, JOINT.starts(joint.weights(JOINED))[action == NOTHING])
    ridge.settle()
    return {JOINED: joint.weights(JOINED), **{action: ridge.weights(action) for action in ridge.actions}}


async def _history(backend: LocalBackend, tell: Teller) -> None:
    for n in range(120):
        made = await _ask(backend, f"u{n % 40}", "web_home")
        if made["action"] == "tea" and n % 2:
            await tell("Offer Clicked", userId=f"u{n % 40}", decision_id=made["decisionId"])
        if n % 3 == 0:
            await _ask(backend, f"u{n % 40}", "till")
        await backend.step_clock(backend.workspace.clock.now() + 20 * MINUTE)
    for n in range(40):
        await tell(
            "Order Completed", "store", userId=f"u{n}", order_id=f"o{n}", revenue=10.0 + n, currency="EUR"
        )


@pytest.mark.parametrize("checkpoint", [False, True])
def test_after_a_kill_the_posterior_is_that_of_all_acknowledged_rewards(
    tmp_path: Path, checkpoint: bool
) -> None:
    folder = tmp_path / "shop"

    async def work(backend: LocalBackend, tell: Teller) -> None:
        await _history(backend, tell)
        if checkpoint:
            await backend.checkpoint()
        await tell("Order Refunded", "store", userId="u7", order_id="o7")
        made = await _ask(backend, "u3", "web_home")
        await tell("Offer Clicked", userId="u3", decision_id=made["decisionId"])

    async def again() -> None:
        async with running(folder, now=NOW) as backend:
            model = backend.workspace.model
            for kind in ("click within a week", "margin within a week"):
                model.joined(kind).settle()
                model.start_anew(kind)
                model.ridge(kind).settle()
                for action, weights in _batch(backend, kind).items():
                    ridge = model.joined(kind) if action == JOINED else model.ridge(kind)
                    assert np.abs(ridge.weights(action) - weights).max() < 1e-4, (kind, action)
            replay = await backend.verify_replay()
            assert replay["equal"], replay["differences"]

    play(_shop(folder, work, CLICKS))
    play(again())


def test_which_and_whether_soon_and_late_are_learned_apart(tmp_path: Path) -> None:
    """Each placement says what follows where it asks: one's orders within a day say nothing of another's within a week."""
    places = {"day": "window_hours = 20", "also_day": "window_hours = 24", "week": "window_hours = 168",
              "month": "window_hours = 720", "which": "window_hours = 168\nfill = true"}  # fmt: skip
    catalogue = "".join(
        f'[[placement]]\nid = "{name}"\nname = "{name}"\nreward = "order"\n{more}\n'
        for name, more in places.items()
    )

    async def work(backend: LocalBackend, tell: Teller) -> dict[str, int]:
        for name in places:
            await _ask(backend, "anna", name)
        await backend.step_clock(NOW + HOUR)
        await tell("Order Completed", "store", userId="anna", order_id="o", revenue=9.0, currency="EUR")
        sums = _sums(backend)
        assert all(rewards == choices for choices, rewards in sums.values())
        return {name: choices for name, (choices, _) in sums.items() if name.startswith(JOINED)}

    counted = play(_shop(tmp_path / "shop", work, catalogue + PRODUCTS))
    assert counted == {
        "joint:order within a day/joint": 2, "joint:order within a week/joint": 1, "joint:order within months/joint": 1,
        "joint:order within a week, filled/joint": 1,
    }  # fmt: skip


def test_what_comes_anyway_is_known_where_nothing_is_never_tried(tmp_path: Path) -> None:
    """A wording must be chosen: what comes without is learned where the message itself was a choice."""
    places = (
        '[[placement]]\nid = "mail"\nname = "Mail"\nreward = "order"\n'
        '[[placement]]\nid = "wording"\nname = "Wording"\nreward = "order"\nfill = true\n'
    )

    async def work(backend: LocalBackend, tell: Teller) -> list[float]:
        model, index, now = backend.workspace.model, backend.answers.index, backend.workspace.clock.now()
        await _ask(backend, "anna", "wording")
        (row,) = (row for _, row in backend.workspace.decisions.items())
        rating = look(row.record).rating
        assert rating is not None
        looked = looked_at(rating.features)
        assert looked is not None
        for turn in range(400):
            model.observe("order within a week", NOTHING, looked, now)
            if turn % 2:
                model.reward("order within a week", NOTHING, looked, round(1 / REWARD_STEP), now)
        found = []
        for place in ("mail", "wording"):
            ask = Ask(place, user_id="anna", channel="web")
            known = backend.answers._known(index, ask, "user_id:anna", None, now, verified=True)
            expected = model.of(("user_id:anna",)).expect(index, np.arange(len(index.ids)), ask, known, now)
            found.append(expected.nothing)
        return found

    mail, wording = play(_shop(tmp_path / "shop", work, places + PRODUCTS))
    assert mail > 0.3
    assert wording == pytest.approx(mail, abs=0.1)


def test_who_is_due_buys_anyway_and_that_speaks_for_no_message(tmp_path: Path) -> None:
    """Of two people alike in all else one is due: they buy more often, whether something was shown or not."""
    tea = '[[placement]]\nid = "mail"\nname = "Mail"\nreward = "order"\n[[offer]]\nid = "tea"\nname = "Tea"\ncontent = {category = "tea"}\n'
    bought_at = {"due": (82, 88, 94, 100), "early": (1, 34, 67, 100)}

    async def work(backend: LocalBackend, tell: Teller) -> list[float]:
        for user in bought_at:
            await tell("Store Entered", "store", userId=user)
        for day in range(1, 115):
            for user, days in bought_at.items():
                if day in days:
                    order = {"order_id": f"{user}{day}", "revenue": 9.0, "category": "tea"}
                    await tell("Order Completed", "store", userId=user, **order)
            await backend.step_clock(NOW + day * DAY)
        model, index, now = backend.workspace.model, backend.answers.index, backend.workspace.clock.now()

        def expected(user: str) -> Expected:
            ask, node = Ask("mail", user_id=user, channel="web"), f"user_id:{user}"
            known = backend.answers._known(index, ask, node, None, now, verified=True)
            return model.of((node,)).expect(index, np.arange(1), ask, known, now)

        looked = [looked_at(told.features + told.fits) for told in map(expected, bought_at)]
        for turn in range(1_000):
            action = NOTHING if turn % 2 else "tea"
            for at, often in zip(looked, (7, 1), strict=True):
                assert at is not None
                model.observe("order within a week", action, at, now)
                if turn // 2 % 10 < often:
                    model.reward("order within a week", action, at, round(1 / REWARD_STEP), now)
        return [
            value for told in map(expected, bought_at) for value in (float(told.propensity[0]), told.nothing)
        ]

    due, due_anyway, early, early_anyway = play(_shop(tmp_path / "shop", work, tea))
    assert due == pytest.approx(due_anyway, abs=0.12), "what the rules believe at first still counts a little"
    assert early == pytest.approx(early_anyway, abs=0.12)
    assert due_anyway > early_anyway + 0.3


def test_a_sale_in_the_store_moves_the_arm_and_a_return_takes_it_back(tmp_path: Path) -> None:
    async def work(backend: LocalBackend, tell: Teller) -> list[float]:
        made = await _ask(backend, "anna", "till")
        arm = f"margin within a week/{made['action']}"
        told = [_sums(backend)[arm][1]]
        await backend.step_clock(NOW + DAY)
        bought = {"order_id": "o1", "revenue": 40.0, "currency": "EUR"}
        await tell("Order Completed", "store", userId="anna", **bought)
        told.append(_sums(backend)[arm][1])
        await tell("Order Refunded", "store", userId="anna", order_id="o1", total=10.0, currency="EUR")
        told.append(_sums(backend)[arm][1])
        await tell("Order Refunded", "store", userId="anna", order_id="o1")
        told.append(_sums(backend)[arm][1])
        await backend.step_clock(NOW + 3 * DAY)
        await tell("Order Completed", "store", userId="anna", order_id="o2", revenue=9.0, currency="EUR")
        told.append(_sums(backend)[arm][1])
        return told

    assert play(_shop(tmp_path / "shop", work, CLICKS)) == [0.0, 20.0, 15.0, 0.0, 0.0]


def test_what_a_device_did_counts_for_the_person_as_long_as_they_are_one(tmp_path: Path) -> None:
    async def work(backend: LocalBackend, tell: Teller) -> list[float]:
        ask = Ask("till", anonymous_id="browser", channel="web")
        made = await backend.decide(ask, trusted=True, source=None, user_hash="")
        arm = f"margin within a week/{made['action']}"
        await backend.step_clock(NOW + HOUR)
        await tell("Order Completed", "store", userId="anna", order_id="o1", revenue=40.0, currency="EUR")
        told = [_sums(backend)[arm][1]]
        both = {
            "type": "identify",
            "messageId": "i",
            "userId": "anna",
            "anonymousId": "browser",
            "traits": {},
        }
        await send(backend, "web", [both])
        told.append(_sums(backend)[arm][1])
        await backend.split("user_id:anna", ["anonymous_id:browser"], "", 0, "tester")
        told.append(_sums(backend)[arm][1])
        return told

    assert play(_shop(tmp_path / "shop", work, CLICKS)) == [0.0, 20.0, 0.0]


def test_what_is_clicked_is_shown_more_and_says_so(tmp_path: Path) -> None:
    async def work(backend: LocalBackend, tell: Teller) -> tuple[int, list[str]]:
        await asyncio.sleep(0)
        for n in range(300):
            made = await _ask(backend, f"u{n}", "web_home")
            if made["action"] == "tea":
                await tell("Offer Clicked", userId=f"u{n}", decision_id=made["decisionId"])
        later = [await _ask(backend, f"v{n}", "web_home") for n in range(100)]
        best = next(one for one in later if one["action"] == "tea")
        return sum(one["action"] == "tea" for one in later), best["reasons"]

    teas, reasons = play(_shop(tmp_path / "shop", work, CLICKS))
    assert teas > 80
    assert any("Ranked first of 3" in reason for reason in reasons), reasons


MAIL = """
[[placement]]
id = "mail"
name = "Mail"
channel = "email"
outbound = true
reward = "order"

[[offer]]
id = "tea"
name = "Tea"
value = 20.0

[scoring]
unsubscribe_cost = 200
"""


def test_people_who_leave_after_a_mail_make_silence_the_better_choice(tmp_path: Path) -> None:
    async def work(backend: LocalBackend, tell: Teller) -> tuple[Any, ...]:
        sent: list[str] = []
        left = 0
        for n in range(120):
            made = await _ask(backend, f"u{n}", "mail")
            if made["action"] == "tea":
                sent.append(made["decisionId"])
            if len(sent) % 2 and made["action"] == "tea":
                await tell("Consent Changed", userId=f"u{n}", purpose="email", granted=False)
                await tell("Consent Changed", userId=f"u{n}", purpose="sms", granted=False)
                left += 1
        told = _sums(backend)
        later = [await _ask(backend, f"v{n}", "mail") for n in range(100)]
        await tell("Consent Changed", userId="u0", purpose="email", granted=True)
        gone = next(name for name, row in backend.workspace.decisions.items() if name in sent[:1])
        who = backend.workspace.decisions.get(gone).node
        before = _sums(backend)["unsubscribe/email"]
        await backend.erase(who, "dpo")
        after = _sums(backend)["unsubscribe/email"]
        return len(sent), left, told, later, before, after

    sent, left, told, later, before, after = play(_shop(tmp_path / "shop", work, MAIL))
    assert told["unsubscribe/email"] == (sent, left)
    assert told["unsubscribe/nothing"] == (120 - sent, 0)
    assert sum(one["action"] == "tea" for one in later) < 20
    assert (before[0] - after[0], before[1] - after[1]) == (1, 1)


def test_who_leaves_in_a_week_of_silence_would_have_left_anyway(tmp_path: Path) -> None:
    async def work(backend: LocalBackend, tell: Teller) -> dict[str, Any]:
        while (await _ask(backend, "anna", "mail"))["action"] != "nothing":
            await backend.step_clock(backend.workspace.clock.now() + 8 * DAY)
        await tell("Unsubscribed", userId="anna")
        await backend.step_clock(backend.workspace.clock.now() + 8 * DAY)
        await tell("Email Marked as Spam", userId="anna")
        return _sums(backend)

    told = play(_shop(tmp_path / "shop", work, MAIL))
    assert told["unsubscribe/nothing"] == (1, 1)
    assert told.get("unsubscribe/email", (0, 0))[1] == 0
