"""A wrong merge of this practice's own: an agent types a stranger's card for that of the caller.

The people are drawn by the seed, so that nobody knows them from another practice. The message goes into the world's events
as if the call centre had sent it, and into its truth.
"""

from collections import Counter
from pathlib import Path

import msgspec
from msgspec import structs

from patron.model.clock import DAY, HOUR, MINUTE
from patron.sim.generation.folder import EVENTS, TRUTH, messages, read_manifest, rows, write_manifest
from patron.sim.luck import Dice
from patron.sim.messages import Message, Pen, iso, known_by
from patron.sim.practice.world import PRACTICE_LUCK
from patron.sim.telling import cast
from patron.sim.town import Town
from patron.sim.world.identities import Dossier
from patron.sim.world.people import ROOM

RUN = 3
"""Of the pen: its ids are nobody else's."""
ORDERS = 3
"""That the tills must have read from both cards."""
SOURCE = "call_centre"


def wrong_card(town: Town, folder: Path) -> bool:
    """Let one agent of a generated world make two customers one; whether two fitting customers were found."""
    dice = Dice(town.seed, PRACTICE_LUCK)
    chosen = _pair(town, folder, dice)
    if chosen is None:
        return False
    caller, stranger = chosen
    day = town.days - 8 - dice.below(14, "wrong card day")
    at = (town.first + day) * DAY + 9 * HOUR + dice.below(8 * 60, "wrong card minute") * MINUTE
    pen = Pen(town.seed, caller.number, day, run=RUN)
    context: Message = {
        "touchpoint": {"id": f"desk-{1 + dice.below(9, 'desk')}", "kind": SOURCE},
        "externalIds": known_by(card=stranger.card, email=caller.email),
        "identification": {"mode": "told_to_staff"},
    }
    names = {"firstName": caller.given, "lastName": caller.family}
    pen.write(SOURCE, at, "identify", {"traits": names, "context": context})
    message = {**pen.told[0].message, "receivedAt": iso(at + 2_000)}
    _insert(folder / EVENTS / f"{SOURCE}.ndjson", message)
    owner = {"messageId": message["messageId"], "person": caller.number, "household": caller.number // ROOM}
    with (folder / TRUTH / "person_map.ndjson").open("ab") as lines:
        lines.write(msgspec.json.encode(owner) + b"\n")
    _count(folder)
    return True


def _pair(town: Town, folder: Path, dice: Dice) -> tuple[Dossier, Dossier] | None:
    """Somebody whose card has their name, and somebody of another house in the same store whose card has none."""
    used: Counter[str] = Counter()
    for message in messages(folder, "pos"):
        if message.get("event") == "Order Completed":
            used.update(
                known["id"] for known in message["context"].get("externalIds", ()) if known["type"] == "card"
            )
    alone = {row["identifier"] for row in rows(folder / TRUTH, "identifiers") if len(row["people"]) == 1}
    people = [(row, town.who(row)) for row in range(len(town.people))]
    known = [
        (row, who)
        for row, who in people
        if who.number not in cast.DOSSIERS and who.card and used[who.card] >= ORDERS
    ]
    callers = [(row, who) for row, who in known if who.card_named and f"email:{who.email}" in alone]
    strangers = [(row, who) for row, who in known if not who.card_named]
    pairs = [
        (caller, stranger)
        for row, caller in callers
        for other, stranger in strangers
        if town.people.home[row] == town.people.home[other] and caller.household != stranger.household
    ]
    return pairs[dice.below(len(pairs), "wrong card pair")] if pairs else None


def _insert(file: Path, message: Message) -> None:
    """Put a message where it arrived."""
    lines = file.read_bytes().splitlines(keepends=True)
    before = sum(msgspec.json.decode(line)["receivedAt"] <= message["receivedAt"] for line in lines)
    lines.insert(before, msgspec.json.encode(message) + b"\n")
    file.write_bytes(b"".join(lines))


def _count(folder: Path) -> None:
    """One message more, in both manifests."""
    manifest = read_manifest(folder)
    sources = tuple(
        structs.replace(one, messages=one.messages + (one.name == SOURCE)) for one in manifest.sources
    )
    for place in (folder / TRUTH, folder):
        write_manifest(place, structs.replace(manifest, sources=sources))
