"""The shapes of the profile API (`GET /v1/profiles/...`), and what a scoped key may see of them."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from patron.model.money import from_units
from patron.model.people import Person
from patron.profiles.merge import Profile, Standing
from patron.profiles.orders import Purchase
from patron.profiles.partial import Campaign, Change

MASK = "•••"
_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 (a zone would be written out, at a price)


def iso(time: int | None) -> str | None:
    """A time as ISO 8601 with milliseconds, UTC.

    >>> iso(1_772_471_051_120), iso(None)
    ('2026-03-02T17:04:11.120Z', None)
    """
    if time is None:
        return None
    when = _EPOCH + dt.timedelta(milliseconds=min(max(time, -62_135_596_800_000), 253_402_300_799_999))
    return when.isoformat(timespec="milliseconds") + "Z"


def money(units: Mapping[str, int]) -> dict[str, str]:
    """Currency -> decimal text, by currency.

    >>> money({"EUR": 413000})
    {'EUR': '41.30'}
    """
    return {currency: from_units(units[currency]) for currency in sorted(units)}


def to_json(person: Person, profile: Profile) -> dict[str, Any]:
    """A profile as the API gives it. Money is net of refunds unless its name says otherwise; times are ISO, UTC.

    >>> shown = to_json(Person("p_1", "email:ana@x.it", ("email:ana@x.it",)), Profile(first=0, last=0, events=1))
    >>> shown["identifiers"], shown["first_seen"], shown["totals"]["revenue"]
    ([{'type': 'email', 'value': 'ana@x.it'}], '1970-01-01T00:00:00.000Z', {})
    """
    return {
        "id": person.id,
        "identifiers": [_identifier(key) for key in person.members],
        "traits": {name: profile.traits[name].value for name in sorted(profile.traits)},
        "consents": _consents(profile.consents),
        "first_seen": iso(profile.first),
        "last_seen": iso(profile.last),
        "events": profile.events,
        "counters": _counters(profile),
        "totals": totals(profile),
        "other_revenue": {name: money(profile.sums[name]) for name in sorted(profile.sums)},
        "channels": {
            channel: {"first_seen": iso(seen.first), "last_seen": iso(seen.last), "events": seen.events}
            for channel, seen in sorted(profile.channels.items())
        },
        "first_campaign": _campaign(profile.first_campaign),
        "last_campaign": _campaign(profile.last_campaign),
        "orders": [_order(name, order) for name, order in _latest(profile.orders)],
    }


def totals(profile: Profile) -> dict[str, Any]:
    """Orders with the money they brought, by currency: net, before refunds, and refunded.

    >>> totals(Profile())
    {'orders': 0, 'revenue': {}, 'gross': {}, 'refunded': {}}
    """
    return {
        "orders": profile.totals.orders,
        "revenue": money(profile.totals.net),
        "gross": money(profile.totals.gross),
        "refunded": money(profile.totals.refunded),
    }


def _identifier(key: str) -> dict[str, str]:
    kind, _, value = key.partition(":")
    return {"type": kind, "value": value}


def _counters(profile: Profile) -> dict[str, int]:
    counters = {name: profile.counters[name] for name in sorted(profile.counters)}
    if profile.other:
        counters["other"] = counters.get("other", 0) + profile.other
    return counters


def _campaign(campaign: Campaign | None) -> dict[str, Any] | None:
    return None if campaign is None else {**campaign[1], "time": iso(campaign[0][0])}


def _latest(orders: Mapping[str, Purchase], most: int = 50) -> list[tuple[str, Purchase]]:
    return sorted(orders.items(), key=lambda pair: (pair[1].time, pair[0]), reverse=True)[:most]


def _order(name: str, order: Purchase) -> dict[str, Any]:
    return {
        "order_id": name,
        "time": iso(order.time),
        "channel": order.channel,
        "currency": order.currency,
        "revenue": from_units(order.net),
        "gross": from_units(order.gross),
        "refunded": from_units(order.refunded),
        "cancelled": order.cancelled,
    }


def _consents(consents: Mapping[tuple[str, str], Standing]) -> dict[str, Any]:
    """Purpose -> what stands for all channels (`granted` is None when nothing was said), and by channel."""
    shown: dict[str, Any] = {}
    for (purpose, channel), standing in sorted(consents.items()):
        one = shown.setdefault(purpose, {"granted": None})
        if channel == "*":
            one.update(_standing(standing))
        else:
            one.setdefault("channels", {})[channel] = _standing(standing)
    return shown


def _standing(standing: Standing) -> dict[str, Any]:
    return {
        "granted": standing.granted,
        "time": iso(standing.time),
        "text_version": standing.text_version,
        "place": standing.place,
        "source": standing.source,
    }


def traits(profile: Profile) -> list[dict[str, Any]]:
    """Traits with their provenance, by name: which message of which source said it, and when.

    >>> from patron.profiles.merge import Written
    >>> traits(Profile(traits={"city": Written("Bologna", (0, "till/m-7"))}))[0]["source"]
    'till'
    """
    return [
        {
            "name": name,
            "value": written.value,
            "time": iso(written.time),
            "source": written.source,
            "messageId": written.message_id,
        }
        for name, written in sorted(profile.traits.items())
    ]


def consents(profile: Profile) -> dict[str, Any]:
    """`data`: what stands by purpose and channel, with proof; `history`: explicit changes, newest first."""
    standing = [
        {"purpose": purpose, "channel": channel, **_standing(s)}
        for (purpose, channel), s in sorted(profile.consents.items())
    ]
    return {"data": standing, "history": [_change(change) for change in reversed(profile.history)]}


def _change(change: Change) -> dict[str, Any]:
    source, _, message = change.stamp[1].partition("/")
    return {
        "purpose": change.purpose,
        "channel": change.channel,
        "granted": change.granted,
        "time": iso(change.stamp[0]),
        "text_version": change.text_version,
        "place": change.place,
        "source": source,
        "messageId": message,
    }


# --- what a key may see -------------------------------------------------------------------------------------


def listed(name: str, patterns: Iterable[str]) -> bool:
    """Whether a field is among these names; `*` stands for any letters, capitals make no difference.

    >>> listed("Email", ("email",)), listed("health_score", ("health_*",)), listed("city", ())
    (True, True, False)
    """
    folded = name.casefold()
    return any(fnmatchcase(folded, pattern.casefold()) for pattern in patterns)


def masked_value(value: Any) -> Any:
    """A value of which only the kind shows: the first letter of a text. Nothing stays nothing.

    >>> masked_value("anna@x.it"), masked_value(36), masked_value(None)
    ('a•••', '•••', None)
    """
    if value is None:
        return None
    return value[0] + MASK if isinstance(value, str) and len(value) > 1 else MASK


def mask(profile_json: Mapping[str, Any], fields: Sequence[str], masked: Sequence[str]) -> dict[str, Any]:
    """What a key may see of a profile: its traits and identifiers within `fields`, those of `masked` as `a•••`.

    Identifiers count as fields by their type, so that a masked e-mail does not show as an identifier. Ids of orders
    and numbers are no traits and stay.

    >>> seen = mask({"traits": {"email": "anna@x.it", "city": "Rome", "iban": "IT1"}, "identifiers":
    ...              [{"type": "email", "value": "anna@x.it"}]}, ["email", "city"], ["email"])
    >>> seen["traits"], seen["identifiers"]
    ({'email': 'a•••', 'city': 'Rome'}, [{'type': 'email', 'value': 'a•••'}])
    """
    shown = dict(profile_json)
    if "traits" in shown:
        shown["traits"] = {
            name: masked_value(value) if listed(name, masked) else value
            for name, value in shown["traits"].items()
            if listed(name, fields)
        }
    if "identifiers" in shown:
        shown["identifiers"] = mask_identifiers(shown["identifiers"], fields, masked)
    return shown


def mask_traits(
    rows: Iterable[Mapping[str, Any]], fields: Sequence[str], masked: Sequence[str]
) -> list[dict[str, Any]]:
    """The same for the list of `traits`."""
    return [
        {**row, "value": masked_value(row["value"])} if listed(row["name"], masked) else dict(row)
        for row in rows
        if listed(row["name"], fields)
    ]


def mask_identifiers(
    rows: Iterable[Mapping[str, Any]], fields: Sequence[str], masked: Sequence[str]
) -> list[dict[str, Any]]:
    """The same for a list of identifiers, by their type."""
    return [
        {**row, "value": masked_value(row["value"])} if listed(row["type"], masked) else dict(row)
        for row in rows
        if listed(row["type"], fields)
    ]
