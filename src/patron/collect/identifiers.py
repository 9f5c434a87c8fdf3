"""Identifiers as clients write them: null and "" are absent, numbers become text, the rest is refused."""

from typing import Any

from patron.collect.limits import Limits
from patron.collect.refusal import Refused
from patron.model.events import ExternalId
from patron.model.people import ERASED


def id_text(value: object, path: str) -> str | None:
    """An identifier as text. Raises `Refused` (`bad_id`) for true, false, objects and arrays.

    >>> id_text(17, "$.userId"), id_text(17.0, "$.userId"), id_text("", "$.userId")
    ('17', '17', None)
    """
    if isinstance(value, str):
        return value or None
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused("bad_id", "An identifier must be a text or a number.", path)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)


def check_id(value: str, path: str, limits: Limits) -> None:
    """Raise `Refused` (`id_too_long`) when the identifier has too many UTF-8 bytes."""
    size = len(value)
    if size > limits.id_bytes or (size * 4 > limits.id_bytes and len(value.encode()) > limits.id_bytes):
        raise Refused("id_too_long", f"An identifier has at most {limits.id_bytes} bytes.", path)


def listed(entries: object, limits: Limits) -> list[ExternalId]:
    """The identifiers of `context.externalIds`: `[{id, type, collection, encoding}]` of collection `users`.

    >>> listed([{"id": 77, "type": "card", "collection": "users", "encoding": "none"}], Limits())
    [ExternalId(type='card', id='77')]
    """
    if not entries:
        return []
    if not isinstance(entries, list):
        raise Refused("bad_id", "externalIds must be an array of {id, type}.", "$.context.externalIds")
    found: list[ExternalId] = []
    for at, entry in enumerate(entries):
        path = f"$.context.externalIds[{at}]"
        if not isinstance(entry, dict):
            raise Refused("bad_id", "An external id must be an object {id, type}.", path)
        one = _one(entry, path, limits)
        if one is not None and one not in found:
            found.append(one)
    return found


def _one(entry: dict[str, Any], path: str, limits: Limits) -> ExternalId | None:
    value = id_text(entry.get("id"), f"{path}.id")
    kind = entry.get("type")
    if value is None or value == ERASED or entry.get("collection") not in {None, "", "users"}:
        return None
    if not isinstance(kind, str) or not kind:
        raise Refused("bad_id", "An external id needs a type, such as card.", f"{path}.type")
    if entry.get("encoding") not in {None, "", "none"}:
        raise Refused("bad_id", "External ids are read with encoding none only.", f"{path}.encoding")
    check_id(value, f"{path}.id", limits)
    check_id(kind, f"{path}.type", limits)
    return ExternalId(type=kind, id=value)


def of_device(device: object, limits: Limits) -> list[ExternalId]:
    """`device_id` and `push_token` of `context.device` (Segment's default identifiers of apps)."""
    if not isinstance(device, dict):
        return []
    found = []
    for name, kind in (("id", "device_id"), ("token", "push_token")):
        value = id_text(device.get(name), f"$.context.device.{name}")
        if value is not None and value != ERASED:
            check_id(value, f"$.context.device.{name}", limits)
            found.append(ExternalId(type=kind, id=value))
    return found


def of_integrations(integrations: object, limits: Limits) -> list[ExternalId]:
    """`ga_client_id` of `integrations["Google Analytics"].clientId`, where Segment's libraries put it."""
    analytics = integrations.get("Google Analytics") if isinstance(integrations, dict) else None
    if not isinstance(analytics, dict):
        return []
    path = "$.integrations['Google Analytics'].clientId"
    value = id_text(analytics.get("clientId"), path)
    if value is None or value == ERASED:
        return []
    check_id(value, path, limits)
    return [ExternalId(type="ga_client_id", id=value)]
