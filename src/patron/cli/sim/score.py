"""`patron sim score`: what the platform understood, held against the truth."""

import json
from contextlib import closing
from pathlib import Path

import click
import msgspec

from patron.cli.client import Failed
from patron.cli.options import example
from patron.cli.output import table, write
from patron.cli.sim.options import key_option, people_bar
from patron.cli.sim.reach import Server, at, held, is_address
from patron.model.errors import PatronError
from patron.sim.score import Card
from patron.sim.score import score as hold

MISSED_A_BAR = 2


@click.command(
    epilog=example(
        "patron sim score --truth world/truth --against shop\n"
        "patron sim score --truth world/truth --against http://127.0.0.1:8080 --key sk_... --html card.html\n"
        "patron sim score --truth world/truth --against shop --try-splits 20 --json card.json"
    )
)
@click.option(
    "--truth",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The truth of a generated world (WORLD/truth).",
)
@click.option(
    "--against", required=True, help="Address of a running Patron, or the data directory that a server holds."
)
@key_option("admin")
@click.option(
    "--try-splits",
    default=0,
    show_default=True,
    type=click.IntRange(0),
    help="Wrong merges to split and undo.",
)
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the card as JSON."
)
@click.option(
    "--html", "html_file", type=click.Path(path_type=Path, dir_okay=False), help="Write it as one page."
)
def score(
    truth: Path,
    against: str,
    key: str | None,
    try_splits: int,
    json_file: Path | None,
    html_file: Path | None,
) -> None:
    """Read everything back from a platform that a world was loaded into, and compute each figure against the truth.

    Exit code 2 when a figure misses its bar. Nothing is changed, except by --try-splits, which undoes what it does.
    """
    from patron.sim.score.page import page

    server = at(against, key) if is_address(against) else held(Path(against))
    card = _read(truth, server, try_splits)
    if json_file:
        write(json_file, json.dumps(msgspec.to_builtins(card), indent=2, ensure_ascii=False) + "\n")
    if html_file:
        write(html_file, page(card))
    click.echo(text(card))
    if card.missed:
        raise SystemExit(MISSED_A_BAR)


def _read(truth: Path, server: Server, splits: int) -> Card:
    from patron.sim.server.api import Api

    try:
        with closing(Api(server.url, server.key)) as api, people_bar("Reading people") as tell:
            return hold(truth, api, splits=splits, progress=tell)
    except PatronError as error:
        raise Failed(str(error)) from error


def text(card: Card) -> str:
    """The card as one table for a terminal."""
    lines = [(row.name, row.text, row.bar, row.verdict, row.note) for row in card.rows]
    head = (
        f"World {card.world}, size {card.size}, seed {card.seed}: {card.messages:,} messages of {card.people:,} people over "
        f"{card.days} days; Patron holds {card.held_people:,} people and {card.held_events:,} events."
    )
    foot = (
        f"{card.met} met, {card.missed} missed, {card.open} not computed; read in {card.read_seconds:.1f} s."
    )
    return "\n".join(
        [head, "", table(("figure", "value", "bar", "verdict", ""), lines), "", *card.gaps, foot]
    )
