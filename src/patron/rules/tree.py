"""The rule tree: what a segment, a computed trait, an eligibility or a journey condition says, as frozen values.

One recursive union of nine kinds, told apart by `kind`, the same in JSON and TOML. `docs/rules.md` says what each kind
means to the last edge; the in-memory execution and the one over the lake both follow it.
"""

from typing import Any, Literal

from msgspec import Struct

Measure = Literal["count", "sum", "average", "min", "max", "distinct", "most_frequent", "first", "last"]
MEASURES: tuple[Measure, ...] = (
    "count",
    "sum",
    "average",
    "min",
    "max",
    "distinct",
    "most_frequent",
    "first",
    "last",
)

ANY_EVENT = "*"
"""As an event's name: whatever it is called."""


class Param(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A hole in a reusable condition, filled by `Use.given` or by the default: `{"param": "days"}`."""

    param: str


class Window(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """The last so many calendar days (today is the first) or clock hours (this hour is the first); exactly one of them.

    >>> Window(days=30)
    Window(days=30, hours=None)
    """

    days: int | Param | None = None
    hours: int | Param | None = None


class Where(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A filter on one event: `properties.NAME` (nested by dots), `channel`, `store`, `source`, `touchpoint`, `account`,
    `weekday`, `hour` or `place`.

    >>> Where("properties.category", "=", "coffee").op
    '='
    """

    field: str
    op: str
    value: Any = None


class AllOf(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="all"):
    """Holds when every one of `of` holds."""

    of: tuple["Rule", ...]


class AnyOf(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="any"):
    """Holds when at least one of `of` holds."""

    of: tuple["Rule", ...]


class Not(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="not"):
    """Holds when `rule` does not."""

    rule: "Rule"


class Fact(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="kind", tag="fact"):
    """A trait (`traits.city`), a computed trait (`computed.orders_90d`) or a score (`scores.churn`) compared with a value."""

    field: str
    op: str
    value: Any = None


class Did(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="kind", tag="did"):
    """A measure of the events of one name compared with a number: `Order Completed` at least 2 times in 30 days.

    `count` and `distinct` are 0 where there is no event, `sum` is 0; `average`, `min`, `max`, `most_frequent`, `first` and
    `last` then have no value and match nothing. `first` and `last` compare calendar days ago.
    """

    event: str
    op: str = ">="
    value: Any = 1
    measure: Measure = "count"
    property: str | None = None
    """A field as in `where` (`properties.revenue`, `channel`); a bare name is a property's."""
    where: tuple[Where, ...] = ()
    within: Window | None = None


class Step(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One event of a sequence."""

    event: str
    where: tuple[Where, ...] = ()


class Sequence(
    Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="kind", tag="sequence"
):
    """Events in this order (others may lie between), the last at most `limit` after the first, all of them `within`."""

    steps: tuple[Step, ...]
    limit: Window | None = None
    within: Window | None = None


class Member(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="segment"):
    """Is in another segment."""

    segment: str


class Consented(
    Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="kind", tag="consent"
):
    """What the person last said on a purpose, on one channel (or on all, `*`), is yes (`granted`) or no."""

    purpose: str
    channel: str = "*"
    granted: bool = True


class Bucket(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="bucket"):
    """A random but lasting part of all subjects: the share from `start` to below `end` (0 to 1) under this salt."""

    salt: str
    start: float
    end: float


class Use(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="kind", tag="use"):
    """A named reusable condition with its parameters filled in."""

    condition: str
    given: dict[str, Any] = {}


Rule = AllOf | AnyOf | Not | Fact | Did | Sequence | Member | Consented | Bucket | Use

Subject = Literal["person", "account", "household"]
"""A household: people of one home (`identity.households`)."""
Hat = Literal["any", "consumer", "business"]


class Condition(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A named reusable condition; `parameters` gives each parameter its default (None: must be given)."""

    id: str
    name: str
    rule: Rule
    parameters: dict[str, Any] = {}


class Segment(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who: a rule with its purpose and subject. People without a lawful basis for the purpose are left out and counted."""

    id: str
    name: str
    rule: Rule
    purpose: str = "personalization"
    subject: Subject = "person"
    hat: Hat = "any"
    description: str = ""
    tags: tuple[str, ...] = ()


class Computed(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A computed trait: a measure of the subject's events, or a ratio of two measures (`per`)."""

    id: str
    name: str
    measure: Did
    """Its `op` and `value` are not read."""
    per: Did | None = None
    """Divide by this measure; no value where it is 0."""
    purpose: str = "personalization"
    subject: Subject = "person"
    description: str = ""
    unit: str = ""
    tags: tuple[str, ...] = ()
