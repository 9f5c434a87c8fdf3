"""What consents as they stand allow: per purpose and channel, and whether a rule's purpose is lawful for a person."""

from collections.abc import Collection, Mapping

Consents = Mapping[tuple[str, str], tuple[bool, int]]
"""(purpose, channel or `*`) -> (granted, when it was said, ms UTC)."""

EVERYWHERE = "*"


def standing(consents: Consents, purpose: str, channel: str) -> bool | None:
    """What was last said on a purpose, on this channel or on all of them: True, False, or None when never asked.

    One on all channels (`*`) and one on this channel both apply; the later one holds, and at the same instant a denial wins.

    >>> said = {("ads", "*"): (False, 100), ("ads", "email"): (True, 200)}
    >>> standing(said, "ads", "email"), standing(said, "ads", "sms"), standing(said, "research", "*")
    (True, False, None)
    """
    if not consents:
        return None
    everywhere, here = consents.get((purpose, EVERYWHERE)), consents.get((purpose, channel))
    if everywhere is None or here is None:
        said = everywhere or here
        return said[0] if said else None
    if everywhere[1] == here[1]:
        return everywhere[0] and here[0]
    return everywhere[0] if everywhere[1] > here[1] else here[0]


def lawful(purpose: str, consents: Consents, opt_in: Collection[str]) -> bool:
    """Whether a rule of this purpose may see a person: an opt-in purpose needs a yes on all channels, any other the lack of a no.

    >>> lawful("ads", {}, ["ads"]), lawful("service", {}, ["ads"]), lawful("service", {("service", "*"): (False, 5)}, [])
    (False, True, False)
    """
    said = standing(consents, purpose, EVERYWHERE)
    return said is True if purpose in opt_in else said is not False
