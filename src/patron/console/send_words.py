"""Sends in words: how each stands, whom it is for, when it reaches them."""

from patron.console import words
from patron.model.sends import Counted, Mix, Send, SendReport, SendView

STATES = {"running": ("early", "Running"), "ended": ("ok", "Ended"), "stopped": ("warn", "Stopped")}


def state(view: SendView) -> tuple[str, str]:
    """Class and text of a send's pill.

    >>> state(SendView("a", Send("a", "A", ("mail",)), "ended", 0, 0, "me", 3, 1, 2))
    ('ok', 'Ended')
    """
    return STATES[view.state]


def when(send: Send) -> str:
    """The hours of a send, in a sentence.

    >>> when(Send("a", "A", ("mail",)))
    'Between 9:00 and 20:00 where each person is, within 24 hours.'
    >>> when(Send("a", "A", ("mail",), hours=(0, 24), within=1))
    'At any hour, within 1 hour.'
    """
    first, end = send.hours
    whole = first == end or (first, end) == (0, 24)
    hours = "At any hour" if whole else f"Between {first}:00 and {end}:00 where each person is"
    return f"{hours}, within {words.plural(send.within, 'hour')}."


def goes(view: SendView) -> str:
    """How far a send is, in a sentence.

    >>> goes(SendView("a", Send("a", "A", ("mail",)), "running", 0, 0, "me", 3, 1, 2))
    '3 people looked at so far: 2 decided for, 1 without an address.'
    """
    so_far = " so far" if view.state == "running" else ""
    return (
        f"{words.plural(view.looked, 'person', 'people')} looked at{so_far}: {words.count(view.decided)} decided for, "
        f"{words.count(view.unreachable)} without an address."
    )


def stopped_by(view: SendView) -> str:
    """Who or what stopped it.

    >>> stopped_by(SendView("a", Send("a", "A", ("mail",)), "stopped", 0, 0, "giulia", 3, 1, 2))
    'Begun by giulia.'
    """
    return f"Begun by {view.by}." if view.by else ""


def hours(report: SendReport) -> list[tuple[float, float]]:
    """(people, 0) of each of the 24 hours, as a chart takes them.

    >>> [n for n, _ in hours_of([Counted("9", "09:00", 4)])].index(4.0)
    9
    """
    return hours_of(report.when)


def hours_of(rows: list[Counted]) -> list[tuple[float, float]]:
    """The same of counts by hour."""
    found = {int(row.id): row.people for row in rows}
    return [(float(found.get(hour, 0)), 0.0) for hour in range(24)]


def busiest(report: SendReport) -> str:
    """The hour that reaches most people, in a few words; empty when nobody is reached.

    >>> busiest_of([Counted("9", "09:00", 4), Counted("19", "19:00", 7)])
    'most at 19:00, 7 people'
    """
    return busiest_of(report.when)


def busiest_of(rows: list[Counted]) -> str:
    """The same of counts by hour."""
    if not rows:
        return ""
    most = max(rows, key=lambda row: row.people)
    return f"most at {most.name}, {words.plural(most.people, 'person', 'people')}"


def share(part: int, whole: int) -> float:
    """A share; 0 of nothing.

    >>> share(1, 4), share(0, 0)
    (0.25, 0.0)
    """
    return part / whole if whole else 0.0


def sameness(mix: Mix) -> tuple[str, str]:
    """Class and text of the pill that says how different a send is.

    >>> sameness(Mix(0, 0, 0, 0, 0, 0, 0, 0, (), ""))
    ('', 'Nobody')
    """
    if not mix.people:
        return "", "Nobody"
    if mix.placeholders:
        return "warn", "Only a name differs"
    if mix.products == mix.contents == 1:
        return "warn", "The same for all"
    return "ok", "Differs"
