"""A double of the policies: one placement that learned, judgements of every kind."""

from dataclasses import dataclass, field
from typing import Any

from patron.model.errors import BadRequest, NotFound
from patron.model.policies import ArmRow, EstimateRow, Figure, Judged, PolicyDay, PolicyView

HOSTILE = "<b>odd</b>/place\u202e"


@dataclass
class FakePolicies:
    """Fixed figures; what was asked is kept."""

    empty: bool = False
    asked: list[tuple[str, str, dict[str, Any], int]] = field(default_factory=list)

    def placements(self) -> list[str]:
        return [] if self.empty else ["till", "web_home", HOSTILE]

    def change(self, **fields: Any) -> dict[str, Any]:
        return fields

    async def view(self, placement: str, days: int = 28) -> PolicyView:
        if placement not in self.placements():
            raise NotFound("unknown_placement", f"Nothing was ever decided at `{placement[:64]}`.")
        if placement != "web_home":
            return PolicyView(placement, placement, "order", 168, {}, 0, 0, 0, [], [])
        return PolicyView(
            placement, "Home page of the web shop", "click", 24, {"learned-1": 4100, "uniform-1": 900}, 10_000, 5_000, 9_120,
            [
                ArmRow("second-order-10", "10% off the second order", 3_100, 0.62, 0.0712),
                ArmRow("nothing", "Nothing shown", 1_200, 0.24, 0.0),
                ArmRow("hostile", "<script>alert('x')</script>", 700, 0.14, 0.0101),
            ],
            [PolicyDay(f"2026-11-{n:02}", 300 + 7 * n, 0.02 + 0.002 * n, 0.76) for n in range(1, 21) if n not in (7, 8)],
        )  # fmt: skip

    async def evaluate(self, challenger: str, placement: str, change: Any = None, days: int = 28) -> Judged:
        self.asked.append((challenger, placement, dict(change or {}), days))
        if challenger not in ("greedy", "uniform"):
            raise BadRequest("bad_policy", "`challenger` is one of greedy, uniform.")
        if "import" in change["formula"]:
            raise BadRequest("bad_formula", "The formula: there is no name `import`.")
        given = {"second-order-10": 4_400.0, "nothing": 300.0, "hostile": 300.0}
        before = {"second-order-10": 3_100, "nothing": 1_200, "hostile": 700}
        if change["stop"]:
            why = "Refused: 31 % of what this policy would do lies outside what the log could show; at most 5 % may."
            return Judged(
                challenger, placement, "refused", why, "refused", why, 5_000, 3_900, 61.0, 40.0, 0.31, None, None, None, [], given, before
            )  # fmt: skip
        logging, best = Figure(0.0456, 0.0401, 0.0511), EstimateRow("snips", Figure(0.0594, 0.0523, 0.0665))
        if change["at_most"]:
            why = (
                "Too little to say: 5,000 rows count for this policy like 61 of its own, and 100 are needed."
            )
            return Judged(
                challenger, placement, "unclear", why, "caution", why, 5_000, 3_900, 61.0, 40.0, 0.001, logging, best, None, [best], given, before
            )  # fmt: skip
        rows = [
            EstimateRow("ips", Figure(0.0601, 0.0512, 0.069)),
            best,
            EstimateRow("dm", Figure(0.055, 0.05, 0.06)),
        ]
        sentence = "Better: it earns 0.0594 a decision where the log earned 0.0456, +30.3 % (95 % interval +16.1 % to +44.5 %)."
        return Judged(
            challenger, placement, "better", sentence, "accepted", "Accepted: 5,000 rows count for this policy like 2.1e+03 of its own.",
            5_000, 3_900, 2_100.0, 9.8, 0.0, logging, best, Figure(0.303, 0.161, 0.445), rows, given, before,
        )  # fmt: skip
