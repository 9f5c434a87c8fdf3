"""Somebody comes in: the card is ready and the message waits before anybody asks, once, and not for who is held out."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from patron.decide.gates import GATES
from patron.model.access import ApiKey
from patron.model.clock import HOUR, MINUTE
from patron.model.errors import Forbidden, NotFound
from patron.model.offers import NOTHING, Ask
from patron.runtime.backend import LocalBackend
from patron.runtime.settings import FILE
from tests.flow.inprocess import play, running, send, source

NOW = 1_800_014_400_000  # 15 January 2027, 12:00 UTC
CATALOGUE = """
[[placement]]
id = "associate_card"
name = "Associate's tablet"
channel = "associate_tablet"
slots = 5
explore = false
reward = "order"
trigger = "Store Entered"
cooldown_hours = 4

[[placement]]
id = "entry_push"
name = "Push as they come in"
channel = "push"
outbound = true
explore = false
reward = "visit"
trigger = "Store Entered"
cooldown_hours = 4

[[placement]]
id = "web_home"
name = "Web home"
channel = "web"
slots = 5
explore = false

[quiet]
start = "21:00"
end = "08:00"

[scoring]
nothing = -1  # something is always better
""" + "".join(
    f'[[offer]]\nid = "show-{n}"\nname = "Product {n}"\nproducts = ["P{n}"]\ncontent = {{title = "Product {n}"}}\n'
    for n in range(8)
)
SERVICE = """
[[placement]]
id = "mail"
name = "Newsletter"
channel = "email"
outbound = true
reward = "visit"
explore = false

[[offer]]
id = "pick-up"
name = "Your order is ready"
purpose = "service"
placements = ["associate_card", "entry_push"]
"""
SPRING = {"id": "spring", "name": "Spring", "placements": ["mail"], "hours": [0, 24]}
TABLET = ApiKey("tablet", "", "", ("decide",))


class Shop:
    """A store with a tablet, an app and a web shop."""

    def __init__(self, backend: LocalBackend) -> None:
        self.backend = backend
        self.workspace = backend.workspace
        self._count = 0

    async def open(self, catalogue: str) -> None:
        await source(self.backend, "app", "app", assurance="verified")
        await self.backend.set_catalogue(catalogue)

    async def tells(self, *events: dict[str, Any]) -> int:
        self._count += 1
        told = [{"messageId": f"m{self._count}-{n}", **event} for n, event in enumerate(events)]
        return await send(self.backend, "app", told)

    async def knows(self, user: str, *, token: bool = True) -> None:
        traits = {"email": f"{user}@mail.example"}
        event: dict[str, Any] = {"type": "identify", "userId": user, "traits": traits}
        if token:
            event["context"] = {"externalIds": [{"type": "push_token", "id": f"token-of-{user}"}]}
        await self.tells(event)

    async def comes(self, user: str, store: str = "S1", **more: Any) -> int:
        """Somebody comes in; gives the position in the log."""
        return await self.tells(came(user, store, **more))

    async def later(self, time: int) -> None:
        await self.backend.step_clock(self.workspace.clock.now() + time)

    async def outbox(self, placement: str, **asked: Any) -> list[Any]:
        told = {"cursor": "", "limit": 100, "everyone": False, "store": "", **asked}
        return (await self.backend.entering.page(TABLET, placement, **told)).data

    async def asks(self, user: str, placement: str = "associate_card", **context: Any) -> Any:
        ask = Ask(placement, user_id=user, channel="", context=context, count=5)
        return await self.backend.decide(ask, trusted=True, source=None, user_hash="")


def came(user: str, store: str = "S1", **more: Any) -> dict[str, Any]:
    told = {"store_id": store, "source": "geofence"}
    return {"type": "track", "event": "Store Entered", "userId": user, "properties": told, **more}


async def _shop(
    path: Path, work: Callable[[Shop], Any], catalogue: str = CATALOGUE, holdout: float = 0.0
) -> Any:
    if not path.exists():
        async with running(path, now=NOW):
            pass
        (path / FILE).write_text(f"[decide]\nholdout = {holdout}\n", "utf-8")
    async with running(path, now=NOW) as backend:
        shop = Shop(backend)
        if not backend.workspace.sources.get("app"):
            await shop.open(catalogue)
        return await work(shop)


def test_card_and_message_are_ready_before_anybody_asks(tmp_path: Path) -> None:
    async def work(shop: Shop) -> None:
        await shop.knows("anna")
        await shop.knows("bruno", token=False)
        at = await shop.comes("anna")
        while shop.workspace.entered.any:
            await asyncio.sleep(0.005)
        assert shop.workspace.log.last == at + 2, "two decisions and nothing else stand behind the event"
        await shop.comes("bruno", "S2")
        await shop.backend.entering.catch_up()
        made = [(name, row) for name, row in shop.workspace.decisions.items() if row.node == "user_id:anna"]
        assert {row.sent.position for _, row in made if row.sent} == {at}
        assert [row.channel for _, row in made] == ["associate_tablet", "push"]
        [message] = await shop.outbox("entry_push")
        assert (message.node, message.store, message.allowed, message.address) == (
            "user_id:anna",
            "S1",
            True,
            True,
        )
        cards = await shop.outbox("associate_card")
        assert [(card.node, card.store) for card in cards] == [
            ("user_id:anna", "S1"),
            ("user_id:bruno", "S2"),
        ]
        assert await shop.outbox("associate_card", store="S2") == cards[1:]
        card = await shop.asks("anna", store_id="S1")
        assert card["decisionId"] == cards[0].decision == made[0][0]
        assert (card["action"], len(card["slate"])) == (cards[0].offer, 4)
        assert card["slate"][0]["content"]["title"].startswith("Product")
        assert (await shop.asks("anna"))["decisionId"] == card["decisionId"]
        assert (await shop.asks("anna", store_id="S2"))["decisionId"] != card["decisionId"]
        page = await shop.backend.entering.page(TABLET, "associate_card", "", 1, everyone=False, store="")
        assert page.data == cards[:1]
        assert await shop.outbox("associate_card", cursor=page.cursor) == cards[1:]

    play(_shop(tmp_path / "shop", work))


def test_a_card_is_ready_until_it_is_shown_or_over_or_no_longer_allowed(tmp_path: Path) -> None:
    async def work(shop: Shop) -> None:
        for user in ("anna", "bruno", "carla"):
            await shop.comes(user)
        ready = {user: (await shop.asks(user))["decisionId"] for user in ("anna", "bruno", "carla")}
        shown = {"type": "track", "event": "Offer Shown", "userId": "anna"}
        await shop.tells({**shown, "properties": {"decision_id": ready["anna"]}})
        assert (await shop.asks("anna"))["decisionId"] != ready["anna"]
        no = {"purpose": "personalization", "granted": False}
        await shop.tells({"type": "track", "event": "Consent Changed", "userId": "bruno", "properties": no})
        refused = await shop.asks("bruno")
        assert (refused["action"], refused["decisionId"] != ready["bruno"]) == (NOTHING, True)
        assert not [
            one for one in await shop.outbox("associate_card") if one.node == "user_id:bruno" and one.allowed
        ]
        assert (await shop.asks("carla"))["decisionId"] == ready["carla"]
        await shop.later(16 * MINUTE)
        assert (await shop.asks("carla"))["decisionId"] != ready["carla"]

    play(_shop(tmp_path / "shop", work))


def test_coming_again_within_the_cool_down_sends_nothing_by_whichever_identifier(tmp_path: Path) -> None:
    async def work(shop: Shop) -> None:
        await shop.knows("anna")
        both = {"type": "identify", "userId": "anna", "anonymousId": "phone", "traits": {}}
        await shop.tells(both)
        await shop.tells(came("anna"), came("anna"))
        assert len(await shop.outbox("entry_push")) == 1
        await shop.later(HOUR)
        anonymous = came("", "S2") | {"anonymousId": "phone"}
        del anonymous["userId"]
        await shop.tells(anonymous)
        assert len(await shop.outbox("entry_push")) == 1
        await shop.later(3 * HOUR)
        await shop.comes("anna")
        found = await shop.outbox("entry_push")
        assert len(found) == 2
        assert len({one.decision for one in found}) == 2
        await shop.later(12 * HOUR)  # in the night
        await shop.comes("anna")
        assert len(await shop.outbox("entry_push")) == 2
        [*_, night] = await shop.outbox("entry_push", everyone=True)
        told = shop.backend.decision(night.decision).decision
        assert {drop.gate for drop in told.dropped} <= {*GATES[:2], "quiet", "held"}
        assert "quiet" in {drop.gate for drop in told.dropped}

    play(_shop(tmp_path / "shop", work))


def test_what_is_told_late_begins_nothing_and_only_known_placements_have_an_outbox(tmp_path: Path) -> None:
    async def work(shop: Shop) -> None:
        late = "2027-01-15T11:40:00.000Z"
        at = await shop.comes("anna", timestamp=late)
        assert await shop.outbox("associate_card", everyone=True) == []
        assert shop.workspace.log.last == at, "nothing waited for it"
        with pytest.raises(NotFound, match="trigger"):
            await shop.outbox("web_home")
        masked = ApiKey("some", "", "", ("decide",), ("traits.city",))
        with pytest.raises(Forbidden):
            await shop.backend.entering.page(masked, "associate_card", "", 9, everyone=False, store="")

    play(_shop(tmp_path / "shop", work))


def test_whoever_waits_when_a_process_ends_is_decided_for_once_by_the_next(tmp_path: Path) -> None:
    folder = tmp_path / "shop"

    async def halted(shop: Shop) -> None:
        async with shop.backend.entering._one:  # nothing is decided from here on
            for n in range(20):
                await shop.comes(f"u{n}")
            assert len(shop.workspace.entered.waiting()) == 40
            shop.backend.app.closing = True

    async def again(shop: Shop) -> list[str]:
        found = await shop.outbox("associate_card")
        assert shop.workspace.entered.waiting() == []
        assert sorted(one.node for one in found) == sorted(f"user_id:u{n}" for n in range(20))
        assert await shop.outbox("entry_push") == []
        replay = await shop.backend.verify_replay()
        assert replay["equal"], replay["differences"]
        await shop.backend.erase("user_id:u7", "dpo")
        assert len(await shop.outbox("associate_card")) == 19
        assert "user_id:u7" not in shop.workspace.state.table("entered")
        replay = await shop.backend.verify_replay()
        assert replay["equal"], replay["differences"]
        return [one.decision for one in await shop.outbox("associate_card")]

    async def later(shop: Shop) -> list[str]:
        return [one.decision for one in await shop.outbox("associate_card")]

    play(_shop(folder, halted))
    assert play(_shop(folder, again)) == play(_shop(folder, later))


def test_saved_on_the_web_it_is_on_the_card_as_they_come_in_and_tried_in_store_it_leads_on_the_web(
    tmp_path: Path,
) -> None:
    async def work(shop: Shop) -> None:
        def event(name: str, product: str) -> dict[str, Any]:
            return {"type": "track", "event": name, "userId": "anna", "properties": {"product_id": product}}

        await shop.knows("anna")
        await shop.tells(event("Product Viewed", "P3"), event("Product Added to Wishlist", "P5"))
        await shop.comes("anna")
        [card] = await shop.outbox("associate_card")
        assert card.offer == "show-5"
        asked = await shop.asks("anna")
        assert (asked["decisionId"], asked["action"]) == (card.decision, "show-5")
        await shop.later(2 * HOUR)
        await shop.tells(event("Product Tried", "P6"))
        await shop.later(8 * HOUR)
        web = await shop.asks("anna", "web_home")
        assert web["action"] == "show-6"

    play(_shop(tmp_path / "shop", work))


def test_who_is_held_out_gets_no_card_and_no_message_but_what_serves_them(tmp_path: Path) -> None:
    async def work(shop: Shop) -> None:
        people = [f"u{n}" for n in range(30)]
        for user in people:
            await shop.knows(user)
            await shop.comes(user)
        told = {
            place: {one.node: one for one in await shop.outbox(place, everyone=True)}
            for place in ("associate_card", "entry_push")
        }
        arms = {}
        for user in people:
            web = await shop.asks(user, "web_home")
            arms[user] = web["group"]
            for rows in told.values():
                one = rows[f"user_id:{user}"]
                row = shop.workspace.decisions.get(one.decision)
                assert row is not None
                assert row.group == web["group"], "one arm over all channels"
                if row.group == "control":
                    assert one.offer in (NOTHING, "pick-up")
            if web["group"] == "control":
                assert web["action"] == NOTHING
                card = await shop.asks(user)
                assert card["action"] in (NOTHING, "pick-up")
                assert card["slate"] == []
        await shop.backend.sends.start(SPRING, "giulia")
        while shop.backend.sends.get("spring").state == "running":
            await asyncio.sleep(0.01)
        await shop.later(1)
        mails = (await shop.backend.sends.page("spring", "", 100, everyone=True)).data
        assert len(mails) == len(people)
        for mail in mails:
            owner = shop.workspace.decisions.get(mail.decision)
            assert owner is not None
            assert mail.offer == NOTHING or owner.group == "treated"
        assert any(mail.offer != NOTHING for mail in mails)
        held = [user for user, arm in arms.items() if arm == "control"]
        assert 5 < len(held) < 25
        served = [told[place][f"user_id:{user}"].offer for place in told for user in held]
        assert "pick-up" in served
        assert all(one.offer != NOTHING for one in await shop.outbox("entry_push"))

    play(_shop(tmp_path / "shop", work, CATALOGUE + SERVICE, holdout=0.5))
