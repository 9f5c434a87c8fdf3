"""Keys: which systems may read profiles, ask for decisions, or administer."""

import re

from starlette.responses import Response

from patron.console.visit import Visit
from patron.model.access import SCOPES
from patron.model.errors import BadRequest, RequestError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
SCOPE_WORDS = {
    "profiles:read": "Read profiles",
    "profiles:write": "Split profiles",
    "segments": "Define segments and computed traits",
    "decide": "Ask for decisions",
    "deadletters": "Read and replay dead letters",
    "privacy": "Export and erase people",
    "feeds": "Load and read reference feeds",
    "admin": "Everything",
}


async def show(visit: Visit) -> Response:
    """The list, and the form for a new one."""
    return _page(visit)


async def add(visit: Visit) -> Response:
    """Make a key; it is shown once."""
    visit.need("setup")
    name = visit.form.get("name", "").strip()
    scopes = [scope for scope in visit.form.getlist("scope") if scope in SCOPES]
    fields, masked = _listed(visit, "fields") or ["*"], _listed(visit, "masked")
    sources, held = visit.form.getlist("source"), visit.app.keys()
    try:
        if not _NAME.fullmatch(name):
            raise BadRequest("bad_name", "Name the key with letters, digits, dots or dashes, at most 64.")
        if any(one.name == name and one.revoked is None for one in held):
            raise BadRequest("name_taken", f"There is a key {name} already. Give another name.")
        if not scopes:
            raise BadRequest("no_scope", "Choose at least one thing that the key may do.")
        secret = await visit.app.add_key(name, scopes, fields, masked, sources)
    except RequestError as error:
        return _page(visit, error.message, error.status, set(scopes))
    visit.app.audit(visit.user.name, "add_key", name)
    base = str(visit.request.base_url).rstrip("/")
    visit.reveal(f"Secret key {name}", secret, f"curl -u {secret}: {base}/v1/status")
    return visit.go("/console/data/keys", f"Key {name} was made.")


async def revoke(visit: Visit) -> Response:
    """End a key."""
    visit.need("setup")
    name = visit.form.get("name", "")
    await visit.app.revoke_key(name)
    visit.app.audit(visit.user.name, "revoke_key", name)
    return visit.go("/console/data/keys", f"Key {name} is revoked. Requests with it get 401.")


def _listed(visit: Visit, field: str) -> list[str]:
    return [part for part in re.split(r"[\s,]+", visit.form.get(field, "")) if part]


def _page(visit: Visit, error: str = "", status: int = 200, chosen: set[str] | None = None) -> Response:
    return visit.page(
        "keys.html",
        status,
        keys=sorted(visit.app.keys(), key=lambda key: (key.revoked is not None, key.name)),
        sources=visit.app.sources(),
        scopes=SCOPE_WORDS,
        chosen=chosen or set(),
        error=error,
        name=visit.form.get("name", ""),
    )
