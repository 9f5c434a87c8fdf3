"""`patron sim compare`: a generated world beside real baskets."""

from pathlib import Path
from typing import Literal

import click

from patron.cli.client import Failed
from patron.cli.options import example
from patron.cli.output import write
from patron.model.errors import PatronError

By = Literal["household", "person"]


@click.command(
    epilog=example(
        "patron sim compare world\n"
        "patron sim compare world --html marginals.html --json marginals.json\n"
        "patron sim compare world --truth truth-apart --by person"
    )
)
@click.argument("world", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--truth",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Folder with person_map.ndjson [default: WORLD/truth, if it is there].",
)
@click.option("--no-truth", is_flag=True, help="Tell customers apart by the records that messages name.")
@click.option(
    "--by",
    type=click.Choice(["household", "person"]),
    default="household",
    show_default=True,
    help="What a simulated customer is; the real ones are households.",
)
@click.option("--draws", type=click.IntRange(20), default=400, show_default=True, help="Bootstrap samples.")
@click.option("--seed", default=7, show_default=True, help="Names the luck of the bootstrap.")
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="Write all figures; - prints them.",
)
@click.option(
    "--html", "html_file", type=click.Path(path_type=Path, dir_okay=False), help="Write one page with charts."
)
def compare(
    world: Path,
    truth: Path | None,
    no_truth: bool,
    by: By,
    draws: int,
    seed: int,
    json_file: Path | None,
    html_file: Path | None,
) -> None:
    """Compare a world's baskets, waits, weekdays, hours and coupons with Complete Journey, and say why they differ.

    Needs the extra patron[demo]. Nothing is sent anywhere.
    """
    import msgspec

    from patron.sim import marginals

    try:
        simulated = marginals.world_baskets(world, _truth(world, truth, not_there=no_truth), by)
        real = marginals.journey_baskets()
    except PatronError as error:
        raise Failed(str(error)) from error
    report = marginals.compare(simulated, real, draws=draws, seed=seed)
    figures = msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"
    if html_file is not None:
        write(html_file, marginals.page(report))
    if json_file is not None and str(json_file) != "-":
        write(json_file, figures)
    click.echo(figures if str(json_file) == "-" else marginals.text(report) + "\n", nl=False)


def _truth(world: Path, given: Path | None, *, not_there: bool) -> Path | None:
    """The truth to tell customers apart by: the one that was given, else the world's own if it is there."""
    if given is not None or not_there:
        return None if not_there else given
    own = world / "truth"
    return own if (own / "person_map.ndjson").exists() else None
