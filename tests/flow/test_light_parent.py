"""The serving process stays light: what asks and keeps the lake runs in other processes."""

import json
import os
from collections.abc import Callable
from pathlib import Path

from tests.flow.serving import PatronServer, bearer, request

HEAVY = {"pyarrow", "duckdb", "ibis", "deltalake", "sqlglot", "pandas"}
TELLS = """
import atexit, json, pathlib, sys
if "serve" in sys.argv:
    place = pathlib.Path(sys.argv[sys.argv.index("--data") + 1] + ".modules")
    atexit.register(lambda: place.write_text(json.dumps(sorted(sys.modules))))
"""
BUYERS = {"id": "buyers", "name": "Buyers", "rule": {"kind": "did", "event": "Order Completed"}}


def test_serving_questions_of_the_lake_loads_no_engine(
    server: Callable[..., PatronServer], tmp_path: Path
) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(TELLS)
    path = os.pathsep.join(filter(None, [str(tmp_path / "site"), os.environ.get("PYTHONPATH")]))
    patron = server(env={"PYTHONPATH": path})
    patron.track(
        patron.write_key(), {"type": "track", "event": "Order Completed", "userId": "u1", "messageId": "m1"}
    )
    assert patron.post("/v1/segments/check", BUYERS).json()["reach"]["people"] == 1
    assert patron.post("/v1/lake/flush").status == 200
    asked = json.dumps({"sql": "SELECT count(*) FROM events"})
    reply = request("POST", f"{patron.url}/v1/lake/query", asked, bearer(patron.admin), timeout=120)
    assert reply.json()["rows"] == [[1]]
    assert request("GET", f"{patron.url}/v1/lake", headers=bearer(patron.admin), timeout=120).status == 200
    assert patron.get("/console").status in (200, 302, 303)
    patron.stop()
    loaded = set(json.loads(patron.data.with_name(patron.data.name + ".modules").read_text()))
    assert "patron.runtime.backend" in loaded, "this is the process that served"
    assert not HEAVY & loaded
    patron.start()
