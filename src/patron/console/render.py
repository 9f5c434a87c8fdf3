"""Templates: one Jinja environment, autoescape always on, and text made safe to read before it is escaped."""

import datetime as dt
import hashlib
import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from patron.console import charts, words
from patron.console.icons import icon
from patron.console.permissions import may, who_may
from patron.model.clock import DAY

HERE = Path(__file__).parent
STATIC = HERE / "static"
LONGEST = 600
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def _show(match: re.Match[str]) -> str:
    code = ord(match[0])
    return chr(0x2400 + code) if code < 0x20 else f"⟦{code:04X}⟧"


def readable(value: Any) -> Any:
    r"""What a template prints for a value: hidden and direction-changing characters made visible, length bounded.

    >>> readable("a\x00b\u202ec"), len(readable("x" * 10_240)) < 700
    ('a␀b⟦202E⟧c', True)
    """
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    if len(value) > LONGEST:
        value = f"{value[:LONGEST]}… ({len(value):,} characters)"
    return _HIDDEN.sub(_show, value) if _HIDDEN.search(value) else value


def ref(text: str) -> str:
    """A short stand-in for an identifier in a form field: HTML cannot carry every character of one.

    >>> len(ref("email:a@b.it"))
    20
    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:20]


def exact(text: str) -> Markup:
    r"""Text of any length for a form field, escaped; hidden characters as JSON escapes, which mean the same.

    >>> exact('{"a": "\u202e<b>"}')
    Markup('{&#34;a&#34;: &#34;\\u202e&lt;b&gt;&#34;}')
    """
    return escape(_HIDDEN.sub(lambda m: m[0] if m[0] == "\r" else f"\\u{ord(m[0]):04x}", text))


def plain(value: Any) -> str:
    """A trait or property as one line of text.

    >>> plain(True), plain(None), plain("x"), plain(["a", 1])
    ('yes', 'none', 'x', '["a",1]')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "none"
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return words.count(value) if abs(value) < 100_000 else str(value)
    return msgspec.json.encode(value).decode()


_WORDS = (
    *("count", "plural", "money", "rate", "percent", "signed", "probability", "size", "span"),
    *(
        "channel",
        "kind",
        "key_parts",
        "label",
        "reason",
        "gate",
        "detail",
        "written",
        "trait",
        "purpose",
        "own",
    ),
)


_PAIRS: dict[str, Callable[..., Any]] = {
    "value": lambda value, unit: f"{words.figure(value)} {unit}".strip(),
    "capitalize_first": lambda text: text[:1].upper() + text[1:],
    "pair": lambda one: (one.id, one.name),
    "prop_pair": lambda field: (field, field.removeprefix("properties.")),
    "fact_pair": lambda one, root: (f"{root}.{one.id}", one.name),
    "purpose_pair": lambda name: (name, words.purpose(name)),
    "week_day": lambda ms, times: f"{words.local(ms, times.tz).day} {words.local(ms, times.tz):%b}",
    "period": lambda offer, times: times.period(offer.valid_from, offer.valid_until),
    "amount": words.amount,
    "channel_pair": lambda name: (name, words.channel(name)),
}
"""Choices of a select: what is sent, and what people read."""


def _environment() -> Environment:
    env = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        finalize=readable,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in _WORDS:
        env.filters[name] = getattr(words, name)
    env.filters.update(_PAIRS)
    env.filters["where"] = lambda decision: words.place(decision.channel, decision.placement)
    env.filters.update(exact=exact, plain=plain, ref=ref)
    env.globals.update(icon=icon, asset=asset, charts=charts, may=may, who_may=who_may)
    return env


@lru_cache(maxsize=64)
def asset(name: str) -> str:
    """The address of a static file, with a mark of its content so that browsers may keep it for ever."""
    mark = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/console/static/{name}?v={mark}"


ENVIRONMENT = _environment()


class Times:
    """The time functions of `words`, bound to one workspace's zone and one `now`, for templates.

    >>> Times("UTC", 3_600_000).day(0)
    'Today, Thursday 1 January'
    """

    def __init__(self, zone_name: str, now: int) -> None:
        self.zone = zone_name
        self.tz: dt.tzinfo = words.zone(zone_name)
        self.now = now

    def hm(self, ms: int) -> str:
        """Hours and minutes."""
        return words.hm(ms, self.tz)

    def hms(self, ms: int) -> str:
        """Hours, minutes, seconds."""
        return words.hms(ms, self.tz)

    def date(self, ms: int) -> str:
        """A short date."""
        return words.date(ms, self.tz)

    def moment(self, ms: int) -> str:
        """A short date and time."""
        return words.moment(ms, self.tz)

    def long(self, ms: int, *, year: bool = False) -> str:
        """A date in words."""
        return words.long_date(ms, self.tz, year=year)

    def period(self, begin: int | None, end: int | None) -> str:
        """When something holds; ends at midnight UTC are written as the last day, as they were meant.

        >>> Times("Europe/Rome", 0).period(None, 2 * 86_400_000), Times("UTC", 0).period(0, None)
        ('until 2 Jan 1970', 'from 1 Jan 1970')
        """
        since = "" if begin is None else f"from {self._bound(begin, 0)}"
        until = "" if end is None else f"until {self._bound(end, 1)}"
        return " ".join(one for one in (since, until) if one) or "always"

    def _bound(self, ms: int, back: int) -> str:
        return self.moment(ms) if ms % DAY else words.date(ms - back, dt.UTC)

    def day(self, ms: int) -> str:
        """The heading of a day."""
        return words.day(ms, self.now, self.tz)

    def stamp(self, ms: int) -> str:
        """The time of a row: to the second today, else with its date.

        >>> Times("UTC", 3_600_000).stamp(0), Times("UTC", 90_000_000).stamp(0)
        ('00:00:00', '1 Jan 1970, 00:00')
        """
        today = self.date(ms) == self.date(self.now)
        return self.hms(ms) if today else self.moment(ms)

    def ago(self, ms: int) -> str:
        """How long ago, or when."""
        return words.ago(ms, self.now, self.tz)

    def hour(self) -> int:
        """The hour of the day."""
        return words.local(self.now, self.tz).hour


def render(template: str, context: dict[str, Any]) -> str:
    """One template as HTML."""
    return ENVIRONMENT.get_template(template).render(context)
