"""Catalogues of every shape, and their text: what the tests of reading write."""

import datetime as dt
import json
from typing import Any

import msgspec
from hypothesis import strategies as st

from patron.decide.said import clock
from patron.model.events import CHANNELS
from patron.model.offers import (
    Cap,
    Catalogue,
    Condition,
    Offer,
    Placement,
    Quiet,
    Scoring,
    Variant,
    Weight,
)

FAMILIES = ("", "hot", "cold")
PLACES = ("till", "web_home", "kiosk.1")
SEGMENTS = ("vip", "staff", "new")
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r"), min_size=1, max_size=20).filter(
    str.strip
)
"""Any text that TOML can say, hostile ones too."""
JSON = st.recursive(
    st.none().map(lambda _: "x") | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda part: st.lists(part, max_size=2) | st.dictionaries(TEXT, part, max_size=2),
    max_leaves=3,
)  # fmt: skip
CONTENT = st.dictionaries(TEXT, JSON, min_size=1, max_size=2)
MONEY = st.floats(0, 1e9)
CONDITIONS = st.lists(
    st.sampled_from(
        [
            Condition("totals.orders", ">=", 2),
            Condition("traits.city", "in", ("Turin", "\u202e")),
            Condition("channels.pos", "exists"),
            Condition("traits.x", "=", 'quote " and \\ and \n'),
        ]
    ),
    max_size=3,
).map(tuple)
SITUATIONS = st.lists(
    st.sampled_from([Condition("context.weather", "=", "rain"), Condition("stock.quantity", ">", 3)]),
    max_size=2,
).map(tuple)


def some(names: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(names), unique=True, max_size=2).map(tuple)


VARIANTS = st.builds(Variant, content=CONTENT, placements=some(PLACES), languages=some(("it", "de-CH", "en")))


def offers(named: str) -> st.SearchStrategy[Offer]:
    return st.builds(
        Offer,
        id=st.just(named),
        name=TEXT,
        content=st.just({}) | CONTENT,
        placements=st.just(()),
        channels=some(CHANNELS),
        valid_from=st.none() | st.integers(0, 2_000_000_000_000),
        valid_until=st.none() | st.integers(2_000_000_000_001, 4_000_000_000_000),
        purpose=TEXT,
        conditions=CONDITIONS,
        because=st.sampled_from(["", "Bought {totals.orders} times"]),
        variants=st.lists(VARIANTS, max_size=1).map(tuple),
        segments=some(SEGMENTS[:2]),
        not_segments=some(SEGMENTS[2:]),
        family=st.sampled_from(FAMILIES),
        products=st.lists(TEXT, unique=True, max_size=2).map(tuple),
        value=MONEY,
        cost=st.floats(0.01, 1e9),
        margin=st.floats(0, 1),
        priority=st.floats(0.1, 10),
        stock=st.none() | st.integers(0, 10**9),
        budget=st.none() | MONEY,
        daily_budget=st.none() | MONEY,
        cooldown_hours=st.integers(0, 1000),
    )


def placements(named: str) -> st.SearchStrategy[Placement]:
    return st.builds(
        Placement,
        id=st.just(named),
        name=TEXT,
        channel=st.sampled_from(("", *CHANNELS)),
        slots=st.integers(1, 100),
        needs=st.lists(TEXT, unique=True, max_size=2).map(tuple),
        families=st.just(()),
        outbound=st.booleans(),
        reward=st.sampled_from(["view", "click", "visit", "order", "margin"]),
        window_hours=st.integers(1, 8784),
        holdout=st.none() | st.floats(0, 1),
        fallback=st.just(""),
        explore=st.booleans(),
    )


@st.composite
def caps(draw: st.DrawFn, named: str) -> Cap:
    days = draw(st.integers(0, 366))
    hours = 0 if days else draw(st.integers(1, 8784))
    each = draw(st.sampled_from(["", "offer", "family", "channel"]))
    return Cap(
        named, draw(st.integers(1, 10**9)), days, hours, draw(some(CHANNELS)), (), each, draw(st.booleans())
    )


@st.composite
def catalogues(draw: st.DrawFn) -> Catalogue:
    """A catalogue without a fault."""
    found = tuple(draw(offers(f"o{n}")) for n in range(draw(st.integers(0, 2))))
    places = tuple(draw(placements(name)) for name in PLACES) if draw(st.booleans()) else ()
    quiet = draw(
        st.none() | st.tuples(st.integers(0, 1439), st.integers(0, 1439)).filter(lambda t: t[0] != t[1])
    )
    ids = tuple(one.id for one in found)
    weights = st.builds(
        Weight, factor=st.floats(0, 100), conditions=SITUATIONS, offers=some(ids) if ids else st.just(())
    )
    return Catalogue(
        found,
        places,
        tuple(draw(caps(f"c{n}")) for n in range(draw(st.integers(0, 2)))),
        None if quiet is None else Quiet(*quiet, draw(some(CHANNELS))),
        Scoring(
            draw(st.sampled_from([Scoring().formula, "propensity - cost"])),
            draw(MONEY),
            draw(st.floats(-1e9, 1e9)),
            tuple(draw(st.lists(weights, max_size=2))),
        ),
    )


def dump(catalogue: Catalogue) -> str:
    """The text of a catalogue: every key that is there, in TOML."""
    parts = []
    for offer in catalogue.offers:
        parts.append(_table("[[offer]]", offer, without=("variants",)))
        parts += [_table("[[offer.variant]]", variant) for variant in offer.variants]
    parts += [_table("[[placement]]", one) for one in catalogue.placements]
    parts += [
        _table("[[cap]]", one, without=("days",) if one.hours else ("hours",)) for one in catalogue.caps
    ]
    if catalogue.quiet:
        quiet = catalogue.quiet
        told = {"start": clock(quiet.start), "end": clock(quiet.end), "channels": quiet.channels}
        parts.append("\n".join(["[quiet]", *(f"{key} = {_value(value)}" for key, value in told.items())]))
    parts.append(_table("[scoring]", catalogue.scoring, without=("weights",)))
    parts += [_table("[[scoring.weight]]", one) for one in catalogue.scoring.weights]
    return "\n\n".join(parts)


def _table(heading: str, part: msgspec.Struct, without: tuple[str, ...] = ()) -> str:
    fields = {name: getattr(part, name) for name in part.__struct_fields__ if name not in without}
    for name in ("valid_from", "valid_until"):
        if fields.get(name) is not None:
            fields[name] = _iso(fields[name])
    rows = [f"{name} = {_value(value)}" for name, value in fields.items() if value is not None]
    return "\n".join([heading, *rows])


def _iso(ms: int) -> str:
    moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=ms)
    return moment.isoformat(timespec="milliseconds")


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value).replace("\x7f", "\\u007F") if value.isascii() else quoted(value)
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, msgspec.Struct):
        value = {k: v for k in value.__struct_fields__ if (v := getattr(value, k)) is not None}
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(k)} = {_value(v)}" for k, v in value.items()) + "}"
    return "[" + ", ".join(_value(one) for one in value) + "]"


def quoted(text: str) -> str:
    return '"' + "".join(c if c.isalnum() else f"\\U{ord(c):08X}" for c in text) + '"'
