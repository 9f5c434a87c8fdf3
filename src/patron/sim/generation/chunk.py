"""The lives of some people of a world, told into files of their own; chunks are merged when all are done.

People do not depend on each other, so a chunk is the same whoever else lives, in whichever process it is told.
"""

import gc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec
import numpy as np
from msgspec import Struct

from patron.model.clock import DAY
from patron.sim.engine.day import Plan, store_hours
from patron.sim.engine.media import PLATFORMS
from patron.sim.engine.state import STORE
from patron.sim.generation.journeys import Edge, edges
from patron.sim.generation.truth import owners
from patron.sim.luck import Ints
from patron.sim.messages import SOURCES, Told, iso
from patron.sim.telling.history import arrivals
from patron.sim.town import Town
from patron.sim.world.people import ROOM
from patron.sim.world.shops import OPENS, STORE_HOURS

_encode = msgspec.json.Encoder().encode
_BUFFER = 1 << 18
"""Bytes of each file that wait to be written: hundreds of messages, not a few."""
_SALES = frozenset({"Order Completed", "Order Refunded"})
Sale = tuple[int, str, str, str]
"""UTC day, source, store ("" online), currency."""


class Sums(Struct):
    """What is counted over all people: true totals, visitors by store and hour, what ads did."""

    messages: Counter[str] = msgspec.field(default_factory=Counter)
    orders: Counter[Sale] = msgspec.field(default_factory=Counter)
    gross: Counter[Sale] = msgspec.field(default_factory=Counter)
    refunds: Counter[Sale] = msgspec.field(default_factory=Counter)
    visitors: Ints = msgspec.field(default_factory=lambda: np.zeros((0, 0, 0), dtype=np.int64))
    """People who came: (stores, days, opening hours)."""
    ads: Counter[tuple[int, int, int, str]] = msgspec.field(default_factory=Counter)
    """(date, platform, country, what) -> impressions, clicks, people who clicked or saw and became customers."""
    contacts: Counter[tuple[int, int, str]] = msgspec.field(default_factory=Counter)
    """(store, associate, what) -> contacts, follow-ups, contacts that never were."""
    benefits: Counter[str] = msgspec.field(default_factory=Counter)
    """Benefit -> people who said who they are for it."""
    edges: Counter[Edge] = msgspec.field(default_factory=Counter)
    """Steps of journeys."""
    aided: int = 0
    """New customers who would not have come that day without ads."""
    acquired: int = 0

    def add(self, other: "Sums") -> None:
        """Take in the sums of other people."""
        for name in self.__struct_fields__:
            ours, theirs = getattr(self, name), getattr(other, name)
            if isinstance(ours, Counter):
                ours.update(theirs)
            elif isinstance(ours, np.ndarray) and not len(ours):
                setattr(self, name, theirs)
            else:
                setattr(self, name, ours + theirs)


class Watcher:
    """Counts what no message tells: who came through which door or near it, whom associates met, and what ads did."""

    def __init__(self, town: Town, sums: Sums, near: IO[bytes]) -> None:
        self._town, self._sums, self._near = town, sums, near
        stores = len(town.setting.geography.stores)
        sums.visitors = np.zeros((stores, town.days, len(STORE_HOURS)), dtype=np.int64)
        self._seen = np.zeros((len(town.people), len(PLATFORMS)), dtype=np.bool_)
        self._clicked = self._seen.copy()

    def __call__(self, plan: Plan) -> None:
        """Count one day."""
        self._doors(plan)
        self._fence(plan)
        self._ads(plan)

    def hear(self, told: list[Told]) -> None:
        """Count the messages of one day."""
        self._sums.edges.update(edges(told))
        for one in told:
            if one.message.get("event") == "Associate Contacted":
                self._contact(one)
            elif one.source == "kiosk" and one.message["type"] == "identify":
                self._sums.benefits[one.message["context"]["identification"].get("benefit", "")] += 1

    def _contact(self, told: Told) -> None:
        said = told.message["properties"]
        store = self._town.setting.geography.index[said["store_id"]]
        number = int(said["associate_id"].rpartition("-")[2]) - 1
        self._sums.contacts[store, number, "contacts" if told.true else "false_contacts"] += 1
        self._sums.contacts[store, number, "follow_ups"] += "follow_up" in said

    def _fence(self, plan: Plan) -> None:
        crossed, people = plan.crossings, self._town.people
        ids = people.ids[crossed.rows]
        for at in np.argsort(ids).tolist():
            person = int(ids[at])
            row = {
                "person": person,
                "store": self._town.home(int(crossed.rows[at])).id,
                "day": plan.date,
                "distance_m": round(float(crossed.distance[at]), 1),
                "entered": bool(crossed.entered[at]),
                "sensed": bool(crossed.sensed[at]),
                "greeted": bool(crossed.greeted[at]),
            }
            self._near.write(b"%06d %012d\t%s\n" % (plan.date, person, _encode(row)))

    def _doors(self, plan: Plan) -> None:
        people = self._town.people
        rows = plan.shoppers.rows[plan.shoppers.channel == STORE]
        hours = store_hours(self._town.setting, people, rows, plan.day) - OPENS
        np.add.at(self._sums.visitors[:, plan.day], (people.home[rows], hours), 1)

    def _ads(self, plan: Plan) -> None:
        media, country = plan.media, self._town.people.country
        self._seen |= media.seen > 0
        self._clicked |= media.clicked
        for k in range(len(PLATFORMS)):
            for what, rows in (("seen", media.seen[:, k] > 0), ("clicked", media.clicked[:, k])):
                for n, count in enumerate(np.bincount(country[rows], minlength=3).tolist()):
                    self._sums.ads[plan.date, k, n, what] += count
            self._won(plan.date, k, media.acquired)
        self._sums.acquired += len(media.acquired)
        self._sums.aided += int((~media.unaided).sum())

    def _won(self, date: int, platform: int, rows: Ints) -> None:
        for row in rows.tolist():
            if not self._seen[row, platform]:
                continue
            what = "clicked and bought" if self._clicked[row, platform] else "saw and bought"
            self._sums.ads[date, platform, int(self._town.people.country[row]), what] += 1


class Scribe:
    """Files that a chunk's messages and their truth go to."""

    def __init__(
        self, events: dict[str, IO[bytes]], owners: IO[bytes], consents: IO[bytes], sums: Sums
    ) -> None:
        self._events, self._owners, self._consents, self._sums = events, owners, consents, sums
        # a copy comes within hours of its original: the ids of two days are enough to tell
        self._ids, self._before, self._day = set[str](), set[str](), 0
        self._said: dict[tuple[int, str], bool] = {}

    def write(self, arrival: int, told: Told) -> None:
        """Write one arrival; of a message that comes twice, the truth is told once."""
        message, source = told.message, told.source
        message_id = message["messageId"]
        key = f"{arrival:013d} {message_id}\t"
        # in place, not in a copy: this line is all that the message was for
        message["receivedAt"] = iso(arrival)
        self._events[source].write(key.encode() + _encode(message) + b"\n")
        self._sums.messages[source] += 1
        if self._is_copy(message_id, arrival // DAY):
            return
        self._owners.write(
            f'{key}{{"messageId":"{message_id}","person":{told.person},"household":{told.person // ROOM}}}\n'.encode()
        )
        event = message.get("event")
        if event in _SALES:
            self._sale(told)
        if event == "Consent Changed":
            self._consent(arrival, told, {message["properties"]["purpose"]: message["properties"]["granted"]})
        elif "consent" in message["context"]:
            self._consent(arrival, told, message["context"]["consent"].get("categoryPreferences", {}))

    def _is_copy(self, message_id: str, day: int) -> bool:
        if day != self._day:
            self._ids, self._before, self._day = set(), self._ids, day
        if message_id in self._ids or message_id in self._before:
            return True
        self._ids.add(message_id)
        return False

    def _sale(self, told: Told) -> None:
        said = told.message["properties"]
        store = said.get("store_id") or said.get("place") or ""
        place = (told.at // DAY, told.source, store, said["currency"])
        cents = round(said["revenue"] * 100)
        if told.message["event"] == "Order Completed":
            self._sums.orders[place] += 1
            self._sums.gross[place] += cents
        else:
            self._sums.refunds[place] += cents

    def _consent(self, arrival: int, told: Told, said: dict[str, bool]) -> None:
        for purpose, granted in said.items():
            if self._said.get((told.person, purpose)) != granted:
                self._said[told.person, purpose] = granted
                row = {"person": told.person, "purpose": purpose, "granted": granted, "at": told.at}
                self._consents.write(
                    b"%013d %d %s\t%s\n" % (arrival, told.person, purpose.encode(), _encode(row))
                )


@contextmanager
def _rarely_collected() -> Iterator[None]:
    """Look for garbage in cycles less often: what a chunk makes has none, and looking takes a tenth of the time."""
    usual = gc.get_threshold()
    gc.set_threshold(100_000, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


@_rarely_collected()
def tell(town: Town, folder: Path, days: Callable[[int], None] | None = None) -> Sums:
    """Tell the lives of a town's people into a folder of their own: one sorted file a source, and the truth."""
    folder.mkdir(parents=True)
    sums = Sums()
    names = [*SOURCES, "person_map", "consent", "geofence"]
    files: dict[str, IO[bytes]] = {name: (folder / name).open("wb", _BUFFER) for name in names}
    try:
        scribe = Scribe(files, files["person_map"], files["consent"], sums)
        last = -1
        watcher = Watcher(town, sums, files["geofence"])
        for arrival, _, told in arrivals(town, watcher, hear=watcher.hear):
            if days is not None and (day := arrival // DAY - town.first) != last:
                last = day
                days(day)
            scribe.write(arrival, told)
    finally:
        for file in files.values():
            file.close()
    # those of a household stay in one chunk
    with (folder / "identifiers").open("wb") as lines:
        for key, who in owners(town).items():
            lines.write(b"%s\t%s\n" % (key.encode(), _encode({"identifier": key, "people": who})))
    return sums
