"""One ask over several channels: the best offer of the best channel, under the limits of each, recorded once."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from patron.decide.encoding import look
from patron.model.errors import BadRequest
from patron.model.offers import NOTHING, Ask
from patron.model.policies import Move, Policy
from patron.profiles.interests import MOST, answered
from patron.runtime.backend import LocalBackend
from patron.runtime.decisions.looks import SCHEMA
from patron.runtime.decisions.model import looked_at
from patron.runtime.settings import FILE
from tests.flow.inprocess import play, running, send, source

NOW = 1_800_014_400_000
CHANNELS = ("email", "sms", "push")
_PLACES = "".join(
    f"""
[[placement]]
id = "{channel}"
name = "By {channel}"
channel = "{channel}"
outbound = true
reward = "order"
explore = false

[[offer]]
id = "{channel}-tea"
name = "Tea by {channel}"
placements = ["{channel}"]
purpose = "{channel}_marketing"
value = {value}
content = {{ title = "Tea" }}
"""
    for channel, value in (("email", 5.0), ("sms", 9.0), ("push", 7.0))
)
CATALOGUE = (
    _PLACES
    + """
[[placement]]
id = "web_home"
name = "Web home"
channel = "web"
reward = "click"

[[cap]]
id = "texts"
limit = 1
days = 7
channels = ["sms"]

[scoring]
formula = "value"
"""
)


async def _ask(backend: LocalBackend, user: str, *places: str) -> Any:
    first, *beside = places
    ask = Ask(first, user_id=user, channel="", beside=tuple(beside))
    return await backend.decide(ask, trusted=True, source=None, user_hash="")


async def _said(backend: LocalBackend, user: str, *channels: str) -> None:
    for channel in CHANNELS:
        told = {"purpose": f"{channel}_marketing", "granted": channel in channels}
        event = {"type": "track", "event": "Consent Changed", "userId": user, "messageId": f"{user}{channel}"}
        await send(backend, "web", [event | {"properties": told}])


async def _scenario(path: Path) -> None:
    async with running(path, now=NOW) as backend:
        await source(backend, "web")
        await backend.set_catalogue(CATALOGUE)
        for name, channels in (("ana", CHANNELS), ("bea", ("email", "push")), ("cleo", ())):
            await _said(backend, name, *channels)
        best = await _ask(backend, "ana", *CHANNELS)
        assert (best["action"], best["placement"], best["channel"]) == ("sms-tea", "sms", "sms")
        told = backend.decision(best["decisionId"]).decision
        assert (told.placement, told.channel, told.eligible) == ("sms", "sms", ("sms-tea", NOTHING))
        held = backend.workspace.given.held(["user_id:ana"])
        assert [(one.offer, one.channel) for one in held] == [("sms-tea", "sms")]
        # the cap of one channel leaves the others
        again = await _ask(backend, "ana", *CHANNELS)
        assert (again["action"], again["channel"]) == ("push-tea", "push")
        refused = await _ask(backend, "bea", *CHANNELS)
        assert (refused["action"], refused["channel"]) == ("push-tea", "push")
        # where all are shut, the one named first says why
        silent = await _ask(backend, "cleo", "push", "email")
        assert (silent["action"], silent["placement"], silent["eligible"]) == (NOTHING, "push", [NOTHING])
        drops = backend.decision(silent["decisionId"]).decision.dropped
        assert ("push-tea", "consent") in [(drop.offer, drop.gate) for drop in drops]
        # one place twice is one place
        assert (await _ask(backend, "bea", "email", "email"))["channel"] == "email"
        count = len(backend.workspace.state.table("decisions"))
        with pytest.raises(BadRequest, match="count different successes"):
            await _ask(backend, "ana", "email", "web_home")
        with pytest.raises(BadRequest, match="did you mean `push`"):
            await _ask(backend, "ana", "email", "pusch")
        assert len(backend.workspace.state.table("decisions")) == count


def test_the_best_channel_is_decided_for(tmp_path: Path) -> None:
    path = _shop(tmp_path)
    play(_scenario(path))


async def _make(path: Path) -> None:
    async with running(path, now=NOW):
        pass


def _shop(folder: Path) -> Path:
    """A workspace that holds nobody out."""
    path = folder / "shop"
    play(_make(path))
    path.joinpath(FILE).write_text("[decide]\nholdout = 0.0\n", "utf-8")
    return path


def _message(user: str, event: str, number: int, channel: str) -> dict[str, Any]:
    name = f"{user}-{event}-{channel}-{number}"
    told = {"channel": channel, "message_id": f"{user}{number}"}
    return {"type": "track", "event": event, "userId": user, "messageId": name, "properties": told}


async def _responses(path: Path) -> None:
    async with running(path, now=NOW) as backend:
        await source(backend, "esp", "backend")
        model = backend.workspace.model
        assert model.response({}, {}, "email") is None, "nothing was ever sent"
        sent = [_message(user, "Message Sent", n, "email") for user in ("ana", "bea") for n in range(10)]
        clicks = [_message("ana", "Message Clicked", n, "email") for n in range(4)]
        await send(backend, "esp", [*sent, *clicks, _message("bea", "Message Sent", 99, "sms")])

        def of(user: str, channel: str, orders: int = 0) -> float:
            interests = backend.workspace.interests.of([f"user_id:{user}"])
            found = model.response({"totals.orders": orders}, interests, channel)
            assert found is not None
            return found

        stranger = of("nobody", "email")
        assert of("ana", "email") > stranger > of("bea", "email") > 0
        assert of("ana", "email", orders=2) > of("ana", "email"), "who buys often is moved more often"
        assert of("ana", "sms") == of("nobody", "sms"), "what is known of one channel says nothing of another"
        assert backend.workspace.interests.answered("email") == (4, 20)
        # clicks of which nobody knows that anything was sent say at most that all was answered
        await send(backend, "esp", [_message("bot", "Message Clicked", n, "email") for n in range(500)])
        assert of("bea", "email") <= 30 / 60 * 2 / 12
        assert of("nobody", "email") <= 30 / 60
        await backend.erase("user_id:bot", "test")
        await backend.erase("user_id:ana", "test")
        assert backend.workspace.interests.answered("email") == (0, 10)
        assert backend.workspace.interests.answered("sms") == (0, 1)


def test_who_answers_a_channel_is_expected_to_be_moved_by_it(tmp_path: Path) -> None:
    play(_responses(tmp_path / "shop"))


def _viewed(user: str, number: int) -> dict[str, Any]:
    told = {"product_id": f"P{number}"}
    return {
        "type": "track",
        "event": "Product Viewed",
        "userId": user,
        "messageId": f"{user}-{number}",
        "properties": told,
    }


async def _odd_channels(path: Path) -> None:
    async with running(path, now=NOW) as backend:
        await source(backend, "esp", "backend")
        interests = backend.workspace.interests
        await send(backend, "esp", [_message("ana", "Message Sent", n, "Email") for n in range(9)])
        await send(backend, "esp", [_message("ana", "Message Clicked", 0, "email")])
        # who looks at much is still who was sent nine messages
        await send(backend, "esp", [_viewed("ana", n) for n in range(MOST + 30)])
        row = deepcopy(interests.of(["user_id:ana"]))
        assert answered(row, "email") == (1, 9) == interests.answered("email")
        assert len(row) == MOST + 2
        # channels that nobody can be written to by are not counted, and crowd nothing out
        odd = ["carrier pigeon", "x" * 10_000, "e\0mail", "\u0130" * 200, *(f"c{n}" for n in range(200))]
        before = len(backend.workspace.state.table("cycles"))
        await send(
            backend, "esp", [_message("ana", "Message Clicked", n, name) for n, name in enumerate(odd)]
        )
        assert interests.of(["user_id:ana"]) == row
        assert len(backend.workspace.state.table("cycles")) == before
        assert (await backend.verify_replay())["equal"]


def test_channels_neither_crowd_out_nor_are_crowded_out(tmp_path: Path) -> None:
    play(_odd_channels(tmp_path / "shop"))


async def _launched(path: Path) -> None:
    async with running(path, now=NOW) as backend:
        await backend.set_catalogue(CATALOGUE)
        await source(backend, "web")
        for name in ("ana", "bea", "cleo"):
            await _said(backend, name, *CHANNELS)
        launches = backend.workspace.launches
        launches.saved(Policy("loud", "Loud", ("email",), formula="100 * value"), "ana", NOW, 1)
        launches.moved("loud", Move(NOW, "ana", "draft", "100%", 1), 2)
        assert (await _ask(backend, "ana", "email"))["action"] == "email-tea"
        assert (await _ask(backend, "bea", *CHANNELS))["channel"] == "sms", "500 and 9 are not of one scale"
        launches.saved(Policy("all", "All", CHANNELS, formula="10 - value"), "ana", NOW, 3)
        launches.moved("all", Move(NOW, "ana", "draft", "100%", 1), 4)
        assert (await _ask(backend, "cleo", *CHANNELS))["channel"] == "email", (
            "one policy is compared by itself"
        )


def test_placements_of_several_policies_are_compared_by_the_default(tmp_path: Path) -> None:
    path = _shop(tmp_path)
    play(_launched(path))


async def _looked(path: Path) -> None:
    async with running(path, now=NOW) as backend:
        await source(backend, "esp", "backend")
        await source(backend, "web")
        await backend.set_catalogue(CATALOGUE)
        await _said(backend, "ana", *CHANNELS)
        sent = [_message("ana", "Message Sent", n, "sms") for n in range(3)]
        await send(backend, "esp", [*sent, _message("ana", "Message Clicked", 1, "sms")])
        at = SCHEMA.names.index("response")
        for place, told in (("sms", True), ("email", False)):
            made = await _ask(backend, "ana", place)
            row = backend.workspace.decisions.get(made["decisionId"])
            assert row is not None
            rating = look(row.record).rating
            looked = None if rating is None else looked_at(rating.features)
            assert looked is not None
            assert (looked.features.values[at] > 0) == told, place


def test_what_a_record_says_was_looked_at_has_the_response(tmp_path: Path) -> None:
    path = _shop(tmp_path)
    play(_looked(path))
