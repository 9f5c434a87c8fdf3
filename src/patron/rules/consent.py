"""What consents as they stand allow: per purpose and channel, and whether a rule's purpose is lawful for a person."""

from collections.abc import Collection, Mapping

Consents = Mapping[tuple[str, str], tuple[bool, int]]
"""(purpose, channel or `*`) -> (granted, when it was said, ms UTC)."""

EVERYWHERE = "*"


def standing(consents: Consents, purpose: str, channel: str) -> bool | None:
    """What was last said on a purpose, on this channel or on all of them: True, False, or None when never asked.

    At the same instant a denial wins.

    >>> said = {("ads", "*"): (False, 100), ("ads", "email"): (True, 200)}
    >>> standing(said, "ads", "email"), standing(said, "ads", "sms"), standing(said, "research", "*")
    (True, False, None)
    """
    said = [consents[key] for key in ((purpose, EVERYWHERE), (purpose, channel)) if key in consents]
    if not said:
        return None
    return max(said, key=lambda word: (word[1], not word[0]))[0]


def lawful(purpose: str, consents: Consents, opt_in: Collection[str]) -> bool:
    """Whether a rule of this purpose may see a person: an opt-in purpose needs a yes on all channels, any other the lack of a no.

    >>> lawful("ads", {}, ["ads"]), lawful("service", {}, ["ads"]), lawful("service", {("service", "*"): (False, 5)}, [])
    (False, True, False)
    """
    said = standing(consents, purpose, EVERYWHERE)
    return said is True if purpose in opt_in else said is not False
