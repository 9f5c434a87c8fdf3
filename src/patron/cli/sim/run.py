"""`patron sim run`: a world against a running server, day by day."""

import datetime as dt
import json
import time
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
from patron.experiments.compare import Interval
from patron.model.clock import DAY, HOUR
from patron.model.errors import PatronError
from patron.sim.closed import NAMES, Outcome, judge
from patron.sim.closed import run as live
from patron.sim.closed.card import Card, ChallengerRow, PageRow
from patron.sim.engine.calibration import Lift


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
@click.option(
    "--history",
    type=click.IntRange(0, 5_000),
    default=0,
    show_default=True,
    help="Days lived as usual before them, so that the platform knows a past.",
)
@click.option(
    "--own-catalogue",
    is_flag=True,
    help="Leave the server's catalogue as it is; else api loads one of the world's own actions.",
)
@click.option(
    "--by-day",
    is_flag=True,
    help="Hand over what arrived once a day, not every hour: the same answers, sooner.",
)
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
    history: int,
    own_catalogue: bool,
    by_day: bool,
    as_json: bool,
) -> None:
    """Live some days against a server that was started with `--clock stepped`: its clock is driven from here.

    Everything goes through the public doors. With the policy `api` touchpoints show, and channels send, what `POST
    /v1/decide` answers; people act on it, and what they do is sent. The result stands beside business as usual on the same
    luck; with `api` there is a card: the platform's own holdout, unsubscribes, regret, and what it said of challengers.
    """
    from patron.sim import make_town
    from patron.sim.server.api import Api

    begins = first or dt.datetime.now(dt.UTC).date() - dt.timedelta(days=90)
    try:
        every = history + days
        until = begins + dt.timedelta(days=every)
        town = make_town(seed, until, size, every, world, file=file, jitter=jitter)
        with (
            closing(Api(server.url, server.key)) as api,
            progress_bar(f"Living with {policy}", every) as tell,
        ):
            done = live(
                town,
                policy,
                tracking,
                api,
                history=history,
                actions=not own_catalogue,
                every=DAY if by_day else HOUR,
                progress=tell,
            )
            card = None if done.arms is None else judge(town, done, api)
    except PatronError as error:
        raise Failed(str(error)) from error
    click.echo(json.dumps(_figures(done, card), indent=2) if as_json else _text(done, card))


def _figures(done: Outcome, card: Card | None) -> dict[str, Any]:
    return {
        "policy": done.policy,
        "history": done.history,
        "days": done.days,
        "sent": done.sent,
        "rejected": done.rejected,
        **{
            ("messages" if name == "sent" else name): value
            for name, value in msgspec.to_builtins(done.asked).items()
        },
        "orders": done.ledger.orders,
        "revenue": round(done.ledger.revenue, 2),
        "margin": round(done.ledger.margin, 2),
        "usual_revenue": round(done.usual.ledger.revenue, 2),
        "usual_margin": round(done.usual.ledger.margin, 2),
        "cpu": round(time.process_time(), 1),
        **({} if card is None else {"card": msgspec.to_builtins(card)}),
    }


def _text(done: Outcome, card: Card | None) -> str:
    asked, lived, usual = done.asked, done.ledger, done.usual.ledger
    asks = (
        f"{done.days} days, {done.sent:,} messages, {done.rejected:,} of them dead letters; "
        f"asked {asked.asked:,} times, shown {asked.shown:,} offers, sent {asked.sent:,} messages."
    )
    lines = [asks]
    if asked.crossed:
        lines.append(
            f"{asked.crossed / (asked.asked - asked.refused):.1%} of the answers were as of another arm than the first one: by an identifier that was drawn apart"
        )
    if asked.refused:
        lines.append(f"{asked.refused:,} questions were refused, the last one: {asked.last_refusal}")
    lines.append(
        f"revenue {lived.revenue:,.0f} against {usual.revenue:,.0f} as usual on the same luck "
        f"({_more(lived.revenue, usual.revenue)}), margin {_more(lived.margin, usual.margin)}"
    )
    return "\n".join([*lines, *([] if card is None else _card(card))])


def _card(card: Card) -> list[str]:
    """The card as lines."""
    found, left = card.holdout, card.unsubscribed
    sent = f"{card.sent:.1f} messages a person, {card.sent_usual:.1f} as usual"
    change = f"{100 * left.value:+.2f} points ({100 * left.low:+.2f} to {100 * left.high:+.2f})"
    lines = [
        f"those treated ({card.treated:,}): revenue {_lift(card.revenue)}, margin {_lift(card.margin)}; {sent}",
        f"took a consent back: {left.ours:.1%}, {left.usual:.1%} as usual, difference {change}",
    ]
    if found.adjusted is None:
        lines.append(
            f"the platform's holdout: too few people ({found.treated:,} treated, {found.held_out:,} held out)"
        )
    else:
        said = "holds the truth" if found.covered else "misses the truth"
        verdict = "no effect to be seen; " if found.adjusted.low <= 0.0 <= found.adjusted.high else ""
        lines.append(
            f"the platform's holdout ({found.treated:,} treated, {found.held_out:,} held out): {verdict}{_lift(found.adjusted)}; "
            f"{said}, {100 * found.truth:+.1f} %"
        )
    lines += _page(card.page) if card.page is not None else []
    lines.append(
        "missed of the greedy oracle's margin, by week: "
        + ", ".join(f"{one:.0%}" for one in card.weekly_regret)
    )
    lines += [_challenged(row) for row in card.challengers]
    if card.perverse is not None:
        put_off = card.perverse
        lines.append(
            f"those whom reminders put off ({put_off.people:,}): {put_off.first:.2f} messages in the first week, {put_off.last:.2f} in "
            f"the last; margin against silence {_lift(put_off.margin)}"
        )
    return lines


def _page(row: PageRow) -> list[str]:
    lines = [f"the decisions page: {row.sentence} {row.in_both:.1%} were drawn into both groups"]
    if row.value is not None and row.low is not None and row.high is not None:
        said = "holds the truth" if row.covered else "misses the truth"
        change = f"{100 * row.value:+.1f} % ({100 * row.low:+.1f} to {100 * row.high:+.1f})"
        lines.append(f"there, revenue since the first decision, of the orders it saw: {change}; {said}")
    return lines


def _challenged(row: ChallengerRow) -> str:
    if row.value is None or row.low is None or row.high is None:
        return f"{row.challenger} at {row.placement}: {row.outcome}; the truth is {row.truth:.3f} orders a question"
    held = "holds" if row.covered else "misses"
    return (
        f"{row.challenger} at {row.placement}: {row.outcome}, {row.value:.3f} ({row.low:.3f} to {row.high:.3f}) orders a question; "
        f"{held} the truth, {row.truth:.3f}"
    )


def _lift(one: Lift | Interval) -> str:
    return f"{100 * one.value:+.1f} % ({100 * one.low:+.1f} to {100 * one.high:+.1f})"


def _more(ours: float, usual: float) -> str:
    """How much more than usual; nobody may have bought on a few days of a few people."""
    return f"{100 * (ours / usual - 1):+.1f} %" if usual > 0 else "-"
