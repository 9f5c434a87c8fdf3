"""What the options of a question may be."""

from typing import Annotated

from msgspec import Meta

Days = Annotated[int, Meta(ge=1, le=3660)]
"""How far back is looked, days."""
Within = Annotated[int, Meta(ge=1, le=400)]
"""Days that something may take."""
Event = Annotated[str, Meta(min_length=1, max_length=200)]
"""The name of an event; `*` is any."""
Top = Annotated[int, Meta(ge=1, le=1000)]
"""Most rows of an answer."""
Gap = Annotated[int, Meta(ge=1, le=1440)]
"""Minutes without an event that end a session."""
