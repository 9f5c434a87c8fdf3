"""From an event to its identifiers: which it carries, how strongly each is stated, and the one node it belongs to.

A pure function of the event and of static configuration (rules and cut times); what the evidence has taught since
changes links, never the node. The node is the user id, else the anonymous id, else the strongest other identifier,
else the transaction, else the visit.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from patron.identity.normalise import normalise_birth, normalise_name, spelling
from patron.identity.plan import Plan
from patron.identity.rules import IdentityRules
from patron.identity.settings import IdentitySettings
from patron.model.events import Event
from patron.model.people import Claim, Key, Located


class Cuts(Protocol):
    """Cut times by identifier: what a dict or a `Table` of sorted times gives."""

    def get(self, key: str, /) -> Sequence[int] | None: ...
    def __len__(self) -> int: ...


PLACES = 8_192
"""Pairs of a user id and an anonymous id whose place is remembered."""


def locate(event: Event, rules: IdentityRules, cuts: Cuts) -> Located | None:
    """Find an event's identifiers and its node; None when it has none (dead letter `no_identifier`).

    Parameters
    ----------
    event
        One accepted message.
    rules
        Types, blocked values, shared devices.
    cuts
        Identifier key -> sorted times at which it was cut: from the last cut at or before the event's time on,
        `key` is called `key~time`.

    >>> event = Event(1, "shop", "web", "track", "Cart Viewed", "m", 5, 5, user_id="7", anonymous_id="c1")
    >>> place = locate(event, IdentityRules(), {})
    >>> place.node, [c.key for c in place.claims]
    ('user_id:7', ['user_id:7', 'anonymous_id:c1'])
    >>> locate(event, IdentityRules(), {"anonymous_id:c1": [3]}).claims[1].key
    'anonymous_id:c1~3'
    """
    plan = rules.plan
    if _rich(event, plan):
        claims = _all(event, plan, _plain(event, plan))
    elif not cuts:
        pair = (event.user_id, event.anonymous_id)
        places = plan.places
        return places[pair] if pair in places else _place(event, plan, pair)
    else:
        claims = _plain(event, plan)
    if not claims:
        return None
    node = _node(claims)
    if cuts:
        node, claims = _named(node, event.time, cuts), [_cut(c, event.time, cuts) for c in claims]
    light = node.startswith(plan.light)
    if event.traits and event.type != "group" and not light:
        name, birth = _person(event, rules)
        return Located(node, tuple(claims), light, name, birth)
    return Located(node, tuple(claims), light)


def _place(event: Event, plan: Plan, pair: tuple[str | None, str | None]) -> Located | None:
    """The place of an event with nothing but these two identifiers, remembered: most events come from known pairs."""
    claims = _plain(event, plan)
    place = Located(claims[0].key, tuple(claims)) if claims else None
    if len(plan.places) >= PLACES:
        plan.places.clear()
    plan.places[pair] = place
    return place


def _plain(event: Event, plan: Plan) -> list[Claim]:
    """The user id and the anonymous id, nearly always known values."""
    claims = []
    value = event.user_id
    if value is not None:
        known = plan.users
        claim = known[value] if value in known else _learn("user_id", value, plan)
        if claim is not None:
            claims.append(claim)
    value = event.anonymous_id
    if value is not None and not (
        value in plan.shared_devices or (value == event.touchpoint and event.channel in plan.shared_channels)
    ):
        known = plan.cookies
        claim = known[value] if value in known else _learn("anonymous_id", value, plan)
        if claim is not None:
            claims.append(claim)
    return claims


def _learn(kind: str, value: object, plan: Plan, country: str = "") -> Claim | None:
    """The claim of a value at its type's own strength, remembered."""
    clean = spelling(kind, value, plan, country)
    claim = None if clean is None else Claim(f"{kind}:{clean}", plan.strength[kind])
    known = plan.claimed[kind]
    if len(known) >= plan.rules.cache:
        known.clear()
    known[(value, country) if country else value] = claim
    return claim


def key_of(kind: str, value: str, rules: IdentityRules) -> Key:
    """The key of a value as a client writes it; "" when it is no identifier. Known values cost one look-up.

    >>> key_of("email", " Ana@X.it ", IdentityRules()), key_of("user_id", "null", IdentityRules())
    ('email:ana@x.it', '')
    """
    known = rules.plan.claimed.get(kind)
    if known is None:
        return ""
    claim = known[value] if value in known else _learn(kind, value, rules.plan)
    return "" if claim is None else claim.key


def _is_shop_device(value: str, event: Event, rules: IdentitySettings) -> bool:
    if value in rules.shared_devices:
        return True
    return event.channel in rules.shared_channels and value == event.touchpoint


def _rich(event: Event, plan: Plan) -> bool:
    """Whether there may be more than a user id and an anonymous id, or another strength than their own."""
    properties = event.properties
    return bool(
        event.traits
        or event.external_ids
        or event.touchpoint is not None
        or event.channel in plan.special_channels
        or event.name.startswith(plan.transactions)
        or event.type == "alias"
        or (properties and not plan.property_names.isdisjoint(properties))
        or (event.user_id is None and event.anonymous_id is None)
    )


def _all(event: Event, plan: Plan, plain: list[Claim]) -> list[Claim]:
    """Every identifier, strongest first, with the strength that the event gives it."""
    found = {claim.key: claim for claim in plain}
    for kind, value in _stated(event, plan):
        if not isinstance(value, str | int) or isinstance(value, bool):
            continue
        if kind == "user_id" and event.type != "alias" and any(k.startswith("user_id:") for k in found):
            continue  # an event speaks of one user; only `alias` names two
        known, country = plan.claimed[kind], _country(event) if kind == "phone" else ""
        asked = (value, country) if country else value
        claim = known[asked] if asked in known else _learn(kind, value, plan, country)
        if claim is not None:
            found.setdefault(claim.key, claim)
    if not plain or not plain[-1].key.startswith("anonymous_id:"):
        _add_visit(found, event, plan)
    strength = _strength_of_all(event, plan)
    if strength >= 0:
        claims = [c if c.strength == strength else Claim(c.key, strength) for c in found.values()]
    elif event.user_id is not None and event.channel in plan.rules.account_channels:
        claims = [
            c if not c.strength or c.key.startswith("user_id:") else Claim(c.key, 0) for c in found.values()
        ]
    else:
        claims = list(found.values())
    node = _node(claims) if claims else ""
    order = plan.order
    claims.sort(key=lambda c: (order[c.key[: c.key.index(":")]], c.key != node, c.key))
    if len(claims) > plan.rules.claims:
        own = [c for c in claims if c.key == node]
        claims = own + [c for c in claims if c.key != node][: plan.rules.claims - 1]
    return claims


def _country(event: Event) -> str:
    """The country that an event gives with somebody's address, upper case; "" when it gives none.

    A language (`it-IT`) says nothing of the number somebody has, so it is not asked.
    """
    address = event.traits.get("address")
    country = address.get("country") if isinstance(address, dict) else None
    return country.upper() if isinstance(country, str) and len(country) == 2 and country.isalpha() else ""


def _kind(key: Key) -> str:
    return key.partition(":")[0]


def _add_visit(found: dict[Key, Claim], event: Event, plan: Plan) -> None:
    """Add the visit, where no identifier is a device of somebody's own."""
    visit = _visit(event)
    if visit is None or any(plan.kinds[_kind(key)] == "device" for key in found):
        return
    claim = _learn("visit_id", visit, plan)
    if claim is not None:
        found[claim.key] = claim


def _strength_of_all(event: Event, plan: Plan) -> int:
    """The strength that the way of identification gives every identifier of an event; -1 = each its own."""
    mode = event.context.get("identification")
    if isinstance(mode, dict) and mode.get("mode") in plan.rules.proof_modes:
        return 0
    return 1 if event.channel in plan.rules.told_channels else -1


def _stated(event: Event, plan: Plan) -> Iterator[tuple[str, Any]]:
    """(type, value) of everything else that the event states about who it is."""
    rules = plan.rules
    if event.type == "alias" and event.previous_id is not None:
        yield "user_id", event.previous_id
        if not _is_shop_device(event.previous_id, event, rules):
            yield "anonymous_id", event.previous_id
    if event.traits and event.type != "group":  # the traits of a group call are the group's
        for trait, kind in rules.trait_identifiers.items():
            if trait in event.traits and kind in plan.order:
                yield kind, event.traits[trait]
    if event.properties:
        for name, kind in rules.property_identifiers.items():
            if name in event.properties and kind in plan.order:
                yield kind, event.properties[name]
    for external in event.external_ids:
        kind = rules.synonyms.get(external.type, external.type)
        if kind in plan.order and not _is_shared_thing(kind, external.id, event, plan):
            yield kind, external.id
    if event.name.startswith(rules.transaction_events) and (number := _transaction(event)) is not None:
        yield "order_id", number


def _is_shared_thing(kind: str, value: str, event: Event, plan: Plan) -> bool:
    if plan.kinds[kind] != "device":
        return False
    return (
        value in plan.rules.shared_devices
        or (kind != "anonymous_id" and event.channel in plan.rules.shared_channels)
        or _is_shop_device(value, event, plan.rules)
    )


def _first(names: tuple[str, ...], *places: Any) -> Any:
    for place in places:
        if isinstance(place, dict):
            for name in names:
                value = place.get(name)
                if value is not None and value != "" and not isinstance(value, bool | dict | list):
                    return value
    return None


_ORDERS = ("order_id", "orderId")
_RECEIPTS = ("receipt_number", "receiptNumber", "receipt_id", "receiptId", "receipt")
_TILLS = ("till_id", "tillId", "till", "register_id", "registerId")
_VISITS = ("visit_id", "visitId", "session_id", "sessionId")


def _transaction(event: Event) -> str | None:
    order = _first(_ORDERS, event.properties)
    if order is not None:
        return str(order)
    receipt = _first(_RECEIPTS, event.properties)
    till = _first(_TILLS, event.properties) or event.touchpoint
    return f"{till}/{receipt}" if receipt is not None and till else None


def _visit(event: Event) -> str | None:
    """Device and visit id, of a device that is nobody's own."""
    touchpoint, device = event.context.get("touchpoint"), event.context.get("device")
    visit = _first(_VISITS, event.properties, touchpoint, device)
    place = event.touchpoint or _first(("id",), device) or event.anonymous_id
    return f"{place}/{visit}" if visit is not None and place else None


def _node(claims: list[Claim]) -> Key:
    for prefix in ("user_id:", "anonymous_id:"):
        for claim in claims:
            if claim.key.startswith(prefix):
                return claim.key
    return claims[0].key


def _cut(claim: Claim, time: int, cuts: Cuts) -> Claim:
    name = _named(claim.key, time, cuts)
    return claim if name is claim.key else Claim(name, claim.strength)


def _named(key: Key, time: int, cuts: Cuts) -> Key:
    times = cuts.get(key)
    before = bisect_right(times, time) if times else 0
    return f"{key}~{times[before - 1]}" if times and before else key


def _person(event: Event, rules: IdentityRules) -> tuple[str, str]:
    """Given name and birth date that the event states."""
    traits = event.traits
    name = next((n for t in rules.name_traits if isinstance(n := traits.get(t), str)), "")
    birth = next(
        (b for t in rules.birth_traits if (b := normalise_birth(traits.get(t), rules.blocked_births))), ""
    )
    return normalise_name(name), birth
