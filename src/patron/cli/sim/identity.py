"""`patron sim identity`: how well people can be told apart in a generated world, and how well a system does it."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from patron.cli.client import Failed
from patron.cli.options import example, json_option
from patron.cli.sim.options import key_option, progress_bar
from patron.model.errors import PatronError

if TYPE_CHECKING:
    from patron.sim.identity import Record, Scores

_HEADS = (
    "method",
    "person P",
    "pair P",
    "pair R",
    "pair F1",
    "F1/ceiling",
    "B-cubed F",
    "household P",
    "largest cluster",
)


@click.command(
    epilog=example(
        "patron sim identity world\n"
        "patron sim identity world-1001 world-1002 world-1003 --json\n"
        "patron sim identity world --to http://127.0.0.1:8080 --key sk_..."
    )
)
@click.argument(
    "folders", nargs=-1, required=True, metavar="DIR...", type=click.Path(path_type=Path, file_okay=False)
)
@click.option("--to", "url", default=None, help="A Patron that holds the world: its row joins the table.")
@key_option("profiles:read")
@click.option(
    "--clusters",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="Instead of a server: a JSON object, record as written (card:2900) -> person.",
)
@json_option
def identity(
    folders: tuple[Path, ...], url: str | None, key: str | None, file: Path | None, as_json: bool
) -> None:
    """Print table 7.5 of a generated world: what joining its records gives, from naive joins to the most that evidence allows.

    It opens the world's truth; run it as somebody who may read that.
    """
    import json

    import msgspec

    if url and file:
        raise click.UsageError("give --to or --clusters, not both")
    if (url or file) and len(folders) > 1:
        raise click.UsageError("--to and --clusters speak of one world: give one DIR")
    if url and not key:
        raise click.UsageError("--to needs --key: patron key add lab --scope profiles:read")
    tables = {str(folder): _scores(folder, url, key, file) for folder in folders}
    if as_json:
        rows = [
            {"folder": name, **msgspec.to_builtins(one), "of_ceiling": one.of_ceiling}
            for name, scores in tables.items()
            for one in scores
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    click.echo("\n\n".join(_text(name, scores) for name, scores in tables.items()))


def _scores(folder: Path, url: str | None, key: str | None, file: Path | None) -> "list[Scores]":
    from patron.sim.identity import clusters_from, records_of, table
    from patron.sim.identity.ask import read_people

    try:
        records = records_of(folder)
        people = _asked(url, key or "", records) if url else read_people(file) if file else None
        return table(records, None if people is None else clusters_from(records, people))
    except PatronError as error:
        raise Failed(str(error)) from error


def _asked(url: str, key: str, records: "list[Record]") -> dict[str, str]:
    from patron.sim.identity.ask import ask_people

    keys = {record.key for record in records}
    with progress_bar("Asking", len(keys)) as tell:
        return ask_people(url, key, keys, tell)


def _text(name: str, scores: "list[Scores]") -> str:
    from patron.cli.output import table

    first = scores[0]
    a_person = first.records / first.people if first.people else 0.0
    head = f"{name}: {first.records:,} records of {first.people:,} people, {a_person:.1f} a person"
    return head + "\n" + table(_HEADS, [_row(one) for one in scores])


def _row(one: "Scores") -> tuple[str | int, ...]:
    shares = (one.person_precision, one.precision, one.recall, one.f1, one.of_ceiling, one.bcubed_f1)
    return (one.method, *(f"{share:.3f}" for share in shares), f"{one.household_precision:.4f}", one.largest)
