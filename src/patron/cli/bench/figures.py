"""What a row of the table is: a figure, what it must reach, what it should reach."""

from typing import Literal

from msgspec import Struct

from patron.cli.bench.peer import REFERENCE

Better = Literal["more", "less"]


class Promise(Struct, frozen=True):
    """What a row measures and the bar it is held against.

    `scale` says whether a faster machine shows a larger figure (`rate`), a smaller one (`time`) or the same
    (`size`); it decides how the figure is set against the fixed baseline.
    """

    name: str
    title: str
    unit: str
    floor: float | None
    goal: float | None
    better: Better
    scale: Literal["rate", "time", "size"]
    peer: Literal["", "batch", "single"] = ""
    """Which work of the bare server (`peer`) a rate is compared with."""

    @property
    def floor_of_peer(self) -> float | None:
        """The floor as a part of what the peer did on the machine whose floor it is.

        >>> round(PROMISES["single"].floor_of_peer or 0, 2)
        0.4
        """
        return self.floor / REFERENCE[self.peer] if self.peer and self.floor else None


class Figure(Struct, frozen=True):
    """One measured row. `baseline` is the fixed piece of work of the same minute, in decodes per CPU second."""

    promise: Promise
    value: float
    baseline: float
    note: str = ""
    peer: float = 0.0
    """What the bare server did in the same minute; 0 where there is none to compare with."""

    @property
    def verdict(self) -> str:
        """`goal`, `floor`, `below` (under its floor), or `printed` when the row has no bar.

        >>> p = Promise("x", "X", "ev/cpu-s", 10.0, 20.0, "more", "rate")
        >>> [Figure(p, v, 1.0).verdict for v in (5.0, 15.0, 25.0)]
        ['below', 'floor', 'goal']
        """
        if self.promise.goal is not None and self._reaches(self.promise.goal):
            return "goal"
        if self.promise.floor is None:
            return "printed" if self.promise.goal is None else "short"
        return "floor" if self._reaches(self.promise.floor) else "below"

    @property
    def ratio(self) -> float | None:
        """The figure freed of the machine's speed: per baseline decode for rates, in baseline decodes for times.

        >>> Figure(Promise("x", "X", "us", 1.0, 1.0, "less", "time"), 30.0, 100_000.0).ratio
        3.0
        """
        if not self.baseline or self.promise.scale == "size":
            return None
        if self.promise.scale == "rate":
            return self.value / self.baseline
        return self.value * MICROSECONDS[self.promise.unit] * self.baseline / 1e6

    @property
    def of_peer(self) -> float | None:
        """The figure as a part of the peer's."""
        return self.value / self.peer if self.peer else None

    def _reaches(self, bar: float) -> bool:
        return self.value >= bar if self.promise.better == "more" else self.value <= bar

    def plain(self) -> dict[str, object]:
        """As JSON."""
        promise = self.promise
        return {
            "name": promise.name,
            "title": promise.title,
            "unit": promise.unit,
            "value": round(self.value, 4),
            "floor": promise.floor,
            "goal": promise.goal,
            "verdict": self.verdict,
            "baseline": round(self.baseline),
            "ratio": None if self.ratio is None else round(self.ratio, 5),
            "peer": round(self.peer) or None,
            "of_peer": None if self.of_peer is None else round(self.of_peer, 5),
            "floor_of_peer": promise.floor_of_peer and round(promise.floor_of_peer, 5),
            "note": self.note,
        }


MICROSECONDS = {"us": 1.0, "ms": 1e3, "s": 1e6, "cpu-s": 1e6}


PROMISES = {
    promise.name: promise
    for promise in (
        Promise(
            "uniform",
            "ingest, 100-event bodies, uniform people",
            "ev/cpu-s",
            30_000,
            45_000,
            "more",
            "rate",
            "batch",
        ),
        Promise("zipf", "ingest, people by Zipf 1.1", "ev/cpu-s", 55_000, 95_000, "more", "rate", "batch"),
        Promise(
            "single",
            "single-event requests, durable reply",
            "req/cpu-s",
            10_000,
            14_000,
            "more",
            "rate",
            "single",
        ),
        Promise(
            "replay", "replay of the log after a crash", "ev/cpu-s", 50_000, 80_000, "more", "rate", "batch"
        ),
        Promise("load", "load at start, scaled to 1M profiles", "cpu-s", 20, 12, "less", "time"),
        Promise("read", "profile read in handler, p99", "ms", 1.0, 0.2, "less", "time"),
        Promise("decide_p50", "decision in handler, 200 actions, p50", "us", None, 120, "less", "time"),
        Promise("decide_p99", "decision in handler, 200 actions, p99", "us", 1_000, 300, "less", "time"),
        *(
            Promise(
                f"actions_{many}",
                f"decision in handler, {many:,} actions, p50",
                "us",
                None,
                None,
                "less",
                "time",
            )
            for many in (10, 100, 1_000)
        ),
        Promise("half_p99", "decision over HTTP at half load, wall p99", "ms", None, None, "less", "time"),
        Promise("decide_http", "decisions over HTTP", "req/cpu-s", None, 5_000, "more", "rate", "single"),
        Promise("mixed_p99", "mixed load: decision, wall p99", "ms", 50, 12, "less", "time"),
        Promise(
            "mixed_rate", "mixed load: events kept up with", "ev/s", 27_500 * 0.98, 27_500, "more", "rate"
        ),
        Promise("changed", "event to changed decision, p99", "ms", 1_000, 20, "less", "time"),
        Promise("memory", "memory per resident profile", "bytes", 4_096, 1_536, "less", "size"),
        Promise("dedup", "duplicate filter, memory per 1M ids", "MB", 20, 12, "less", "size"),
        Promise(
            "disk", "bytes on disk per event (log, index, state, dedup)", "bytes", None, None, "less", "size"
        ),
        Promise(
            "disk_decision",
            "bytes in the log per decision, 200 candidates",
            "bytes",
            None,
            1_024,
            "less",
            "size",
        ),
        Promise(
            "segments_new", "200 active segments, new people: speed of none", "%", None, None, "more", "size"
        ),
        Promise(
            "segments", "200 active segments, uniform people: speed of none", "%", 85, 92, "more", "size"
        ),
        Promise("segments_zipf", "200 active segments, Zipf 1.1: speed of none", "%", 85, 92, "more", "size"),
        Promise("worst", "random device-user pairs, speed of normal", "%", 50, 80, "more", "size"),
    )
}
"""The rows of the online path that exist now, in the order they are printed."""
