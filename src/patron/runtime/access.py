"""Making, rotating and revoking sources, keys and accounts. Each change is a fact in the log."""

import re
import secrets
from functools import cache

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error

from patron.model.access import ASSURANCES, CHANNELS, SCOPES, SOURCE_KINDS, ApiKey, Source, WriteKey
from patron.model.errors import BadRequest, Conflict, Fault, NotFound
from patron.runtime.app import App
from patron.runtime.keys import key_hash, new_key
from patron.runtime.tables import User

HINT = 10
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}", re.IGNORECASE)
_hasher = PasswordHasher()
ROLES = ("admin", "marketer", "privacy", "developer", "viewer")


async def add_source(app: App, name: str, channel: str, kind: str, assurance: str, rate: int) -> str:
    """Make a source and its first write key; gives the key, which is not kept in clear."""
    _check_name(name)
    _check_choice("channel", channel, CHANNELS)
    _check_choice("kind", kind, SOURCE_KINDS)
    _check_choice("assurance", assurance, ASSURANCES)
    if rate < 0:
        raise BadRequest("bad_value", "`rate` is messages a second, 0 for no limit.")
    if app.workspace.sources.get(name) is not None:
        raise Conflict("source_exists", f"There is a source {name}; choose another name or rotate its key.")
    key, now = new_key("wk"), app.workspace.clock.now()
    keys = (WriteKey(key_hash(key), key[:HINT], now),)
    secret = secrets.token_hex(24)
    await app.record("Source Saved", Source(name, channel, kind, assurance, keys, secret, now, rate))
    return key


def secret_of(app: App, name: str) -> str:
    """What a shop's server signs user ids with. Raises NotFound."""
    return _source(app, name).secret


async def rotate(app: App, name: str) -> str:
    """Add a write key to a source; earlier keys live on until they are revoked."""
    source = _source(app, name)
    key = new_key("wk")
    added = WriteKey(key_hash(key), key[:HINT], app.workspace.clock.now())
    await app.record("Source Saved", msgspec.structs.replace(source, keys=(*source.keys, added)))
    return key


async def revoke_write_key(app: App, name: str, hint: str) -> None:
    """Revoke the write keys of a source that begin with `hint`."""
    source = _source(app, name)
    if not any(k.hint.startswith(hint[:HINT]) and k.revoked is None for k in source.keys):
        raise NotFound("unknown_key", f"Source {name} has no live key that begins with {hint[:HINT]}.")
    now = app.workspace.clock.now()
    keys = tuple(
        msgspec.structs.replace(k, revoked=now) if k.hint.startswith(hint[:HINT]) and k.revoked is None else k
        for k in source.keys
    )
    await app.record("Source Saved", msgspec.structs.replace(source, keys=keys))


async def add_key(
    app: App, name: str, scopes: list[str], fields: list[str], masked: list[str], sources: list[str]
) -> str:
    """Make a secret key; gives it, once."""
    _check_name(name)
    if not scopes:
        raise BadRequest("bad_value", f"Give at least one scope of: {', '.join(SCOPES)}.")
    for scope in scopes:
        _check_choice("scope", scope, SCOPES)
    if (held := app.workspace.keys.get(name)) is not None and held.revoked is None:
        raise Conflict("key_exists", f"There is a key {name}; revoke it or choose another name.")
    key = new_key("sk")
    made = ApiKey(
        name,
        key_hash(key),
        key[:HINT],
        tuple(scopes),
        tuple(fields or ["*"]),
        tuple(masked),
        tuple(sources),
        app.workspace.clock.now(),
    )
    await app.record("Key Saved", made)
    return key


async def revoke_key(app: App, name: str) -> None:
    """Revoke a secret key."""
    held = app.workspace.keys.get(name)
    if held is None or held.revoked is not None:
        raise NotFound("unknown_key", f"There is no live key {name[:64]}.")
    await app.record("Key Saved", msgspec.structs.replace(held, revoked=app.workspace.clock.now()))


async def add_user(app: App, name: str, full_name: str, role: str, password: str) -> None:
    """Make a console account, or change its name, role and password."""
    _check_name(name)
    _check_choice("role", role, ROLES)
    if len(password) < 10 or len(password) > 512:
        raise BadRequest("weak_password", "A password needs 10 to 512 characters; a sentence is a good one.")
    user = User(name, full_name or name, role, _hasher.hash(password), app.workspace.clock.now())
    await app.record("User Saved", user)


def authenticate(app: App, name: str, password: str) -> User | None:
    """The account when the password is right. Takes the same time for unknown names."""
    user = app.workspace.users.get(name)
    try:
        _hasher.verify(user.password if user else _nobody(), password)
    except Argon2Error:
        return None
    return user


def _source(app: App, name: str) -> Source:
    source = app.workspace.sources.get(name)
    if source is None:
        raise NotFound("unknown_source", f"There is no source {name[:64]}; `patron source list` shows all.")
    return source


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise BadRequest(
            "bad_name",
            "A name has 1 to 63 letters, digits, '-', '_' or '.', and begins with a letter or digit.",
        )


def _check_choice(what: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        problem = f"must be one of {', '.join(choices)}"
        raise BadRequest("bad_value", f"`{what}` {problem}, not {value[:40]!r}.", (Fault(what, problem),))


@cache
def _nobody() -> str:
    """A hash that no password fits: made once, when somebody first gives a name that does not exist."""
    return _hasher.hash("nobody has this password")
