"""The scorecard as a value: rows with a value, a bar and a verdict, and the series its charts are drawn from."""

from msgspec import Struct

MET, MISSED, NO_BAR, OPEN = "met", "missed", "no bar", "not computed"


class Bar(Struct, frozen=True):
    """What a figure must reach: at least `low`, at most `high`."""

    low: float | None = None
    high: float | None = None

    def met(self, value: float) -> bool:
        """Whether a value reaches it.

        >>> Bar(low=0.92).met(0.92), Bar(high=0).met(1)
        (True, False)
        """
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def text(self, kind: str) -> str:
        """As the table says it.

        >>> Bar(low=0.92).text("share"), Bar(high=0).text("count")
        ('≥ .920', '0')
        """
        if self.low is not None:
            return shown(self.low, kind) if self.low == 1 else f"≥ {shown(self.low, kind)}"
        if self.high == 0:
            return "0"
        return f"≤ {shown(self.high or 0.0, kind)}"


def shown(value: float, kind: str) -> str:
    """A value as the table says it: `share` (.934), `percent`, `count`, `cents` or `points`.

    >>> shown(0.934, "share"), shown(1, "share"), shown(12345, "count"), shown(1234567, "cents"), shown(0.831, "percent")
    ('.934', '1.000', '12,345', '12,345.67', '83.10%')
    """
    if kind == "count":
        return f"{value:,.0f}"
    if kind == "cents":
        whole, rest = divmod(abs(int(value)), 100)
        return f"{'-' if value < 0 else ''}{whole:,}.{rest:02d}"
    if kind == "percent":
        return f"{value * 100:.2f}%"
    if kind == "points":
        return f"{value * 100:.2f} points"
    return _share(value)


def _share(value: float) -> str:
    """Three places, never rounded up to a bar or to 1: what is shown as 1.000 is 1."""
    cut = int(value * 1000 + 1e-9) / 1000
    text = f"{cut:.3f}"
    return text if cut >= 1 else text[1:] if cut >= 0 else text


class Row(Struct, frozen=True, kw_only=True):
    """One figure of the card. `value` is None when it could not be computed; `note` then says why."""

    group: str
    name: str
    definition: str
    kind: str = "share"
    value: float | None = None
    text: str = "-"
    bar: str = ""
    verdict: str = NO_BAR
    note: str = ""


class Day(Struct, frozen=True):
    """Money of one UTC day in one currency, cents: what was sent (or, when there is a truth file, what is true) and what the
    platform holds."""

    currency: str
    day: int
    there: int
    here: int


class SourceLine(Struct, frozen=True):
    """Messages of one source."""

    source: str
    sent: int
    once: int
    refused: int
    missing: int
    more: int


class Mark(Struct, frozen=True):
    """A share with the bar it must reach, for the chart of identity."""

    name: str
    value: float
    bar: float | None


class Card(Struct, frozen=True, kw_only=True):
    """Everything a scorecard says. Written as JSON by `--json`."""

    format: int = 1
    world: str
    size: str
    seed: int
    first: int
    days: int
    people: int
    messages: int
    against: str
    """The server that was read."""
    held_people: int
    held_events: int
    read_seconds: float
    rows: list[Row]
    identity: list[Mark]
    daily: list[Day]
    sources: list[SourceLine]
    gaps: list[str]
    """The first places where money differs, in words; empty when all reconciles."""

    @property
    def missed(self) -> int:
        """Figures below their bar."""
        return sum(row.verdict == MISSED for row in self.rows)

    @property
    def met(self) -> int:
        """Figures that reach their bar."""
        return sum(row.verdict == MET for row in self.rows)

    @property
    def open(self) -> int:
        """Figures that nobody computes yet, or whose truth is not there."""
        return sum(row.verdict == OPEN for row in self.rows)
