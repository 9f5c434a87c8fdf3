"""A graph told in short lines: `see(g, 3, "user_id:7", "email:a@x.it/2")` is an event of day 3."""

from patron.identity.graph import Change, Graph
from patron.identity.rules import IdentityRules
from patron.model.people import Claim, Located
from patron.testing import MemoryTable

DAY = 86_400_000
SECRET = b"a secret of the workspace"


def graph_of(rules: IdentityRules | None = None) -> Graph:
    return Graph(MemoryTable(), MemoryTable(), rules or IdentityRules(), SECRET)


def see(
    graph: Graph,
    day: int,
    *keys: str,
    name: str = "",
    birth: str = "",
    uid: str = "",
    assurance: str = "asserted",
) -> Change | None:
    """Observe one event; `/1` or `/2` after a key is its strength, the first key the node."""
    claims = []
    for text in keys:
        key, slash, strength = text.partition("/")
        claims.append(Claim(key, int(strength) if slash else 0))
    light = keys[0].startswith(("order_id:", "visit_id:"))
    place = Located(claims[0].key, tuple(claims), light, name, birth)
    return graph.observe(day * DAY, uid or f"web/{day}-{'-'.join(keys)}", day + 1, assurance, place)


def members(graph: Graph, key: str) -> set[str]:
    person = graph.person_of(key)
    return set(person.members) if person else set()
