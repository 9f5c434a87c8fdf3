"""Commands about policies: how placements are decided, and what another policy would have earned."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from patron.cli.client import call
from patron.cli.options import data_option, example, json_option
from patron.cli.output import emit, table

_DAYS = click.option(
    "--days", type=click.IntRange(1, 366), default=28, show_default=True, help="How far back to look."
)


@click.group(
    epilog=example(
        "patron policy show web_home --data shop\n"
        "patron policy evaluate greedy --placement web_home --data shop\n"
        "patron policy evaluate greedy --placement web_home --stop store-pickup --at-most 1 --data shop"
    )
)
def policy() -> None:
    """Policies: how placements are decided, and how another policy would have done."""


@policy.command("list", epilog=example("patron policy list --data shop"))
@data_option
@json_option
def listed(data: Path, as_json: bool) -> None:
    """List the placements that are decided for."""
    names = call(data, "GET", "/v1/policies")["data"]
    emit(names, as_json=as_json, text="\n".join(names) if names else "Nothing was decided yet.")


@policy.command("show", epilog=example("patron policy show web_home --days 7 --data shop"))
@click.argument("placement")
@_DAYS
@data_option
@json_option
def show(placement: str, days: int, data: Path, as_json: bool) -> None:
    """Show what was given at PLACEMENT lately, and what followed."""
    told = call(data, "GET", f"/v1/policies/{quote(placement, safe='')}?days={days}")
    cells = [
        [a["name"], a["action"], a["decisions"], f"{a['share']:.1%}", f"{a['rewarded']:.4f}"]
        for a in told["arms"]
    ]
    head = (
        f"{told['name']}: {told['decisions']:,} decisions, {told['held_out']:,} of people held out, "
        f"{told['closed']:,} with a closed window. Success: {told['reward']} within {told['window_hours']} hours."
    )
    heads = ["shown", "action", "decisions", "share", f"{told['reward']} a decision"]
    emit(told, as_json=as_json, text=f"{head}\n\n{table(heads, cells)}" if cells else head)


@policy.command(
    "evaluate", epilog=example("patron policy evaluate uniform --placement web_home --days 60 --data shop")
)
@click.argument("challenger", type=click.Choice(["greedy", "uniform"]))
@click.option("--placement", required=True, help="Whose decisions to judge by.")
@click.option(
    "--stop", multiple=True, metavar="OFFER", help="An offer that it never gives; more than once for more."
)
@click.option(
    "--at-most", type=click.IntRange(0, 10_000), default=0, help="Not more than so many for a person."
)
@click.option(
    "--hours", type=click.IntRange(1, 8784), default=24, show_default=True, help="In so many hours."
)
@click.option("--formula", default="", help="Another formula; `propensity` is the recorded score.")
@_DAYS
@data_option
@json_option
def evaluate(
    challenger: str,
    placement: str,
    stop: tuple[str, ...],
    at_most: int,
    hours: int,
    formula: str,
    days: int,
    data: Path,
    as_json: bool,
) -> None:
    """Judge CHALLENGER from what was decided at a placement, without showing it to anybody.

    Exit code 2 when the log cannot carry a figure: then the reason is printed, and none.
    """
    body = {
        "challenger": challenger, "placement": placement, "stop": list(stop), "at_most": at_most, "hours": hours,
        "formula": formula, "days": days,
    }  # fmt: skip
    told = call(data, "POST", "/v1/policies/evaluate", body)
    emit(told, as_json=as_json, text=_judged(told))
    if told["verdict"] == "refused":
        raise click.exceptions.Exit(2)


def _judged(told: dict[str, Any]) -> str:
    rests = (
        f"Judged from {told['decisions']:,} decisions for {told['people']:,} people; they count like "
        f"{told['effective']:,.0f} of its own (largest weight {told['largest_weight']:.3g})."
    )
    lines = [f"{told['challenger']} at {told['placement']}: {told['sentence']}", "", rests]
    if told["estimates"]:
        rows = [
            [one["name"], *(f"{one['figure'][end]:.5f}" for end in ("value", "low", "high"))]
            for one in told["estimates"]
        ]
        lines += ["", table(["estimator", "reward a decision", "from", "to"], rows)]
    changed = sorted(
        {*told["given"], *told["given_before"]},
        key=lambda name: -abs(told["given"].get(name, 0) - told["given_before"].get(name, 0)),
    )
    rows = [
        [name, told["given_before"].get(name, 0), f"{told['given'].get(name, 0.0):.0f}"]
        for name in changed[:15]
    ]
    if rows:
        lines += ["", table(["action", "was given", "would be given"], rows)]
    return "\n".join(lines)
