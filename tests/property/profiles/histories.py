"""Generated histories of one person: few ids, few instants, two currencies, so that everything collides."""

from typing import Any

from hypothesis import strategies as st

from patron.model.clock import DAY
from patron.model.events import ConsentClaim, Event
from patron.profiles.rules import ProfileRules

START = 18_000 * DAY
TIMES = st.builds(
    lambda day, ms: START + day * DAY + ms,
    st.sampled_from([0, 1, 30, 399, 400, 401, 799, 800]),
    st.sampled_from([0, 1, DAY - 1]),
)
ORDERS = st.sampled_from(["O1", "O1", "O1", "O2", "O3", 7, None])
CURRENCIES = st.sampled_from([None, None, "EUR", "gbp", "GBP", "euro"])
AMOUNTS = st.sampled_from([10, 10.1, "20.55", 0, 0.0001, "12.34567", -3, "-7.5", None, "x", 10**14])
LINES = st.lists(
    st.fixed_dictionaries(
        {
            "product_id": st.sampled_from(["P1", "P1", "P2", "P3"]),
            "price": st.sampled_from([18, 5.5, "9.99", 0.3333, 0, None]),
        },
        optional={"quantity": st.sampled_from([1, 2, 3, 0.5, "0.333", 0, -1, None])},
    ),
    min_size=1,
    max_size=3,
)
VALUES = st.sampled_from([None, 1, 2.5, "x", "y" * 3000, True, [1, "a"], {"b": 1, "a": {"c": 2}}, 2**70])
CLAIMS = st.builds(
    ConsentClaim,
    st.sampled_from(["email", "sms", "profiling"]),
    st.booleans(),
    channel=st.sampled_from(["*", "pos"]),
    text_version=st.sampled_from(["", "v1", "v2"]),
    place=st.sampled_from(["", "kiosk-1"]),
    explicit=st.booleans(),
)
SAID = st.lists(CLAIMS, max_size=2)
HEADS = st.sampled_from(
    [
        (s, c, r)
        for s in ("till", "shop")
        for c in ("web", "pos", "kiosk")
        for r in (False, False, False, True)
    ]
)
CAMPAIGNS = st.sampled_from(
    [{"name": "spring", "source": "ads"}, {"name": "autumn", "x": 1}, None, {}, "text"]
)


def _present(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


@st.composite
def _completed(draw: Any) -> tuple[str, str, dict[str, Any], dict[str, Any]]:
    properties = _present(
        order_id=draw(ORDERS),
        revenue=draw(st.just(99) | AMOUNTS),
        total=draw(st.none() | AMOUNTS),
        currency=draw(CURRENCIES),
        products=draw(LINES | st.none() | st.just([])),
    )
    return "track", "Order Completed", properties, {}


@st.composite
def _refunded(draw: Any) -> tuple[str, str, dict[str, Any], dict[str, Any]]:
    by = draw(st.sampled_from(["amount", "lines", "lines", "both", "all"]))
    properties = _present(
        order_id=draw(ORDERS),
        refund_id=draw(st.sampled_from(["R1", "R2", None, None])),
        revenue=draw(AMOUNTS) if by in ("amount", "both") else None,
        currency=draw(CURRENCIES),
        products=draw(LINES) if by in ("lines", "both") else None,
    )
    return "track", "Order Refunded", properties, {}


@st.composite
def _other(draw: Any) -> tuple[str, str, dict[str, Any], dict[str, Any]]:
    name = draw(st.sampled_from(["Product Viewed", "a", "b", "c", "d", "e" * 250, "other"]))
    properties = _present(
        product_id=draw(st.sampled_from(["P1", "P2", 3, None])),
        category=draw(st.sampled_from(["coffee", "tea", None])),
        revenue=draw(st.none() | AMOUNTS),
        currency=draw(CURRENCIES),
    )
    return "track", name, properties, {}


@st.composite
def _identified(draw: Any) -> tuple[str, str, dict[str, Any], dict[str, Any]]:
    kind = draw(st.sampled_from(["identify", "identify", "group"]))
    traits = draw(st.dictionaries(st.sampled_from(["a", "b", "c", "d", "n" * 300]), VALUES, max_size=4))
    return kind, "Identified" if kind == "identify" else "Grouped", {}, traits


CHANGED = st.just(("identify", "Consent Changed", {}, {}))
CANCELLED = ORDERS.map(lambda order: ("track", "Order Cancelled", _present(order_id=order), {}))
MONEY = st.one_of(_completed(), _completed(), _completed(), _refunded(), _refunded(), _refunded(), CANCELLED)
REFUNDS = st.one_of(_completed(), _refunded(), _refunded())
SOLD = [
    {"product_id": "P1", "price": 18, "quantity": 3},
    {"product_id": "P2", "price": "9.99", "quantity": 0.7},
]
BACK = st.lists(
    st.fixed_dictionaries(
        {"product_id": st.sampled_from(["P1", "P2"]), "quantity": st.sampled_from([1, 2, 0.1, "0.333"])}
    ),
    min_size=1,
    max_size=2,
)
RETURNS = st.one_of(
    st.just(("track", "Order Completed", {"order_id": "O1", "revenue": 99, "products": SOLD}, {})),
    BACK.map(lambda lines: ("track", "Order Refunded", {"order_id": "O1", "products": lines}, {})),
    BACK.map(
        lambda lines: (
            "track",
            "Order Refunded",
            {"order_id": "O1", "refund_id": "R1", "products": lines},
            {},
        )
    ),
)
"""One order whose products come back piece by piece, and now and then more of them than were bought."""
NAMES = _other()
TRAITS = _identified()
MIXED = st.one_of(MONEY, NAMES, TRAITS, CHANGED)
ALL = [MONEY, REFUNDS, RETURNS, NAMES, TRAITS, CHANGED, MIXED]
"""What a history may be about: one kind alone meets its bounds, all together meet each other."""


@st.composite
def histories(draw: Any, *about: Any, most: int = 12) -> list[Event]:
    """A list of distinct events in some order of arrival; message ids are in no relation to times."""
    kinds = draw(st.sampled_from(about or ALL))
    size = draw(st.integers(1, most))
    instants = st.sampled_from(draw(st.lists(TIMES, min_size=1, max_size=5)))
    said = draw(st.lists(st.tuples(kinds, instants), min_size=size, max_size=size))
    ids = draw(st.permutations(range(len(said))))
    made = []
    for at, ((kind, name, properties, traits), time) in enumerate(said):
        source, channel, reduced = draw(HEADS)
        made.append(
            Event(
                position=at,
                source=source,
                channel=channel,
                type=kind,
                name=name,
                message_id=f"m{ids[at]:03d}",
                time=time,
                received=time + at,
                properties=properties,
                traits=traits,
                consents=tuple(draw(SAID)) if kind == "identify" or name == "d" else (),
                context=_present(campaign=draw(CAMPAIGNS)) if name[:5] != "Order" else {},
                reduced=reduced,
            )
        )
    return made


TIGHT = ProfileRules(
    names=2, traits=2, consents=2, history=2, recents=3, orders=2, refunds=2, currency="GBP", declared=("d",)
)
RULES = st.sampled_from([ProfileRules(), TIGHT])
