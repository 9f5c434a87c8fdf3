"""A double of the policies: one placement that learned, judgements of every kind."""

from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from patron.decide.launch.reading import policy_of
from patron.decide.launch.stages import SHARES, does, steps
from patron.model.errors import BadRequest, Conflict, NotFound
from patron.model.policies import (
    ArmRow,
    EstimateRow,
    Figure,
    GuardFigure,
    Judged,
    LaunchRow,
    LaunchView,
    MessageBudget,
    Move,
    Option,
    Policy,
    PolicyDay,
    PolicyView,
)

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
            budget = MessageBudget(2.5, 2.43, 0.714) if placement == "till" else None
            return PolicyView(placement, placement, "order", 168, {}, 0, 0, 0, [], [], budget)
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


T = 1_800_000_000_000
STAGES = {"bold": "10%", "calm": "shadow", "worst": "rolled_back", "odd": "draft", "now": "100%"}
_WAY = {
    "10%": ("draft", "shadow", "evaluated", "1%", "10%"), "shadow": ("draft", "shadow"), "draft": ("draft",),
    "rolled_back": ("draft", "shadow", "evaluated", "1%", "rolled_back"),
    "100%": ("draft", "shadow", "evaluated", "1%", "10%", "50%", "100%"),
}  # fmt: skip


@dataclass
class FakeLaunching:
    """A policy in each kind of stage; what was done is kept."""

    empty: bool = False
    done: list[tuple[Any, ...]] = field(default_factory=list)

    def _policy(self, name: str) -> Policy:
        odd = name == "odd"
        text = "<script>alert('p')</script>" * 5 if odd else f"The {name} one"
        return Policy(
            name, text, (HOSTILE,) if odd else ("web_home",), "rules" if odd else "learned",
            "propensity * value / 2" if odd else "", 1.0 if odd else 3.0,
        )  # fmt: skip

    def rows(self) -> list[LaunchRow]:
        return [] if self.empty else [self._row(name) for name in STAGES]

    def _row(self, name: str) -> LaunchRow:
        policy = self._policy(name)
        return LaunchRow(name, policy.name, policy.kind, 1, policy.placements, STAGES[name], T, "giulia")

    def view(self, name: str) -> LaunchView:
        if self.empty or name not in STAGES:
            raise NotFound("unknown_policy", f"There is no policy {name[:64]}.")
        stage, policy = STAGES[name], self._policy(name)
        way = _WAY[stage]
        moves = [
            Move(T + n * 3_600_000, "patron" if to == "rolled_back" else "giulia", ("", *way)[n], to, 1,  # type: ignore[arg-type]
                 "<b>because</b>" if to == "1%" else "", f"[web_home] Known at {to}.", "Too few rows." if to == "1%" else "")
            for n, to in enumerate(way)
        ]  # fmt: skip
        late = "Too early: of 100 decisions of its own at web_home 12 are past their window of 24 hours."
        options = [
            Option(to, does(to), late if (stage, to) == ("10%", "50%") else "", overridable=to == "50%")
            for to in steps(stage)
        ]
        return LaunchView(
            policy, 1, stage, T, f"{name}-1", SHARES.get(stage, 0.0), options,
            _guards() if stage == "10%" else [], list(reversed(moves)),
        )  # fmt: skip

    async def put(self, name: str, value: Any, by: str) -> LaunchView:
        self.done.append(("put", name, policy_of(value), by))
        return self.view("bold")

    async def move(self, name: str, to: str, by: str, why: str = "") -> LaunchView:
        if to == "evaluated" and not why:
            raise Conflict(
                "not_ready", "At web_home: There are no rows. To go on all the same, give a reason."
            )
        self.done.append(("move", name, to, by, why))
        return self.view(name)

    async def judge(self, name: str) -> list[Judged]:
        told = await FakePolicies().evaluate("greedy", "web_home", {"stop": (), "at_most": 0, "formula": ""})
        return [replace(told, challenger=f"{name}-1", otherwise=0.1234)]


def _guards() -> list[GuardFigure]:
    worse = Figure(0.004, -0.012, 0.02)
    return [
        GuardFigure("web_home", "reward", "fine", worse, 0.0, 0.041, 0.045, 120, 1_080, 400, 3_600, "Fine."),
        GuardFigure("web_home", "nothing", "tripped", Figure(0.5, 0.31, 0.69), 0.2, 0.6, 0.1, 120, 1_080, 400, 3_600, "Worse."),
        GuardFigure("web_home", "unsubscribed", "early", None, 0.0, 0.0, 0.0, 12, 1_080, 400, 3_600, "Too early."),
    ]  # fmt: skip
