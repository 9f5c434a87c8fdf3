"""One decision, put together: gates, comparison group, draw, reasons."""

from patron.decide.choose import choose
from patron.decide.eligible import Known, eligible
from patron.decide.index import CatalogueIndex
from patron.decide.slots import fill
from patron.model.clock import MINUTE
from patron.model.offers import NOTHING, Ask, Decision, Offer
from patron.rules.sentences import sentence

POLICY = "uniform-1"
ANSWER_LIFE = 30 * MINUTE
"""How long a touchpoint may go on showing an answer, ms; never beyond the offer's own end."""
TREATED, CONTROL = "treated", "control"


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
    if group not in (TREATED, CONTROL):
        raise ValueError(f"the group is `{TREATED}` or `{CONTROL}`, not {group!r}")
    survivors, dropped = eligible(index, ask, known, now)
    would, chance = choose(survivors, seed)
    held = group == CONTROL
    action, propensity = (NOTHING, 1.0) if held else (would, chance)
    offer = index.by_id.get(action)
    return Decision(
        id=decision_id,
        time=now,
        node=known.node,
        person=known.person,
        placement=ask.placement,
        channel=ask.channel,
        action=action,
        propensity=propensity,
        group=group,
        holdout=holdout,
        would=would,
        candidates=index.candidates,
        eligible=(*survivors, NOTHING),
        dropped=dropped,
        reasons=_held_reasons(holdout) if held else _reasons(offer, known, len(survivors) + 1),
        seed=seed,
        policy=POLICY,
        catalogue=index.version,
        content=offer.content if offer else {},
        expires=_expires(offer, now),
        identified=known.identified,
    )


def _expires(offer: Offer | None, now: int) -> int:
    end = now + ANSWER_LIFE
    return end if offer is None or offer.valid_until is None else min(end, offer.valid_until)


def _held_reasons(holdout: float) -> tuple[str, ...]:
    return (
        f"Held out: in the {holdout * 100:.3g}% of people who see no offers, so that the effect can be measured",
    )


def _reasons(offer: Offer | None, known: Known, choices: int) -> tuple[str, ...]:
    """Why this: the offer's own sentence, else its conditions, and how it was drawn."""
    if choices == 1:
        return ("Nothing else was allowed here and now",)
    drawn = f"Drawn at random from {choices} choices, each with a chance of {1 / choices:.2g}"
    if offer is None:
        return ("Leaving people alone is always one of the choices", drawn)
    because = fill(offer.because, known.facts) if offer.because else None
    if because:
        return because, drawn
    if offer.conditions:
        return (*(_capital(sentence(condition)) for condition in offer.conditions[:3]), drawn)
    return "Open to everyone here", drawn


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
