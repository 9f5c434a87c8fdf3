"""The stages of a launch, and which step may be taken next: none is skipped, none is taken back in silence.

draft -> shadow -> evaluated -> 1% -> 10% -> 50% -> 100%        stopped, rolled_back -> shadow
"""

from collections.abc import Mapping

from patron.model.policies import Launch, Stage

PATH: tuple[Stage, ...] = ("draft", "shadow", "evaluated", "1%", "10%", "50%", "100%")
ENDED: tuple[Stage, ...] = ("stopped", "rolled_back")
STAGES: tuple[Stage, ...] = (*PATH, *ENDED)
SHARES: Mapping[str, float] = {"1%": 0.01, "10%": 0.1, "50%": 0.5, "100%": 1.0}
"""Stage -> share of people for whom the policy decides."""
SHOWN_TO_SOME: tuple[Stage, ...] = ("1%", "10%", "50%")
"""Stages in which it is compared with the champion, and guarded."""
_DOES = {
    "shadow": "At each decision of its placements it is worked out what it would have done. Nobody is shown anything by it.",
    "evaluated": "Judges it from the decisions since it is in shadow. Nobody is shown anything by it.",
    "1%": "It decides for 1% of people, always the same ones. Guards roll it back by themselves.",
    "10%": "It decides for 10% of people, those of before among them. Guards roll it back by themselves.",
    "50%": "It decides for half of all people, those of before among them. Guards roll it back by themselves.",
    "100%": "It becomes the champion: it decides for everybody. Nobody is left to compare with, so guards end.",
    "stopped": "From the next decision on the champion decides for everybody.",
}


def does(to: str) -> str:
    """What a step does, in a sentence.

    >>> does("shadow")[:16]
    'At each decision'
    """
    return _DOES[to]


def following(stage: str) -> Stage | None:
    """The next stage of the path; None at its end.

    >>> following("draft"), following("50%"), following("100%"), following("rolled_back")
    ('shadow', '100%', None, 'shadow')
    """
    if stage in ENDED:
        return "shadow"
    at = PATH.index(stage)
    return PATH[at + 1] if at + 1 < len(PATH) else None


def is_shown(stage: str) -> bool:
    """Whether it decides for anybody.

    >>> is_shown("evaluated"), is_shown("1%")
    (False, True)
    """
    return stage in SHARES


def may_stop(stage: str) -> bool:
    """Whether there is anything to stop: drafts and what has ended decide nothing and watch nothing."""
    return stage != "draft" and stage not in ENDED


def steps(stage: str) -> list[Stage]:
    """Stages that may be asked for from here: the next one, a smaller share of people, or the end.

    >>> steps("10%"), steps("draft")
    (['50%', '1%', 'stopped'], ['shadow'])
    """
    after = following(stage)
    found: list[Stage] = [after] if after else []
    if stage in SHARES:
        found += [one for one in reversed(SHOWN_TO_SOME) if SHARES[one] < SHARES[stage]]
    if may_stop(stage):
        found.append("stopped")
    return found


def out_of_order(stage: str, to: str) -> str:
    """Why a stage may not follow on another, and what to do; empty when it may. No reason opens this.

    >>> out_of_order("shadow", "10%")
    'Stages are not skipped: it is in `shadow`, and `evaluated` comes next.'
    >>> out_of_order("shadow", "evaluated"), out_of_order("50%", "10%")
    ('', '')
    """
    if to in steps(stage):
        return ""
    if to not in STAGES:
        return f"There is no stage `{to[:40]}`; use one of {', '.join(steps(stage))}."
    if to == stage:
        return f"It is in `{stage}` already."
    if to == "rolled_back":
        return "Guards roll back by themselves; to end it by hand, stop it."
    if to == "stopped":
        return "It decides for nobody and watches nothing, so there is nothing to stop."
    after = following(stage)
    if after is None:
        return f"It is the champion already; go back to {', '.join(steps(stage))}."
    if to == "draft":
        return "A changed definition begins as a draft again; stop it, change it, and save it."
    return f"Stages are not skipped: it is in `{stage}`, and `{after}` comes next."


def may_change(launch: Launch) -> str:
    """Why a definition may not be changed now; empty when it may.

    >>> from patron.model.policies import Policy
    >>> may_change(Launch(Policy("bold", "Bold", ("web_home",)), 1, "1%", 0, 9))
    'It is at `1%`. What people were shown must stay what was judged: stop it first, or save the change under another id.'
    """
    if launch.stage == "draft" or launch.stage in ENDED:
        return ""
    return (
        f"It is at `{launch.stage}`. What people were shown must stay what was judged: stop it first, or save the change "
        "under another id."
    )
