"""The sources of a running Patron that a world is sent through, and write keys for as long as that takes."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from patron.sim.server.api import Api, Refused, part
from patron.sim.server.load import LoadFailed, NoAnswer

OPEN = frozenset({"web", "app", "kiosk"})
"""Channels whose write key lies in everybody's hands: anybody can claim to be anybody there."""
HINT = 10
"""First characters of a write key by which it is revoked."""


def assurance(channel: str) -> str:
    """How far the links of a channel are believed.

    >>> assurance("web"), assurance("pos")
    ('asserted', 'verified')
    """
    return "asserted" if channel in OPEN else "verified"


@contextlib.contextmanager
def write_keys(
    api: Api, kind: Literal["live", "import"], channels: Mapping[str, str]
) -> Iterator[dict[str, str]]:
    """Source name -> a write key of its own, revoked at the end (unless the server is gone by then).

    A source that is missing is made; one that is there gets a further key, so that the same can be run again.

    Parameters
    ----------
    api : a key of scope `admin`.
    channels : source name -> its channel.

    Raises LoadFailed when a source of that name is there and is something else.
    """
    keys: dict[str, str] = {}
    try:
        there = {source["name"]: source for source in api.get("/v1/admin/sources")}
        for name, channel in channels.items():
            keys[name] = _key(api, kind, name, channel, there.get(name))
        yield keys
    except NoAnswer:
        keys.clear()  # nobody is there to take them back
        raise
    finally:
        with contextlib.suppress(LoadFailed, Refused):  # the server went away: what stopped the rest says so
            for name, key in keys.items():
                api.delete(f"/v1/admin/sources/{part(name)}/keys/{part(key[:HINT])}")


def _key(api: Api, kind: str, name: str, channel: str, there: Mapping[str, Any] | None) -> str:
    if there is None:
        body = {"name": name, "channel": channel, "kind": kind, "assurance": assurance(channel)}
        return str(api.post("/v1/admin/sources", body)["writeKey"])
    if (there["kind"], there["channel"]) != (kind, channel):
        raise LoadFailed(
            f"the source {name} is there already as {there['kind']} on {there['channel']}; here it has to be {kind} on "
            f"{channel}. Use a directory of its own: patron init DIR"
        )
    return str(api.post(f"/v1/admin/sources/{part(name)}/rotate", {})["writeKey"])
