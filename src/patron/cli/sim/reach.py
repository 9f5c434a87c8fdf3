"""How `patron sim` reaches a server: by its address and a key, or by the data directory that it holds."""

from pathlib import Path

from msgspec import Struct

from patron.cli.client import Failed
from patron.storage.embedded import directory


class Server(Struct, frozen=True):
    """A running server: where it answers administration, and a secret key of scope `admin`."""

    url: str
    key: str


def held(data: Path) -> Server:
    """The server that holds a directory.

    Raises Failed, with what to do, when the directory is none or nobody serves it: the simulator opens no directory itself.
    """
    if not directory.exists(data):
        raise Failed(f"{data} is no Patron directory. Make one: patron init {data}")
    running = directory.running(data)
    if running is None:
        raise Failed(f"No server holds {data}. Start one, then run this again: patron serve --data {data}")
    return Server(running.url, running.token)


def is_address(place: str) -> bool:
    """Whether a text is an address, rather than a directory.

    >>> is_address("http://127.0.0.1:8080"), is_address("shop")
    (True, False)
    """
    return place.startswith(("http://", "https://"))


def at(url: str, key: str | None) -> Server:
    """The server at an address. Raises Failed when it is no address, or comes without a key that can be one."""
    if not is_address(url):
        raise Failed(f"{url} is no address; give one such as http://127.0.0.1:8080")
    if not key:
        raise Failed(
            "Give a secret key of scope admin with --key (or PATRON_KEY): patron key add sim --scope admin"
        )
    if not (key.isascii() and key.isprintable()):
        raise Failed("The key holds characters that no key has; copy it again.")
    return Server(url.rstrip("/"), key)
