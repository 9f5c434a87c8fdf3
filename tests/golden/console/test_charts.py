"""The charts, byte for byte. To accept a change: PATRON_UPDATE_GOLDEN=1 pytest tests/golden/console, and look at it."""

import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patron.console.charts import bar, hours, identity_graph, lift
from patron.console.charts.identity import leaves, order_links
from patron.model.views import IdentifierView, LinkView
from tests.browser.fake_console import anna, hostile

HERE = Path(__file__).parent
BEFORE = [380, 310, 190, 210, 280, 640, 1300, 2500, 4000, 5600, 7000, 7900, 6500, 6100, 6900, 7800, 8200, 8000, 6900, 4900, 3900, 3000, 1900, 900]  # fmt: skip
DRAWN: dict[str, Callable[[], str]] = {
    "identity": lambda: identity_graph("Anna Bianchi", anna().identifiers, anna().links),
    "identity-hostile": lambda: identity_graph(hostile().name, hostile().identifiers, hostile().links),
    "hours": lambda: hours([10] * 24, BEFORE, 10),
    "lift-early": lambda: lift(0.041, -0.12, 0.22, "early"),
    "lift-up": lambda: lift(0.041, 0.032, 0.05, "up"),
    "bar": lambda: bar(0.62, ours=True),
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_chart_is_drawn_as_it_was_accepted(name: str) -> None:
    drawn = str(DRAWN[name]()).replace("><", ">\n<") + "\n"
    golden = HERE / f"{name}.svg"
    if os.environ.get("PATRON_UPDATE_GOLDEN"):
        golden.write_text(drawn, encoding="utf-8")
    assert drawn == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", DRAWN)
def test_a_chart_is_well_formed_and_says_its_finding(name: str) -> None:
    root = ET.fromstring(str(DRAWN[name]()))
    assert root.get("role") == "img" or root.get("aria-hidden") == "true"
    if root.get("role") == "img":
        assert len(root.get("aria-label", "")) > 20
    assert "style" not in {key for node in root.iter() for key in node.attrib}


keys = st.sampled_from(
    [f"email:p{n}@x.example" for n in range(9)] + [f"card:{n}" for n in range(9)] + ["user_id:<b>\x00"]
)
links = st.builds(
    LinkView,
    a=keys,
    b=keys,
    status=st.sampled_from(["accepted", "refused", "shared", "cut", "proposed"]),
    strength=st.integers(0, 2),
    assurance=st.just("asserted"),
    time=st.integers(0, 50),
    event=st.just("Identified"),
    source=st.just("web"),
    rule=st.just("typed"),
    reason=st.just(""),
)


@given(st.lists(keys, unique=True, max_size=19), st.lists(links, max_size=25), st.randoms())
def test_any_evidence_gives_a_picture_that_depends_on_nothing_but_the_evidence(
    held: list[str], found: list[LinkView], luck: object
) -> None:
    people = [IdentifierView(*key.split(":", 1), 0, 0) for key in held]
    drawn = identity_graph("Anna", people, found)
    root = ET.fromstring(str(drawn))
    _, _, width, height = map(float, root.get("viewBox", "").split())
    for box in root.iter("rect"):
        x, y = float(box.get("x", 0)), float(box.get("y", 0))
        assert -1 <= x <= width
        assert -1 <= y <= height
        assert x + float(box.get("width", 0)) <= width + 1
    shuffled, other = list(people), list(found)
    luck.shuffle(shuffled)  # type: ignore[attr-defined]
    distinct = len({(link.time, link.a, link.b) for link in found}) == len(found)
    luck.shuffle(other)  # type: ignore[attr-defined]
    if distinct:
        assert identity_graph("Anna", shuffled, other) == drawn


def test_numbers_on_the_graph_are_the_numbers_of_the_list() -> None:
    accepted, others = order_links(anna().links)
    drawn = str(identity_graph("Anna", anna().identifiers, anna().links))
    numbers = [int(n) for n in re.findall(r'class="ink bold tiny">(\d+)<', drawn)]
    hanging = leaves(anna().links)
    assert hanging == {"order_id:771204"}
    assert numbers == list(range(1, len(accepted)))
    assert hanging & {accepted[-1].a, accepted[-1].b}
    assert drawn.count("✕") == len(others)
