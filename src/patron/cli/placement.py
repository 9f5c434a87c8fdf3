"""Commands about placements: where something may be shown or sent."""

from pathlib import Path

import click

from patron.cli.client import call
from patron.cli.options import data_option, example, json_option
from patron.cli.output import emit, table


@click.group(epilog=example("patron placement list --data shop"))
def placement() -> None:
    """Placements: where something may be shown or sent, and what."""


@placement.command("list", epilog=example("patron placement list --data shop"))
@data_option
@json_option
def listed(data: Path, as_json: bool) -> None:
    """List the declared placements, what each needs, what counts as success, and how many offers may be there."""
    rows = call(data, "GET", "/v1/placements")["data"]
    cells = [
        [
            r["id"], r["name"], r["channel"] or "any", r["slots"], "sent out" if r["outbound"] else "asked for",
            " ".join(r["needs"]) or "-", " ".join(r["families"]) or "all", f"{r['reward']} in {r['window_hours']} h",
            "-" if r["holdout"] is None else f"{r['holdout']:.0%}", len(r["offers"]),
        ]
        for r in rows
    ]  # fmt: skip
    heads = ["id", "name", "channel", "slots", "how", "needs", "families", "success", "holdout", "offers"]
    none = "No placement is declared, so any name may ask. Declare them in catalogue.toml: [[placement]]"
    emit(rows, as_json=as_json, text=table(heads, cells) if cells else none)
