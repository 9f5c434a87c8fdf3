"""The catalogue of offers: read from TOML, checked with every fault named by its path, versioned by content.

```toml
[[offer]]
id = "descaling-kit"
name = "Descaling kit with beans"
placements = ["till", "associate_card"]     # leave out = everywhere
channels = ["pos"]                          # leave out = every channel
valid_from = 2026-01-01                     # a date, or an ISO time; without a zone it is UTC
valid_until = 2026-12-31                    # a date is meant inclusively
purpose = "personalization"                 # the consent it rests on
because = "Bought {totals.orders} times, never a descaler"
conditions = [{field = "totals.orders", op = ">=", value = 2}]
content = {title = "Descaling kit with beans", price = "24.90"}
```
"""

import hashlib
import re
import tomllib
from collections.abc import Iterable
from typing import Any

import msgspec

from patron.decide.offer_fields import content_of, difference, instant_of, names_of
from patron.decide.slots import slot_problem
from patron.model.errors import BadRequest, Fault
from patron.model.events import CHANNELS
from patron.model.offers import NOTHING, Condition, Offer
from patron.rules.language import check

MAX_OFFERS = 1_000
MAX_CONDITIONS = 50
_ID = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}\Z")
_KEYS = frozenset(Offer.__struct_fields__)
_CONDITION_KEYS = frozenset(Condition.__struct_fields__)


def parse(text: str) -> tuple[Offer, ...]:
    r"""Read a catalogue.

    Raises
    ------
    BadRequest : code `bad_catalogue`, with one fault for everything that is wrong.

    >>> parse('[[offer]]\nid = "tea"\nname = "Tea tasting"')[0].name
    'Tea tasting'
    """
    offers, faults = read(text)
    if faults:
        more = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
        message = f"the catalogue has a fault at {faults[0].path}: {faults[0].problem}{more}"
        raise BadRequest("bad_catalogue", message, faults)
    return offers


def read(text: str) -> tuple[tuple[Offer, ...], tuple[Fault, ...]]:
    r"""Read a catalogue: the offers that are good, and every fault. An empty text is an empty catalogue.

    >>> read('[[offer]]\nid = "tea"\nnmae = "Tea"')[1][0]
    Fault(path='offer[0].nmae', problem='there is no such key; did you mean `name`?')
    """
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        return (), (Fault("", f"this is not TOML: {error or 'nested too deep'}"),)
    faults = [
        Fault(key, "there is no such key at the top; offers are written [[offer]]")
        for key in document
        if key != "offer"
    ]
    rows = document.get("offer", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return (), (*faults, Fault("offer", "offers are a list of tables: write [[offer]] above each"))
    if len(rows) > MAX_OFFERS:
        faults.append(Fault("offer", f"a catalogue holds at most {MAX_OFFERS} offers, this has {len(rows)}"))
    seen: dict[str, int] = {}
    offers = []
    for at, row in enumerate(rows):
        offer = _offer(row, f"offer[{at}]", faults)
        first = seen.setdefault(offer.id, at)
        if first != at and offer.id:
            faults.append(
                Fault(f"offer[{at}].id", f"`{offer.id}` is also the id of offer[{first}]; ids are unique")
            )
        offers.append(offer)
    return tuple(offers), tuple(faults)


def version(offers: Iterable[Offer], opt_in: Iterable[str] = ()) -> str:
    """Name of exactly this catalogue under exactly this consent policy: 12 hexadecimal characters of a hash.

    >>> version([Offer(id="a", name="A")]) != version([Offer(id="a", name="A")], ["personalization"])
    True
    """
    encoded = msgspec.json.encode([list(offers), sorted(opt_in)], order="sorted")
    return hashlib.blake2b(encoded, digest_size=6).hexdigest()


def _offer(row: dict[str, Any], path: str, faults: list[Fault]) -> Offer:
    """One offer; what is wrong is added to `faults` and left at its default."""
    good: dict[str, Any] = {}

    def take(key: str, read_value: Any) -> None:
        if key in row:
            value, problems = read_value(row[key])
            faults.extend(Fault(f"{path}.{key}{at}", problem) for at, problem in problems)
            good[key] = value

    faults.extend(Fault(f"{path}.{key}", difference(key, _KEYS)) for key in row if key not in _KEYS)
    faults.extend(
        Fault(f"{path}.{key}", "is missing; every offer has one") for key in ("id", "name") if key not in row
    )
    take("id", _id)
    take("name", lambda v: _text(v, 200))
    take("purpose", lambda v: _text(v, 64))
    take("because", _because)
    take("placements", lambda v: names_of(v, None))
    take("channels", lambda v: names_of(v, CHANNELS))
    take("content", content_of)
    take("conditions", _conditions)
    take("valid_from", lambda v: instant_of(v, until=False))
    take("valid_until", lambda v: instant_of(v, until=True))
    begin, end = good.get("valid_from"), good.get("valid_until")
    if begin is not None and end is not None and end <= begin:
        faults.append(
            Fault(f"{path}.valid_until", "lies before `valid_from`: nobody could ever get this offer")
        )
    return Offer(**{"id": "", "name": "", **good})


Problems = list[tuple[str, str]]


def _id(value: Any) -> tuple[str, Problems]:
    if not isinstance(value, str) or not _ID.match(value):
        return "", [("", "an id is 1 to 64 of a-z 0-9 . _ - and starts with a letter or digit")]
    if value == NOTHING:
        return value, [("", "`nothing` is always a candidate by itself; choose another id")]
    return value, []


def _text(value: Any, limit: int) -> tuple[str, Problems]:
    if not isinstance(value, str) or not value.strip():
        return "", [("", "needs a text that is not empty")]
    if len(value) > limit:
        return "", [("", f"at most {limit} characters, this has {len(value)}")]
    return value, []


def _because(value: Any) -> tuple[str, Problems]:
    if value == "":
        return "", []
    text, problems = _text(value, 300)
    problem = None if problems else slot_problem(text)
    return text, [("", problem)] if problem else problems


def _conditions(value: Any) -> tuple[tuple[Condition, ...], Problems]:
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        return (), [("", 'needs a list such as [{field = "totals.orders", op = ">=", value = 2}]')]
    if len(value) > MAX_CONDITIONS:
        return (), [("", f"at most {MAX_CONDITIONS} conditions, this has {len(value)}")]
    conditions: list[Condition] = []
    problems: Problems = []
    for at, row in enumerate(value):
        unknown = [
            (f"[{at}].{key}", difference(key, _CONDITION_KEYS)) for key in row if key not in _CONDITION_KEYS
        ]
        if not isinstance(row.get("field"), str) or not isinstance(row.get("op"), str):
            problems += [*unknown, (f"[{at}]", "needs `field` and `op` as texts")]
            continue
        wanted = row.get("value")
        condition = Condition(row["field"], row["op"], tuple(wanted) if isinstance(wanted, list) else wanted)
        problems += unknown + [(f"[{at}]", problem) for problem in check(condition)]
        conditions.append(condition)
    return tuple(conditions), problems
