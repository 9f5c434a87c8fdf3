"""`patron sim run`: a world against a running server, day by day."""

import datetime as dt
import json
import sys
from pathlib import Path

import click

from patron.cli.client import Failed
from patron.cli.options import example, json_option
from patron.cli.sim.reach import server
from patron.model.errors import PatronError


@click.command(
    epilog=example(
        "patron serve --data shop --clock stepped &\n"
        "patron sim run --to http://127.0.0.1:8080 --key sk_... --policy api --size XS --days 30\n"
        "patron sim run --data shop --policy business-as-usual --days 7"
    )
)
@click.option("--to", "url", default=None, help="Address of the server's administration.")
@click.option("--key", envvar="PATRON_KEY", default=None, help="A secret key of scope admin (or PATRON_KEY).")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Instead of --to and --key: the data directory that the server holds.",
)
@click.option("--tracking", default="", help="Where messages are taken, when that is another listener.")
@click.option(
    "--policy",
    type=click.Choice(["nothing", "business-as-usual", "rule", "learner", "oracle", "api"]),
    default="api",
    show_default=True,
    help="What decides; api asks the server.",
)
@click.option("--world", default="default", show_default=True, help="Which world.")
@click.option("--size", default="XS", show_default=True, help="XS, S, M, L, or a number of households.")
@click.option("--seed", default=7, show_default=True, help="Names all luck.")
@click.option(
    "--first", type=click.DateTime(["%Y-%m-%d"]), default=None, help="The first day [default: 90 days ago]."
)
@click.option("--days", type=click.IntRange(1, 5_000), default=30, show_default=True, help="Days lived.")
@json_option
def run(
    url: str | None,
    key: str | None,
    data: Path | None,
    tracking: str,
    policy: str,
    world: str,
    size: str,
    seed: int,
    first: dt.datetime | None,
    days: int,
    as_json: bool,
) -> None:
    """Live some days against a server that was started with `--clock stepped`: its clock is driven from here.

    Everything goes through the public doors. With the policy `api` the touchpoints show what `POST /v1/decide` answers;
    people act on it, and what they do is sent. The result stands beside business as usual on the same luck.
    """
    if (url is None) == (data is None):
        raise Failed("Say where: either --to URL with --key, or --data DIR of a running server.")
    from contextlib import closing

    from patron.sim import make_town
    from patron.sim.api import Api
    from patron.sim.closed import run as live

    place, secret = server(url if url is not None else str(data), key)
    begins = first.date() if first else dt.datetime.now(dt.UTC).date() - dt.timedelta(days=90)
    try:
        town = make_town(
            seed, begins + dt.timedelta(days=days), int(size) if size.isdigit() else size, days, world
        )
        with (
            closing(Api(place, secret)) as api,
            click.progressbar(
                length=days, label=f"Living with {policy}", show_pos=True, file=sys.stderr
            ) as bar,
        ):
            done = live(town, policy, tracking or place, api, progress=lambda n: bar.update(n - bar.pos))
    except (PatronError, ValueError) as error:
        raise Failed(str(error)) from error
    told = {
        "policy": done.policy,
        "days": done.days,
        "sent": done.sent,
        "rejected": done.rejected,
        "asked": done.asked.asked,
        "shown": done.asked.shown,
        "refused": done.asked.refused,
        "last_refusal": done.asked.last_refusal,
        "orders": done.ledger.orders,
        "revenue": round(done.ledger.revenue, 2),
        "margin": round(done.ledger.margin, 2),
        "usual_revenue": round(done.usual.revenue, 2),
        "usual_margin": round(done.usual.margin, 2),
    }
    if as_json:
        click.echo(json.dumps(told, indent=2))
        return
    click.echo(
        f"{done.days} days, {done.sent:,} messages, {done.rejected:,} of them dead letters; "
        f"asked {done.asked.asked:,} times, shown {done.asked.shown:,} offers."
    )
    if done.asked.refused:
        click.echo(f"{done.asked.refused:,} questions were refused, the last one: {done.asked.last_refusal}")
    click.echo(
        f"revenue {done.ledger.revenue:,.0f} against {done.usual.revenue:,.0f} as usual on the same luck "
        f"({100 * (done.ledger.revenue / done.usual.revenue - 1):+.1f} %), margin "
        f"{100 * (done.ledger.margin / done.usual.margin - 1):+.1f} %"
    )
