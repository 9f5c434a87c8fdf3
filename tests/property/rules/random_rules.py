"""Random rules and histories that meet: few names, few values, windows of some days around a change of the clocks."""

from hypothesis import strategies as st

from patron.model.clock import HOUR
from patron.model.events import ConsentClaim, Event
from patron.rules.tree import AllOf, AnyOf, Bucket, Consented, Did, Fact, Not, Sequence, Step, Where, Window

SPRING = 1_774_746_000_000
"""29 March 2026, 01:00 UTC: clocks go forward in Rome."""
AUTUMN = 1_792_890_000_000
"""25 October 2026, 01:00 UTC: they go back."""
ZONES = ("UTC", "Europe/Rome", "Asia/Kolkata", "America/St_Johns", "Pacific/Kiritimati")
NAMES = ("A", "B")
MEASURED = ("sum", "average", "min", "max", "distinct", "most_frequent")

windows = st.builds(Window, days=st.integers(1, 4)) | st.builds(Window, hours=st.integers(1, 60))
values = st.sampled_from([1, 2, 0.1, "1", "0.2", "tea", True, None, [1], {"a": 1}, 7.0, "-3", 10**10])
properties = st.fixed_dictionaries(
    {}, optional={"x": values, "tags": st.lists(values, max_size=3), "c": st.sampled_from(["tea", "milk"])}
)
comparisons = st.sampled_from(["=", "!=", ">", ">=", "<", "<="])
equalities = st.sampled_from(["=", "!="])


@st.composite
def histories(draw, most=12):
    """Events of one subject, in any order, some at one instant; and a moment that they surround."""
    now = (
        draw(st.sampled_from([SPRING, AUTUMN]))
        + draw(st.integers(-60, 60)) * HOUR
        + draw(st.integers(0, HOUR - 1))
    )
    events = []
    for at in range(draw(st.integers(0, most))):
        back = draw(st.integers(0, 200)) * HOUR // 2 + draw(st.sampled_from([0, 0, 1, HOUR - 1]))
        events.append(
            Event(
                position=at + 1,
                source="s",
                channel=draw(st.sampled_from(["web", "pos"])),
                type="track",
                name=draw(st.sampled_from(NAMES)),
                message_id=f"m{at}",
                time=now - back,
                received=now,
                properties=draw(properties),
                traits=draw(st.just({}) | st.fixed_dictionaries({}, optional={"t": values, "due": st.sampled_from(["2026-03-30", "2026-10-26T", "x"])})),
                consents=draw(st.just(()) | st.builds(lambda yes, channel: (ConsentClaim("ads", yes, channel),), st.booleans(), st.sampled_from(["*", "email"]))),
                group_id=draw(st.sampled_from([None, None, "firm"])),
            )
        )  # fmt: skip
    return events, now


wheres = st.one_of(
    st.builds(Where, st.just("properties.x"), equalities, st.just(True)),
    st.builds(Where, st.sampled_from(["properties.x", "properties.c"]), comparisons, st.sampled_from([1, 0.1, "1", "tea"])),
    st.builds(Where, st.sampled_from(["properties.x", "properties.tags[]"]), st.just("has"), st.sampled_from([1, "tea"])),
    st.builds(Where, st.just("properties.x"), st.sampled_from(["in", "not_in"]), st.lists(st.sampled_from([1, "tea", True]), min_size=1, max_size=2)),
    st.builds(Where, st.sampled_from(["properties.x", "account", "store"]), st.sampled_from(["exists", "missing"])),
    st.builds(Where, st.just("channel"), st.sampled_from(["=", "!="]), st.just("web")),
    st.builds(Where, st.just("weekday"), st.just("in"), st.just([6, 7])),
    st.builds(Where, st.just("hour"), comparisons, st.integers(0, 23)),
)  # fmt: skip
filters = st.lists(wheres, max_size=2).map(tuple)
events = st.sampled_from([*NAMES, "*"])
maybe = st.none() | windows
dids = st.one_of(
    st.builds(Did, events, comparisons, st.integers(0, 3), where=filters, within=maybe),
    st.builds(Did, events, comparisons, st.integers(0, 5), st.sampled_from(["first", "last"]), where=filters, within=maybe),
    st.builds(
        Did, events, comparisons, st.sampled_from([0, 0.1, 1, 2, 1.05]), st.sampled_from(["sum", "average", "min", "max", "distinct"]),
        st.sampled_from(["x", "tags[]", "properties.x"]), filters, maybe,
    ).filter(lambda did: did.measure != "distinct" or isinstance(did.value, int)),
    st.builds(Did, events, st.sampled_from(["=", "!=", "starts_with"]), st.sampled_from(["tea", "1"]), st.just("most_frequent"), st.sampled_from(["x", "c", "channel"]), filters, maybe),
)  # fmt: skip
sequences = st.builds(
    Sequence,
    st.lists(st.builds(Step, events, filters), min_size=2, max_size=3).map(tuple),
    st.none() | windows,
    maybe,
)
facts = st.one_of(
    st.builds(Fact, st.just("traits.t"), comparisons, st.sampled_from([1, "tea"])),
    st.builds(Fact, st.just("traits.t"), equalities, st.just(True)),
    st.builds(Fact, st.just("traits.due"), st.sampled_from(["in_last", "in_next"]), st.integers(1, 3)),
    st.builds(Fact, st.just("traits.t"), st.sampled_from(["exists", "missing"])),
)
others = st.builds(Consented, st.just("ads"), st.sampled_from(["*", "email"]), st.booleans()) | st.just(
    Bucket("s", 0.0, 0.5)
)
rules = st.recursive(
    dids | sequences | facts | others,
    lambda inner: st.one_of(
        st.builds(AllOf, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=5,
)
