"""`patron sim practice`: a world to find things out about; its truth is revealed at the end."""

import json
import time
from pathlib import Path

import click
from rich.console import Console

from patron.cli.client import Failed
from patron.cli.options import example, folder_option, json_option, port_option, town_option
from patron.cli.sim import practised
from patron.model.errors import PatronError
from patron.model.guide import Answer, Practice, Question, filled, parsed
from patron.runtime import guide

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
@town_option("S")
@folder_option("Its folder; one that is there goes on", "practice-data/NUMBER")
@port_option(8710)
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
        practised.Host(folder or practised.next_folder(), port).run(
            seed, size, minutes, until_done=until_done
        )
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
    data, asked = practised.asked_in(folder)
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
        found = practised.reveal(folder)
    except PatronError as error:
        raise Failed(str(error)) from error
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    practised.show(found, folder, Console(highlight=False))


# --- answering --------------------------------------------------------------------------------------------------


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
