"""Outcomes by decision id: each is told on as the ordinary event that it stands for, so that it lies in the log once."""

import math
from typing import Any

import msgspec

from patron.identity.claims import key_of
from patron.model.access import Source
from patron.model.errors import BadRequest, NotFound
from patron.model.offers import Ask
from patron.model.outcomes import KINDS, Reported
from patron.model.people import Key
from patron.runtime.app import App
from patron.runtime.decisions.answer import Answers
from patron.runtime.decisions.rewards import RETRACTED
from patron.runtime.flow import uncut

BY = "outcomes"
"""The source of outcomes that come with a secret key."""
_EVENTS = {
    "view": "Offer Shown",
    "click": "Offer Clicked",
    "accept": "Offer Accepted",
    "dismiss": "Offer Dismissed",
    "visit": "Store Entered",
    "unsubscribe": "Unsubscribed",
}
_UNDONE = frozenset({"view", "click", "accept", "visit"})
"""Kinds that can be taken back beside orders."""
_LONGEST = 80
_UNKNOWN = "There is no such decision of yours; it may belong to a person who was erased."


async def report(
    app: App, answers: Answers, told: Reported, *, trusted: bool, source: Source | None
) -> dict[str, Any]:
    """Take an outcome; durable, applied and learned from when this returns.

    Parameters
    ----------
    trusted : the caller holds a secret key. A write key (`source`) may tell only of what its own device asked, or
        whoever it proves to be.

    Raises
    ------
    BadRequest : with what to do. NotFound : no such decision, or not the caller's.
    """
    _check(told)
    row = app.workspace.decisions.get(told.decision_id)
    node = "" if row is None else uncut(row.node, app.workspace.cuts)
    if row is None or (not trusted and _asker(answers, told, source) != node):
        raise NotFound("unknown_decision", _UNKNOWN)
    sender = source or Source(BY, row.channel, assurance="observed")
    event, properties = _event(told)
    message = {
        "type": "track",
        "event": event,
        "messageId": f"outcome-{told.id}{'-void' if told.void else ''}",
        "properties": {"decision_id": told.decision_id, **properties},
        **_who(node, told, app),
        **({"timestamp": told.time} if told.time else {}),
    }
    body = msgspec.json.encode({"batch": [message]})
    receipt = await app.ingest.accept(sender, "batch", body)
    if receipt.faults:
        raise BadRequest("bad_outcome", receipt.faults[0].problem, receipt.faults)
    return {
        "decisionId": told.decision_id,
        "event": event,
        "accepted": receipt.accepted > 0,
        "position": receipt.position,
    }


def _check(told: Reported) -> None:
    if told.kind not in KINDS:
        raise BadRequest("bad_outcome", f"`kind` is one of {', '.join(KINDS)}, not {told.kind[:40]!r}.")
    if not told.id or len(told.id) > _LONGEST or not told.id.isprintable():
        raise BadRequest(
            "bad_outcome", f"`id` is your own id of the outcome, 1 to {_LONGEST} printable characters."
        )
    if told.void and told.kind in _EVENTS and told.kind not in _UNDONE:
        raise BadRequest("bad_outcome", f"Of a {told.kind} nothing is taken back: it only ends something.")
    if told.kind == "order" and told.value is None and not told.void:
        raise BadRequest("bad_outcome", "An order needs `value`, its revenue; below 0 it is a refund.")
    if told.kind == "refund" and not told.order_id:
        raise BadRequest("bad_outcome", "A refund needs `orderId`: the order that it gives back.")
    if told.value is not None and not math.isfinite(told.value):
        raise BadRequest("bad_outcome", "`value` is a finite number.")


def _asker(answers: Answers, told: Reported, source: Source | None) -> Key | None:
    """The node that a write key may speak of; None: nobody."""
    if told.user_id is None and told.anonymous_id is None:
        return None
    ask = Ask("", told.user_id, told.anonymous_id)
    return answers.asker(ask, trusted=False, source=source, user_hash=told.user_hash) or None


def _event(told: Reported) -> tuple[str, dict[str, Any]]:
    """The ordinary event of an outcome, and what it says."""
    if told.kind in _EVENTS:
        if told.void:
            return RETRACTED, {"kind": told.kind}
        return _EVENTS[told.kind], {} if told.value is None else {"value": told.value}
    money = {"currency": told.currency} if told.currency else {}
    order = {"order_id": told.order_id or f"outcome-{told.id}"}
    if told.void and told.kind == "order":
        return "Order Cancelled", order
    value = 0.0 if told.void or told.value is None else told.value
    if told.kind == "order" and value >= 0:
        return "Order Completed", {**order, "revenue": value, **money}
    # a refund replaces itself by its id: taken back, it gives back nothing
    return "Order Refunded", {**order, "refund_id": f"outcome-{told.id}", **_back(told, value), **money}


def _back(told: Reported, value: float) -> dict[str, Any]:
    """What a refund gives back; a refund that names no value gives back the whole order."""
    return {} if told.value is None and not told.void else {"revenue": abs(value)}


def _who(node: Key, told: Reported, app: App) -> dict[str, Any]:
    """The identifier of the node, as a message carries it."""
    kind, _, value = node.partition(":")
    if kind == "user_id":
        return {"userId": value}
    if kind == "anonymous_id":
        return {"anonymousId": value}
    if node:
        return {
            "context": {
                "externalIds": [{"type": kind, "id": value, "collection": "users", "encoding": "none"}]
            }
        }
    rules = app.workspace.settings.identity
    if told.anonymous_id and key_of("anonymous_id", told.anonymous_id, rules):
        return {"anonymousId": told.anonymous_id}
    raise BadRequest(
        "bad_outcome", "That decision was made for nobody: give `anonymousId`, of the touchpoint for example."
    )
