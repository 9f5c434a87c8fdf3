"""The tracking API as the OpenAPI document tells it. The door itself forgives more than is written here."""

from typing import Any

import msgspec

from patron.collect.replies import Taken
from patron.model.events import CALL_TYPES

_TEXT_OR_NUMBER: dict[str, Any] = {"type": ["string", "number", "null"]}
_TIME: dict[str, Any] = {
    "type": ["string", "integer", "null"],
    "description": "ISO 8601, or milliseconds since 1970.",
}
_OBJECT: dict[str, Any] = {"type": ["object", "null"]}
_MESSAGE: dict[str, Any] = {
    "type": "object",
    "description": "One call of the Segment specification.",
    "properties": {
        "type": {"enum": list(CALL_TYPES)},
        "event": {"type": ["string", "null"], "description": "The name; a track call needs it."},
        "messageId": {"type": ["string", "null"], "description": "Its own id: a second copy is not counted."},
        "userId": _TEXT_OR_NUMBER,
        "anonymousId": _TEXT_OR_NUMBER,
        "previousId": _TEXT_OR_NUMBER,
        "groupId": _TEXT_OR_NUMBER,
        "timestamp": _TIME,
        "sentAt": _TIME,
        "properties": _OBJECT,
        "traits": _OBJECT,
        "context": _OBJECT,
        "integrations": _OBJECT,
        "writeKey": {"type": "string", "description": "In place of Basic authorization."},
    },
}
_BATCH: dict[str, Any] = {
    "type": "object",
    "required": ["batch"],
    "properties": {
        "batch": {"type": "array", "maxItems": 5000, "items": {"$ref": "#/components/schemas/Message"}},
        "sentAt": _TIME,
        "context": _OBJECT,
        "integrations": _OBJECT,
        "writeKey": {"type": "string"},
    },
}
_ERRORS = {
    "400": "The body cannot be read at all.",
    "401": "The write key is missing, unknown or revoked.",
    "408": "The body did not arrive in time.",
    "413": "Too large, or too many messages.",
    "429": "This key sends too much: wait `Retry-After` seconds.",
    "503": "Busy: wait `Retry-After` seconds and send it again.",
}


def paths() -> dict[str, Any]:
    """The path items of the tracking API."""
    single = {f"/v1/{call}": _operation(call, f"Take one {call} call.", "Message") for call in CALL_TYPES}
    return {**single, "/v1/batch": _operation("batch", "Take many calls at once.", "Batch")}


def schemas() -> dict[str, Any]:
    """The components that they refer to."""
    _, found = msgspec.json.schema_components([Taken], ref_template="#/components/schemas/{name}")
    return {**found, "Message": _MESSAGE, "Batch": _BATCH}


def _operation(name: str, summary: str, body: str) -> dict[str, Any]:
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    done = {"application/json": {"schema": {"$ref": "#/components/schemas/Taken"}}}
    description = (
        "Answered when the messages are durable and applied. One bad message never fails the others."
    )
    return {
        "post": {
            "summary": summary,
            "description": description,
            "operationId": f"post_v1_{name}",
            "parameters": [],
            "security": [{"writeKey": []}],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{body}"}}},
            },
            "responses": {
                "200": {"description": "Durable and applied.", "content": done},
                **{code: {"description": text, "content": error} for code, text in _ERRORS.items()},
            },
        }
    }
