"""Commands about the directory itself: init, replay, backup, restore, config, doctor, clock."""

import datetime as dt
from pathlib import Path
from typing import Any

import click
import msgspec

from patron.cli.client import Failed, call
from patron.cli.options import data_option, example, json_option
from patron.cli.output import emit, table, text_of
from patron.identity.diff import PartitionDiff
from patron.identity.impact import impact
from patron.model.errors import PatronError


@click.command(epilog=example("patron init shop\npatron init shop --name 'Alder & Rosso' --zone Europe/Rome"))
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--name", default="My shop", show_default=True, help="Name of the business.")
@click.option("--zone", default="UTC", show_default=True, help="Its time zone, e.g. Europe/Rome.")
def init(folder: Path, name: str, zone: str) -> None:
    """Make a data directory with patron.toml, an example catalogue and empty stores."""
    from patron.runtime.create import create

    try:
        create(folder, name, zone)
    except PatronError as error:
        raise Failed(str(error)) from error
    click.echo(f"Made {folder}. Next: patron source add web --channel web --data {folder}")


@click.command(epilog=example("patron replay --data shop\npatron replay --json --data shop"))
@data_option
@json_option
def replay(data: Path, as_json: bool) -> None:
    """Rebuild everything from the log, beside the live state, and compare byte for byte. Acts on nobody."""
    value = call(data, "POST", "/v1/admin/replay")
    word = "equal" if value["equal"] else f"DIFFERENT in {', '.join(value['differences'][:5])}"
    emit(value, as_json=as_json, text=f"Replayed {value['messages']} messages: profiles are {word}.")
    if not value["equal"]:
        raise SystemExit(2)


@click.command(epilog=example("patron backup /safe/monday --data shop"))
@click.argument("dest", type=click.Path(path_type=Path, file_okay=False))
@data_option
@json_option
def backup(dest: Path, data: Path, as_json: bool) -> None:
    """Copy the directory to DEST, consistent, while it serves. DEST must not exist yet."""
    value = call(data, "POST", "/v1/admin/backup", {"path": str(dest.resolve())})
    emit(
        value,
        as_json=as_json,
        text=f"Backed up to {dest}: {value['files']} files, up to position {value['position']}.",
    )


@click.command(
    epilog=example(
        "patron restore /safe/monday --data shop2\npatron restore /safe/monday --data shop2 --erasures shop"
    )
)
@click.argument("source", type=click.Path(path_type=Path, file_okay=False, exists=True))
@data_option
@click.option(
    "--erasures",
    type=click.Path(path_type=Path, exists=True),
    help="A directory whose later erasures are applied too.",
)
def restore(source: Path, data: Path, erasures: Path | None) -> None:
    """Make the directory DATA from a backup. People erased since the backup stay out."""
    from patron.runtime.create import restore_backup

    try:
        applied = restore_backup(source, data, erasures)
    except PatronError as error:
        raise Failed(str(error)) from error
    click.echo(f"Restored {data}; {applied} erasures applied. Start it: patron serve --data {data}")


@click.group(
    epilog=example("patron config show --data shop\npatron config dry-run stricter.toml --data shop")
)
def config() -> None:
    """Every setting with its value and origin, and a dry run of other identity rules."""


@config.command(
    "show",
    epilog=example(
        "patron config show --data shop\nPATRON_DECIDE_HOLDOUT=0.1 patron config show --data shop"
    ),
)
@data_option
@json_option
def config_show(data: Path, as_json: bool) -> None:
    """Print each setting, its value and where it came from: default, patron.toml or a PATRON_ variable."""
    rows = call(data, "GET", "/v1/admin/config")
    emit(
        rows,
        as_json=as_json,
        text=table(
            ["setting", "value", "origin"], [[r["key"], _short(r["value"]), r["origin"]] for r in rows]
        ),
    )


@config.command(
    "dry-run",
    epilog=example(
        "patron config dry-run stricter.toml --data shop\npatron config dry-run stricter.toml --json --data shop"
    ),
)
@click.argument("rules", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@data_option
@json_option
def config_dry_run(rules: Path, data: Path, as_json: bool) -> None:
    """What the identity rules in the file RULES would make of the people there are. Changes nothing.

    RULES is written as patron.toml: the keys in its [identity] table replace those in force. Exit code 0 when everybody
    stays who they are, 2 when somebody would be joined or come apart.
    """
    from patron.runtime.settings import tried_rules

    try:
        tried = tried_rules(text_of(rules))
    except PatronError as error:
        raise Failed(f"{rules}: {error}") from error
    value = call(data, "POST", "/v1/admin/identity/dry-run", {"identity": tried})
    told = impact(msgspec.convert(value, PartitionDiff))
    lines = [
        *told.summary,
        *_examples("Would be one person, for example:", told.joined),
        *_examples("Would be several people, for example:", told.apart),
        "",
        told.unknown,
    ]
    emit(value, as_json=as_json, text="\n".join(lines))
    if told.changes:
        raise SystemExit(2)


def _examples(head: str, found: tuple[tuple[str, ...], ...]) -> list[str]:
    if not found:
        return []
    lines = [line for people in found for line in ("", *(f"  {person}" for person in people))]
    return ["", head, *lines[1:]]


@click.command(epilog=example("patron doctor --data shop"))
@data_option
@json_option
def doctor(data: Path, as_json: bool) -> None:
    """Check the directory and the machine, and say what to mend. Exit code 2 when something is not well."""
    value = call(data, "GET", "/v1/health")
    lines = [f"{'ok ' if good else 'BAD'}  {what}: {text}" for what, good, text in value["checks"]]
    emit(value, as_json=as_json, text="\n".join(lines))
    if not all(good for _, good, _ in value["checks"]):
        raise SystemExit(2)


@click.group(epilog=example("patron clock step 2026-11-22T09:00:00Z --data shop"))
def clock() -> None:
    """Step the clock of `patron serve --clock stepped`."""


@clock.command("step", epilog=example("patron clock step 2026-11-22T09:00:00Z --data shop"))
@click.argument("moment")
@data_option
def clock_step(moment: str, data: Path) -> None:
    """Move time to MOMENT (ISO 8601, or milliseconds since 1970). Time only goes forward."""
    value = call(data, "POST", "/v1/admin/clock", {"now": _ms(moment)})
    click.echo(value["position"])


def _ms(moment: str) -> int:
    if moment.isdigit():
        return int(moment)
    try:
        when = dt.datetime.fromisoformat(moment)
    except ValueError as error:
        raise Failed(f"{moment} is no time; write 2026-11-22T09:00:00Z") from error
    return int((when if when.tzinfo else when.replace(tzinfo=dt.UTC)).timestamp() * 1000)


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 80 else text[:77] + "..."
