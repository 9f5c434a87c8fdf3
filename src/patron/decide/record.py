"""One decision, put together: gates, comparison group, draw, reasons."""

from functools import lru_cache
from typing import Any

from msgspec import Struct

from patron.decide.choose import draw
from patron.decide.eligible import Known, Sifted, drops_of, sift
from patron.decide.fit import is_trending, trend_said
from patron.decide.gates import HELD_OUT_HERE, HELD_OUT_SEND, is_marketing
from patron.decide.grants import RESERVED, Grant
from patron.decide.index import CatalogueIndex, is_limited
from patron.decide.rating import Policy, Rated, drawn
from patron.decide.slots import fill
from patron.decide.stocks import UNITS
from patron.decide.variants import content_for
from patron.model.clock import DAY
from patron.model.offers import Ask, Decision, Offer, Rating

POLICY = "uniform-1"
ANSWER_LIFE = RESERVED
"""How long a touchpoint may go on showing an answer, ms: as long as it is reserved; never beyond the offer's own end."""
SENDING = DAY
"""How long after its hour what is to be sent stays reserved, ms."""
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
    rating: Rating | None = None
    """How the choices were ranked; None: all alike."""
    slate: tuple[str, ...] = ()
    """What else is shown, behind `action`, the best first."""
    language: str = ""
    behind: tuple[dict[str, Any], ...] = ()
    """The content of each of the slate."""


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
    policy: Policy | None = None,
) -> Decision:
    """What to do for one person at one touchpoint, with everything needed to explain, replay and measure it.

    Parameters
    ----------
    decision_id, seed : of the decision; `choose.draw_seed` makes the seed from the id.
    group, holdout : the person's sticky arm (`treated` or `control`) and the share of people held out. A held-out
        person gets no marketing, only what serves them; `would` says what they would have got.
    now : ms UTC.
    policy : ranks what is left; without one every choice is equally likely.

    Raises
    ------
    ValueError : an unknown group.

    >>> index = CatalogueIndex([Offer(id="tea", name="Tea", because="It rains")])
    >>> known = Known("anonymous_id:1", "p_1", {})
    >>> one = decide(index, Ask("web_home"), known, decision_id="d_1", seed=3, group="control", holdout=0.5, now=0)
    >>> one.action, one.propensity, one.eligible, one.would in one.eligible
    ('nothing', 1.0, ('tea', 'nothing'), True)
    """
    terms = Terms(decision_id, seed, group, holdout, now)
    return spell(weigh(index, ask, known, terms, policy), index)


class Terms(Struct, frozen=True):
    """What a decision rests on beside catalogue, ask and person."""

    decision_id: str
    seed: int
    group: str = TREATED
    holdout: float = 0.0
    now: int = 0
    held_here: bool = False
    """Whether this place shows this person no marketing (its own holdout)."""
    count: int = 1
    """How many to show at most."""
    language: str = ""


def weigh(index: CatalogueIndex, ask: Ask, known: Known, terms: Terms, policy: Policy | None = None) -> Drawn:
    """`decide` without naming who was stopped: as much as an answer and its record need.

    Raises ValueError at an unknown group.
    """
    if terms.group not in (TREATED, CONTROL):
        raise ValueError(f"the group is `{TREATED}` or `{CONTROL}`, not {terms.group!r}")
    sifted, rated = _rated(index, ask, known, terms, policy)
    rating = None if rated is None else rated.rating
    choices = index.choices(sifted.left)
    held = terms.group == CONTROL
    would, chance = _draw(choices, rating, terms.seed, None)
    action, propensity = would, chance
    if held:
        action, propensity = _draw(choices, rating, terms.seed, _served(index, sifted.left, choices))
    offer = index.by_id.get(action)
    first = offer is None and held
    slate = () if offer is None or held else slate_of(index, choices, rating, action, terms.count)
    return Drawn(
        terms.decision_id,
        terms.now,
        known.node,
        known.person,
        ask.placement,
        ask.channel,
        action,
        propensity,
        terms.group,
        terms.holdout,
        would,
        sifted,
        choices,
        _held_reasons(terms.holdout)
        if first
        else _reasons(
            index, offer, known, choices, rating, propensity, _trend(rated, choices.index(action), known)
        ),
        terms.seed,
        POLICY if policy is None else policy.name,
        index.version,
        content_for(offer, ask.placement, terms.language) if offer else {},
        _expires(offer, terms.now + ANSWER_LIFE if ask.ahead is None else ask.ahead.at + SENDING),
        known.identified,
        _used(known, sifted),
        None if rated is None else rated.given(choices.index(action)),
        slate,
        terms.language,
        tuple([content_for(index.by_id[name], ask.placement, terms.language) for name in slate]),
    )


def _rated(
    index: CatalogueIndex, ask: Ask, known: Known, terms: Terms, policy: Policy | None
) -> tuple[Sifted, Rated | None]:
    """What the gates and the formula left, and its rating."""
    sifted, ahead = sift(index, ask, known, terms.now), ask.ahead
    held, at = (False, terms.now) if ahead is None else (ahead.held, ahead.at)
    stopped = sifted.left & index.marketing if terms.held_here or held else 0
    if stopped:
        stop = ("holdout", HELD_OUT_HERE if terms.held_here else HELD_OUT_SEND, stopped)
        sifted = Sifted(sifted.left & ~stopped, [*sifted.stops, stop])
    if policy is None or not sifted.left:
        return sifted, None
    rated = policy.rate(index, sifted.left, ask, known, at)
    if rated.failed:
        # no score is a gate before the holdout
        at = len(sifted.stops) - bool(stopped)
        stops = [*sifted.stops[:at], ("score", 0, rated.failed), *sifted.stops[at:]]
        sifted = Sifted(sifted.left & ~rated.failed, stops)
    return sifted, rated if sifted.left else None


def _served(index: CatalogueIndex, left: int, choices: tuple[str, ...]) -> list[int]:
    """Places among the choices of what somebody who is held out may still get: service, and nothing."""
    served = left & ~index.marketing
    last = len(choices) - 1
    return [at for at, name in enumerate(choices[:-1]) if served >> index.places[name] & 1] + [last]


def _draw(
    choices: tuple[str, ...], rating: Rating | None, seed: int, among: list[int] | None
) -> tuple[str, float]:
    if rating is not None:
        at, chance = drawn(rating, seed, among)
        return choices[at], chance
    return draw(choices if among is None else [choices[at] for at in among], seed)


def slate_of(
    index: CatalogueIndex, choices: tuple[str, ...], rating: Rating | None, action: str, count: int
) -> tuple[str, ...]:
    """What is shown behind the action that was drawn: better than nothing, the best first, each family once before any twice.

    The propensity of a decision is that of its action; what stands behind it follows from the scores alone.
    """
    if count < 2 or len(choices) < 3:
        return ()
    gaps = [0] * len(choices) if rating is None else list(rating.codes)
    rest = [(gaps[at], at) for at, name in enumerate(choices[:-1]) if name != action and gaps[at] <= gaps[-1]]
    found: list[str] = []
    again: list[str] = []
    families = {index.by_id[action].family}
    for _, at in sorted(rest):
        name, family = choices[at], index.by_id[choices[at]].family
        (again if family and family in families else found).append(name)
        families.add(family)
    return tuple((*found, *again)[: count - 1])


def grants_of(
    index: CatalogueIndex, made: Drawn | Decision, *, outbound: bool = False, due: int = 0
) -> tuple[Grant, ...]:
    """What a decision gives, as the ledger keeps it: its action and what stands behind it."""
    found, end = [], due + SENDING if due else made.time + RESERVED
    for name in (made.action, *made.slate):
        offer = index.by_id.get(name)
        if offer is None:
            continue
        until = end if offer.valid_until is None else min(end, offer.valid_until)
        found.append(
            Grant(
                made.id, name, made.time, made.channel, made.placement, outbound, until,
                family=offer.family, service=not is_marketing(offer),
                units=round(offer.cost * UNITS), limited=is_limited(offer), due=due,
            )
        )  # fmt: skip
    return tuple(found)


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
    >>> one = weigh(index, Ask("web_home"), known, Terms("d_1", 3))
    >>> one.eligible, spell(one, index).dropped[0].reason
    (('nothing',), 'Only for till')
    """
    same = {name: getattr(drawn, name) for name in _SAME}
    return Decision(candidates=index.candidates, dropped=drops_of(index, drawn.sifted), **same)


_SAME = tuple(name for name in Drawn.__struct_fields__ if name not in {"sifted", "behind"})


def _expires(offer: Offer | None, end: int) -> int:
    return end if offer is None or offer.valid_until is None else min(end, offer.valid_until)


def _held_reasons(holdout: float) -> tuple[str, ...]:
    return (
        f"Held out: in the {holdout * 100:.3g}% of people who see no offers, so that the effect can be measured",
    )


def _reasons(
    index: CatalogueIndex,
    offer: Offer | None,
    known: Known,
    choices: tuple[str, ...],
    rating: Rating | None,
    chance: float,
    trend: str,
) -> tuple[str, ...]:
    """Why this: the offer's own sentence, else its conditions, how it sells here, and how it was drawn."""
    if len(choices) == 1:
        return ("Nothing else was allowed here and now",)
    if rating is None or not rating.widest:
        how = _drawn(len(choices))
    else:
        best = not rating.codes[-1 if offer is None else choices.index(offer.id)]
        how = _ranked(len(choices), chance, best=best)
    if offer is None:
        worth = (f"Today a message must be worth {known.price:.2g} to be sent",) if known.price else ()
        return ("Leaving people alone is always one of the choices", *worth, how)
    because = fill(offer.because, known.facts) if offer.because else None
    lately = (trend,) if trend else ()
    if because:
        return because, *lately, how
    if offer.conditions:
        return (*index.spoken(offer), *lately, how)
    return *(lately or ("Open to everyone here",)), how


def _trend(rated: Rated | None, at: int, known: Known) -> str:
    """How a choice sells where it was asked for, in a sentence; empty when there is nothing to say."""
    fit = b"" if rated is None else rated.fit(at)
    if not is_trending(fit):
        return ""
    store, town = known.facts.get("context.place.name"), known.facts.get("context.place.city")
    return trend_said(fit, store if isinstance(store, str) else "", town if isinstance(town, str) else "")


def _ranked(choices: int, chance: float, *, best: bool) -> str:
    """How a ranked choice was drawn: as the best, or to learn."""
    if best:
        return f"Ranked first of {choices} choices, drawn with a chance of {chance:.2g}"
    return f"Not ranked first of {choices} choices: tried with a chance of {chance:.2g}, to learn how it does"


@lru_cache(maxsize=1024)
def _drawn(choices: int) -> str:
    return f"Drawn at random from {choices} choices, each with a chance of {1 / choices:.2g}"
