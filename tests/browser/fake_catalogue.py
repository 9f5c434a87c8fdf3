"""A double of the catalogue: the real reading and comparing, over versions kept in memory."""

from dataclasses import dataclass, field
from typing import Any

from patron.decide.catalogue import parse, version
from patron.decide.changes import Trial, tried
from patron.decide.example import CATALOGUE_TOML
from patron.model.errors import Conflict
from patron.runtime.decisions.catalogues import Held, Kept

NOW = 1_795_254_127_000
DAY = 86_400_000
SEGMENTS = ("store-coffee", "complaint")
MORE = """
[[offer]]
id = "hostile"
name = "<script>alert('x')</script>\\u202egnp"
placements = ["web_home"]
segments = ["store-coffee"]
not_segments = ["complaint"]
valid_from = 2027-01-01
stock = 100
priority = 0.5
cooldown_hours = 24
budget = 50
cost = 0.5
content = { title = "<b>bold</b> \\u202egnp", url = "https://elsewhere.example/x.png", price = "from 5", nested = { a = [1, "<i>"] } }

[[offer]]
id = "summer"
name = "Summer cups, gone since September"
placements = ["till"]
valid_until = 2026-09-30
content = { say = "Cups for the terrace, two for one." }
"""


@dataclass
class FakeCatalogue:
    """Versions in memory, newest last."""

    texts: list[tuple[str, int, str]] = field(
        default_factory=lambda: [
            (CATALOGUE_TOML, NOW - 40 * DAY, "edited catalogue.toml"),
            (CATALOGUE_TOML.replace("# How often", MORE + "\n# How often"), NOW - 3 * DAY, "giulia"),
        ]
    )

    def held(self, name: str = "") -> Held | None:
        for text, since, by in reversed(self.texts):
            found = parse(text)
            if name in ("", version(found)):
                return Held(version(found), since, by, text, found)
        return None

    def kept(self) -> list[Kept]:
        rows = []
        until = None
        for text, since, by in reversed(self.texts):
            found = parse(text)
            rows.append(Kept(version(found), since, until, by, len(found.offers), len(found.placements)))
            until = since
        return rows

    def tried(self, text: str) -> Trial:
        held = self.held()
        assert held is not None
        return tried(text, held.catalogue, (), SEGMENTS)

    async def save(self, text: str, by: str, based_on: str) -> Any:
        held = self.held()
        assert held is not None
        if based_on and based_on != held.version:
            raise Conflict("catalogue_changed", "The catalogue was changed meanwhile. Nothing was loaded.")
        parse(text, SEGMENTS)
        self.texts.append((text, NOW, by))
