"""Sources: who may send events, and with which write keys."""

import re

from starlette.responses import Response

from patron.console.visit import Visit
from patron.model.access import ASSURANCES, CHANNELS, SOURCE_KINDS
from patron.model.errors import BadRequest, RequestError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


async def show(visit: Visit) -> Response:
    """The list, and the form for a new one."""
    return _page(visit)


async def add(visit: Visit) -> Response:
    """Make a source; its key is shown once."""
    visit.need("setup")
    fields = {name: visit.form.get(name, "").strip() for name in ("name", "channel", "kind", "assurance")}
    try:
        _check(visit, fields)
        key = await visit.app.add_source(
            fields["name"], fields["channel"], fields["kind"], fields["assurance"]
        )
    except RequestError as error:
        return _page(visit, error.message, fields, error.status)
    visit.app.audit(visit.user.name, "add_source", fields["name"])
    visit.reveal(f"Write key of {fields['name']}", key, curl(_base(visit), key))
    return visit.go("/console/data/sources", f"Source {fields['name']} was made.")


async def rotate(visit: Visit) -> Response:
    """A further key; the older ones work until they are revoked."""
    visit.need("setup")
    name = visit.form.get("name", "")
    key = await visit.app.rotate(name)
    visit.app.audit(visit.user.name, "rotate", name)
    visit.reveal(f"New write key of {name}", key, curl(_base(visit), key))
    return visit.go("/console/data/sources", "A new key was made. Older keys work until you revoke them.")


async def revoke(visit: Visit) -> Response:
    """End one key."""
    visit.need("setup")
    name, hint = visit.form.get("name", ""), visit.form.get("hint", "")
    await visit.app.revoke(name, hint)
    visit.app.audit(visit.user.name, "revoke", f"{name} {hint}")
    return visit.go(
        "/console/data/sources", f"The key {hint}… of {name} is revoked. Requests with it get 401."
    )


def curl(base: str, key: str) -> str:
    """A command that sends one event with a write key.

    >>> curl("http://127.0.0.1:8000", "wk_1").startswith("curl -u wk_1: http://127.0.0.1:8000/v1/track")
    True
    """
    body = '{"anonymousId": "me", "event": "Product Viewed", "properties": {"name": "Espresso beans 1 kg"}}'
    return f"curl -u {key}: {base}/v1/track -d '{body}'"


def _base(visit: Visit) -> str:
    return visit.app.tracking_url() or str(visit.request.base_url).rstrip("/")


def _check(visit: Visit, fields: dict[str, str]) -> None:
    if not _NAME.fullmatch(fields["name"]):
        raise BadRequest("bad_name", "Name the source with letters, digits, dots or dashes, at most 64.")
    if any(source.name == fields["name"] for source in visit.app.sources()):
        raise BadRequest("name_taken", f"There is a source {fields['name']} already. Give another name.")
    choices = (("channel", CHANNELS), ("kind", SOURCE_KINDS), ("assurance", ASSURANCES))
    for name, allowed in choices:
        if fields[name] not in allowed:
            raise BadRequest(f"bad_{name}", f"Choose a {name} from the list.")


def _page(visit: Visit, error: str = "", fields: dict[str, str] | None = None, status: int = 200) -> Response:
    return visit.page(
        "sources.html",
        status,
        sources=visit.app.sources(),
        arrived=visit.app.arrived(),
        error=error,
        fields=fields or {"channel": "web", "kind": "live", "assurance": "asserted"},
        channels=CHANNELS,
        kinds=SOURCE_KINDS,
        assurances=ASSURANCES,
    )
