"""Whose each identifier is: the part of the truth that no message tells. The platform never reads it."""

from collections.abc import Iterator

from patron.sim.town import Town
from patron.sim.world.identities import Dossier


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


def owners(town: Town) -> dict[str, list[int]]:
    """`type:value` -> numbers of everybody it belongs to (several: a family's address, a tablet); both sorted.

    >>> import datetime as dt
    >>> from patron.sim.town import make_town
    >>> owners(make_town(today=dt.date(2026, 11, 21), size=8))["email:casa.navarro@correo.example"]
    [12, 13, 14]
    """
    found: dict[str, set[int]] = {}
    for row in range(len(town.people)):
        person = town.who(row)
        for key in traces(person):
            found.setdefault(key, set()).add(person.number)
    return {key: sorted(found[key]) for key in sorted(found)}
