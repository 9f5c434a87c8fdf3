"""An explanation drawn as a tree: what held, what did not, on which events, and until when."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MARKS = {True: "✓", False: "✗", None: "?"}


def drawn(value: Mapping[str, Any]) -> str:
    """The whole explanation of a segment for one subject, as text."""
    lines = [
        f"{value['subject']} in {value['segment']} (version {value['version']}): {value['verdict']}",
        f"  {value['sentence']}",
        "",
        *_node(value["rule"], "", ""),
    ]
    if not value["whole"]:
        lines += ["", "Only the newest events were read: this history is very long."]
    return "\n".join(lines)


def _node(node: Mapping[str, Any], first: str, rest: str) -> Iterator[str]:
    yield first + _line(node)
    inner = rest + ("│  " if node["of"] else "   ")
    for event in node["events"]:
        yield f"{inner}{_time(event['time'])}  {event['event']}  {event['channel']}, {event['source']}"
    if node["more_events"]:
        yield f"{inner}and {node['more_events']:,} more"
    for at, one in enumerate(node["of"], 1):
        is_last = at == len(node["of"])
        yield from _node(one, rest + ("└─ " if is_last else "├─ "), rest + ("   " if is_last else "│  "))


def _line(node: Mapping[str, Any]) -> str:
    text = f"{MARKS[node['held']]} {node['text']}"
    if node["hidden"]:
        return f"{text}  (this key may not read it)"
    if not node["of"] and node["kind"] in ("did", "fact"):
        text += f"  = {shown(node['value'])}"
    return text + (f"  until {_time(node['until'])}" if node["until"] else "")


def _time(text: str | None) -> str:
    """A time of the API as people read it.

    >>> _time("2026-03-02T17:04:11.120Z")
    '2026-03-02 17:04'
    """
    return "-" if text is None else text[:16].replace("T", " ")


def shown(value: Any) -> str:
    """A value for people.

    >>> shown(None), shown(True), shown(["a", 2]), shown(12.5)
    ('nothing', 'yes', 'a, 2', '12.5')
    """
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(shown(one) for one in value)
    return str(value)
