"""How `patron sim` reaches a server: by its address and a key, or by the data directory that it holds."""

from pathlib import Path

from patron.cli.client import Failed
from patron.storage.embedded import directory


def held_by(data: Path) -> tuple[str, str]:
    """Address and key of the server that holds a directory.

    Raises Failed, with what to do, when the directory is none or nobody serves it: the simulator opens no directory itself.
    """
    if not directory.exists(data):
        raise Failed(f"{data} is no Patron directory. Make one: patron init {data}")
    running = directory.running(data)
    if running is None:
        raise Failed(f"No server holds {data}. Start one, then run this again: patron serve --data {data}")
    return running.url, running.token


def server(place: str, key: str | None) -> tuple[str, str]:
    """Address and key of what was given: an address with its key, or a data directory.

    Raises Failed when an address comes without a key.
    """
    if not place.startswith(("http://", "https://")):
        return held_by(Path(place))
    if not key:
        raise Failed(
            "Give a secret key of scope admin with --key (or PATRON_KEY): patron key add score --scope admin"
        )
    return place.rstrip("/"), key
