"""The API driven from its own OpenAPI document by schemathesis: no fault, and every answer as documented."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tests.flow.serving import PatronServer, request

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    unsupported_method,
]
EXAMPLES = 25
BOUNDED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
HOSTILE = [
    "user_id:",
    ":",
    "p_",
    "id:p_x",
    "email:a@b",
    "\x00:\x00",
    "user_id:é\u202e",
    "nobody:x",
    "x" * 3_000,
    ".",
]


class World:
    """A served shop in which every kind of thing exists, so that random calls also meet what is there."""

    def __init__(self, server: PatronServer) -> None:
        self.server = server
        self.document: dict[str, Any] = {}
        self.known: dict[str, list[str]] = {}
        self.position = 0

    def fill(self) -> None:
        """Make people, orders, letters, decisions, a split, sources and keys."""
        server, key = self.server, self.server.write_key("web", "web")
        people = [f"u{n}" for n in range(60)]
        server.track(key, *[_order(user) for user in people], *[_seen(user) for user in people])
        server.track(key, *[{"type": "track", "userId": "u1"} for _ in range(20)])
        server.track(
            key, *[{"type": "page", "userId": "u1", "context": {"channel": "pigeon"}} for _ in range(5)]
        )
        asked = [
            server.post("/v1/decide", {"placement": "web_home", "userId": u}).json() for u in people[:10]
        ]
        split = server.post("/v1/profiles/user_id:u2/split", {"nodes": ["anonymous_id:a-u2"]}).json()
        for name in ("one", "two"):
            server.write_key("pos", name)
            server.post("/v1/admin/keys", {"name": name, "scopes": ["decide"]})
        server.post("/v1/feeds/stock", {"rows": [{"store": "S1", "sku": "P1", "quantity": 0}]})
        for ready in ("new-buyers", "one-time-buyers", "recency"):
            assert server.post(f"/v1/library/{ready}/use", {}).status == 200
        policy = {"name": "Tries more", "placements": ["web_home"]}
        for name in ("bold", "calm"):
            headers = {"Authorization": f"Bearer {server.admin}"}
            put = request("PUT", f"{server.url}/v1/policies/{name}", json.dumps(policy), headers)
            assert put.status == 200, put
        for to in ("shadow", "evaluated", "1%"):
            step = {"to": to, "why": "so that there are guards"}
            assert server.post("/v1/policies/bold/move", step).status == 200
        letters = server.get("/v1/admin/deadletters").json()["data"]
        self.known = {
            "person": [f"user_id:{u}" for u in people]
            + [server.profile("user_id:u3").json()["id"], *HOSTILE],
            "letter": [one["id"] for one in letters],
            "decision": [one["decisionId"] for one in asked],
            "split": [split["id"]],
            "source": ["one", "two"],
            "key": ["one", "two"],
            "kind": ["stock", "stores", "weather", "calendar"],
            "segment": ["new-buyers", "one-time-buyers"],
            "trait": ["recency"],
            "ready": ["new-buyers", "recency"],
            "policy": ["bold", "calm", *HOSTILE[:2]],
            "placement": ["web_home", *HOSTILE[:2]],
        }
        self.document = server.get("/v1/openapi.json").json()
        self.position = server.settle()["applied"]


def _order(user: str) -> dict[str, Any]:
    properties = {"order_id": f"o-{user}", "revenue": 10.5, "currency": "EUR", "products": [{"name": "Tea"}]}
    return {"type": "track", "event": "Order Completed", "userId": user, "properties": properties}


def _seen(user: str) -> dict[str, Any]:
    traits = {"first_name": "Ana", "email": f"{user}@mail.example"}
    return {"type": "identify", "userId": user, "anonymousId": f"a-{user}", "traits": traits}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    server = PatronServer(tmp_path_factory.mktemp("fuzz") / "shop")
    server.init()
    server.start()
    made = World(server)
    made.fill()
    yield made
    assert not server.close(), "the server must outlive the fuzzing"


def drive(
    world: World, headers: dict[str, str], checks: list[Any], examples: settings = BOUNDED
) -> list[str]:
    """Call every operation with generated right and wrong input; gives what was found, one line a finding."""
    schema = schemathesis.openapi.from_url(f"{world.server.url}/v1/openapi.json")
    found: list[str] = []
    with requests.Session() as session:
        for result in schema.get_all_operations():
            found += _drive_one(world, result.ok(), headers, session, checks, examples)
    return found


def _drive_one(
    world: World,
    operation: Any,
    headers: dict[str, str],
    session: requests.Session,
    checks: list[Any],
    examples: settings,
) -> list[str]:
    found: dict[str, str] = {}
    right = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    wrong = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)

    @examples
    @given(right | wrong, st.data())
    def call(case: Any, data: st.DataObject) -> None:
        for name, values in world.known.items():
            if name in (case.path_parameters or {}) and data.draw(st.booleans(), label=name):
                case.path_parameters[name] = data.draw(st.sampled_from(values))
        if _waits(world, case) and data.draw(st.integers(0, 9), label="wait") < 9:
            case.query["after"] = data.draw(st.integers(0, world.position), label="after")
        if operation.label == "DELETE /v1/profiles/{person}" and data.draw(st.booleans()):
            case.path_parameters["person"] = "nobody:x"
        try:
            case.call_and_validate(session=session, headers=headers, checks=checks, timeout=60)
        except (FailureGroup, Failure) as failure:
            for one in getattr(failure, "exceptions", [failure]):
                found.setdefault(
                    f"{operation.label}: {one.title}", f"{one} <- {case.as_curl_command()[:600]}"
                )
        except Exception as fault:  # noqa: BLE001 - the other operations are called too, and all is told at the end
            found.setdefault(f"{operation.label}: {type(fault).__name__}", f"{fault}"[:2_000])

    call()
    return [f"{title}: {text}" for title, text in found.items()]


def _waits(world: World, case: Any) -> bool:
    """Whether the call asks for a position that no write has: each such read takes two seconds, so few are enough."""
    after = str((case.query or {}).get("after", ""))
    return after.isdecimal() and world.position < int(after) <= 2**53


def test_the_document_names_every_operation_with_its_answers(world: World) -> None:
    operations = [o for item in world.document["paths"].values() for o in item.values()]
    assert len(operations) > 40
    for operation in operations:
        good = next(answer for code, answer in operation["responses"].items() if code.startswith("2"))
        (schema,) = [content["schema"] for content in good["content"].values()]
        assert schema, operation["summary"]
    assert json.dumps(world.document)


def test_with_an_admin_key_every_answer_is_as_documented(world: World) -> None:
    headers = {"Authorization": f"Bearer {world.server.admin}"}
    found = drive(world, headers, CHECKS)
    assert not found, "\n\n".join(found)


def test_without_a_key_every_answer_is_as_documented_and_nothing_is_told(world: World) -> None:
    before = world.server.status()["accepted"]
    found = drive(world, {}, [*CHECKS, ignored_auth])
    assert not found, "\n\n".join(found)
    after = world.server.status()["accepted"]
    assert after == before, "nobody without a key writes anything"


def test_the_server_is_well_after_it_all(world: World) -> None:
    began = time.monotonic()
    assert world.server.get("/v1/health").status == 200
    assert time.monotonic() - began < 5
    assert world.server.post("/v1/admin/replay").json()["equal"] is True
    assert "fault in" not in world.server.stderr_tail(10_000)
