"""Commands about policies: how placements are decided, and what another policy would have earned."""

from pathlib import Path
from typing import Any

import click
import msgspec

from patron.cli.client import Failed, call, part
from patron.cli.options import data_option, example, json_option
from patron.cli.output import emit, table, text_of
from patron.decide.launch.reading import read
from patron.decide.said import budget_said, span_said
from patron.model.errors import BadRequest
from patron.model.policies import Policy

BASE = "/v1/policies"
_DAYS = click.option(
    "--days", type=click.IntRange(1, 366), default=28, show_default=True, help="How far back to look."
)
_WHY = click.option(
    "--why",
    default="",
    metavar="REASON",
    help="Why; it stands on the record, and overrides missing evidence.",
)


@click.group(
    epilog=example(
        "patron policy put bold.toml --data shop\n"
        "patron policy launch bold --data shop\n"
        "patron policy show bold --data shop\n"
        "patron policy evaluate greedy --placement web_home --stop store-pickup --at-most 1 --data shop"
    )
)
def policy() -> None:
    """Policies: how placements are decided, how another would have done, and its way to everybody step by step."""


@policy.command("list", epilog=example("patron policy list --data shop"))
@data_option
@json_option
def listed(data: Path, as_json: bool) -> None:
    """List the policies and how far each has come, and the placements that are decided for."""
    told = call(data, "GET", BASE)
    cells = [
        [
            row["id"],
            row["version"],
            row["kind"],
            row["stage"],
            row["since"],
            row["by"],
            " ".join(row["placements"]),
        ]
        for row in told["data"]
    ]
    heads = ["policy", "version", "kind", "stage", "since", "by", "placements"]
    head = table(heads, cells) if cells else "No policy yet: the default of the settings decides."
    places = f"Placements: {', '.join(told['placements']) or 'nothing was decided yet'}"
    emit(told, as_json=as_json, text=f"{head}\n\n{places}")


@policy.command(
    "show",
    epilog=example("patron policy show bold --data shop\npatron policy show web_home --days 7 --data shop"),
)
@click.argument("name")
@_DAYS
@data_option
@json_option
def show(name: str, days: int, data: Path, as_json: bool) -> None:
    """Show policy NAME: how far it has come, its guards, what may be done now. Or what was given at placement NAME lately."""
    if name in {row["id"] for row in call(data, "GET", BASE)["data"]}:
        told = call(data, "GET", f"{BASE}/{part(name)}")
        emit(told, as_json=as_json, text=_told(told))
        return
    told = call(data, "GET", f"/v1/placements/{part(name)}/policy?days={days}")
    emit(told, as_json=as_json, text=_placement(told))


@policy.command("effect", epilog=example("patron policy effect --data shop"))
@data_option
@json_option
def effect(data: Path, as_json: bool) -> None:
    """What deciding changed, against the people held out: orders, revenue, and whether a gain stays."""
    told = call(data, "GET", "/v1/effect")
    emit(told, as_json=as_json, text=_effect(told))


@policy.command(
    "put",
    epilog=example(
        "patron policy put bold.toml --data shop\n\n"
        '# bold.toml\n[[policy]]\nid = "bold"\nname = "Tries more"\nplacements = ["web_home"]\nexplore = 3'
    ),
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@data_option
@json_option
def put(file: Path, data: Path, as_json: bool) -> None:
    """Save the policies of FILE (TOML or JSON): new ones, or changed ones that decide nothing now."""
    try:
        wanted = read(text_of(file))
    except BadRequest as error:
        raise Failed(f"{file}: {error.message}", 2) from error
    told = [call(data, "PUT", f"{BASE}/{one.id}", _body(one)) for one in wanted]
    lines = [f"{one['policy']['id']}: version {one['version']}, {one['stage']}." for one in told]
    emit(told, as_json=as_json, text="\n".join(lines))


@policy.command(
    "launch",
    epilog=example(
        'patron policy launch bold --data shop\npatron policy launch bold --to 1% --why "too many clicks lost" --data shop'
    ),
)
@click.argument("name")
@click.option("--to", default="", metavar="STAGE", help="The stage; the next one when left out.")
@_WHY
@data_option
@json_option
def launch(name: str, to: str, why: str, data: Path, as_json: bool) -> None:
    """Move policy NAME on to the next stage: shadow, evaluated, 1%, 10%, 50%, 100%. Refused with the reason."""
    address = f"{BASE}/{part(name)}"
    if not to:
        options = call(data, "GET", address)["options"]
        onward = [one["to"] for one in options if one["to"] != "stopped"]
        if not onward:
            raise Failed(f"{name} is the champion already; there is no further stage.")
        to = onward[0]
    told = call(data, "POST", f"{address}/move", {"to": to, "why": why})
    emit(told, as_json=as_json, text=_told(told))


@policy.command("stop", epilog=example('patron policy stop bold --why "sells the wrong thing" --data shop'))
@click.argument("name")
@_WHY
@data_option
@json_option
def stop(name: str, why: str, data: Path, as_json: bool) -> None:
    """End policy NAME: from the next decision on the champion decides for everybody."""
    told = call(data, "POST", f"{BASE}/{part(name)}/move", {"to": "stopped", "why": why})
    emit(told, as_json=as_json, text=_told(told))


@policy.command("history", epilog=example("patron policy history bold --data shop"))
@click.argument("name")
@data_option
@json_option
def history(name: str, data: Path, as_json: bool) -> None:
    """Who took which step with policy NAME, when and why; newest first."""
    rows = call(data, "GET", f"{BASE}/{part(name)}/history")["data"]
    emit(rows, as_json=as_json, text="\n".join(_step(row) for row in rows))


@policy.command(
    "evaluate", epilog=example("patron policy evaluate uniform --placement web_home --days 60 --data shop")
)
@click.argument("challenger")
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
    """Judge CHALLENGER (`greedy`, `uniform` or a policy) from what was decided at a placement; nobody is shown it.

    Exit code 2 when the log cannot carry a figure: then the reason is printed, and none.
    """
    body = {
        "challenger": challenger, "placement": placement, "stop": list(stop), "at_most": at_most, "hours": hours,
        "formula": formula, "days": days,
    }  # fmt: skip
    told = call(data, "POST", f"{BASE}/evaluate", body)
    emit(told, as_json=as_json, text=_judged(told))
    if told["verdict"] == "refused":
        raise click.exceptions.Exit(2)


def _effect(told: dict[str, Any]) -> str:
    lines = [told["sentence"]]
    if told["in_both"]:
        lines.append(
            f"{told['in_both']:.1%} of them were decided for in both groups, by identifiers that were joined later."
        )
    spent, days = told["spent"], told["cycle_days"]
    if spent is None:
        return "\n".join(lines)
    since = f"revenue since the first decision: {spent['treated']:,.2f} {spent['currency']} a person, {spent['control']:,.2f} held out"
    ordered = (
        f"ordered within the window of each: {told['treated_rate']:.1%}, {told['control_rate']:.1%} held out"
    )
    people = f"{told['shown'] + told['held_out']:,}"
    cells = [[since, people, *_change(spent["lift"])], [ordered, people, *_change(told["bought"])]]
    for row in told["cycles"]:
        number = row["number"]
        name = f"revenue in purchase cycle {number}: days {(number - 1) * days + 1} to {number * days}"
        cells.append([name, f"{row['people']:,}", *_change(row["lift"])])
    return "\n".join([*lines, "", table(["compared", "people", "change", "95 %, whenever one looks"], cells)])


def _change(lift: dict[str, float] | None) -> list[str]:
    if lift is None:
        return ["too early", ""]
    return [f"{lift['value']:+.1%}", f"{lift['low']:+.1%} to {lift['high']:+.1%}"]


def _body(one: Policy) -> Any:
    return {name: value for name, value in msgspec.to_builtins(one).items() if name != "id"}


def _placement(told: dict[str, Any]) -> str:
    cells = [
        [a["name"], a["action"], a["decisions"], f"{a['share']:.1%}", f"{a['rewarded']:.4f}"]
        for a in told["arms"]
    ]
    head = (
        f"{told['name']}: {told['decisions']:,} decisions, {told['held_out']:,} of people held out, "
        f"{told['closed']:,} with a closed window. Success: {told['reward']} within {span_said(told['window_hours'])}."
    )
    budget = told.get("messages")
    if budget:
        head += f"\n{budget_said(budget['wanted'], budget['got'], budget['price'])}"
    by = ", ".join(f"{name} {count:,}" for name, count in told["policies"].items())
    heads = ["shown", "action", "decisions", "share", f"{told['reward']} a decision"]
    return f"{head}\nDecided by: {by}\n\n{table(heads, cells)}" if cells else head


def _told(told: dict[str, Any]) -> str:
    """A policy as text: where it stands, its guards, what may be done."""
    one = told["policy"]
    share = f", decides for {told['share']:.0%} of people" if told["share"] else ""
    lines = [
        f"{one['name']} ({told['decides_as']}), {one['kind']}, at {', '.join(one['placements'])}",
        f"Stage: {told['stage']} since {told['since']}{share}. {_step(told['moves'][0])}",
    ]
    if told["guards"]:
        cells = [[g["placement"], g["metric"], g["state"], g["sentence"]] for g in told["guards"]]
        lines += ["", table(["placement", "guard", "state", "figures"], cells)]
    if told["options"]:
        cells = [[option["to"], option["refusal"] or option["does"]] for option in told["options"]]
        lines += ["", table(["may go to", "what that does, or why not now"], cells)]
    return "\n".join(lines)


def _step(move: dict[str, Any]) -> str:
    """One step in a line."""
    way = f"{move['before'] or 'new'} -> {move['to']}"
    parts = [f"{move['time']} {way} (version {move['version']}) by {move['by']}"]
    parts += [f"because: {move['why']}"] if move["why"] else []
    parts += [f"overridden: {move['overridden']}"] if move["overridden"] else []
    parts += [f"known then: {move['evidence']}"] if move["evidence"] else []
    return ". ".join(parts)


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
