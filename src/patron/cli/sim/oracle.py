"""`patron sim oracle`: the truth that needs the world lived again."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from patron.cli.client import Failed
from patron.cli.options import example, json_option
from patron.cli.output import table
from patron.model.errors import PatronError

if TYPE_CHECKING:
    from patron.sim.oracle import Report

_NAMES = ("person_latent", "needs", "potential", "policy_values", "clv", "channel_effects", "ads_effects")


@click.command(
    epilog=example(
        "patron sim oracle world\n"
        "patron sim oracle world --only needs --only potential --sample 500\n"
        "patron sim oracle world --processes 8 --branches 400 --json"
    )
)
@click.argument("folder", metavar="WORLD", type=click.Path(path_type=Path, file_okay=False))
@click.option("--only", multiple=True, type=click.Choice(_NAMES), help="Only this file; may be repeated.")
@click.option(
    "--processes",
    type=click.IntRange(1, 256),
    default=None,
    help="How many work side by side [default: all cores]; the files are the same.",
)
@click.option(
    "--sample",
    type=click.IntRange(2, 1_000_000),
    default=2_000,
    show_default=True,
    help="potential: decision points.",
)
@click.option(
    "--branches",
    type=click.IntRange(2, 1_000),
    default=200,
    show_default=True,
    help="potential: lives of each action.",
)
@click.option(
    "--rollouts",
    type=click.IntRange(2, 1_000),
    default=64,
    show_default=True,
    help="clv: years of each customer.",
)
@json_option
def oracle(
    folder: Path,
    only: tuple[str, ...],
    processes: int | None,
    sample: int,
    branches: int,
    rollouts: int,
    as_json: bool,
) -> None:
    """Add the oracle files to WORLD/truth: needs, the value of every action, policies, lifetimes, channels, ads.

    The world is lived again many times, each time with one decision changed and all other luck the same.
    """
    import msgspec
    from rich.console import Console
    from rich.progress import Progress

    from patron.sim.oracle import Plan, run

    try:
        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("reliving", total=None)
            report = run(
                folder,
                only,
                Plan(sample, branches, rollouts),
                processes=processes or os.cpu_count() or 1,
                progress=lambda name, done, total: bar.update(
                    task, description=name, completed=done, total=total
                ),
            )
    except (PatronError, ValueError) as error:
        raise Failed(str(error)) from error
    click.echo(json.dumps(msgspec.to_builtins(report), indent=2) if as_json else _text(report))


def _text(report: "Report") -> str:
    rows = [
        (
            made.file,
            f"{made.rows:,}",
            f"{made.people_days:,}",
            f"{made.cpu_seconds:,.1f}",
            "-" if made.error is None else f"{made.error:.2f}",
            "-" if made.gain_error is None else f"{made.gain_error:.2f}",
        )
        for made in report.files.values()
    ]
    heads = ("file", "rows", "person-days", "CPU s", "error EUR", "of a gain")
    return table(heads, rows)
