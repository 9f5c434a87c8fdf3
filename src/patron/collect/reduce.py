"""Refused collection: what is left of a message whose own context refuses a collection purpose.

Operations need the consents themselves, the facts of orders, refunds, receipts and reservations, and message
receipts. Nothing else of such a message is stored, in the log either: the reader rewrites the body with what these
functions return.
"""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from patron.collect.consent import CONSENT_EVENTS
from patron.collect.message import Message
from patron.model.events import CALL_TYPES

OPERATIONAL_EVENTS: tuple[str, ...] = (
    "Order Placed",
    "Order Completed",
    "Order Updated",
    "Order Cancelled",
    "Order Returned",
    "Order Refunded",
    "Receipt Issued",
    "Receipt Sent",
    "Receipt Claimed",
    "Reservation Created",
    "Reservation Updated",
    "Reservation Ready",
    "Reservation Collected",
    "Reservation Cancelled",
    "Message Sent",
    "Message Delivered",
    "Message Bounced",
    "Message Failed",
    "Email Delivered",
    "Email Bounced",
    "Email Marked as Spam",
    "SMS Delivered",
    "SMS Failed",
    "Push Notification Bounced",
    "Unsubscribed",
)
"""Facts a shop must keep to serve the customer, whatever was refused. Opens and clicks are not among them."""

OPERATIONAL_PROPERTIES = frozenset(
    [
        "order_id",
        "checkout_id",
        "transaction_id",
        "receipt_id",
        "receipt_number",
        "refund_id",
        "return_id",
        "reservation_id",
        "total",
        "revenue",
        "subtotal",
        "value",
        "price",
        "shipping",
        "tax",
        "discount",
        "refund",
        "amount",
        "currency",
        "coupon",
        "quantity",
        "products",
        "fulfilment",
        "fulfillment",
        "status",
        "reason",
        "store_id",
        "place",
        "register_id",
        "till_id",
        "associate_id",
        "payment_method",
        "ready_at",
        "collect_until",
        "collected_at",
        "expires_at",
        "message_id",
        "channel",
        "template",
        "decision_id",
        "bounce_type",
    ]
)
"""Properties of those facts that are kept: what was bought, for how much, where, and what became of it."""

_ID_CHARS = 100
"""A longer messageId is no id but a place to hide a text in."""
_PRODUCT = frozenset(
    [
        "product_id",
        "sku",
        "name",
        "variant",
        "brand",
        "category",
        "price",
        "quantity",
        "discount",
        "tax",
        "coupon",
        "value",
        "currency",
    ]
)
_CONSENT_PROPERTIES = frozenset(["purpose", "granted", "channel", "text_version", "place"])
_TIMES = (
    ("timestamp", "timestamp"),
    ("originalTimestamp", "original_timestamp"),
    ("sentAt", "sent_at"),
    ("receivedAt", "received_at"),
)


def reduced(
    message: Message,
    kind: str,
    context: Mapping[str, Any],
    preferences: Mapping[str, bool],
    operational: Collection[str],
) -> bytes | None:
    """What operations need of a message, as a message; None when they need nothing of it.

    `context` is the merged context as plain values. Kept are the account (`userId`; for consents and message
    receipts of an unknown person the `anonymousId`), never both, so that nothing joins a browser to a person.
    Reducing what was reduced changes nothing.
    """
    is_consent = kind == "identify" or (kind == "track" and message.event in CONSENT_EVENTS)
    if not is_consent and not (kind == "track" and message.event in operational):
        return None
    kept = _head(message, kind)
    if message.user_id:
        kept["userId"] = message.user_id
    elif message.anonymous_id and (is_consent or not _is_purchase(message.event)):
        kept["anonymousId"] = message.anonymous_id
    if kind == "track":
        kept["event"] = message.event
        kept["properties"] = _properties(message.properties or {}, is_consent=is_consent)
    kept["context"] = _context(context, preferences)
    return msgspec.json.encode(kept)


def skeleton(message: Message | None, kind: str | None, preferences: Mapping[str, bool]) -> bytes:
    """The bare form of a message of which nothing is needed: type, messageId, times and the refusal."""
    kept: dict[str, Any] = {"patronReduced": True}
    if message is not None:
        kept = _head(message, kind if kind in CALL_TYPES else None)
    if preferences:
        kept["context"] = {"consent": _consent(preferences)}
    return msgspec.json.encode(kept)


def _head(message: Message, kind: str | None) -> dict[str, Any]:
    head: dict[str, Any] = {"type": kind, "patronReduced": True}
    if len(message.message_id or "") <= _ID_CHARS:
        head["messageId"] = message.message_id
    head |= {key: getattr(message, name) for key, name in _TIMES}
    return {key: value for key, value in head.items() if value is not None}


def _is_purchase(event: str | None) -> bool:
    return (event or "").startswith(("Order ", "Receipt ", "Reservation "))


def _properties(given: Mapping[str, Any], *, is_consent: bool) -> dict[str, Any]:
    names = _CONSENT_PROPERTIES if is_consent else OPERATIONAL_PROPERTIES
    kept = {name: value for name, value in given.items() if name in names}
    kept = {name: value for name, value in kept.items() if name == "products" or not _is_container(value)}
    if "products" in kept:
        kept["products"] = _products(kept["products"])
    return kept


def _products(given: object) -> list[dict[str, Any]]:
    lines = given if isinstance(given, list) else []
    return [
        {name: value for name, value in line.items() if name in _PRODUCT and not _is_container(value)}
        for line in lines
        if isinstance(line, dict)
    ]


def _is_container(value: object) -> bool:
    return isinstance(value, dict | list)


def _context(context: Mapping[str, Any], preferences: Mapping[str, bool]) -> dict[str, Any]:
    kept: dict[str, Any] = {"consent": _consent(preferences)}
    if isinstance(context.get("channel"), str):
        kept["channel"] = context["channel"]
    touchpoint = context.get("touchpoint")
    if isinstance(touchpoint, dict):
        kept["touchpoint"] = {
            name: touchpoint[name] for name in ("id", "kind", "store_id") if _is_plain(touchpoint.get(name))
        }
    elif _is_plain(touchpoint):
        kept["touchpoint"] = touchpoint
    identification = context.get("identification")
    if isinstance(identification, dict) and _is_plain(identification.get("notice_version")):
        kept["identification"] = {"notice_version": identification["notice_version"]}
    if isinstance(context.get("userHash"), str):
        kept["userHash"] = context["userHash"]
    return kept


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _consent(preferences: Mapping[str, bool]) -> dict[str, dict[str, bool]]:
    return {"categoryPreferences": dict(sorted(preferences.items()))}
