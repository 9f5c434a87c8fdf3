"""A policy's way as its page says it: the stages with who moved it, the guards, what each button does."""

from collections.abc import Mapping

from msgspec import Struct

from patron.console import words
from patron.decide.launch.stages import ENDED, PATH
from patron.model.policies import GuardFigure, LaunchView, Move, Option

KINDS: Mapping[str, str] = {
    "learned": "Learns by trying",
    "greedy": "Always the best ranked",
    "uniform": "All that is allowed, each alike",
    "rules": "The best by the formula alone, nothing learned",
}
STAGES: Mapping[str, str] = {
    "draft": "Draft",
    "shadow": "Shadow",
    "evaluated": "Evaluated",
    "1%": "1% of people",
    "10%": "10% of people",
    "50%": "Half of all people",
    "100%": "Champion",
    "stopped": "Stopped",
    "rolled_back": "Rolled back",
}
METRICS: Mapping[str, str] = {
    "reward": "Reward a decision",
    "unsubscribed": "People who unsubscribed",
    "nothing": "Showed nothing",
    "unscored": "Offers without a score",
}
_STATES: Mapping[str, tuple[str, str]] = {
    "early": ("early", "Too early"),
    "fine": ("ok", "Fine"),
    "tripped": ("bad", "Tripped"),
}


class Step(Struct, frozen=True):
    """One stage of the path on its page."""

    name: str
    state: str
    """`done`, `now` or `ahead`."""
    move: Move | None = None
    """How it came there last."""


def path(view: LaunchView) -> list[Step]:
    """The path, and how far a policy came on it; what has ended stands behind where it ended.

    >>> from patron.model.policies import Policy
    >>> moves = [Move(9, "giulia", "draft", "shadow", 1), Move(5, "giulia", "", "draft", 1)]
    >>> one = LaunchView(Policy("bold", "Bold", ("web_home",)), 1, "shadow", 9, "bold-1", 0.0, [], [], moves)
    >>> [(step.name, step.state) for step in path(one)][:3]
    [('Draft', 'done'), ('Shadow', 'now'), ('Evaluated', 'ahead')]
    """
    last: dict[str, Move] = {}
    for move in reversed(view.moves):
        if move.to == "draft":
            last.clear()
        last[move.to] = move
    stage = view.stage if view.stage not in ENDED else (view.moves[0].before if view.moves else "draft")
    at = PATH.index(stage)
    found = []
    for n, name in enumerate(PATH):
        state = "done" if n < at or (n == at and view.stage in ENDED) else "now" if n == at else "ahead"
        found.append(Step(STAGES[name], state, last.get(name) if n <= at else None))
    if view.stage in ENDED:
        found.insert(at + 1, Step(STAGES[view.stage], "now", last.get(view.stage)))
    return found


def pill(stage: str) -> tuple[str, str]:
    """Class and text of a stage's pill.

    >>> pill("rolled_back"), pill("10%")
    (('bad', '✕ Rolled back'), ('ok', '10% of people'))
    """
    if stage in ENDED:
        return "bad", f"✕ {STAGES[stage]}"
    return ("ok" if stage.endswith("%") else "early"), STAGES[stage]


def sentence(view: LaunchView) -> str:
    """Where a policy stands, in a sentence.

    >>> from patron.model.policies import Policy
    >>> sentence(LaunchView(Policy("bold", "Bold", ("web_home",)), 1, "1%", 9, "bold-1", 0.01, [], [], []))
    'It decides for 1% of people; the rest get the champion.'
    """
    if view.stage == "100%":
        return "It is the champion: it decides for everybody."
    if view.share:
        return f"It decides for {100 * view.share:g}% of people; the rest get the champion."
    return {
        "draft": "A draft: nothing is decided or worked out by it.",
        "shadow": "In shadow: what it would have done is worked out from each decision; nobody is shown anything by it.",
        "evaluated": "Evaluated, and shown to nobody yet.",
        "rolled_back": "A guard rolled it back: the champion decides for everybody.",
    }.get(view.stage, "Stopped: the champion decides for everybody.")


def button(option: Option, stage: str) -> str:
    """What the button of a step says.

    >>> button(Option("10%", ""), "1%"), button(Option("1%", ""), "10%"), button(Option("stopped", ""), "100%")
    ('Show to 10% of people', 'Back to 1% of people', 'Roll back')
    """
    to = option.to
    if to == "stopped":
        return "Roll back" if stage.endswith("%") else "Stop"
    if to in PATH and stage in PATH and PATH.index(to) < PATH.index(stage):
        return f"Back to {STAGES[to]}"
    known = {
        "shadow": "Start the shadow",
        "evaluated": "Judge it and move on",
        "100%": "Make it the champion",
    }
    return known.get(to, f"Show to {STAGES[to][:1].lower()}{STAGES[to][1:]}")


def state(figure: GuardFigure) -> tuple[str, str]:
    """Class and text of a guard's pill."""
    return _STATES.get(figure.state, ("", figure.state))


def value(figure: GuardFigure, number: float) -> str:
    """A figure of a guard: rewards as they are, the rest in percent.

    >>> from msgspec.structs import replace
    >>> one = GuardFigure("till", "nothing", "fine", None, 0.2, 0.1234, 0.1, 40, 90, 41, 95, "")
    >>> value(one, 0.1234), value(replace(one, metric="reward"), 0.1234), value(one, -0.004)
    ('12.3%', '0.123', '−0.4%')
    """
    text = f"{number:.3g}" if figure.metric == "reward" else f"{100 * number:.3g}%"
    return text.replace("-", words.MINUS)


def ends(figure: GuardFigure) -> tuple[float, float]:
    """Where the scale of a guard's interval begins and ends: zero and the limit are on it."""
    worse = figure.worse
    if worse is None:
        return 0.0, 1.0
    low, high = min(0.0, worse.low), max(0.0, figure.limit, worse.high)
    return (low, high) if high > low else (low, low + 1.0)
