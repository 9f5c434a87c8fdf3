"""A small world is the same on every machine: its totals and its identity map, as whole numbers.

When the equations or parameters of the simulator change, this digest changes with them: run the test, read the new one in its
message, and write it here in the same commit.
"""

import datetime as dt
import hashlib
from pathlib import Path

from patron.sim import make_town
from patron.sim.generation.folder import rows
from patron.sim.generation.generate import generate

DIGEST = "33fba04dff3e37c2e1eb500b1641420fbf9528ff7bddc9eacbcdd71995dea006"
"""Of 150 households over 12 days, seed 11."""


def digest(truth: Path) -> str:
    """A fingerprint of orders and cents by place and day, of whose each message is, and whose each identifier."""
    seen = hashlib.sha256()
    for row in rows(truth, "totals"):
        place = (row["day"], row["source"], row["store"], row["currency"])
        seen.update(f"{place} {row['orders']} {row['gross_cents']} {row['refund_cents']}\n".encode())
    for row in rows(truth, "person_map"):
        seen.update(f"{row['messageId']} {row['person']}\n".encode())
    for row in rows(truth, "identifiers"):
        seen.update(f"{row['identifier']} {row['people']}\n".encode())
    return seen.hexdigest()


def test_a_small_world_is_the_same_everywhere(tmp_path: Path) -> None:
    generate(make_town(11, dt.date(2026, 4, 1), 150, 12), tmp_path / "world", "150")
    assert digest(tmp_path / "world" / "truth") == DIGEST
