"""What decisions of several placements are learned from together, and which of their scores compare."""

from patron.model.offers import Placement

_SPANS = ((24, "a day"), (7 * 24, "a week"))
_LONGER = "months"


def success(place: Placement) -> str:
    """What counts as success at a placement, and about how soon: what comes anyway within a day and within a week differs.

    Windows alike are one, so that a change of some hours forgets nothing.

    >>> [success(Placement("a", "A", reward="order", window_hours=hours)) for hours in (4, 24, 168, 720)]
    ['order within a day', 'order within a day', 'order within a week', 'order within months']
    """
    span = next((name for hours, name in _SPANS if place.window_hours <= hours), _LONGER)
    return f"{place.reward} within {span}"


def kind_of(place: Placement) -> str:
    """By what the decisions of a placement are learned from together: its success, and whether it may stay empty.

    A placement that is never left empty asks which, not whether. Mostly it is asked of those for whom something was chosen
    already (a wording): more of these buy anyway, and taught with the others they would speak for showing anything.

    >>> kind_of(Placement("a", "A", reward="order", window_hours=168, fill=True))
    'order within a week, filled'
    """
    return success(place) + (", filled" if place.fill else "")
