"""`patron sim run`: a world against a running server, day by day."""

import datetime as dt
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import msgspec

from patron.cli.client import Failed
from patron.cli.options import example, json_option
from patron.cli.sim.options import (
    Day,
    progress_bar,
    seed_option,
    server_options,
    size_option,
    world_options,
)
from patron.cli.sim.reach import Server
from patron.model.errors import PatronError
from patron.sim.closed import NAMES, Outcome
from patron.sim.closed import run as live


@click.command(
    epilog=example(
        "patron serve --data shop --clock stepped &\n"
        "patron sim run --to http://127.0.0.1:8080 --key sk_... --policy api --size XS --days 30\n"
        "patron sim run --data shop --policy business-as-usual --days 7"
    )
)
@server_options
@click.option(
    "--policy",
    type=click.Choice(NAMES),
    default="api",
    show_default=True,
    help="What decides; api asks the server.",
)
@world_options
@size_option("XS")
@seed_option
@click.option("--first", type=Day(), default=None, help="The first day [default: 90 days ago].")
@click.option("--days", type=click.IntRange(1, 5_000), default=30, show_default=True, help="Days lived.")
@json_option
def run(
    server: Server,
    tracking: str,
    policy: str,
    world: str,
    file: Path | None,
    jitter: float,
    size: str | int,
    seed: int,
    first: dt.date | None,
    days: int,
    as_json: bool,
) -> None:
    """Live some days against a server that was started with `--clock stepped`: its clock is driven from here.

    Everything goes through the public doors. With the policy `api` the touchpoints show what `POST /v1/decide` answers;
    people act on it, and what they do is sent. The result stands beside business as usual on the same luck.
    """
    from patron.sim import make_town
    from patron.sim.server.api import Api

    begins = first or dt.datetime.now(dt.UTC).date() - dt.timedelta(days=90)
    try:
        town = make_town(seed, begins + dt.timedelta(days=days), size, days, world, file=file, jitter=jitter)
        with (
            closing(Api(server.url, server.key)) as api,
            progress_bar(f"Living with {policy}", days) as tell,
        ):
            done = live(town, policy, tracking, api, progress=tell)
    except PatronError as error:
        raise Failed(str(error)) from error
    click.echo(json.dumps(_figures(done), indent=2) if as_json else _text(done))


def _figures(done: Outcome) -> dict[str, Any]:
    return {
        "policy": done.policy,
        "days": done.days,
        "sent": done.sent,
        "rejected": done.rejected,
        **msgspec.to_builtins(done.asked),
        "orders": done.ledger.orders,
        "revenue": round(done.ledger.revenue, 2),
        "margin": round(done.ledger.margin, 2),
        "usual_revenue": round(done.usual.revenue, 2),
        "usual_margin": round(done.usual.margin, 2),
    }


def _text(done: Outcome) -> str:
    asked, lived, usual = done.asked, done.ledger, done.usual
    asks = (
        f"{done.days} days, {done.sent:,} messages, {done.rejected:,} of them dead letters; "
        f"asked {asked.asked:,} times, shown {asked.shown:,} offers."
    )
    lines = [asks]
    if asked.refused:
        lines.append(f"{asked.refused:,} questions were refused, the last one: {asked.last_refusal}")
    lines.append(
        f"revenue {lived.revenue:,.0f} against {usual.revenue:,.0f} as usual on the same luck "
        f"({_more(lived.revenue, usual.revenue)}), margin {_more(lived.margin, usual.margin)}"
    )
    return "\n".join(lines)


def _more(ours: float, usual: float) -> str:
    """How much more than usual; nobody may have bought on a few days of a few people."""
    return f"{100 * (ours / usual - 1):+.1f} %" if usual > 0 else "-"
