"""Properties whose every example opens a workspace or writes a lake: half a second of CPU each."""

from hypothesis import settings

costly = settings(max_examples=max(5, settings().max_examples // 10))
"""A tenth of the profile's examples."""
