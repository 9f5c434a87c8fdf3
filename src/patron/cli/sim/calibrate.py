"""`patron sim calibrate`: what the built-in policies bring, beside the figures of the design."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from patron.cli.client import Failed
from patron.cli.options import example, json_option
from patron.cli.output import table
from patron.cli.sim.options import world_options
from patron.model.errors import PatronError

if TYPE_CHECKING:
    from patron.sim.engine.calibration import Row
    from patron.sim.engine.policy import Policy

HEADS = (
    "seed",
    "policy",
    "revenue",
    "95 %",
    "margin",
    "sends",
    "unsubscribed",
    "offline",
    "conversion",
    "order",
    "orders",
)


@click.command(
    epilog=example(
        "patron sim calibrate\n"
        "patron sim calibrate --world null --seed 1001 --people 4000\n"
        "patron sim calibrate --seed 1001 --seed 1002 --people 40000 --json"
    )
)
@world_options
@click.option(
    "--seed", "seeds", type=int, multiple=True, default=(1_001,), show_default=True, help="May be repeated."
)
@click.option(
    "--people", type=click.IntRange(50, 1_000_000), default=10_000, show_default=True, help="How many."
)
@json_option
def calibrate(
    world: str, file: Path | None, jitter: float, seeds: tuple[int, ...], people: int, as_json: bool
) -> None:
    """Run every built-in policy on the same people with the same luck, 168 days, and count the last 84.

    Revenue and margin are differences to business as usual, with 95 % intervals over people.
    """
    import msgspec

    found = []
    try:
        for seed, row in _rows(world, file, jitter, seeds, people):
            click.echo(f"  seed {seed}: {row.policy}", err=True)
            found.append((seed, row))
    except PatronError as error:
        raise Failed(str(error)) from error
    if as_json:
        rows = [{"seed": seed, **msgspec.to_builtins(row)} for seed, row in found]
        click.echo(json.dumps({"world": world, "people": people, "rows": rows}, indent=2))
        return
    click.echo(f"world {world}, {people:,} people, days 84 to 168\n")
    click.echo(table(HEADS, [_cells(seed, row) for seed, row in found]))


def _rows(
    world: str, file: Path | None, jitter: float, seeds: tuple[int, ...], people: int
) -> "Iterator[tuple[int, Row]]":
    from patron.sim.engine.calibration import calibrate as run
    from patron.sim.engine.state import Setting
    from patron.sim.policies import POLICIES, Oracle
    from patron.sim.world.sizes import places
    from patron.sim.world.worlds import jittered, parameters

    policies: dict[str, Callable[[], Policy]] = {
        **POLICIES,
        "oracle, slots only": lambda: Oracle(messages=False),
        "oracle, messages only": lambda: Oracle(slots=False),
    }
    given = parameters(world, file)
    for seed in seeds:
        for row in run(Setting(seed, jittered(given, jitter, seed), places("S")), people, policies):
            yield seed, row


def _cells(seed: int, row: "Row") -> tuple[str, ...]:
    return (
        str(seed),
        row.policy,
        f"{100 * row.revenue.value:+.1f} %",
        f"{100 * row.revenue.low:+.1f} .. {100 * row.revenue.high:+.1f}",
        f"{100 * row.margin.value:+.1f} %",
        f"{row.sends:.1f}",
        f"{100 * row.unsubscribed:.1f} %",
        f"{100 * row.offline:.1f} %",
        f"{100 * row.conversion:.1f} %",
        f"{row.order_value:.1f}",
        f"{row.orders:.2f}",
    )
