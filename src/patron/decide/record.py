"""One decision, put together: gates, comparison group, draw, reasons."""

from functools import lru_cache
from typing import Any

from msgspec import Struct

from patron.decide.choose import draw
from patron.decide.eligible import Known, Sifted, drops_of, sift
from patron.decide.index import CatalogueIndex
from patron.decide.slots import fill
from patron.model.clock import MINUTE
from patron.model.offers import NOTHING, Ask, Decision, Offer

POLICY = "uniform-1"
ANSWER_LIFE = 30 * MINUTE
"""How long a touchpoint may go on showing an answer, ms; never beyond the offer's own end."""
TREATED, CONTROL = "treated", "control"


class Drawn(Struct, frozen=True):
    """A decision as it is made: like `model.offers.Decision`, with masks over the catalogue instead of a thousand names.

    An answer and a record need no more; `spell` names everybody.
    """

    id: str
    time: int
    node: str
    person: str
    placement: str
    channel: str
    action: str
    propensity: float
    group: str
    holdout: float
    would: str
    sifted: Sifted
    eligible: tuple[str, ...]
    reasons: tuple[str, ...]
    seed: int
    policy: str
    catalogue: str
    content: dict[str, Any]
    expires: int
    identified: str
    used: tuple[tuple[str, Any, int], ...] = ()


def decide(
    index: CatalogueIndex,
    ask: Ask,
    known: Known,
    *,
    decision_id: str,
    seed: int,
    group: str,
    holdout: float,
    now: int,
) -> Decision:
    """What to do for one person at one touchpoint, with everything needed to explain, replay and measure it.

    Parameters
    ----------
    decision_id, seed : of the decision; `choose.draw_seed` makes the seed from the id.
    group, holdout : the person's sticky arm (`treated` or `control`) and the share of people held out. A held-out
        person gets `nothing` with probability 1; `would` says what they would have got.
    now : ms UTC.

    Raises
    ------
    ValueError : an unknown group.

    >>> index = CatalogueIndex([Offer(id="tea", name="Tea", because="It rains")])
    >>> known = Known("anonymous_id:1", "p_1", {})
    >>> one = decide(index, Ask("web_home"), known, decision_id="d_1", seed=3, group="control", holdout=0.5, now=0)
    >>> one.action, one.propensity, one.eligible, one.would in one.eligible
    ('nothing', 1.0, ('tea', 'nothing'), True)
    """
    made = weigh(index, ask, known, decision_id=decision_id, seed=seed, group=group, holdout=holdout, now=now)
    return spell(made, index)


def weigh(
    index: CatalogueIndex,
    ask: Ask,
    known: Known,
    *,
    decision_id: str,
    seed: int,
    group: str,
    holdout: float,
    now: int,
) -> Drawn:
    """`decide` without naming who was stopped: as much as an answer and its record need.

    Raises ValueError at an unknown group.
    """
    if group not in (TREATED, CONTROL):
        raise ValueError(f"the group is `{TREATED}` or `{CONTROL}`, not {group!r}")
    sifted = sift(index, ask, known, now)
    choices = index.choices(sifted.left)
    would, chance = draw(choices, seed)
    held = group == CONTROL
    action, propensity = (NOTHING, 1.0) if held else (would, chance)
    offer = index.by_id.get(action)
    return Drawn(
        decision_id,
        now,
        known.node,
        known.person,
        ask.placement,
        ask.channel,
        action,
        propensity,
        group,
        holdout,
        would,
        sifted,
        choices,
        _held_reasons(holdout) if held else _reasons(index, offer, known, len(choices)),
        seed,
        POLICY,
        index.version,
        offer.content if offer else {},
        _expires(offer, now),
        known.identified,
        _used(known, sifted),
    )


def _used(known: Known, sifted: Sifted) -> tuple[tuple[str, Any, int], ...]:
    """What feeds were asked, once everything that asks is done."""
    if known.around is None:
        return ()
    last = sifted.stops[-1] if sifted.stops else ("", 0, 0)
    return known.around.used(last[2] if last[0] == "stock" else 0)


def spell(drawn: Drawn, index: CatalogueIndex) -> Decision:
    """The same decision with every candidate named, each drop with its sentence.

    >>> index = CatalogueIndex([Offer(id="mug", name="Mug", placements=("till",))])
    >>> known = Known("anonymous_id:1", "p_1", {})
    >>> one = weigh(index, Ask("web_home"), known, decision_id="d_1", seed=3, group="treated", holdout=0.5, now=0)
    >>> one.eligible, spell(one, index).dropped[0].reason
    (('nothing',), 'Only for till')
    """
    same = {name: getattr(drawn, name) for name in _SAME}
    return Decision(candidates=index.candidates, dropped=drops_of(index, drawn.sifted), **same)


_SAME = tuple(name for name in Drawn.__struct_fields__ if name != "sifted")


def _expires(offer: Offer | None, now: int) -> int:
    end = now + ANSWER_LIFE
    return end if offer is None or offer.valid_until is None else min(end, offer.valid_until)


def _held_reasons(holdout: float) -> tuple[str, ...]:
    return (
        f"Held out: in the {holdout * 100:.3g}% of people who see no offers, so that the effect can be measured",
    )


def _reasons(index: CatalogueIndex, offer: Offer | None, known: Known, choices: int) -> tuple[str, ...]:
    """Why this: the offer's own sentence, else its conditions, and how it was drawn."""
    if choices == 1:
        return ("Nothing else was allowed here and now",)
    drawn = _drawn(choices)
    if offer is None:
        return ("Leaving people alone is always one of the choices", drawn)
    because = fill(offer.because, known.facts) if offer.because else None
    if because:
        return because, drawn
    if offer.conditions:
        return (*index.spoken(offer), drawn)
    return "Open to everyone here", drawn


@lru_cache(maxsize=1024)
def _drawn(choices: int) -> str:
    return f"Drawn at random from {choices} choices, each with a chance of {1 / choices:.2g}"
