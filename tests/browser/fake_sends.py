"""A double of the sends: one that ended, one that runs, one of a hostile name; dry runs of every kind."""

from dataclasses import dataclass, field
from typing import Any

from msgspec import convert
from msgspec.structs import replace

from patron.decide.distinct import Got, mix
from patron.model.errors import BadRequest, Conflict, Fault, NotFound
from patron.model.sends import Counted, Gain, Mix, Send, SendEffect, SendReport, SendView, Stopped
from patron.model.views import EffectLine

STARTED = 1_795_000_000_000
HOSTILE = "<script>alert('x')</script>\u202e"


def _views() -> list[SendView]:
    spring = Send("spring", "Spring news", ("push", "newsletter"), segment="store-coffee", holdout=0.1)
    return [
        SendView("running", replace(spring, id="running", name=HOSTILE), "running", STARTED, 0, "giulia", 400, 20, 380),
        SendView("spring", spring, "ended", STARTED, STARTED + 9_000, "giulia", 10_000, 1_200, 8_800),
        SendView("late", replace(spring, id="late", name="Late", offers=("tea",), hours=(0, 24)), "stopped", STARTED, STARTED + 50, "marco", 50, 0, 50),
    ]  # fmt: skip


REPORT = SendReport(
    10_000, 10_000, 8_800, 6_000, 880, 1_240.5, 3_310.25,
    [Counted(f"o{n}", HOSTILE if n == 3 else f"Offer {n}", 1_000 - 60 * n) for n in range(16)],
    [Counted("newsletter", "Newsletter", 4_000), Counted("push", "Push", 2_000)],
    [Counted(str(hour), f"{hour:02}:00", 100 * hour) for hour in range(9, 20)],
    [
        Stopped("address", "No address for any of its channels is known", 1_200),
        Stopped("cap", "A cap is reached", 1_100),
        Stopped("send_holdout", "Held out from this send, so that its effect can be measured", 880),
    ],
    2_500,
    mix({Got(f"p{n % 5}", f"c{n % 7}", "email" if n % 3 else "push", 9 + n % 11): 10 + n for n in range(60)}),
)  # fmt: skip
UP = EffectLine(
    5_400, 610, "up", "More people bought: 12% more than without it, 4% to 21%.", 0.224, 0.2, 0.12, 0.04, 0.21
)
EFFECT = SendEffect(7, 120, UP, Gain("EUR", 9.31, 8.4, 0.91, 0.2, 1.62))
EARLY = EffectLine(0, 0, "early", "Too early: there is nobody to compare yet.", 0.0, 0.0, None, None, None)
SAME = mix({Got("tea", "t", "email", 9): 900}, ["first_name"])


@dataclass
class FakeSends:
    """Fixed figures; what was asked is kept."""

    empty: bool = False
    asked: list[tuple[str, Any]] = field(default_factory=list)
    views: list[SendView] = field(default_factory=_views)

    def all(self) -> list[SendView]:
        return [] if self.empty else self.views

    def get(self, name: str) -> SendView:
        found = next((view for view in self.all() if view.id == name), None)
        if found is None:
            raise NotFound("unknown_send", f"There is no send {name[:64]}.")
        return found

    async def dry(self, value: object, most: int = 20_000) -> SendReport:
        self.asked.append(("dry", value))
        send = convert(value, Send)
        if send.segment == "nobody":
            raise BadRequest("bad_send", "no", (Fault("$.segment", "there is no segment nobody"),))
        return replace(REPORT, mix=SAME, audience=90_000, sampled=True) if send.offers else REPORT

    async def start(self, value: object, by: str) -> SendView:
        self.asked.append(("start", value))
        send = convert(value, Send)
        if send.name == "Taken":
            raise Conflict("send_exists", "There is a send of this id already.")
        view = SendView(send.id, send, "running", STARTED, 0, by, 0, 0, 0)
        self.views.insert(0, view)
        return view

    async def stop(self, name: str, by: str) -> SendView:
        view = replace(self.get(name), state="stopped", by=by)
        self.views = [view if one.id == name else one for one in self.views]
        return view

    async def report(self, name: str) -> SendReport:
        nothing = mix({})
        return REPORT if name == "spring" else SendReport(0, 0, 0, 0, 0, 0.0, 0.0, [], [], [], [], 0, nothing)

    async def effect(self, name: str) -> SendEffect:
        return EFFECT if name == "spring" else SendEffect(7, 380, EARLY, Gain("", 0.0, 0.0, None, None, None))

    async def distinct(self, placement: str, days: int = 28) -> Mix:
        if placement == "nowhere":
            raise NotFound("unknown_placement", "Nothing was ever decided at `nowhere`.")
        return mix({Got("tea", "t", "web", 9): 900}, ["first_name"], asked=True)
