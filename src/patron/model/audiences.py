"""What people are shown of segments, computed traits, analyses and the lake: frozen views, drawn by the console.

Definitions are plain data (`docs/rules.md`); times are milliseconds UTC. A number that nobody counted is None, never 0.
"""

from typing import Any, Literal

from msgspec import Struct

from patron.model.errors import Fault

Kind = Literal["segment", "trait"]
AnyKind = Literal["segment", "trait", "condition"]
State = Literal["live", "filling", "lake", "off"]


class Held(Struct, frozen=True):
    """A definition in force."""

    id: str
    version: int
    saved: int
    by: str
    definition: dict[str, Any]


class SegmentRow(Struct, frozen=True):
    """One segment of the list."""

    id: str
    name: str
    sentence: str
    changed: int
    by: str
    version: int
    members: int | None = None
    """None: nobody counted yet."""
    state: State = "off"
    minutes: int = 0
    """How far behind an answer from the lake may be."""
    without_basis: int = 0
    progress: float = 1.0
    problem: str = ""
    """Why it cannot be run; empty when it can."""


class TraitRow(Struct, frozen=True):
    """One computed trait of the list."""

    id: str
    name: str
    sentence: str
    changed: int
    by: str
    version: int
    unit: str = ""
    problem: str = ""


class ReadyRow(Struct, frozen=True):
    """A ready definition of the library."""

    id: str
    kind: Kind
    name: str
    sentence: str
    there: bool
    """Whether all data it needs has been seen."""
    missing: tuple[str, ...] = ()
    """What it needs that was not seen yet."""
    used: bool = False
    """Whether a definition of that id is in force."""


class Named(Struct, frozen=True):
    """Something that can be chosen: what stands in the rule, and what people read."""

    id: str
    name: str
    count: int | None = None


class Vocabulary(Struct, frozen=True):
    """What rules may be built from, as far as it has been seen; names that are not in it may be typed."""

    events: tuple[Named, ...] = ()
    """Most frequent first."""
    properties: dict[str, tuple[str, ...]] = {}
    """Event name -> its properties, as `where` writes them (`properties.category`)."""
    traits: tuple[Named, ...] = ()
    computed: tuple[Named, ...] = ()
    segments: tuple[Named, ...] = ()
    conditions: tuple[Named, ...] = ()
    purposes: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    values: dict[str, tuple[str, ...]] = {}
    """Field -> values that were seen often, for fields that hold nothing personal."""


class Part(Struct, frozen=True):
    """A piece of a sentence; `path` is where in the definition it comes from, empty when it is only a word between."""

    text: str
    path: str = ""


class Checked(Struct, frozen=True):
    """What checking a definition says: every fault with its path, else its sentence and how it would be run."""

    faults: tuple[Fault, ...] = ()
    sentence: tuple[Part, ...] = ()
    exact: bool = True
    """Answered live and exact; otherwise from the lake."""
    minutes: int = 0
    bytes_person: int = 0
    """Bytes of memory a person, when live."""
    note: str = ""
    """Why it cannot be live, or what it costs."""


class RowCount(Struct, frozen=True):
    """One row of a rule, in reading order."""

    path: str
    alone: int
    """People for whom this row alone holds."""
    left: int
    """People left after this row and all before it."""


class Door(Struct, frozen=True):
    """How many members can be met in one channel."""

    channel: str
    people: int
    why: str
    """What it takes: `an address and no refusal`."""


class Sampled(Struct, frozen=True):
    """A person of a sample."""

    id: str
    name: str
    detail: str


class Reach(Struct, frozen=True):
    """How many a rule finds, and how that is known."""

    members: int
    of: int
    """People there are."""
    seen: int
    """People that were looked at; equal to `of` when the number is exact."""
    at: int
    """When the newest look at them was."""
    low: int = 0
    high: int = 0
    """95% interval, when it is a sample."""
    source: Literal["live", "people", "sample", "lake"] = "sample"
    without_basis: int = 0
    rows: tuple[RowCount, ...] = ()
    doors: tuple[Door, ...] = ()
    nowhere: int = 0
    """Members whom no channel may reach."""
    people: tuple[Sampled, ...] = ()
    """A few members."""
    sampled: bool = False
    """Whether `rows` are counted on a sample, whatever `members` is."""

    @property
    def exact(self) -> bool:
        """Whether everybody was looked at."""
        return self.seen >= self.of


class Trial(Struct, frozen=True):
    """A definition tried on one person."""

    person: str
    name: str
    inside: bool
    because: str
    would: str = ""
    """What would change it."""
    when: int | None = None
    """When time alone changes it."""
    problem: str = ""
    """Why there is no answer (nobody has that identifier, erased)."""


class Week(Struct, frozen=True):
    """How many members there were at the end of a week."""

    at: int
    members: int


class Weeks(Struct, frozen=True):
    """The last weeks of a segment, oldest first."""

    weeks: tuple[Week, ...]
    seen: int
    of: int


class User(Struct, frozen=True):
    """Something that uses a definition."""

    kind: str
    name: str
    href: str = ""


class ConditionRow(Struct, frozen=True):
    """One named condition of the list."""

    id: str
    name: str
    sentence: str
    changed: int
    by: str
    version: int
    parameters: tuple[tuple[str, Any], ...] = ()
    """Name and default; None: it must be given."""
    users: tuple[User, ...] = ()
    problem: str = ""
    """Why it cannot be read, when it cannot."""


class Overlap(Struct, frozen=True):
    """Two segments: people in the first alone, in both, in the second alone."""

    first: Named
    second: Named
    only_first: int
    both: int
    only_second: int
    seen: int
    of: int
    at: int


class Value(Struct, frozen=True):
    """What a computed trait gives a person."""

    person: str
    name: str
    value: float | str


class Values(Struct, frozen=True):
    """What a computed trait gives the people that were looked at."""

    people: tuple[Value, ...]
    having: int
    """People of those seen who have a value."""
    seen: int
    of: int
    at: int
    low: float | None = None
    middle: float | None = None
    high: float | None = None
    """Tenth, fifth and ninth tenth of numbers."""
    common: tuple[tuple[str, int], ...] = ()
    """Most frequent texts and how many have them."""


class Belongs(Struct, frozen=True):
    """A segment that a person is in."""

    id: str
    name: str
    since: int | None = None
    until: int | None = None


class Worth(Struct, frozen=True):
    """A computed trait of a person."""

    id: str
    name: str
    value: float | str
    unit: str = ""


class PersonAudiences(Struct, frozen=True):
    """The segments and computed traits of one person."""

    segments: tuple[Belongs, ...] = ()
    traits: tuple[Worth, ...] = ()


class FunnelStep(Struct, frozen=True):
    """One step of a funnel."""

    label: str
    people: int


class Funnel(Struct, frozen=True):
    """Who did the first step, then the second, and so on, inside a window."""

    steps: tuple[FunnelStep, ...]
    channels: tuple[tuple[str, tuple[int, ...]], ...] = ()
    """Channel of the first step -> people at each step; one person counts in one."""
    at: int = 0
    """How fresh the events are."""

    @property
    def pairs(self) -> list[tuple[str, int]]:
        """Name and people of each step."""
        return [(step.label, step.people) for step in self.steps]


class Cohort(Struct, frozen=True):
    """People who did something first in one period, and how many came back in each period after."""

    start: str
    """The first day, ISO."""
    people: int
    back: tuple[int, ...]
    """Of each later period that is over; shorter for younger cohorts."""


class Cohorts(Struct, frozen=True):
    """A table of retention."""

    rows: tuple[Cohort, ...]
    period: str
    at: int = 0


class PathRow(Struct, frozen=True):
    """A way that sessions took."""

    steps: tuple[str, ...]
    sessions: int


class Paths(Struct, frozen=True):
    """The most frequent ways, and how many sessions there were."""

    rows: tuple[PathRow, ...]
    sessions: int
    at: int = 0


class BasketRow(Struct, frozen=True):
    """Two products, the orders with both, and those with each."""

    a: str
    b: str
    orders: int
    a_orders: int
    b_orders: int


class Baskets(Struct, frozen=True):
    """What is bought together most often."""

    rows: tuple[BasketRow, ...]
    at: int = 0


class Rfm(Struct, frozen=True):
    """Buyers by fifths: a row for each of recency, the latest first; in it frequency and money together, the least first."""

    rows: tuple[tuple[int, ...], ...]
    buyers: int
    at: int = 0


class LakeTable(Struct, frozen=True):
    """One table of the lake."""

    name: str
    files: int
    rows: int
    bytes: int
    version: int


class LakeView(Struct, frozen=True):
    """How the lake is."""

    position: int
    """Log position up to which it is flushed."""
    behind: int
    """Messages of the log that are not in it yet."""
    flushed: int | None
    """When it was last flushed."""
    tables: tuple[LakeTable, ...]
    compacted: int | None = None
    retention: tuple[tuple[str, str], ...] = ()
    """(class, how long), as configured."""
    errors: tuple[tuple[int, str], ...] = ()
    """The last ones, newest first: (when, what)."""
    place: str = ""
