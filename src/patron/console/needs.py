"""What waits for a person on the home page, most pressing first."""

from collections.abc import Iterator

from patron.model.views import Need
from patron.runtime import letters, upkeep
from patron.runtime.backend import LocalBackend

EXPECTED = ("unknown_channel", letters.REFUSED)
"""Reasons that the home page does not count as messages to mend: one has a task of its own, one is a customer's no."""
MOST = 5
"""Unknown channels that the home page names."""
TOLD = frozenset({"Sources", "Dead letters"})
"""Checks of the workspace's health that have a task of their own here."""


def needs(backend: LocalBackend) -> list[Need]:
    """Unknown channels, messages to mend, a missing source, and what is not healthy. Empty when all is well."""
    return [*_channels(backend), *_refused(backend), *_sources(backend), *_unwell(backend)]


def _channels(backend: LocalBackend) -> Iterator[Need]:
    unknown = sorted(letters.unknown_channels(backend.app).items(), key=lambda one: (-one[1], one[0]))
    for name, count in unknown[:MOST]:
        plural = "event waits" if count == 1 else "events wait"
        yield Need(
            "quarantine",
            f"{count:,} {plural} in quarantine: unknown channel “{name}”",
            "Nothing is lost: say what it is, and they are replayed.",
            "/console/data/quarantine?code=unknown_channel",
            "Map and replay",
        )
    if len(unknown) > MOST:
        yield Need(
            "quarantine",
            f"{len(unknown) - MOST:,} more unknown channels",
            "Nothing is lost: say what they are, and their events are replayed.",
            "/console/data/quarantine?code=unknown_channel",
            "Look",
        )


def _refused(backend: LocalBackend) -> Iterator[Need]:
    _, _, counts = backend.dead_letters("", "", None, 1)
    others = {code: n for code, n in sorted(counts.items()) if code not in EXPECTED}
    if sum(others.values()):
        reasons = ", ".join(code.replace("_", " ") for code in others)
        yield Need(
            "deadletter",
            f"{sum(others.values()):,} messages were not accepted",
            f"Reasons: {reasons}.",
            "/console/data/quarantine",
            "Look",
        )


def _sources(backend: LocalBackend) -> Iterator[Need]:
    if not len(backend.workspace.sources):
        yield Need(
            "source",
            "No source sends events yet",
            "Make one and copy its write key.",
            "/console/data/sources",
            "Add source",
        )


def _unwell(backend: LocalBackend) -> Iterator[Need]:
    for what, good, text in upkeep.health(backend.app).checks:
        if not good and what not in TOLD:
            yield Need("health", f"{what} needs a look", text, "/console/data", "Open")
