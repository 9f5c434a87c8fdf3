"""By which channels people may be met: they are known there, and nobody refused."""

import asyncio
from collections import Counter
from collections.abc import Iterable

from patron.model.audiences import Door
from patron.rules.consent import Consents, standing
from patron.runtime.people import people
from patron.runtime.workspace import Workspace

ADDRESSES = {"email": "email", "sms": "phone", "push": "push_token", "pos": "card", "call_centre": "phone"}
"""channel -> the kind of identifier by which somebody is met in it."""
MARKETING = {"email": "email_marketing", "sms": "sms_marketing", "push": "push_marketing"}
"""Purposes of a channel's own; a no to one closes the channel."""
BREATH = 25
"""People between two breaths, so that others are served."""


async def doors(
    workspace: Workspace, names: Iterable[str], purpose: str, times: float = 1.0
) -> tuple[tuple[Door, ...], int]:
    """By which channels these people (ids) may be met for a purpose, and how many by none; each stands for `times` people."""
    met: Counter[str] = Counter()
    nowhere = 0
    for at, name in enumerate(names, 1):
        opened = _open(workspace, name, purpose)
        met.update(opened)
        nowhere += not opened
        if at % BREATH == 0:
            await asyncio.sleep(0)
    found = tuple(
        Door(channel, round(met[channel] * times), f"{kind}, and no refusal")
        for channel, kind in ADDRESSES.items()
        if met[channel]
    )
    return found, round(nowhere * times)


def _open(workspace: Workspace, name: str, purpose: str) -> list[str]:
    person = workspace.graph.person_by_id(name)
    if person is None:
        return []
    said = people.profile(workspace, person).consents
    consents = {key: (word.granted, word.stamp[0]) for key, word in said.items()}
    kinds = {key.partition(":")[0] for key in person.members}
    return [
        channel
        for channel, kind in ADDRESSES.items()
        if kind in kinds and _is_open(consents, purpose, channel)
    ]


def _is_open(consents: Consents, purpose: str, channel: str) -> bool:
    """Whether nobody said no to a purpose in a channel, nor to what is sent there.

    >>> _is_open({("email_marketing", "*"): (False, 5)}, "ads", "email"), _is_open({}, "ads", "email")
    (False, True)
    """
    purposes = (purpose, MARKETING.get(channel, purpose))
    return all(standing(consents, one, channel) is not False for one in purposes)
