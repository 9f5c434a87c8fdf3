"""Quarantine: what did not fit, and why? Each can be read, mended and sent again."""

import re
from typing import Any
from urllib.parse import quote

import msgspec
from starlette.responses import Response

from patron.console import words
from patron.console.render import ref
from patron.console.visit import Visit
from patron.model.errors import BadRequest, NotFound
from patron.model.events import CHANNELS

PAGE = 25
REFUSED = "collection_refused"
"""Not a fault: a person's no. Shown apart, never counted among what waits."""
_MOST_LINES = 800


async def show(visit: Visit) -> Response:
    """Dead letters by reason."""
    code, source = visit.query.get("code", ""), visit.query.get("source", "")
    letters, cursor, counts = visit.app.dead_letters(code, source, visit.query.get("cursor") or None, PAGE)
    refused = counts.pop(REFUSED, 0)
    return visit.page(
        "quarantine.html",
        letters=letters,
        cursor=cursor,
        counts=sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])),
        total=sum(counts.values()),
        refused=refused,
        code=code,
        source=source,
        sources=[one.name for one in visit.app.sources()],
        unknown=_unknown_channels(visit) if counts.get("unknown_channel") else [],
        channels=CHANNELS,
    )


async def open_one(visit: Visit) -> Response:
    """One dead letter with its message."""
    return _page(visit)


async def reveal(visit: Visit) -> Response:
    """One dead letter in clear, for a role that reads masked data and has to mend it. The look is logged."""
    visit.need("reveal")
    visit.house.app.audit(visit.user.name, "reveal", visit.path["id"])
    return _page(visit, clear=True)


async def replay(visit: Visit) -> Response:
    """Send it again, edited or as it was."""
    visit.need("letters")
    if visit.form.get("as_it_was"):
        return await _replayed(visit, None, None)
    text = visit.form.get("message", "").replace("\r\n", "\n")
    try:
        edited = msgspec.json.decode(text, type=dict[str, Any])
    except (ValueError, RecursionError) as error:
        return _page(visit, f"This is not JSON: {str(error)[:200]}. Nothing was sent.", text, 422)
    found = visit.house.app.dead_letter(visit.path["id"])  # as it came: the text is compared, not shown
    same = found is not None and _decoded(found[1]) == edited
    return await _replayed(visit, None if same else text, text)


async def _replayed(visit: Visit, edited: str | None, text: str | None) -> Response:
    """Send the message, or `edited` for it; refused again, the page shows `text`, which the reader has written."""
    letter_id = visit.path["id"]
    accepted, message = await visit.app.replay_dead_letter(letter_id, edited)
    visit.app.audit(visit.user.name, "replay", letter_id)
    if not accepted:
        return _page(visit, message, text, 422)
    return visit.go("/console/data/quarantine", message)


async def map_channel(visit: Visit) -> Response:
    """Say what an unknown channel is, and replay what waits for it."""
    visit.need("letters")
    stand_in, channel = visit.form.get("unknown", ""), visit.form.get("channel", "")
    unknown = next((name for name, _ in _unknown_channels(visit) if ref(name) == stand_in), None)
    if channel not in CHANNELS or unknown is None:
        raise BadRequest("bad_channel", "Choose the channel that the unknown name stands for.")
    accepted, refused = await visit.app.map_channel(unknown, channel)
    visit.app.audit(visit.user.name, "map_channel", f"{unknown} {channel}")
    rest = f" {words.plural(refused, 'event')} still wait for another reason." if refused else ""
    return visit.go(
        "/console/data/quarantine",
        f"{unknown[:60]} is {words.channel(channel)} from now on. {words.plural(accepted, 'event')} accepted.{rest}",
    )


def marked_lines(text: str, path: str) -> list[tuple[str, bool]]:
    """A message as indented lines, with those of the faulty field marked.

    Parameters
    ----------
    text
        The message as JSON text; unreadable text comes back as it is.
    path
        The faulty field, as `properties.price`, `$.properties.price` or `/properties/price`.

    Examples
    --------
    >>> marked_lines('{"a": {"b": 1}, "c": 2}', "a.b")
    [('{', False), ('  "a": {', False), ('    "b": 1', True), ('  },', False), ('  "c": 2', False), ('}', False)]
    """
    value = _decoded(text)
    if value is None:
        return [(line, False) for line in text.splitlines()[:_MOST_LINES]]
    target = tuple(part for part in re.split(r"[.\[\]/$]+", path) if part)
    return _lines(value, (), target, "", "")[:_MOST_LINES]


def _lines(
    value: Any, at: tuple[str, ...], target: tuple[str, ...], head: str, tail: str
) -> list[tuple[str, bool]]:
    pad = "  " * len(at)
    hit = bool(target) and at[: len(target)] == target
    if isinstance(value, dict | list) and value and len(at) < 60:
        pairs = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
        opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
        lines = [(f"{pad}{head}{opening}", hit)]
        for index, (key, inner) in enumerate(pairs):
            name = f"{_json(key)}: " if isinstance(value, dict) else ""
            comma = "," if index < len(pairs) - 1 else ""
            lines += _lines(inner, (*at, str(key)), target, name, comma)
        return [*lines, (f"{pad}{closing}{tail}", hit)]
    return [(f"{pad}{head}{_json(value)}{tail}", hit)]


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _decoded(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return None


def _unknown_channels(visit: Visit) -> list[tuple[str, int]]:
    letters, _, _ = visit.app.dead_letters("unknown_channel", "", None, 500)
    counts: dict[str, int] = {}
    for letter in letters:
        counts[letter.channel] = counts.get(letter.channel, 0) + 1
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def _page(
    visit: Visit, error: str = "", text: str | None = None, status: int = 200, *, clear: bool = False
) -> Response:
    found = (visit.house.app if clear else visit.app).dead_letter(visit.path["id"])
    if found is None:
        raise NotFound(
            "unknown_letter", "There is no such dead letter: it was replayed, dismissed or erased."
        )
    letter, raw = found
    lines = marked_lines(raw, letter.path)
    return visit.page(
        "deadletter.html",
        status,
        letter=letter,
        lines=lines,
        text=text if text is not None else "\n".join(line for line, _ in lines),
        cut=len(lines) >= _MOST_LINES,
        error=error,
        masked=visit.masked and not clear and text is None,
        action=f"/console/data/quarantine/{quote(letter.id, safe='')}",
    )
