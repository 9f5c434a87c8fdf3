"""One practice and its server: built, loaded, asked about, watched until its end, revealed."""

import datetime as dt
import json
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from patron.cli import hosting
from patron.cli.client import Failed, call, part
from patron.cli.sim.reach import held
from patron.model.clock import MINUTE
from patron.model.guide import Practice, filled
from patron.runtime import guide
from patron.storage.embedded import directory

ROOT = Path("practice-data")
DATA, WORLD, MARKER, HALF = "patron", "world", "practice.json", "practice.unfinished"
PAGE, RESULT = "reveal.html", "reveal.json"
USER = "trainee"


class Host:
    """One practice and its server."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.data, self.world = folder / DATA, folder / WORLD
        self.url = f"http://127.0.0.1:{port}"
        self.out = Console(highlight=False)

    def run(self, seed: int | None, size: str, minutes: int | None, *, until_done: bool) -> None:
        """Build when needed, serve, tell what to do, and wait for the end."""
        if hosting.taken(self.port):
            raise Failed(
                f"Something answers on port {self.port} already. Choose another: patron sim practice --port {self.port + 1}"
            )
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        new, town = not (self.folder / MARKER).exists(), None
        if new:
            town = self._tell(seed, size)
        elif seed is not None:
            raise Failed(f"{self.folder} is a practice already; leave --seed out to go on with it.")
        server = hosting.serve(self.data, self.port)
        try:
            hosting.wait(server, self.url, self.data)
            if new:
                self._load(town)
            if minutes is not None:
                self._limit(minutes)
            self._told()
            self._wait(server, until_done=until_done)
        except KeyboardInterrupt:
            self.out.print(
                f"\nStopping. Go on: patron sim practice --dir {self.folder}\nEnd it: patron sim practice reveal {self.folder}",
                soft_wrap=True,
            )
        finally:
            hosting.stop(server)

    def _tell(self, seed: int | None, size: str) -> Any:
        from patron.runtime.create import create
        from patron.sim.practice.session import tell

        if self.folder.exists() and any(self.folder.iterdir()):
            if not (self.folder / HALF).exists():
                raise Failed(f"{self.folder} was not made by `patron sim practice`; it is left alone.")
            if directory.running(self.data) is not None:
                raise Failed(
                    f"Another practice is being built in {self.folder}. Choose another folder with --dir."
                )
            # an earlier build that was interrupted: nothing of it was shown to anybody
            shutil.rmtree(self.folder)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.folder / HALF).touch()
        create(self.data, "Alder & Rosso", "Europe/Rome")
        chosen = secrets.randbelow(10**6) + 1_000 if seed is None else seed
        with self._bar() as bar:
            task = bar.add_task("Living in a world of its own", total=1)
            today = dt.datetime.now(dt.UTC).date()
            return tell(
                self.world,
                chosen,
                size,
                today,
                lambda done, every: bar.update(task, completed=done, total=every),
            )

    def _load(self, town: Any) -> None:
        from patron.sim.generation.folder import read_manifest
        from patron.sim.practice.session import ask, seal
        from patron.sim.server.filling import fill

        server = held(self.data)
        url, key = server.url, server.key
        with self._bar() as bar:
            task = bar.add_task("Loading by the tracking API", total=read_manifest(self.world).messages)
            fill(self.world, url, key, progress=lambda n: bar.update(task, completed=n))
        with self._bar() as bar:
            task = bar.add_task("Asking what can be seen in it", total=1)
            asked = ask(self.world, town, url, key)
            bar.update(task, completed=1)
        if not asked.questions:
            raise Failed("This world shows nothing to ask about; choose another seed.")
        seal(self.world)
        guide.write(self.data, asked)
        password = secrets.token_urlsafe(9)
        user = {"name": USER, "full_name": "Trainee", "role": "admin", "password": password}
        call(self.data, "POST", "/v1/admin/users", user)
        marker = self.folder / MARKER
        marker.touch(mode=0o600)
        marker.write_text(json.dumps({"password": password, "began": time.time_ns() // 1_000_000}), "utf-8")
        (self.folder / HALF).unlink()

    def _limit(self, minutes: int) -> None:
        from msgspec import structs

        _, asked = asked_in(self.folder)
        if not asked.ended:
            until = time.time_ns() // 1_000_000 + minutes * MINUTE
            guide.write(self.data, structs.replace(asked, until=until))

    def _bar(self) -> Progress:
        columns = (TextColumn("{task.description:<30}"), BarColumn(20), TaskProgressColumn())
        return Progress(*columns, console=self.out)

    def _told(self) -> None:
        _, asked = asked_in(self.folder)
        facts = json.loads((self.folder / MARKER).read_text("utf-8"))
        self.out.print(f"\n[bold]Console[/bold]   {self.url}/console/practice", soft_wrap=True)
        self.out.print(f"          name [bold]{USER}[/bold], password [bold]{facts['password']}[/bold]\n")
        self.out.print(asked.lead, width=min(self.out.width, 84))
        for number, question in enumerate(asked.questions, 1):
            self.out.print(f"  {number:>2}  {question.title}")
        self.out.print(f"\nFiles of its systems: {self.world}", soft_wrap=True)
        self.out.print(f"In the terminal: patron sim practice answer {self.folder}", soft_wrap=True)
        end = (
            f"Ends at {_clock(asked.until)}."
            if asked.until
            else f"The end: patron sim practice reveal {self.folder}"
        )
        self.out.print("It is over; the console shows the truth." if asked.ended else end, soft_wrap=True)

    def _wait(self, server: subprocess.Popen[bytes], *, until_done: bool) -> None:
        """Serve until Ctrl C; reveal when the time is up, or all is answered."""
        told = asked_in(self.folder)[1].ended
        while server.poll() is None:
            _, asked = asked_in(self.folder)
            if not told and (asked.ended or self._over(asked, until_done=until_done)):
                told = True
                show(reveal(self.folder), self.folder, self.out)
                self.out.print("The console stays open to look at it again. Ctrl C stops it.")
            time.sleep(1.0)
        raise Failed(f"The server stopped by itself; see {hosting.LOG} in {self.data}.")

    def _over(self, asked: Practice, *, until_done: bool) -> bool:
        if asked.until and time.time_ns() // 1_000_000 >= asked.until:
            self.out.print("\n[bold]Time is up.[/bold]")
            return True
        return until_done and {one.id for one in asked.questions} <= guide.answered(self.data).keys()


def next_folder() -> Path:
    """The folder of a new practice."""
    number = 1
    while (ROOT / str(number)).exists():
        number += 1
    return ROOT / str(number)


def _clock(ms: int) -> str:
    return f"{dt.datetime.fromtimestamp(ms / 1000).astimezone():%H:%M}"


def asked_in(folder: Path) -> tuple[Path, Practice]:
    """Data directory and questions of a practice. Raises Failed when the folder is none."""
    data = folder / DATA
    found = guide.practice(data)
    if found is None:
        raise Failed(
            f"{folder} is no practice, or one that is not built yet: give the folder that it printed."
        )
    return data, found


def reveal(folder: Path) -> dict[str, Any]:
    """End it, write the page, and give what was found out."""
    from patron.sim.practice import page, session

    data, asked = asked_in(folder)
    answers = guide.answered(data)
    ended = session.reveal(folder / WORLD, asked, answers)
    guide.write(data, ended)
    names = {one.id: {slot: _name(data, who) for slot, who in one.people.items()} for one in ended.questions}
    came = session.origin(folder / WORLD)
    began = json.loads((folder / MARKER).read_text("utf-8")).get("began", 0)
    (folder / PAGE).write_text(page.page(ended, answers, names, came, began), "utf-8")
    found = {
        "seed": came[0],
        "size": came[1],
        "points": round(100 * page.score(ended), 1),
        "questions": [
            {
                "id": one.id,
                "title": one.title,
                "answered": page.answered(one, answers.get(one.id), names[one.id]),
                "truth": filled(one.truth, names[one.id]),
                "seen": filled(one.seen, names[one.id]),
                "points": one.points,
            }
            for one in ended.questions
        ],
    }
    (folder / RESULT).write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return found


def _name(data: Path, person: str) -> str:
    """A person's name as the workspace has it; their id when it has none, or they are gone."""
    try:
        traits = call(data, "GET", f"/v1/profiles/{part(person)}/traits")["traits"]
    except Failed:
        return person
    told = {one["name"]: str(one["value"]) for one in traits}
    return " ".join(filter(None, (told.get("firstName"), told.get("lastName")))) or person


def show(found: dict[str, Any], folder: Path, out: Console) -> None:
    """Print what `reveal` gave."""
    from patron.sim.practice.page import verdict

    out.print(
        f"\n[bold]{found['points']:.0f} of 100 points[/bold], world of seed {found['seed']}, size {found['size']}"
    )
    for number, one in enumerate(found["questions"], 1):
        out.print(f"\n[bold]{number}. {one['title']}[/bold]  {verdict(one['points'])}", highlight=False)
        width = min(out.width, 84)
        for label, text in (("Answered", one["answered"]), ("Truth", one["truth"]), ("Seen", one["seen"])):
            out.print(f"   {label}: {text}", width=width, markup=False)
    out.print(f"\nAs a page: {folder / PAGE}", soft_wrap=True)
