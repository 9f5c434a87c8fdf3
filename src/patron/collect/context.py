"""What surrounds a message: its `context`, merged over that of the batch and read once."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from patron.collect import consent, identifiers
from patron.collect.limits import Limits
from patron.collect.refusal import Refused
from patron.model.events import CHANNELS, ConsentClaim, ExternalId


class Surroundings(Struct, frozen=True, gc=False):
    """A context as read: what the event takes from it."""

    channel: str | None = None
    touchpoint: str | None = None
    store: str | None = None
    text_version: str = ""
    preferences: dict[str, bool] = {}
    consents: tuple[ConsentClaim, ...] = ()
    external_ids: tuple[ExternalId, ...] = ()
    """Those of `externalIds`, then those of the device."""
    traits: dict[str, Any] = {}
    user_hash: object = None
    names_somebody: bool = False
    """Whether its identifiers or traits tell of a person, not only of a device."""


PLAIN = Surroundings()
"""What a context means that only tells of the page and the library, as nearly every one does."""

_KEPT = frozenset(
    {"page", "campaign", "locale", "library", "touchpoint", "device", "identification", "traits"}
)
"""What rooms use of a context; the rest stays in the log only."""

_READ = frozenset(
    {
        "channel",
        "consent",
        "touchpoint",
        "identification",
        "device",
        "externalIds",
        "externalId",  # RudderStack's spelling
        "userHash",
        "traits",
    }
)
"""What has a meaning for the envelope, beyond being kept."""


def merge(own: Mapping[str, Any], batch: Mapping[str, Any]) -> dict[str, Any]:
    """The message's own context over the batch's, field by field; null says nothing.

    Consents merge by purpose, so that a refusal for the whole batch is not lost under a message that only
    speaks of another purpose.

    >>> merge({"locale": None, "page": {"path": "/"}}, {"locale": "it-IT", "page": {"url": "u"}})
    {'locale': 'it-IT', 'page': {'path': '/'}}
    """
    merged = {**batch, **{name: value for name, value in own.items() if value is not None}}
    if own.get("consent") and batch.get("consent"):
        both = consent.preferences(batch["consent"]) | consent.preferences(own["consent"])
        merged["consent"] = {"categoryPreferences": both}
    return merged


def read(context: dict[str, Any], limits: Limits) -> tuple[dict[str, Any], Surroundings]:
    """What events keep of a context, and what it means; the dictionary is handed over. Raises `Refused`."""
    if _KEPT.issuperset(context):
        kept = context
    else:
        kept = {name: value for name, value in context.items() if name in _KEPT}
    if _READ.isdisjoint(context):
        return kept, PLAIN
    return {name: value for name, value in kept.items() if value}, _read_all(context, limits)


def _read_all(context: Mapping[str, Any], limits: Limits) -> Surroundings:
    touchpoint, store = _touchpoint(context.get("touchpoint"))
    version = _notice(context.get("identification"))
    wishes = consent.preferences(context.get("consent"))
    listed = context.get("externalIds") or context.get("externalId")
    external_ids = tuple(identifiers.listed(listed, limits)) if listed else ()
    device = context.get("device")
    traits = _traits(context.get("traits"))
    return Surroundings(
        channel=_channel(context.get("channel")),
        touchpoint=touchpoint,
        store=store,
        text_version=version,
        preferences=wishes,
        consents=consent.repeated(wishes, version, touchpoint or "") if wishes else (),
        external_ids=external_ids + tuple(identifiers.of_device(device, limits)) if device else external_ids,
        traits=traits,
        user_hash=context.get("userHash"),
        names_somebody=bool(external_ids or traits),
    )


def _traits(value: object) -> dict[str, Any]:
    if not value:
        return {}
    if isinstance(value, dict):
        return value
    raise Refused("not_an_object", "context.traits must be a JSON object.", "$.context.traits")


def _channel(value: object) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise Refused("unknown_channel", "context.channel must be a text.", "$.context.channel")
    return value


def _touchpoint(value: object) -> tuple[str | None, str | None]:
    if isinstance(value, dict):
        return (
            identifiers.id_text(value.get("id"), "$.context.touchpoint.id"),
            identifiers.id_text(value.get("store_id"), "$.context.touchpoint.store_id"),
        )
    return (identifiers.id_text(value, "$.context.touchpoint"), None) if value is not None else (None, None)


def _notice(identification: object) -> str:
    if not isinstance(identification, dict):
        return ""
    version = identification.get("notice_version")
    return version if isinstance(version, str) else ""


def channel_of(name: str, mapped: Mapping[str, str]) -> str:
    """The channel that a message names. Raises `Refused` (`unknown_channel`).

    An unknown channel is never guessed: the message is quarantined until somebody maps it.

    >>> channel_of("tablet", {"tablet": "associate_tablet"}), channel_of("web", {})
    ('associate_tablet', 'web')
    """
    if name in CHANNELS:
        return name
    known = mapped.get(name)
    if known in CHANNELS:
        return known
    raise Refused(
        "unknown_channel",
        f"The channel {name[:60]!r} is unknown; map it to one of {', '.join(CHANNELS)} and replay.",
        "$.context.channel",
    )
