"""`patron sim practice`: a world to find things out about; its truth is revealed at the end."""

import datetime as dt
import json
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from patron.cli import hosting
from patron.cli.client import Failed, call, part
from patron.cli.options import example, json_option
from patron.cli.sim.reach import held_by
from patron.model.clock import MINUTE
from patron.model.errors import PatronError
from patron.model.guide import Answer, Practice, Question, filled, parsed
from patron.runtime import guide

ROOT = Path("practice-data")
DATA, WORLD, MARKER, HALF = "patron", "world", "practice.json", "practice.unfinished"
PAGE, RESULT = "reveal.html", "reveal.json"
USER = "trainee"
folder_argument = click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))


@click.group(
    invoke_without_command=True,
    epilog=example(
        "patron sim practice                               # another world each time\n"
        "patron sim practice --seed 12 --minutes 45        # the same world for a whole class\n"
        "patron sim practice --size S --until-done\n"
        "patron sim practice answer practice-data/1        # in the terminal instead of the console\n"
        "patron sim practice reveal practice-data/1"
    ),
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**31),
    default=None,
    help="Names the world [default: one that nobody knows].",
)
@click.option(
    "--size",
    type=click.Choice(["XS", "S"]),
    default="XS",
    show_default=True,
    help="Six stores and 400 people, or 24 and 3,000.",
)
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Its folder; one that is there goes on [default: practice-data/NUMBER].",
)
@click.option("--port", default=8710, show_default=True, help="Port of everything.")
@click.option("--minutes", type=click.IntRange(1, 10_000), default=None, help="Reveal after so many minutes.")
@click.option("--until-done", is_flag=True, help="Reveal as soon as every question has an answer.")
@click.pass_context
def practice(
    ctx: click.Context,
    seed: int | None,
    size: str,
    folder: Path | None,
    port: int,
    minutes: int | None,
    until_done: bool,
) -> None:
    """Start a world to practise on: look around, answer its questions, then have the truth revealed.

    For store staff and analysts. The world stands in a folder of its own; Ctrl C stops it, and the same command with
    --dir goes on. Answers are given in the console or by `answer`, and may be changed until the end.
    """
    if ctx.invoked_subcommand is not None:
        return
    try:
        _Host(folder or _next(), port).run(seed, size, minutes, until_done=until_done)
    except PatronError as error:
        raise Failed(str(error)) from error


@practice.command(
    epilog=example(
        "patron sim practice answer practice-data/1\n"
        "patron sim practice answer practice-data/1 pick-up S03,S05\n"
        "patron sim practice answer practice-data/1 offline 81.5"
    )
)
@folder_argument
@click.argument("question", required=False)
@click.argument("value", nargs=-1)
@json_option
def answer(folder: Path, question: str | None, value: tuple[str, ...], as_json: bool) -> None:
    """Answer the questions of a practice, one after the other, or a single one."""
    data, asked = _asked(folder)
    if asked.ended:
        raise Failed("The practice is over: no answer counts any more.")
    known = {one.id: one for one in asked.questions}
    if question is None:
        if as_json:
            click.echo(json.dumps({name: one.values for name, one in guide.answered(data).items()}, indent=2))
            return
        _interview(data, asked)
        return
    if question not in known:
        raise Failed(f"There is no question {question!r}; there are {', '.join(known)}.", 3)
    _keep(data, known[question], value)
    given = guide.answered(data)
    if as_json:
        click.echo(json.dumps({name: one.values for name, one in given.items()}, indent=2))
    else:
        click.echo(f"Kept: {len(given.keys() & known.keys())} of {len(known)} questions have an answer.")


@practice.command(
    epilog=example(
        "patron sim practice reveal practice-data/1\npatron sim practice reveal practice-data/1 --json"
    )
)
@folder_argument
@json_option
def reveal(folder: Path, as_json: bool) -> None:
    """End a practice: each question with its answer, the truth, and how it could have been seen.

    Printed, and written to reveal.html and reveal.json in its folder; the console shows it from then on, too.
    """
    try:
        found = _reveal(folder)
    except PatronError as error:
        raise Failed(str(error)) from error
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    _print(found, folder, Console(highlight=False))


# --- starting ---------------------------------------------------------------------------------------------------


class _Host:
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
            self._show()
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
            # an earlier build that was interrupted: nothing of it was shown to anybody
            shutil.rmtree(self.folder)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.folder / HALF).touch()
        create(self.data, "Alder & Rosso, practice", "Europe/Rome")
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
        from patron.sim.filling import fill
        from patron.sim.folder import read_manifest
        from patron.sim.practice.session import ask, seal

        url, key = held_by(self.data)
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

        _, asked = _asked(self.folder)
        if not asked.ended:
            until = time.time_ns() // 1_000_000 + minutes * MINUTE
            guide.write(self.data, structs.replace(asked, until=until))

    def _bar(self) -> Progress:
        columns = (TextColumn("{task.description:<30}"), BarColumn(20), TaskProgressColumn())
        return Progress(*columns, console=self.out)

    def _show(self) -> None:
        _, asked = _asked(self.folder)
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
        told = _asked(self.folder)[1].ended
        while server.poll() is None:
            _, asked = _asked(self.folder)
            if not told and (asked.ended or self._over(asked, until_done=until_done)):
                told = True
                _print(_reveal(self.folder), self.folder, self.out)
                self.out.print("The console stays open to look at it again. Ctrl C stops it.")
            time.sleep(1.0)
        raise Failed(f"The server stopped by itself; see {hosting.LOG} in {self.data}.")

    def _over(self, asked: Practice, *, until_done: bool) -> bool:
        if asked.until and time.time_ns() // 1_000_000 >= asked.until:
            self.out.print("\n[bold]Time is up.[/bold]")
            return True
        return until_done and {one.id for one in asked.questions} <= guide.answered(self.data).keys()


def _next() -> Path:
    number = 1
    while (ROOT / str(number)).exists():
        number += 1
    return ROOT / str(number)


def _clock(ms: int) -> str:
    return f"{dt.datetime.fromtimestamp(ms / 1000).astimezone():%H:%M}"


# --- answering --------------------------------------------------------------------------------------------------


def _asked(folder: Path) -> tuple[Path, Practice]:
    data = folder / DATA
    found = guide.practice(data)
    if found is None:
        raise Failed(
            f"{folder} is no practice, or one that is not built yet: give the folder that it printed."
        )
    return data, found


def _keep(data: Path, question: Question, texts: tuple[str, ...]) -> None:
    try:
        values = parsed(question, texts)
        guide.answer(
            data, Answer(question=question.id, values=values, by="terminal", at=time.time_ns() // 1_000_000)
        )
    except (ValueError, PatronError) as error:
        raise Failed(str(error), 2) from error


def _interview(data: Path, asked: Practice) -> None:
    given = guide.answered(data)
    for number, question in enumerate(asked.questions, 1):
        ids = question.people
        click.echo(f"\n{click.style(f'{number}. {question.title}', bold=True)}  ({question.id})")
        click.echo(filled(question.ask, ids))
        for value, label in question.choices[:30]:
            click.echo(f"  {value:<8} {filled(label, ids)}" if label != value else f"  {value}")
        before = given[question.id].values if question.id in given else ()
        while True:
            said = click.prompt(
                f"Answer{f' in {question.unit}' if question.unit else ''} (Enter leaves it)",
                default=",".join(before),
                show_default=bool(before),
            )
            try:
                if said.strip() and said != ",".join(before):
                    _keep(data, question, (said,))
            except Failed as error:
                click.echo(error.message)
                continue
            break
    count = len(guide.answered(data).keys() & {one.id for one in asked.questions})
    click.echo(f"\nKept: {count} of {len(asked.questions)} questions have an answer.")


# --- revealing --------------------------------------------------------------------------------------------------


def _reveal(folder: Path) -> dict[str, Any]:
    """End it, write the page, and give what was found out."""
    from patron.sim.practice import page
    from patron.sim.practice.session import origin, reveal

    data, asked = _asked(folder)
    answers = guide.answered(data)
    ended = reveal(folder / WORLD, asked, answers)
    guide.write(data, ended)
    names = {one.id: {slot: _name(data, who) for slot, who in one.people.items()} for one in ended.questions}
    came = origin(folder / WORLD)
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


def _print(found: dict[str, Any], folder: Path, out: Console) -> None:
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
