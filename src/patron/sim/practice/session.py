"""A practice in its folder: the world is told, loaded and asked about; at the end it is revealed.

DIR/patron                 data directory of the server, with the questions and what was answered
DIR/world/events  feeds    what the retailer's systems hand over
DIR/world/truth            the truth, the parameters and the key; mode 0700, and nobody but `reveal` opens it
"""

import datetime as dt
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from patron.model.clock import DAY
from patron.model.guide import Answer, Practice
from patron.sim.generation.folder import MANIFEST, TRUTH, BadFolder, read_manifest
from patron.sim.generation.generate import generate, private
from patron.sim.luck import Dice
from patron.sim.practice.evidence import Evidence
from patron.sim.practice.grade import graded
from patron.sim.practice.people import gone, profiles, strays, twins
from patron.sim.practice.plant import wrong_card
from patron.sim.practice.questions import Key, Known, asked
from patron.sim.practice.world import PRACTICE_LUCK, practice_town
from patron.sim.server.api import Api
from patron.sim.telling.history import state_today
from patron.sim.town import Town

KEYS = "key.json"


def tell(
    world: Path, seed: int, size: str, today: dt.date, progress: Callable[[int, int], None] | None = None
) -> Town:
    """Write the world of a practice, with its truth, into a new folder, and give its town.

    Raises BadFolder when the folder holds something already, or lies in a data directory.
    """
    town = practice_town(seed, today, size)
    generate(town, world, size, processes=os.cpu_count() or 1, progress=progress)
    wrong_card(town, world)
    return town


def ask(world: Path, town: Town, url: str, key: str) -> Practice:
    """The questions that a loaded world answers; their key goes into its truth.

    `key` is a secret key of scope `admin`. Raises LoadFailed or Refused.
    """
    api = Api(url, key)
    try:
        made = asked(_known(world, town, api))
    finally:
        api.close()
    with private(world / TRUTH / KEYS) as file:
        file.write(msgspec.json.encode([key for _, key in made]))
    stores, people = len(town.setting.geography.stores), len(town.people)
    lead = (
        f"A retailer with {stores} stores and {people:,} people, as its systems told the last {town.days} days. Things go wrong in it. "
        "What can you find out? The truth is revealed at the end."
    )
    return Practice(lead=lead, files=str(world), questions=tuple(question for question, _ in made))


def _known(world: Path, town: Town, api: Api) -> Known:
    geography, truth, dice = town.setting.geography, world / TRUTH, Dice(town.seed, PRACTICE_LUCK)
    countries = {store.id: geography.country_of(n) for n, store in enumerate(geography.stores)}
    names = {}
    for row in range(len(town.people)):
        who = town.who(row)
        names[who.number] = f"{who.given} {who.family}"
    there = profiles(api, truth)
    apart, double = strays(there, truth, names), twins(api, there, names)
    state = state_today(town)
    left = {int(number) for number in town.people.ids[~state.here & ~town.people.prospect]}
    return Known(
        town,
        Evidence(world, countries),
        stray=apart[0] if apart else None,
        twin=double[dice.below(len(double), "twin")] if double else None,
        gone=gone(api, there, left, (town.until + 1) * DAY, dice),
    )


def seal(world: Path) -> None:
    """Take the seed out of sight: it stands in the truth alone, since whoever knows it can tell the world again."""
    (world / MANIFEST).unlink(missing_ok=True)


def keys(world: Path) -> list[Key]:
    """The answers. Raises BadFolder when they cannot be read."""
    file = world / TRUTH / KEYS
    try:
        return msgspec.json.decode(file.read_bytes(), type=list[Key])
    except (OSError, msgspec.DecodeError) as error:
        raise BadFolder(
            f"{file} cannot be read ({error}): reveal as the user who started the practice, from its whole folder"
        ) from None


def reveal(world: Path, practice: Practice, answers: Mapping[str, Answer]) -> Practice:
    """The practice with the truth and the points of what was answered. Raises BadFolder."""
    known: Sequence[Key] = keys(world)
    missing = {question.id for question in practice.questions} - {key.question for key in known}
    if missing:
        raise BadFolder(f"the key has no answer to {', '.join(sorted(missing))}: it is of another practice")
    return graded(practice, known, answers)


def origin(world: Path) -> tuple[int, str]:
    """Seed and size, which repeat the world. Raises BadFolder."""
    manifest = read_manifest(world / TRUTH)
    return manifest.seed, manifest.size
