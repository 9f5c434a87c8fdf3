"""Decisions in a running workspace: what is applied at once is what a replay reads from the log, row for row."""

from pathlib import Path
from typing import Any

from msgspec.structs import replace

from patron.collect.proof import user_hash
from patron.model.offers import Ask
from tests.flow.inprocess import play, running, send, source

CATALOGUE = """
[[offer]]
id = "tea"
name = "Tea"
because = "Bought {totals.orders} times, likes {taste}"
conditions = [{field = "totals.orders", op = ">=", value = 1}, {field = "traits.taste", op = "exists"}]

[[offer]]
id = "mug"
name = "Mug"
conditions = [{field = "counters.Product Viewed", op = ">", value = 2}, {field = "context.hour", op = "<", value = 12}]

[[offer]]
id = "open"
name = "Open to all"
placements = ["kiosk", "kiosk \\u202e\\U0001F375 \\"quoted\\""]
"""
PLACES = ["kiosk", 'kiosk \u202e\U0001f375 "quoted"', "\\u0000 written out", "é" * 500, "{totals.orders}"]
ASKED = 60
"""More asks of one node than a node remembers."""


def _bought(number: int, user: str) -> dict[str, Any]:
    return {
        "type": "track", "event": "Order Completed", "messageId": f"o{number}", "userId": user,
        "timestamp": "2027-01-14T09:00:00Z", "properties": {"order_id": f"o{number}", "revenue": 12.34},
    }  # fmt: skip


def test_what_is_applied_at_once_is_what_a_replay_reads(tmp_path: Path) -> None:
    async def work() -> Any:
        async with running(tmp_path / "w") as backend:
            await source(backend, "shop")
            await backend.set_catalogue(CATALOGUE)
            await send(backend, "shop", [_bought(n, f"u{n % 3}") for n in range(5)])
            taste = {"type": "identify", "userId": "u1", "messageId": "t", "traits": {"taste": "\u202eminty"}}
            await send(backend, "shop", [taste])
            asks = [Ask(place, f"u{n}", None, "web", {"hour": n}) for n in range(4) for place in PLACES]
            asks += [Ask("kiosk", None, "d1")] * ASKED + [Ask("kiosk")]
            made = [await backend.decide(ask, trusted=True, source=None, user_hash="") for ask in asks]
            read = [backend.answers.find(one["decisionId"]) for one in made]
            remembered = backend.workspace.asked.get("anonymous_id:d1")
            return made, read, remembered, await backend.verify_replay()

    made, read, remembered, replay = play(work())
    assert replay["equal"], replay["differences"]
    assert len({one["decisionId"] for one in made}) == len(made)
    assert remembered == [one["decisionId"] for one in made[-51:-1]]
    for told, kept in zip(made, read, strict=True):
        same = ("action", "propensity", "group", "holdout", "policy", "content")
        assert [told[name] for name in same] == [getattr(kept, name) for name in same]
        assert (told["eligible"], told["reasons"]) == (list(kept.eligible), list(kept.reasons))
    assert {kept.eligible for kept in read} == {
        ("nothing",),
        ("open", "nothing"),
        ("tea", "nothing"),
        ("tea", "open", "nothing"),
    }
    assert {drop.detail for kept in read for drop in kept.dropped} == {0, 1}, (
        "the first and the second condition"
    )


def test_a_device_that_proves_nothing_is_told_by_what_itself_did(tmp_path: Path) -> None:
    """The facts are the device's, the consents the whole person's."""

    async def work() -> Any:
        async with running(tmp_path / "w") as backend:
            await source(backend, "shop")
            await backend.set_catalogue(CATALOGUE)
            await send(backend, "shop", [_bought(1, "u1"), _bought(2, "u1")])
            seen = [
                {"type": "track", "event": "Product Viewed", "messageId": f"v{n}", "anonymousId": "d1"}
                for n in range(3)
            ]
            both = {
                "type": "identify",
                "messageId": "i",
                "userId": "u1",
                "anonymousId": "d1",
                "traits": {"taste": "mint"},
            }
            await send(backend, "shop", [*seen, both])
            ask = Ask("till", None, "d1", "web", {"hour": 9})
            public = backend.workspace.sources.get("shop")
            own = await backend.decide(ask, trusted=False, source=public, user_hash="")
            whole = await backend.decide(ask, trusted=True, source=None, user_hash="")
            refusal = {
                "type": "identify", "messageId": "c", "userId": "u1",
                "context": {"consent": {"categoryPreferences": {"personalization": False}}},
            }  # fmt: skip
            await send(backend, "shop", [refusal])
            refused = await backend.decide(ask, trusted=False, source=public, user_hash="")
            return own["eligible"], whole["eligible"], refused["eligible"]

    own, whole, refused = play(work())
    assert own == ["mug", "nothing"]
    assert whole == ["tea", "mug", "nothing"]
    assert refused == ["nothing"]


def test_a_source_without_a_secret_proves_nobody(tmp_path: Path) -> None:
    """Anybody can sign with an empty secret."""

    async def work() -> list[str]:
        async with running(tmp_path / "w") as backend:
            await source(backend, "shop")
            await backend.set_catalogue(CATALOGUE)
            public = backend.workspace.sources.get("shop")
            assert public is not None
            found = []
            for one in (public, replace(public, secret="")):
                made = await backend.answers.answer(
                    Ask("till", "u1", "d1", "web", {}),
                    trusted=False,
                    source=one,
                    user_hash=user_hash(one.secret, "u1"),
                )
                found.append(made.identified)
            return found

    assert play(work()) == ["verified", "asserted"]
