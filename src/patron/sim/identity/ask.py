"""Asking a running Patron which person each record belongs to, through its public profile API."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

import httpx
import msgspec

from patron.model.errors import PatronError

PATIENCE = 60.0
"""Seconds without an answer after which the server is given up."""
_NOBODY = frozenset({"unknown_person", "erased"})
"""Codes by which Patron says that nobody has an identifier; any server can say 404."""
_WRITE = "give the address of a running Patron, such as http://127.0.0.1:8080"
_DO: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "give a secret key of that workspace: patron key add lab --scope profiles:read",
    HTTPStatus.FORBIDDEN: "give a key that may read people: patron key add lab --scope profiles:read",
    HTTPStatus.NOT_FOUND: "give the address of its profile API, which is that of its console",
}


class CannotAsk(PatronError):
    """The people of the records could not be read; the message says why and what to do."""


class _Profile(msgspec.Struct):
    id: str


class _Refusal(msgspec.Struct):
    code: str
    message: str


def ask_people(
    url: str, key: str, keys: Iterable[str], progress: Callable[[int], None] | None = None
) -> dict[str, str]:
    """The person of each record as a server knows it: `GET /v1/profiles/{type}:{value}`, value as written.

    Parameters
    ----------
    url, key : address of the profile API, and a secret key of scope `profiles:read`.
    keys : keys of records (`Record.key`); each is asked for once.
    progress : told the number of keys asked for so far.

    Returns
    -------
    key -> id of the person. A key that the server does not know (it holds junk to be nobody) is left out.

    Raises CannotAsk when the server does not answer, refuses, or is no Patron.
    """
    found: dict[str, str] = {}
    headers = {"Authorization": f"Bearer {key}"}
    try:
        with httpx.Client(base_url=url, headers=headers, timeout=PATIENCE) as client:
            for at, name in enumerate(sorted(set(keys)), start=1):
                reply = client.get(f"/v1/profiles/{quote(name, safe='')}")
                if reply.status_code == HTTPStatus.OK:
                    found[name] = msgspec.json.decode(reply.content, type=_Profile).id
                else:
                    _nobody(url, name, reply)
                if progress is not None:
                    progress(at)
    except (httpx.HTTPError, httpx.InvalidURL, msgspec.DecodeError) as error:
        raise CannotAsk(f"{url} cannot be asked ({error or type(error).__name__}); {_WRITE}") from error
    return found


def _nobody(url: str, name: str, reply: httpx.Response) -> None:
    """Return when Patron says that nobody has this identifier. Raises CannotAsk for whatever else it is."""
    try:
        said = msgspec.json.decode(reply.content, type=_Refusal)
    except msgspec.DecodeError:
        raise CannotAsk(
            f"{url} answers {reply.status_code} for {name!r}, and not as Patron does; {_WRITE}"
        ) from None
    if said.code not in _NOBODY:
        sentence = f"{url} answers {reply.status_code} for {name!r}: {said.message}"
        to_do = _DO.get(reply.status_code)
        raise CannotAsk(f"{sentence} To do: {to_do}." if to_do else sentence)


def read_people(file: Path) -> dict[str, str]:
    """The person of each record from a file: one JSON object, `type:value` as written -> id.

    Raises CannotAsk when it cannot be read.
    """
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, str])
    except (OSError, msgspec.DecodeError) as error:
        raise CannotAsk(
            f'{file} cannot be read ({error}); it must be one JSON object, such as {{"card:2900": "p1"}}'
        ) from None
