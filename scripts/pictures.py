"""Draw docs/screenshots/ anew from a freshly built demo, and docs/screens.md, which shows them all.

Run by `make screenshots`. Builds the demo's town in a temporary folder, lets it live for a moment, signs in and has
scripts/screenshots.py visit every page in Chromium, light and dark, 1440 and 390 wide. Every person is invented.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.flow.serving import PATRON, bearer, free_port, request  # noqa: E402

FOLDER = ROOT / "docs" / "screenshots"
PAGE = ROOT / "docs" / "screens.md"
BUILD_SECONDS = 300
ALIVE_SECONDS = 12
"""How long the town lives before the first picture, so that home has something to count."""

TITLES = {
    "home": "Home: does all arrive, and what waits for somebody",
    "people": "People: find anybody by part of any identifier",
    "rules": "Identity rules: what would others make of these people",
    "person": "One person: story, identifiers, links, traits, consents, decisions",
    "segments": "Segments: who belongs where, in sentences, and ready ones",
    "segment": "A segment: its rule, whom it reaches, and people one knows",
    "overlap": "Two segments compared",
    "conditions": "Named conditions, and what uses them",
    "remove": "Removing asks first, and not at all while something uses it",
    "traits": "Computed traits",
    "trait": "A computed trait and what it gives people",
    "split": "Undo a wrong merge",
    "person-data": "Export or erase one person",
    "decisions": "Decisions, and the honest line",
    "catalogue": "The catalogue: what can be shown, where, and what it is worth",
    "offer": "An offer as its places show it, and who gets it",
    "catalogue-edit": "The catalogue as text, its faults beside their lines",
    "placements": "Placements, caps, quiet hours, and how offers are ranked",
    "policies": "Policies: how each placement decides",
    "policy": "One placement: what was given, by day, and how it goes",
    "policy-what-if": "What another policy would have earned, or why that cannot be said",
    "launch": "A policy on its way from draft to everybody",
    "sends": "Sends: decisions for many people at once",
    "send": "A send: who gets what, where and when, and what it changed",
    "send-new": "A new send, tried before it is begun",
    "preview": "What would somebody see, at every placement",
    "decision": "One decision: what, why, and why not the others",
    "funnel": "A funnel across channels",
    "retention": "Who comes back",
    "paths": "The ways that sessions take",
    "baskets": "Products that are bought together",
    "rfm": "Buyers by recency, frequency and money",
    "stories": "Stories: what is planted in the demo, and where to look for it",
    "shop": "Be the customer: a web page, a kiosk and a till",
    "health": "Data: health",
    "sources": "Sources and their write keys",
    "feeds": "Feeds: stock, prices, stores, weather, and how fresh they are",
    "exports": "Exports: what goes elsewhere, what the last run did, and when the next is due",
    "export": "An export with its runs",
    "export-new": "A new export: who, what, where to",
    "quarantine": "Dead letters: what did not fit, and why",
    "deadletter": "One dead letter, to be mended and replayed",
    "keys": "Secret keys of other systems",
    "lake": "The lake: how far it is, and what is in it",
    "privacy": "Privacy: receipts of erasures",
    "account": "One's own account",
    "palette": "Find people, pages and actions from the keyboard",
    "signin": "Signing in",
}


@contextmanager
def demo(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """A running demo: its address and what `patron demo` noted about it."""
    port, log = free_port(), folder / "demo.log"
    command = [PATRON, "demo", "--dir", str(folder / "town"), "--port", str(port)]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        marker, until = folder / "town" / "demo.json", time.monotonic() + BUILD_SECONDS
        while not (marker.exists() and marker.stat().st_size):
            if process.poll() is not None or time.monotonic() > until:
                sys.exit(f"the demo did not start:\n{log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.25)
        time.sleep(ALIVE_SECONDS)
        yield f"http://127.0.0.1:{port}", json.loads(marker.read_text("utf-8"))
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()


OFTEN = {
    "name": "Comes often",
    "parameters": {"times": 3},
    "rule": {
        "kind": "did",
        "event": "Store Entered",
        "op": ">=",
        "value": {"param": "times"},
        "within": {"days": 30},
    },
}
REGULARS = {"name": "Regulars", "rule": {"kind": "use", "condition": "regular", "given": {"times": 2}}}
OLD_TOWN = {
    "name": "Bought in the old town",
    "rule": {
        "kind": "did",
        "event": "Order Completed",
        "where": [{"field": "place", "op": "near", "value": {"store": "S01", "km": 1.5}}],
    },
}
STOCK = [
    *({"store": "S01", "product_id": f"P{n:04d}", "quantity": n % 7} for n in range(1, 40)),
    {"store": "S01", "product_id": "P0041", "quantity": "a few"},
]
CRM = {
    "name": "Regulars to the CRM",
    "segment": "regulars",
    "fields": ["identifiers.email", "traits.city", "computed.spent_90d", "segments"],
    "target": {"kind": "file", "format": "csv"},
    "every": 60,
}
NEWSLETTER = {
    "name": "Online only to the newsletter tool",
    "segment": "web-only",
    "fields": ["identifiers.email"],
    "target": {"kind": "webhook", "url": "http://127.0.0.1:9/in"},
}


WINTER = {
    "id": "winter",
    "name": "Winter news",
    "placements": ["email_slot"],
    "holdout": 0.1,
}
BOLD = {"name": "Tries more", "placements": ["web_home"], "explore": 3}


def furnish(url: str, reader: str) -> None:
    """Definitions, feeds, a send, a policy and exports, so that their pages have something to show."""

    def tell(method: str, path: str, value: Any) -> None:
        answer = request(method, f"{url}{path}", json.dumps(value), bearer(reader), timeout=60)
        assert answer.status in (200, 202), (path, answer.status, answer.body[:300])

    tell("POST", "/v1/feeds/stock", {"rows": STOCK, "file": "stock.csv"})
    tell("PUT", "/v1/conditions/regular", OFTEN)
    tell("PUT", "/v1/segments/regulars", REGULARS)
    tell("PUT", "/v1/segments/old-town", OLD_TOWN)
    until = time.monotonic() + BUILD_SECONDS
    while any(row["status"]["state"] == "filling" for row in request("GET", f"{url}/v1/segments", headers=bearer(reader)).json()["data"]):  # fmt: skip
        assert time.monotonic() < until, "the segments are not filled"
        time.sleep(0.5)
    tell("POST", "/v1/sends", WINTER)
    tell("PUT", "/v1/policies/bold", BOLD)
    tell("POST", "/v1/policies/bold/move", {"to": "shadow"})
    tell("PUT", "/v1/exports/crm", CRM)
    tell("POST", "/v1/exports/crm/run", {})
    tell("PUT", "/v1/exports/newsletter", NEWSLETTER)
    tell("POST", "/v1/exports/newsletter/run", {})


def prepare(url: str, facts: dict[str, Any]) -> str:
    """The id of the person to show; somebody else is erased, so that the page of receipts has one to show."""
    reader = facts["reader"]
    furnish(url, reader)
    told = request("GET", f"{url}/v1/profiles?limit=200", headers=bearer(reader)).json()["data"]
    planted = {
        request("GET", f"{url}/v1/profiles/{one['identifier']}", headers=bearer(reader)).json()["id"]
        for one in facts["stories"]
    }
    erased = next(one["id"] for one in told if one["id"] not in planted and one["totals"]["orders"] > 2)
    assert request("DELETE", f"{url}/v1/profiles/{erased}", headers=bearer(reader), timeout=180).status == 200
    shown = request("GET", f"{url}/v1/profiles/{facts['stories'][0]['identifier']}", headers=bearer(reader))
    return str(shown.json()["id"])


def index(names: set[str]) -> str:
    """docs/screens.md: every picture under its title; pages without a title come last under their name."""
    drawn = {re.sub(r"-(light|dark)-\d+\.png$", "", name) for name in names}
    order = [name for name in TITLES if name in drawn] + sorted(drawn - set(TITLES))
    lines = [
        "# Every page",
        "",
        "Made by `make screenshots` from a freshly built demo. Every person is invented.",
        "",
    ]
    for name in order:
        title = TITLES.get(name, name)
        lines += [f"## {title}", ""]
        for theme in ("light", "dark"):
            files = sorted(
                (one for one in names if re.fullmatch(rf"{name}-{theme}-\d+\.png", one)),
                key=len,
                reverse=True,
            )
            lines += [" ".join(f"![{title}, {theme}](screenshots/{one})" for one in files), ""]
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Build, draw, list."""
    with tempfile.TemporaryDirectory(prefix="patron-pictures-") as folder, demo(Path(folder)) as (url, facts):
        fresh = Path(folder) / "screenshots"
        person = prepare(url, facts)
        command = [sys.executable, str(ROOT / "scripts" / "screenshots.py"), "--base", url, "--user", "demo"]
        command += ["--person", person, "--out", str(fresh)]
        subprocess.run(command, check=True, env={**os.environ, "PATRON_PASSWORD": facts["password"]})
        FOLDER.mkdir(parents=True, exist_ok=True)
        for old in FOLDER.glob("*.png"):
            old.unlink()
        names = set()
        for picture in fresh.glob("*.png"):
            (FOLDER / picture.name).write_bytes(picture.read_bytes())
            names.add(picture.name)
    PAGE.write_text(index(names), "utf-8")
    print(f"{len(names)} pictures, listed in {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
