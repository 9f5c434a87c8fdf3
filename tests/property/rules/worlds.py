"""Small worlds for Hypothesis: people of few nodes whose identity changed, events at the edges of windows, hostile values."""

from typing import Any

from hypothesis import strategies as st
from msgspec import Struct

from patron.model.clock import DAY, HOUR
from patron.model.events import ConsentClaim, Event
from patron.rules import tree
from patron.rules.calendar import Calendar
from patron.rules.filters import TEXT_FIELDS
from patron.rules.tree import (
    Bucket,
    Computed,
    Consented,
    Did,
    Fact,
    Member,
    Not,
    Segment,
    Sequence,
    Step,
    Where,
    Window,
)

ZONES = ("Europe/Rome", "UTC", "Asia/Kolkata", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu")
NOWS = (
    1_774_778_400_000,  # 29 March 2026, clocks forward in Rome
    1_792_886_400_000,  # 25 October 2026, back
    1_775_318_400_000,  # 4 April 2026, Lord Howe falls back by half an hour that night
    1_767_225_600_000,  # new year
)
NAMES = ("Order Completed", "Product Viewed", "Store Entered")
STORES = {"s1": (44.49, 11.34), "s2": (45.46, 9.19), "s'3": (44.5, 11.35)}
TEXTS = (
    "tea",
    "milk",
    "",
    "é'\\\"",
    "te",
    "Tea",
    "7",
    "1.50",
    "a%_b",
    "x\x00y",
    "\n",
    "true",
    "null",
    "日本",
)
NUMBERS = (
    0, 1, 2, -1, 7, 7.0, 0.5, 0.1, 0.3, 0.30000000000000004, 0.0000005, 0.0000015, 0.0000025, -0.0000025, 2.5, 12.34, 1e-7, 5e-7,
    10**9, 10**9 + 1, 1_000_000_000.5, 2**53, 2**53 + 1, 1e16, 1e300, 10**25, -0.0, 1.0000005, 3.1415925,
)  # fmt: skip
DECIMALS = (
    "41.30", "-2", "0.0000005", "0.0000015", "0.00000050000000000000000000001", "1e3", " 1", "1.", "+1", "1000000000.0000001", "999999999.9999999",
    "000000000000001.5", "12.3456785", "12.3456775", "1\n", "0.1234565000000000000000000000000",
)  # fmt: skip
SCALARS = st.one_of(
    st.sampled_from(TEXTS), st.sampled_from(NUMBERS), st.sampled_from(DECIMALS), st.booleans(), st.none()
)
_SMALL = st.sampled_from(("tea", "milk", 1, 2, 2.5, "2", True, None, 41, 0.1))
VALUES = st.one_of(
    _SMALL,
    SCALARS,
    st.lists(_SMALL | SCALARS, max_size=3),
    st.dictionaries(st.sampled_from(("b", "b.c", "")), _SMALL, max_size=2),
)
NAMED = ("category", "coupon", "revenue", "quantity", "x", "a", "a.b", "*", "", 'q"k', "b\\", "order_id")
PATHS = (*NAMED, "a.b.c", "x.b", "products[].category", "products[].quantity", "x[]", "products[]")
PURPOSES = ("ads", "news", "personalization")
CHANNELS = ("*", "email", "web")


class World(Struct, frozen=True):
    """Everything that an answer is a function of, beside the rules."""

    calendar: Calendar
    now: int
    as_of: int | None
    placed: list[tuple[Event, int]]
    people: list[dict[str, Any]]
    members: list[dict[str, Any]]


def times(calendar: Calendar, now: int) -> st.SearchStrategy[int]:
    """Moments up to now, many at the edges of hours and days."""
    day = calendar.day(now)
    edges = [calendar.begins(day - back) for back in range(8)] + [
        now // HOUR * HOUR - back * HOUR for back in range(5)
    ]
    edges += [(now // HOUR + 1) * HOUR, now]
    near = st.tuples(st.sampled_from(edges), st.sampled_from((-1, 0, 1))).map(sum)
    return st.one_of(near, near, st.integers(now - 10 * DAY, now + HOUR), st.integers(now - 500 * DAY, now))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A world of at most five nodes, four people and some twenty events."""
    calendar = Calendar(draw(st.sampled_from(ZONES)))
    now = draw(st.sampled_from(NOWS)) + draw(
        st.sampled_from((0, 1, -1, 30 * 60_000)) | st.integers(-DAY, DAY)
    )
    moments = times(calendar, now)
    as_of = draw(st.none() | moments)
    properties = st.dictionaries(st.sampled_from(NAMED), VALUES, max_size=4)
    goods = st.lists(
        st.fixed_dictionaries({}, optional={"category": _SMALL, "quantity": VALUES}) | _SMALL, max_size=3
    )
    spot = st.fixed_dictionaries(
        {
            "latitude": st.sampled_from((44.49, 45, 91, "44.4")),
            "longitude": st.sampled_from((11.34, 9.19, True)),
        }
    )
    claims = st.builds(ConsentClaim, st.sampled_from(PURPOSES), st.booleans(), st.sampled_from(CHANNELS))
    traits = st.builds(
        dict.__or__,
        st.dictionaries(
            st.sampled_from(("a", "a.b", "x", "born")), VALUES | st.sampled_from(DATES), max_size=2
        ),
        st.sampled_from(({}, {}, {"household_id": "h1"}, {"household_id": "h2"})),
    )
    placed = []
    for position in range(1, draw(st.integers(0, 20)) + 1):
        told = draw(properties)
        extra = draw(st.sampled_from(("", "", "products", "spot")))
        if extra == "products":
            told = told | {"products": draw(goods)}
        if extra == "spot":
            told = told | draw(spot)
        time = draw(moments)
        kind = draw(st.sampled_from(("track", "track", "track", "identify", "group")))
        placed.append(
            (
                Event(
                    position,
                    draw(st.sampled_from(("shop", "till"))),
                    draw(st.sampled_from(("web", "pos"))),
                    kind,
                    draw(st.sampled_from(NAMES)),
                    f"m{draw(st.integers(0, 999))}-{position}",
                    time,
                    time + draw(st.sampled_from((0, 1, HOUR, 3 * DAY))),
                    group_id=draw(st.sampled_from((None, None, "acme"))),
                    properties=told,
                    traits=draw(traits) if kind != "track" else {},
                    consents=tuple(draw(st.lists(claims, max_size=2))) if draw(st.booleans()) else (),
                    touchpoint=draw(st.sampled_from((None, "home"))),
                    store=draw(st.sampled_from((None, "s1", "s2", "s'3", "s9"))),
                ),
                draw(st.integers(1, 5)),
            )
        )
    people = [row for node in range(1, 6) for row in draw(_histories(node, moments))]
    members = draw(
        st.lists(st.tuples(st.sampled_from(("acme", "b'c")), st.integers(1, 5), moments), max_size=4)
    )
    return World(
        calendar,
        now,
        as_of,
        placed,
        people,
        [
            {"account": a, "person_node": n, "position": i, "known": t * 1000}
            for i, (a, n, t) in enumerate(members)
        ],
    )


@st.composite
def _histories(draw: st.DrawFn, node: int, moments: st.SearchStrategy[int]) -> list[dict[str, Any]]:
    """Whose a node was believed to be, and is: rows of several positions, the last perhaps cut in two."""
    rows: list[dict[str, Any]] = []
    known = draw(moments)
    for position in range(draw(st.integers(1, 3))):
        cut = draw(st.none() | moments)
        spans = [(None, None)] if cut is None else [(None, cut), (cut, None)]
        for since, until in spans:
            rows.append(
                {
                    "node": node,
                    "since": None if since is None else since * 1000,
                    "until": None if until is None else until * 1000,
                    "person": f"p_{draw(st.integers(1, 3))}",
                    "position": node * 10 + position,
                    "known": known * 1000,
                }
            )
        known += draw(st.sampled_from((0, 1, HOUR, DAY)))
    return rows


DATES = (
    "2026-03-29",
    "2026-03-30T10:00:00Z",
    "2026-03-28 x",
    "2026-02-30",
    "2026-03-2",
    "2026-10-25",
    "0000-01-01",
    "2026-03-31x",
    "2026-01-01",
)
_COMPARED = st.sampled_from((">", ">=", "<", "<="))
_WANTED = st.one_of(
    _SMALL.filter(lambda v: v is not None), SCALARS.filter(lambda v: v is not None and v != "x\x00y")
)
_ORDERED = _WANTED.filter(lambda v: not isinstance(v, bool))


def _pairs(
    ordered: st.SearchStrategy[Any], wanted: st.SearchStrategy[Any]
) -> st.SearchStrategy[tuple[str, Any]]:
    """An operator and a value that the check lets through."""
    return st.one_of(
        st.tuples(st.sampled_from(("=", "!=", "has")), wanted),
        st.tuples(_COMPARED, ordered),
        st.tuples(st.sampled_from(("in", "not_in")), st.lists(wanted, min_size=1, max_size=3)),
        st.tuples(
            st.sampled_from(("starts_with", "ends_with")), st.sampled_from(("t", "te", "", "a%", "\\"))
        ),
        st.tuples(st.sampled_from(("exists", "missing")), st.none()),
    )


PAIRS = _pairs(_ORDERED, _WANTED)
_NUMBER = st.sampled_from((0, 1, 2, 3, 2.5, 0.333333, 41.3, 7, -1, 0.0000005, 1e9, 10**9, 5, 400, 0.5, 20.65))
NUMBER_PAIRS = st.one_of(
    st.tuples(_COMPARED, _NUMBER),
    st.tuples(st.sampled_from(("=", "!=")), _NUMBER | _SMALL.filter(lambda v: v is not None)),
    st.tuples(
        st.sampled_from(("in", "not_in")),
        st.lists(_NUMBER | _SMALL.filter(lambda v: v is not None), min_size=1, max_size=3),
    ),
    st.tuples(st.sampled_from(("exists", "missing")), st.none()),
)
WINDOWS = st.one_of(
    st.none(),
    st.builds(lambda n: Window(days=n), st.integers(1, 9) | st.just(400)),
    st.builds(lambda n: Window(hours=n), st.integers(1, 6)),
)
_FIELDS = st.sampled_from((*TEXT_FIELDS, "weekday", "hour", *("properties." + p for p in PATHS)))
_NEAR = st.builds(
    lambda place, km: Where("place", "near", {**place, "km": km}),
    st.sampled_from(({"lat": 44.4949, "lon": 11.3426}, {"store": "s1"}, {"store": "s'3"}, {"store": "s9"})),
    st.sampled_from((0.1, 2.0, 250.0)),
)
WHERES = st.lists(st.one_of(st.builds(lambda f, p: Where(f, *p), _FIELDS, PAIRS), _NEAR), max_size=2).map(
    tuple
)
EVENTS = st.sampled_from((*NAMES, "*"))
_PROPERTIES = st.sampled_from(
    ("revenue", "properties.quantity", "category", "channel", "weekday", "hour", *PATHS)
)


@st.composite
def dids(draw: st.DrawFn) -> Did:
    """Any measure, compared with something."""
    measure = draw(st.sampled_from(tree.MEASURES))
    plain = measure in ("count", "first", "last")
    op, value = draw(PAIRS if measure == "most_frequent" else NUMBER_PAIRS)
    return Did(
        draw(EVENTS), op, value, measure, None if plain else draw(_PROPERTIES), draw(WHERES), draw(WINDOWS)
    )


_LIMITS = st.one_of(
    st.none(), st.builds(lambda n: Window(hours=n), st.integers(1, 5)), st.just(Window(days=1))
)
SEQUENCES = st.builds(
    Sequence, st.lists(st.builds(Step, EVENTS, WHERES), min_size=2, max_size=3).map(tuple), _LIMITS, WINDOWS
)
_TRAITS = st.sampled_from(("traits.a", "traits.a.b", "traits.x", "traits.a.b.c", "traits.born"))
FACTS = st.one_of(
    st.builds(lambda f, p: Fact(f, *p), _TRAITS, PAIRS),
    st.builds(
        lambda op, n: Fact("traits.born", op, n), st.sampled_from(("in_last", "in_next")), st.integers(1, 9)
    ),
    st.builds(lambda f, p: Fact(f, *p), st.sampled_from(("computed.c0", "computed.c1")), NUMBER_PAIRS),
    st.builds(lambda p: Fact("computed.c2", *p), PAIRS),
)
_SHARES = st.sampled_from((0.0, 0.1, 0.25, 0.5, 0.75, 1.0))
LEAVES = st.one_of(
    dids(),
    dids(),
    dids(),
    SEQUENCES,
    FACTS,
    st.builds(Consented, st.sampled_from(PURPOSES), st.sampled_from(CHANNELS), st.booleans()),
    st.builds(Bucket, st.sampled_from(("a", "b'")), _SHARES, _SHARES),
    st.just(Member("other")),
)
RULES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(tree.AllOf, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(tree.AnyOf, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=4,
)


def segments(subject: tree.Subject) -> st.SearchStrategy[list[Segment]]:
    """Several segments of one kind of subject."""
    one = st.builds(lambda rule, purpose: (rule, purpose), RULES, st.sampled_from(PURPOSES))
    return st.lists(one, min_size=1, max_size=4).map(
        lambda pairs: [
            Segment(f"r{i}", "R", rule, purpose, subject) for i, (rule, purpose) in enumerate(pairs)
        ]
    )


@st.composite
def computeds(draw: st.DrawFn, subject: tree.Subject = "person") -> list[Computed]:
    """Three computed traits: any two, and the most frequent of something."""
    numeric = dids().filter(lambda did: did.measure != "most_frequent")
    first = Computed("c0", "C", draw(numeric), draw(st.none() | numeric), subject=subject)
    second = Computed("c1", "C", draw(numeric), draw(numeric), subject=subject)
    frequent = Did(
        draw(EVENTS),
        measure="most_frequent",
        property=draw(_PROPERTIES),
        where=draw(WHERES),
        within=draw(WINDOWS),
    )
    return [first, second, Computed("c2", "C", frequent, subject=subject)]
