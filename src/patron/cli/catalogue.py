"""Commands about the offers that can be decided for."""

from pathlib import Path

import click

from patron.cli.client import call
from patron.cli.options import data_option, example, json_option
from patron.cli.output import emit, table, text_of


@click.group(
    epilog=example("patron catalogue check offers.toml\npatron catalogue load offers.toml --data shop")
)
def catalogue() -> None:
    """Offers that can be decided for: check, load, show."""


@catalogue.command("check", epilog=example("patron catalogue check offers.toml"))
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def check(file: Path) -> None:
    """Check a catalogue file; names every fault by its path. Exit code 2 when there is one."""
    from patron.decide.catalogue import read

    found, faults = read(text_of(file))
    for fault in faults:
        click.echo(f"{file}: {fault.path}: {fault.problem}", err=True)
    if faults:
        raise SystemExit(2)
    click.echo(f"{len(found.offers)} offers, no fault.")


@catalogue.command("load", epilog=example("patron catalogue load offers.toml --data shop"))
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@data_option
@json_option
def load(file: Path, data: Path, as_json: bool) -> None:
    """Make a catalogue the one in force, at once."""
    value = call(data, "PUT", "/v1/admin/catalogue", {"text": text_of(file)})
    emit(value, as_json=as_json, text=f"{len(value['offers'])} offers in force, version {value['version']}.")


@catalogue.command("show", epilog=example("patron catalogue show --data shop"))
@data_option
@json_option
def show(data: Path, as_json: bool) -> None:
    """List the offers in force."""
    value = call(data, "GET", "/v1/admin/catalogue")
    cells = [[o["id"], o["name"], " ".join(o["placements"]) or "everywhere"] for o in value["offers"]]
    emit(value, as_json=as_json, text=table(["id", "name", "placements"], cells))
