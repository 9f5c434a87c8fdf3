"""Commands about placements: where something may be shown or sent."""

from pathlib import Path
from typing import Any

import click

from patron.cli.client import call
from patron.cli.options import data_option, example, json_option
from patron.cli.output import emit, table


@click.group(epilog=example("patron placement list --data shop"))
def placement() -> None:
    """Placements: where something may be shown or sent, and what."""


def _how(row: dict[str, Any]) -> str:
    how = "sent out" if row["outbound"] else "asked for"
    return f"{how}, at {row['trigger']}" if row["trigger"] else how


@placement.command("list", epilog=example("patron placement list --data shop"))
@data_option
@json_option
def listed(data: Path, as_json: bool) -> None:
    """List the declared placements, what each needs, what counts as success, and how many offers may be there."""
    rows = call(data, "GET", "/v1/placements")["data"]
    cells = [
        [
            r["id"], r["name"], r["channel"] or "any", r["slots"], _how(r),
            " ".join(r["needs"]) or "-", " ".join(r["families"]) or "all", f"{r['reward']} in {r['window_hours']} h",
            "-" if r["holdout"] is None else f"{r['holdout']:.0%}", len(r["offers"]),
        ]
        for r in rows
    ]  # fmt: skip
    heads = ["id", "name", "channel", "slots", "how", "needs", "families", "success", "holdout", "offers"]
    none = "No placement is declared, so any name may ask. Declare them in catalogue.toml: [[placement]]"
    emit(rows, as_json=as_json, text=table(heads, cells) if cells else none)


@placement.command(
    "preview",
    epilog=example(
        "patron placement preview --person user_id:u-7 --data shop\npatron placement preview --hour 9 --weather rain --data shop"
    ),
)
@click.option("--person", default="", help="A person id or type:value; nobody is known when left out.")
@click.option("--device", is_flag=True, help="As if a device of theirs asked that proves nothing.")
@click.option("--at", "placement", default="", help="One placement; all when left out.")
@click.option("--hour", type=click.IntRange(0, 23), help="By the clock of the business; now when left out.")
@click.option("--weather", default="", help="As a touchpoint would send it.")
@data_option
@json_option
def preview(
    person: str, device: bool, placement: str, hour: int | None, weather: str, data: Path, as_json: bool
) -> None:
    """What somebody would see at every placement. Nothing is reserved, recorded or learned."""
    about = {
        "person": person, "proved": not device, "placement": placement, "hour": hour,
        "context": {"weather": weather} if weather else {},
    }  # fmt: skip
    told = call(data, "POST", "/v1/preview", about)
    cells = [
        [row["placement"], row["view"]["offer"], f"{row['view']['decision']['propensity']:.2f}",
         len(row["view"]["decision"]["eligible"]) - 1, " ".join(row["view"]["decision"]["reasons"][:1])]
        for row in told["places"]
    ]  # fmt: skip
    emit(told, as_json=as_json, text=table(["placement", "likeliest", "chance", "allowed", "why"], cells))
