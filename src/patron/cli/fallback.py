"""Commands for touchpoints that must go on while Patron is away (docs/fallback.md)."""

import datetime as dt
from pathlib import Path
from typing import Any

import click
import msgspec

from patron.cli.client import Failed
from patron.cli.options import example, json_option
from patron.cli.output import emit, table
from patron.cli.touchpoint import Touchpoint

_FOLDER = click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Where bundle and queue are kept.",
)
_URL = click.option("--url", default="http://127.0.0.1:8700", show_default=True, help="Where Patron is.")
_KEY = click.option("--key", required=True, help="The touchpoint's write key.")
_CONTEXT = (("weather", "Weather at the touchpoint, if it knows."), ("language", "Of who stands there."))


@click.group(epilog=example("patron fallback get kiosk_home --key wk_1 --folder kiosk"))
def fallback() -> None:
    """What a touchpoint holds for the time when Patron is away."""


@fallback.command("get", epilog=example("patron fallback get kiosk_home --key wk_1 --folder kiosk"))
@click.argument("placement")
@_FOLDER
@_URL
@_KEY
def get(placement: str, folder: Path, url: str, key: str) -> None:
    """Fetch the bundle of a placement, and deliver what waits. Run it once an hour."""
    touchpoint = Touchpoint(url, key, placement, folder)
    if not touchpoint.refresh():
        raise Failed(
            f"No good bundle came from {url}. What is held stays; is the key live and the placement right?"
        )
    taken = touchpoint.deliver()
    click.echo(f"The bundle is in {folder}. {taken} exposures were delivered.")


@fallback.command(
    "ask", epilog=example("patron fallback ask kiosk_home --key wk_1 --folder kiosk --anonymous-id k-7")
)
@click.argument("placement")
@click.option("--anonymous-id", required=True, help="The touchpoint's own id of this visit.")
@click.option("--weather", default="", help=_CONTEXT[0][1])
@click.option("--language", default="", help=_CONTEXT[1][1])
@_FOLDER
@_URL
@_KEY
@json_option
def ask(
    placement: str,
    anonymous_id: str,
    weather: str,
    language: str,
    folder: Path,
    url: str,
    key: str,
    as_json: bool,
) -> None:
    """What to show now: Patron's answer within 200 ms, else a draw from the bundle, which is queued."""
    context = {name: value for name, value in (("weather", weather), ("language", language)) if value}
    shown = Touchpoint(url, key, placement, folder).ask(anonymous_id, context)
    how = "drawn from the bundle" if shown.alone else "answered by Patron"
    emit(
        msgspec.to_builtins(shown),
        as_json=as_json,
        text=f"{shown.action} ({how}, chance {shown.propensity:.3g})",
    )


@fallback.command("show", epilog=example("patron fallback show kiosk_home --key wk_1 --folder kiosk"))
@click.argument("placement")
@_FOLDER
@_KEY
@json_option
def show(placement: str, folder: Path, key: str, as_json: bool) -> None:
    """The bundle that is held: what it shows by part of the day and weather, until when."""
    held = Touchpoint("http://127.0.0.1", key, placement, folder).bundle()
    if held is None:
        raise Failed(
            f"{folder} holds no bundle that was signed for this key. Fetch one: patron fallback get", 3
        )
    rows = [
        [part, weather or "any", " ".join(_shares(held["tables"][at]))]
        for part, here in held["when"].items()
        for weather, at in here.items()
    ]
    until = dt.datetime.fromtimestamp(held["expires"] / 1_000, dt.UTC)
    told = table(["part", "weather", "what, with its chance"], rows)
    emit(
        held,
        as_json=as_json,
        text=f"{told}\nHolds until {until:%Y-%m-%d %H:%M} UTC, catalogue {held['catalogue']}.",
    )


def _shares(row: dict[str, Any]) -> list[str]:
    return [
        f"{name}:{chance:.2f}" for name, chance in zip(row["choices"], row["chances"], strict=True) if chance
    ]
