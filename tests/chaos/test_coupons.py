"""A hundred coupons and ten thousand asks over two processes, killed in the middle, three times: never more than a hundred."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.flow.serving import PatronServer, bearer, request

STOCK = 100
CATALOGUE = f"""
[[placement]]
id = "web_home"
name = "Web home"
explore = false

[[offer]]
id = "coupon"
name = "Coupon"
stock = {STOCK}
value = 5.0
purpose = "service"
products = ["P1"]
"""
ASKS = 1_700
"""Of each of two processes in each of three rounds."""
_CLIENT = """
import asyncio, json, sys
port, key, start, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
given, asked, gone = [], 0, 0

async def ask(reader, writer, number):
    body = json.dumps({"placement": "web_home", "userId": f"u{number}", "context": {"cart": ["P1"]}}).encode()
    head = f"POST /v1/decide HTTP/1.1\\r\\nHost: x\\r\\nAuthorization: Bearer {key}\\r\\nContent-Length: {len(body)}\\r\\n\\r\\n"
    writer.write(head.encode() + body)
    status = int((await reader.readline()).split()[1])
    length = 0
    while (line := await reader.readline()) not in (b"\\r\\n", b""):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    answer = json.loads(await reader.readexactly(length))
    return status, answer

async def answered(connection, number):
    global gone
    while True:
        try:
            connection = connection or await asyncio.open_connection("127.0.0.1", port)
            return connection, *await ask(*connection, number)
        except (OSError, asyncio.IncompleteReadError, IndexError, ValueError):
            gone += 1  # the server is away: asked again, what was lost on the way is lost
            connection = None
            await asyncio.sleep(0.1)

async def work(numbers):
    global asked
    connection = None
    for number in numbers:
        connection, status, answer = await answered(connection, number)
        assert status == 200, answer
        asked += 1
        if answer["action"] == "coupon":
            given.append((f"u{number}", answer["decisionId"]))
        if asked % 100 == 0:
            print("asked", asked, flush=True)

async def main():
    numbers = iter(range(start, start + count))
    await asyncio.gather(*(work(numbers) for _ in range(40)))
    print(json.dumps({"given": given, "asked": asked, "gone": gone}), flush=True)

asyncio.run(main())
"""


def _client(patron: PatronServer, start: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", _CLIENT, str(patron.port), patron.admin, str(start), str(ASKS)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _ended(client: "subprocess.Popen[str]") -> dict[str, Any]:
    out, _ = client.communicate(timeout=300)
    assert client.returncode == 0, out
    told: dict[str, Any] = json.loads(out.splitlines()[-1])
    return told


@pytest.mark.slow
def test_never_more_coupons_than_there_are(server: Callable[..., PatronServer]) -> None:
    patron = server("--clock", "stepped")
    now = 1_800_014_400_000
    patron.post("/v1/admin/clock", {"now": now})
    key = patron.write_key("web")
    body = json.dumps({"text": CATALOGUE})
    saved = request("PUT", f"{patron.url}/v1/catalogue", body, bearer(patron.admin))
    assert saved.status == 200, saved
    shown: set[str] = set()
    asked = gone = 0
    for round_ in range(3):
        clients = [_client(patron, (2 * round_ + n) * ASKS) for n in range(2)]
        assert clients[0].stdout is not None
        clients[0].stdout.readline()  # a hundred answers are out: now
        patron.kill9()
        patron.restart()
        ended = [_ended(client) for client in clients]
        asked += sum(one["asked"] for one in ended)
        gone += sum(one["gone"] for one in ended)
        given = [tuple(one) for told in ended for one in told["given"]]
        assert len(shown) + len(given) <= STOCK, "what was shown before, and what may be shown now"
        seen = given[::2]
        messages = [
            {
                "type": "track",
                "event": "Offer Shown",
                "messageId": f"s-{one}",
                "userId": user,
                "properties": {"decision_id": one},
            }
            for user, one in seen
        ]
        if messages:
            patron.track(key, *messages)
        shown |= {one for _, one in seen}
        now += 16 * 60_000
        patron.post("/v1/admin/clock", {"now": now})
    assert asked == 6 * ASKS
    assert gone, "it was away for some"
    assert STOCK // 2 <= len(shown) <= STOCK
    again = _client(patron, 6 * ASKS)
    last = _ended(again)["given"]
    assert len(shown) + len(last) == STOCK, "what was released was given again, to the last one"
