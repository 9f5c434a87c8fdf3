"""Consents as messages carry them: a state repeated in the context, or a change to prove."""

from collections.abc import Iterable, Mapping
from typing import Any

from patron.collect.refusal import Refused
from patron.model.events import ConsentClaim

CONSENT_CHANGED = "Consent Changed"
"""Our event of one change: properties `purpose`, `granted`, `channel`, `text_version`, `place`."""

CONSENT_EVENTS = frozenset(
    {CONSENT_CHANGED, "Segment Consent Preference", "Segment Consent Preference Updated"}
)
"""Events that are themselves a change of consent; Segment's carry it in their context."""

_PURPOSE_CHARS = 200


def preferences(consent: object) -> dict[str, bool]:
    """Purpose -> granted, from `context.consent` (Segment's `categoryPreferences`).

    A null stands for no answer. Anything else that is not true or false raises `Refused` (`bad_consent`): an
    unreadable refusal must not pass for a consent.

    >>> preferences({"categoryPreferences": {"profiling": False, "email_marketing": None}})
    {'profiling': False}
    """
    if not consent:
        return {}
    if not isinstance(consent, dict):
        raise Refused("bad_consent", "context.consent must be an object.", "$.context.consent")
    given = consent.get("categoryPreferences")
    if not given:
        return {}
    path = "$.context.consent.categoryPreferences"
    if not isinstance(given, dict):
        raise Refused("bad_consent", "categoryPreferences must be an object of true and false.", path)
    for purpose, granted in given.items():
        if granted is not None and not isinstance(granted, bool):
            raise Refused("bad_consent", "A preference must be true or false.", f"{path}.{purpose}"[:200])
        if not purpose or len(purpose) > _PURPOSE_CHARS:
            raise Refused("bad_consent", f"A purpose has 1 to {_PURPOSE_CHARS} characters.", path)
    return {purpose: granted for purpose, granted in given.items() if granted is not None}


def refuses(preferences: Mapping[str, bool], purposes: Iterable[str]) -> bool:
    """Whether one of the collection purposes is refused.

    >>> refuses({"profiling": False}, ("analytics", "profiling"))
    True
    """
    return any(preferences.get(purpose) is False for purpose in purposes)


def repeated(preferences: Mapping[str, bool], text_version: str, place: str) -> tuple[ConsentClaim, ...]:
    """The claims of a context, sorted by purpose."""
    return tuple(
        ConsentClaim(purpose=purpose, granted=granted, text_version=text_version, place=place)
        for purpose, granted in sorted(preferences.items())
    )


def explicit(claims: Iterable[ConsentClaim]) -> tuple[ConsentClaim, ...]:
    """The same claims, as a change to prove (Segment's consent events carry it in their context)."""
    return tuple(
        ConsentClaim(c.purpose, c.granted, c.channel, c.text_version, c.place, explicit=True) for c in claims
    )


def changed(properties: Mapping[str, Any], text_version: str, place: str) -> ConsentClaim:
    """The claim of a `Consent Changed` event; version and place fall back to those of the context.

    Raises `Refused` (`bad_consent`) when the purpose is missing or `granted` is not true or false.

    >>> changed({"purpose": "sms", "granted": False, "place": "till-2"}, "it-3", "").place
    'till-2'
    """
    purpose, granted = properties.get("purpose"), properties.get("granted")
    if not isinstance(purpose, str) or not 0 < len(purpose) <= _PURPOSE_CHARS:
        raise Refused("bad_consent", "Consent Changed needs a purpose.", "$.properties.purpose")
    if not isinstance(granted, bool):
        raise Refused("bad_consent", "Consent Changed needs granted: true or false.", "$.properties.granted")
    return ConsentClaim(
        purpose=purpose,
        granted=granted,
        channel=_text(properties.get("channel")) or "*",
        text_version=_text(properties.get("text_version")) or text_version,
        place=_text(properties.get("place")) or place,
        explicit=True,
    )


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""
