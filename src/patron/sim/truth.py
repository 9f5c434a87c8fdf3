"""The truth of a town: whose life each message tells, and whose each identifier is. The platform never reads it."""

import json
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from patron.sim.history import arrivals
from patron.sim.identities import Dossier
from patron.sim.people import ROOM
from patron.sim.town import Town


class Truth(Struct, frozen=True):
    """The person map of 7.7. People are numbers; a household is a person's number divided by four."""

    identifiers: dict[str, tuple[int, ...]]
    """`type:value`, as the people would write it -> everybody it belongs to (several: a family's address, a tablet)."""
    messages: dict[str, int]
    """messageId -> person. Messages that were lost are not there."""
    names: dict[int, str]
    """Person -> their name."""

    @staticmethod
    def household(person: int) -> int:
        """The household of a person.

        >>> Truth.household(13)
        3
        """
        return person // ROOM


def traces(person: Dossier) -> Iterator[str]:
    """Every identifier of somebody, written rightly, as `type:value`."""
    contacts = {
        "email": (person.email, person.second_email, person.family_email),
        "phone": (person.phone, person.landline),
        "card": (person.card,),
        "user_id": (person.user_id,),
        "device_id": (person.device,),
        "crm_id": person.records,
        "anonymous_id": (*(cookie.id for cookie in person.cookies), person.install),
    }
    for kind, values in contacts.items():
        yield from (f"{kind}:{value}" for value in values if value is not None)


def truth(town: Town) -> Truth:
    """The truth of a town's history (it is told once more for it)."""
    owners: dict[str, set[int]] = {}
    names = {}
    for row in range(len(town.people)):
        person = town.who(row)
        names[person.number] = f"{person.given} {person.family}"
        for key in traces(person):
            owners.setdefault(key, set()).add(person.number)
    identifiers = {key: tuple(sorted(who)) for key, who in sorted(owners.items())}
    messages = {told.message["messageId"]: told.person for _, _, told in arrivals(town)}
    return Truth(identifiers, messages, names)


def write_truth(known: Truth, folder: Path) -> list[Path]:
    """Write `person_map.ndjson` and `identifiers.ndjson` into a folder of its own; returns the files.

    Raises ValueError when the folder lies in a data directory of Patron: what is measured must not see the answers.
    """
    folder = folder.resolve()
    for place in (folder, *folder.parents):
        if (place / "patron.toml").exists():
            raise ValueError(f"{folder} lies in the data directory {place}; write the truth somewhere else")
    folder.mkdir(parents=True, exist_ok=True)
    people, marks = folder / "person_map.ndjson", folder / "identifiers.ndjson"
    with people.open("w", encoding="utf-8") as lines:
        for message_id, person in known.messages.items():
            row = {"messageId": message_id, "person": person, "household": known.household(person)}
            lines.write(json.dumps(row) + "\n")
    with marks.open("w", encoding="utf-8") as lines:
        for key, owners in known.identifiers.items():
            lines.write(json.dumps({"identifier": key, "people": owners}, ensure_ascii=False) + "\n")
    return [people, marks]
