"""Whether the people of a segment can be written to, or told of."""

from patron.runtime.workspace import Workspace


def unaddressable(workspace: Workspace, segment: str, *, filling: bool = False) -> str:
    """What keeps a segment in force from being sent to or exported, as the rest of a sentence; "" when nothing does.

    Parameters
    ----------
    filling : it may still be read out of the past.
    """
    held = workspace.definitions.active().segments.get(segment)
    if held is not None and held.subject != "person":
        return f"is of {held.subject}s; take one of people"
    state = workspace.live.status(segment).state
    if state == "off":
        return "is answered from the lake, which cannot be asked for it; see `patron segment show`"
    if state == "filling" and not filling:
        return "is still being filled: who is in it is not known yet; try again in a moment"
    return ""
