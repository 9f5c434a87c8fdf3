"""What the demo puts on stage beside the people of its town: a shop to act in, first offers, messages that fit nowhere."""

import datetime as dt
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import httpx
from msgspec import structs

from patron.cli.client import call
from patron.model.guide import Question, Stories, Story
from patron.runtime import guide
from patron.sim.messages import Delivery

if TYPE_CHECKING:
    from patron.sim.world.shops import Store

ASKS = (("kiosk_home", "kiosk"), ("till", "pos"), ("associate_card", "associate_tablet"))
"""Where the guided people are asked for, in turn; at the last place until there is an offer: placement, channel."""
PATIENCE = 12
"""Asks after which a first offer is no longer waited for; each has at least an even chance of one."""


def sources(folder: Path, channels: Iterable[str]) -> dict[str, str]:
    """Two sources a channel, NAME that lives and NAME-history that is imported, with the write key of each.

    They are believed as far as those of any other world: what anybody can claim is not taken for proved, nor was it in the past.
    """
    from patron.sim.server.sources import assurance

    keys = {}
    for channel in channels:
        for name, kind in ((f"{channel}-history", "import"), (channel, "live")):
            body = {"name": name, "channel": channel, "kind": kind, "assurance": assurance(channel)}
            keys[name] = str(call(folder, "POST", "/v1/admin/sources", body)["writeKey"])
    return keys


def shop(folder: Path, keys: dict[str, str]) -> None:
    """What the page "Be the customer" needs: public write keys, products and placements."""
    from patron.sim.world.catalogue import shelf

    setup = {
        "keys": {channel: keys[channel] for channel in ("web", "kiosk", "pos")},
        "products": shelf(),
        "placements": {"web": "web_home", "kiosk": "kiosk_home", "pos": "till"},
        "currency": "EUR",
        "store": "S01",
        "notice": "it-3",
    }
    file = folder / "shop.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps(setup), "utf-8")


def first_offer(url: str, tablet: str, key: str, identifier: str) -> None:
    """Ask for a guided person as the touchpoints do when they walk in, until one offer stands in their list."""
    kind, _, value = identifier.partition(":")
    who = {"externalIds": [{"type": kind, "id": value}]}
    for number in range(PATIENCE):
        placement, channel = ASKS[min(number, len(ASKS) - 1)]
        body = {"placement": placement, "channel": channel, "context": who}
        headers = {"authorization": f"Bearer {key}"}
        answer = httpx.post(f"{url}/v1/decide", json=body, headers=headers, timeout=10).json()
        if channel == "associate_tablet" and answer.get("action") not in {None, "nothing"}:
            break
    else:
        return
    # an associate says that it was shown: what follows can then be credited to it
    shown = {"decision_id": answer["decisionId"], "offer_id": answer["action"], "placement": placement}
    shown["offer_name"] = (answer.get("content") or {}).get("title") or answer["action"]
    context = {"externalIds": [{"type": kind, "id": value, "collection": "users", "encoding": "none"}]}
    message = {"event": "Offer Shown", "properties": shown, "context": context}
    httpx.post(f"{url}/v1/track", json=message, auth=(tablet, ""), timeout=10).raise_for_status()


READY = ("lapsing-buyers", "store-only", "web-only", "high-value", "spent_90d")
"""Ready segments and traits that the demo begins with."""


def rules(folder: Path, stores: Iterable["Store"]) -> None:
    """Where the stores are, what products are called, and some ready segments and traits in force, so that their pages have something to show."""
    rows = [
        {"store": s.id, "name": s.name, "latitude": s.lat, "longitude": s.lon, "city": s.city, "country": s.country}
        for s in stores
    ]  # fmt: skip
    call(folder, "POST", "/v1/feeds/stores", {"rows": rows, "file": "stores.csv"})
    from patron.sim.world.catalogue import SHELF

    products = [{"product_id": p.id, "name": p.name, "category": p.category} for one in SHELF for p in one]
    call(folder, "POST", "/v1/feeds/catalogue", {"rows": products, "file": "catalogue.csv"})
    for name in READY:
        call(folder, "POST", f"/v1/library/{name}/use", {})


def misfits(url: str, key: str, today: dt.date) -> None:
    """What a new screen sends before anybody has told Patron of it: something for the quarantine, to be mended."""
    who = {"anonymousId": "totem-S04-1"}
    batch: list[dict[str, Any]] = [
        {
            **who,
            "type": "track",
            "event": "Screen Touched",
            "context": {"channel": "totem"},
            "properties": {"store_id": "S04", "number": n},
        }
        for n in range(1, 4)
    ]
    priced = {"product_id": "mug-blue", "name": "Blue mug", "price": 14.5, "currency": "EUR"}
    late = (today + dt.timedelta(days=400)).isoformat() + "T09:00:00Z"
    batch.append({**who, "type": "track", "event": "Product Viewed", "timestamp": late, "properties": priced})
    batch.append({"type": "track", "event": "Product Viewed", "properties": priced})
    httpx.post(f"{url}/v1/batch", json={"batch": batch}, auth=(key, ""), timeout=10).raise_for_status()


def as_history(deliveries: Iterable[Delivery]) -> Iterator[Delivery]:
    """The same messages from import sources, which may say when a message arrived."""
    for delivery in deliveries:
        message = dict(delivery.message)
        arrived = dt.datetime.fromtimestamp(delivery.arrival_ms / 1000, dt.UTC).isoformat(
            timespec="milliseconds"
        )
        message["receivedAt"] = arrived
        message.pop("sentAt", None)
        yield Delivery(delivery.arrival_ms, f"{delivery.source_name}-history", message)


def stories(folder: Path, url: str, key: str, told: Iterable[Story]) -> None:
    """The page of what is planted, for the console: people by their ids, and nobody's name."""
    guide.write(folder, Stories(stories=tuple(known(url, key, story) for story in told)))


K = TypeVar("K", Story, Question)


def known(url: str, key: str, one: K) -> K:
    """A story or question whose people are ids, asked for at a running server; who is not there has no link.

    `key` is a secret key of scope `profiles:read`.
    """
    people = {slot: found for slot, who in one.people.items() if (found := person_id(url, key, who))}
    looks = tuple(look for look in one.looks if not look.person or look.person in people)
    return structs.replace(one, people=people, looks=looks)


def person_id(url: str, key: str, identifier: str) -> str:
    """The id of whoever holds an identifier (or that id again); "" when nobody does."""
    address = f"{url}/v1/profiles/{quote(identifier, safe=':')}"
    answer = httpx.get(address, headers={"authorization": f"Bearer {key}"}, timeout=30)
    return str(answer.json().get("id", "")) if answer.status_code == httpx.codes.OK else ""
