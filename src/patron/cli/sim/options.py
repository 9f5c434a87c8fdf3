"""What the commands of `patron sim` share: options that say which world and which server, and a bar."""

import contextlib
import datetime as dt
import functools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from patron.cli.client import Failed
from patron.cli.sim.reach import at, held

Command = Callable[..., Any]
HOUSEHOLDS = 1_000_000
"""The most households of a world: beyond size L by far."""
_SEEDS = 10_000
EARLIEST, LATEST = dt.date(1990, 1, 1), dt.date(2199, 12, 31)
"""Between these every day of a world lies after 1970, and has a season and summer time."""


class Size(click.ParamType[str | int]):
    """A named size, or a number of households."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str | int:
        """The name, or the number. Fails with what there is."""
        from patron.sim.world.sizes import SIZES

        text = str(value)
        if text in SIZES:
            return text
        if text.isdecimal() and 1 <= int(text) <= HOUSEHOLDS:
            return int(text)
        raise click.BadParameter(
            f"there is no size {text!r}; choose one of {', '.join(SIZES)} or give a number of households from 1 to "
            f"{HOUSEHOLDS:,}",
            ctx,
            param,
        )


class SeedRange(click.ParamType[tuple[int, ...]]):
    """Seeds: numbers and ranges of them."""

    name = "1001-1010,1020"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """All of them, each once. Fails with what is allowed."""
        found: dict[int, None] = {}
        for part in str(value).split(","):
            first, _, last = part.strip().partition("-")
            if not (first.isdecimal() and (last or first).isdecimal()) or int(last or first) < int(first):
                raise click.BadParameter(
                    f"{part!r} is no seed and no range; write 1001 or 1001-1010", ctx, param
                )
            if int(last or first) - int(first) >= _SEEDS:
                raise click.BadParameter(f"{part!r} are more than {_SEEDS:,} seeds", ctx, param)
            found.update(dict.fromkeys(range(int(first), int(last or first) + 1)))
        return tuple(found)


class Day(click.ParamType[dt.date]):
    """A date on which a world can be told."""

    name = "yyyy-mm-dd"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dt.date:
        """The date. Fails with what is allowed."""
        try:
            day = dt.date.fromisoformat(str(value))
        except ValueError:
            raise click.BadParameter(f"{value!r} is no date; write it as 2026-03-31", ctx, param) from None
        if not EARLIEST <= day <= LATEST:
            raise click.BadParameter(
                f"{day} is too far away; choose one from {EARLIEST} to {LATEST}", ctx, param
            )
        return day


def world_options(command: Command) -> Command:
    """`--world`, `--parameters` and `--jitter`: which world."""
    command = click.option(
        "--jitter",
        type=click.FloatRange(0.0, 0.5),
        default=0.0,
        show_default=True,
        help="Move every measure by up to this share of it, by the seed: a world that nobody tuned for.",
    )(command)
    command = click.option(
        "--parameters",
        "file",
        type=click.Path(path_type=Path, dir_okay=False),
        default=None,
        help="A TOML file with parameters of your own, over those of the world.",
    )(command)
    return click.option(
        "--world",
        default="default",
        show_default=True,
        help="default, null, perverse, simpson, drift, messy, sparse.",
    )(command)


def size_option(default: str) -> Callable[[Command], Command]:
    """`--size`: how large it is."""
    return click.option(
        "--size",
        type=Size(),
        default=default,
        show_default=True,
        help="XS, S, M, L, or a number of households.",
    )


def seed_option(command: Command) -> Command:
    """`--seed`: what names all luck."""
    return click.option(
        "--seed", default=7, show_default=True, help="Names all luck; the same seed gives the same bytes."
    )(command)


def key_option(scope: str) -> Callable[[Command], Command]:
    """`--key`: a secret key of some scope."""
    return click.option(
        "--key", envvar="PATRON_KEY", default=None, help=f"A secret key of scope {scope} (or PATRON_KEY)."
    )


def server_options(command: Command) -> Command:
    """`--to` and `--key`, or `--data`: handed to the command as `server`; and `--tracking`, where it takes messages."""

    @click.option("--to", "url", default=None, help="Address of the server's administration.")
    @key_option("admin")
    @click.option(
        "--data",
        type=click.Path(path_type=Path, file_okay=False),
        default=None,
        help="Instead of --to and --key: the data directory that the server holds.",
    )
    @click.option("--tracking", default="", help="Where messages are taken, when that is another listener.")
    @functools.wraps(command)
    def reached(
        *args: Any, url: str | None, key: str | None, data: Path | None, tracking: str, **more: Any
    ) -> Any:
        if url is not None and data is None:
            server = at(url, key)
        elif data is not None and url is None:
            server = held(data)
        else:
            raise Failed("Say where: either --to URL with --key, or --data DIR of a running server.")
        return command(*args, server=server, tracking=tracking or server.url, **more)

    return reached


@contextlib.contextmanager
def progress_bar(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on standard error; gives what it is told with: how much is done."""
    with click.progressbar(length=total, label=label, show_pos=True, file=sys.stderr) as bar:
        yield lambda done: bar.update(done - bar.pos)


@contextlib.contextmanager
def people_bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """The same when how many there are is found out on the way; it is told (how many are done, how many there are)."""
    with click.progressbar(length=1, label=label, file=sys.stderr) as bar:

        def tell(done: int, there: int) -> None:
            bar.length = max(there, done, 1)
            bar.update(done - bar.pos)

        yield tell
