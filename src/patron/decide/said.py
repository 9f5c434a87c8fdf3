"""Caps, budgets of messages, quiet hours, weights and validity as people read them: for pages and the command line."""

from collections.abc import Iterable, Mapping

from patron.model.offers import Cap, Placement, Quiet, Weight
from patron.rules.sentences import CHANNEL_NAMES, sentence

_EACH = {"offer": "of each offer", "family": "of each family", "channel": "in each channel"}


def cap_said(cap: Cap) -> str:
    """A cap as a sentence.

    >>> cap_said(Cap("a", 2, days=7, outbound=True))
    'At most 2 offers that are sent out, in 7 calendar days.'
    >>> cap_said(Cap("b", 1, hours=24, channels=("email",), families=("discount",), each="offer"))
    'At most 1 of each offer of the family discount by e-mail, in 24 hours.'
    """
    what = [_EACH[cap.each]] if cap.each else ["offer" if cap.limit == 1 else "offers"]
    if cap.families:
        what.append(f"of the {'family' if len(cap.families) == 1 else 'families'} {_or(cap.families)}")
    if cap.outbound:
        what.append("that are sent out")
    if cap.channels:
        what.append(_or(CHANNEL_NAMES.get(name, name) for name in cap.channels))
    return f"At most {cap.limit} {' '.join(what)}, in {_time(cap)}."


def _time(cap: Cap) -> str:
    if cap.days:
        return "one calendar day" if cap.days == 1 else f"{cap.days} calendar days"
    return "one hour" if cap.hours == 1 else f"{cap.hours} hours"


def quiet_said(quiet: Quiet) -> str:
    """Quiet hours as a sentence.

    >>> quiet_said(Quiet(1260, 480))
    "Nothing is sent out from 21:00 to 08:00 of the next day, by the person's own clock."
    """
    night = " of the next day" if quiet.start > quiet.end else ""
    where = f" {_or(CHANNEL_NAMES.get(name, name) for name in quiet.channels)}" if quiet.channels else ""
    hours = f"from {clock(quiet.start)} to {clock(quiet.end)}{night}"
    return f"Nothing is sent out{where} {hours}, by the person's own clock."


def clock(minute: int) -> str:
    """A minute of the day as hours and minutes.

    >>> clock(485)
    '08:05'
    """
    return f"{minute // 60:02d}:{minute % 60:02d}"


def weight_said(weight: Weight, names: Mapping[str, str]) -> str:
    """A weight as a sentence; `names` are those of offers.

    >>> weight_said(Weight(1.5, offers=("tea",)), {"tea": "Tea tasting"})
    'Times 1.5 for Tea tasting.'
    """
    whom = [names.get(one, one) for one in weight.offers]
    if weight.families:
        whom.append(f"the {'family' if len(weight.families) == 1 else 'families'} {_or(weight.families)}")
    when = " and ".join(sentence(one) for one in weight.conditions)
    return f"Times {weight.factor:g} for {_or(whom) or 'every offer'}{f' while {when}' if when else ''}."


def success_said(placement: Placement) -> str:
    """What counts as success at a placement.

    >>> success_said(Placement("till", "Till", reward="order", window_hours=72))
    'An order within 3 days'
    """
    reward = {"margin": "Margin", "order": "An order"}.get(placement.reward, f"A {placement.reward}")
    return f"{reward} within {span_said(placement.window_hours)}"


def span_said(hours: int) -> str:
    """A number of hours as people say it.

    >>> [span_said(hours) for hours in (1, 24, 36, 168)]
    ['one hour', '24 hours', '36 hours', '7 days']
    """
    if hours % 24 == 0 and hours > 24:
        return f"{hours // 24} days"
    return "one hour" if hours == 1 else f"{hours} hours"


def budget_said(wanted: float, got: float | None, price: float) -> str:
    """How a budget of messages stands, as a sentence.

    >>> budget_said(2.5, 2.43, 0.714)
    'A person shall get 2.5 messages in 30 days on average; lately it was 2.4. Today one is sent where it brings at least 0.71 beyond its cost.'
    >>> budget_said(4, None, 0.0)
    'A person shall get 4 messages in 30 days on average. Today every message that is worth its cost may be sent.'
    """
    lately = "" if got is None else f"; lately it was {got:.1f}"
    today = (
        f"Today one is sent where it brings at least {price:.2g} beyond its cost."
        if price
        else "Today every message that is worth its cost may be sent."
    )
    return f"A person shall get {wanted:g} messages in 30 days on average{lately}. {today}"


def _or(names: Iterable[str]) -> str:
    *some, last = list(names) or [""]
    return f"{', '.join(some)} or {last}" if some else last
