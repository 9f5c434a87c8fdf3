"""Messages as the query of an image address (RudderStack's pixel, `/pixel/v1/track?...`)."""

import msgspec

_LEVELS = 8


def message_of(kind: str, parameters: list[tuple[str, str]]) -> bytes:
    """The message that a query spells: dotted names nest, values stay text.

    >>> message_of("track", [("event", "Mail Opened"), ("properties.price", "2.50"), ("anonymousId", "c1")])
    b'{"type":"track","event":"Mail Opened","properties":{"price":"2.50"},"anonymousId":"c1"}'
    """
    message: dict[str, object] = {"type": kind}
    for name, value in parameters:
        *branches, leaf = name.split(".", _LEVELS - 1)
        here = message
        for branch in branches:
            inner = here.get(branch)
            if not isinstance(inner, dict):
                inner = here[branch] = {}
            here = inner
        if not isinstance(here.get(leaf), dict):
            here[leaf] = value
    message["type"] = kind
    return msgspec.json.encode(message)
