"""The folder of a generated world: what the retailer's systems sent, and the truth in a part of its own.

OUT/manifest.json          what it is: world, size, seed, days, sources, counts
OUT/events/SOURCE.ndjson   one message a line, by arrival; `receivedAt` is when it arrived
OUT/feeds/NAME.csv         ad spend, weather, stock, prices, footfall, customer file, shifts, campaigns
OUT/truth/...              what nobody but the scorecard may read (mode 0700; never inside a data directory)
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from patron.model.errors import PatronError
from patron.sim.world.parameters import Parameters

Line = TypeVar("Line")
FORMAT = 1
MANIFEST, EVENTS, FEEDS, TRUTH = "manifest.json", "events", "feeds", "truth"
PARAMETERS = "parameters.json"
"""In the truth: every parameter of the world."""


class BadFolder(PatronError):
    """A folder that is no generated world, or whose truth cannot be used where it lies; the message says what to do."""


class SourceFile(Struct, frozen=True):
    """One source of the retailer: its name, channel and kind as in `patron source add`, and how much it sent."""

    name: str
    channel: str
    messages: int
    kind: str = "live"


class Manifest(Struct, frozen=True, kw_only=True):
    """What a generated world is. `first` and `days` say which dates are told (days since 1970)."""

    format: int = FORMAT
    world: str
    size: str
    seed: int
    first: int
    days: int
    people: int
    sources: tuple[SourceFile, ...]
    versions: dict[str, str] = {}
    """Of Python, numpy and Patron: the same versions give the same bytes."""

    @property
    def messages(self) -> int:
        """Messages of all sources."""
        return sum(source.messages for source in self.sources)


def read_manifest(folder: Path) -> Manifest:
    """What a folder holds. Raises BadFolder when it is no generated world, or one of a later version."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise BadFolder(
            f"{folder} has no {MANIFEST}: give the folder that `patron sim generate --out` made"
        ) from None
    except (msgspec.DecodeError, OSError) as error:
        raise BadFolder(f"{folder / MANIFEST} cannot be read ({error}); generate the world again") from None
    if manifest.format > FORMAT:
        raise BadFolder(f"{folder} was made by a later version (format {manifest.format}); use that one")
    return manifest


def read_parameters(truth: Path) -> Parameters:
    """The parameters of a generated world; `truth` is its truth's folder. Raises BadFolder when they cannot be read."""
    try:
        return msgspec.json.decode((truth / PARAMETERS).read_bytes(), type=Parameters)
    except (OSError, msgspec.DecodeError) as error:
        raise BadFolder(f"{truth / PARAMETERS} cannot be read ({error}); generate the world again") from None


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write it last: a folder without it is unfinished."""
    text = json.dumps(msgspec.to_builtins(manifest), indent=2) + "\n"
    (folder / MANIFEST).write_text(text, "utf-8")


def check_truth(folder: Path) -> Path:
    """The folder, absolute, as a place for the truth.

    Raises BadFolder when it lies in a data directory of Patron: what is measured must not see the answers.
    """
    folder = folder.resolve()
    for place in (folder, *folder.parents):
        if (place / "patron.toml").exists():
            raise BadFolder(
                f"{folder} lies in the data directory {place}, where no truth may be; write the truth somewhere else, or "
                "move it there"
            )
    return folder


def messages(folder: Path, source: str) -> Iterator[dict[str, Any]]:
    """The messages of one source, in order of arrival."""
    with (folder / EVENTS / f"{source}.ndjson").open("rb") as lines:
        yield from map(msgspec.json.decode, lines)


def rows(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    """The lines of a truth file (`folder` is the truth's own), as JSON objects. Raises BadFolder when it cannot be read."""
    return lines(folder, name, dict[str, Any])


def lines(folder: Path, name: str, kind: type[Line]) -> Iterator[Line]:
    """The same, each checked to be of a kind (a TypedDict, say). Raises BadFolder when one is not, naming the field."""
    path, decode = folder / f"{name}.ndjson", msgspec.json.Decoder(kind).decode
    try:
        with path.open("rb") as file:
            yield from map(decode, file)
    except (OSError, msgspec.DecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise BadFolder(
            f"{path} cannot be read ({why}); give the truth of a generated world, and run this as somebody who may read it"
        ) from None
