"""Whether a purpose may be served to a person, from the consents as they stand."""

from collections.abc import Mapping

Consents = Mapping[tuple[str, str], tuple[bool, int]]
"""(purpose, channel or `*`) -> (granted, when it was said)."""


def standing(consents: Consents, purpose: str, channel: str) -> bool | None:
    """What the person last said about a purpose on a channel: True, False, or None when never asked.

    A statement on all channels (`*`) and one on this channel both apply; the later one holds, and at the same
    instant denial wins (the law of consents in `docs`: by time, denied, id).

    >>> said = {("personalization", "*"): (False, 100), ("personalization", "web"): (True, 200)}
    >>> standing(said, "personalization", "web"), standing(said, "personalization", "pos"), standing(said, "ads", "web")
    (True, False, None)
    """
    if not consents:
        return None
    everywhere, here = consents.get((purpose, "*")), consents.get((purpose, channel))
    if everywhere is None or here is None:
        said = everywhere or here
        return said[0] if said else None
    if everywhere[1] == here[1]:
        return everywhere[0] and here[0]
    return everywhere[0] if everywhere[1] > here[1] else here[0]
