"""Generated histories in a small space of identifiers, so that sharing, limits, names and windows all occur."""

from collections.abc import Sequence
from typing import TypeVar

import msgspec
from hypothesis import strategies as st

from patron.identity.crowd import owner_of
from patron.identity.graph import Change, Graph
from patron.identity.rules import STANDARD_TYPES, IdentityRules, Sharing, Window
from patron.model.people import Claim, Located, Person
from patron.testing import MemoryTable
from tests.property.identity.oracle import Oracle, Seen, kind, light, pair

T = TypeVar("T")

DAY = 86_400_000
SECRET = b"a secret of the workspace"
USERS = ["user_id:u1", "user_id:u2", "user_id:u3", "user_id:u4"]
ANONYMOUS = ["anonymous_id:a1", "anonymous_id:a2", "anonymous_id:a3", "anonymous_id:a4", "anonymous_id:a5"]
EMAILS = ["email:e1@x.it", "email:e2@x.it", "email:marco@x.it", "email:macro@x.it", "email:amcro@x.it"]
PHONES = ["phone:+391", "phone:+392", "phone:+393"]
CARDS = ["card:k1", "card:k2"]
LIGHTS = ["order_id:o1", "order_id:o2", "order_id:o3", "visit_id:v1"]
NAMES = ["", "", "", "", "anna", "ann", "marco", "a", "annalisa", "luca"]
BIRTHS = ["", "", "", "", "", "1980-01-02", "1991-05-06"]


def rules_of(
    limits: dict[str, int], sharing: dict[str, Sharing], window: Window | None, **more: int
) -> IdentityRules:
    from msgspec.structs import replace

    types = tuple(
        replace(
            t,
            limit=limits.get(t.name, t.limit),
            sharing=sharing.get(t.name, t.sharing),
            window=window if t.name == "email" else None,
        )
        for t in STANDARD_TYPES
        if t.name not in {"crm_id", "push_token", "ga_client_id"}
    )
    return IdentityRules(types=types, **more)


LOOSE = {
    "email": Sharing(records=4, devices=5),
    "phone": Sharing(records=4),
    "anonymous_id": Sharing(user_ids=3),
}
TIGHT = {"email": Sharing(records=3, devices=4, names=True), "phone": Sharing(records=2, names=True)}
OPEN = {t.name: Sharing() for t in STANDARD_TYPES}

RULES = {
    "standard": rules_of({}, {}, None),
    "tight": rules_of({"email": 1, "phone": 2}, TIGHT, None, total_limit=5, names_kept=2),
    "loose": rules_of({"user_id": 2, "email": 2}, LOOSE, Window(1, 3), total_limit=6),
    "open": rules_of({"email": 2, "phone": 2}, OPEN, None, total_limit=6),
    "crowded": rules_of({"email": 2, "phone": 2}, LOOSE, None, total_limit=5, crowded=5),
    "crowded open": rules_of({"email": 2, "phone": 2}, OPEN, None, total_limit=4, crowded=3),
    "crowded windows": rules_of({"email": 2, "phone": 2}, OPEN, Window(1, 2), total_limit=4, crowded=6),
}
CAPPED = {
    "capped": rules_of({"email": 2}, OPEN, None, total_limit=6, neighbours=2),
    "capped devices": rules_of({}, {"email": Sharing(records=3)}, None, total_limit=6, neighbours=3),
    "capped crowded": rules_of({"email": 2}, LOOSE, None, total_limit=6, neighbours=3, crowded=4),
}

any_rules = st.sampled_from(sorted(RULES)).map(RULES.__getitem__)
capped_rules = st.sampled_from(sorted(CAPPED)).map(CAPPED.__getitem__)


SHAPES = ("login", "typed", "device", "account", "all", "order", "visit", "alias", "login", "typed")
ORDER = ("user_id", "card", "email", "phone", "anonymous_id", "order_id", "visit_id")


class Draws:
    """Many small choices out of one drawn number: a hundred times faster to generate than one draw for each."""

    def __init__(self, number: int) -> None:
        self.number = number

    def pick(self, values: Sequence[T]) -> T:
        self.number, choice = divmod(self.number, len(values))
        return values[choice]

    def maybe(self) -> bool:
        return self.pick((False, True))


def located(draws: Draws) -> Located:
    """What one event carries: a shape of event, then its identifiers."""
    shape, keys = draws.pick(SHAPES), []
    if shape == "alias":
        first = draws.pick(USERS)
        keys = [first, draws.pick([u for u in USERS if u != first])]
    if shape in {"login", "account", "all"} or (shape in {"order", "visit"} and draws.maybe()):
        keys.append(draws.pick(USERS))
    if shape in {"login", "typed", "device", "all"} or (shape == "order" and draws.maybe()):
        keys.append(draws.pick(ANONYMOUS))
    if shape in {"typed", "all"} or (shape in {"account", "order"} and draws.maybe()):
        keys.append(draws.pick(EMAILS))
    if shape == "all" or (shape in {"typed", "account"} and draws.maybe()):
        keys.append(draws.pick(PHONES))
    if shape == "account" and draws.maybe():
        keys.append(draws.pick(CARDS))
    if shape == "order":
        keys.append(draws.pick(LIGHTS[:3]))
    if shape == "visit":
        keys += [LIGHTS[3], draws.pick(LIGHTS[:3])] if draws.maybe() else [LIGHTS[3]]
    head = keys[0]
    keys.sort(key=lambda k: (ORDER.index(kind(k)), k != head, k))
    strength = draws.pick((0, 1, 2))
    claims = tuple(Claim(k, strength if kind(k) in {"email", "phone"} else 0) for k in keys)
    is_light = all(light(k) for k in keys)
    node = next((k for p in ("user_id", "anonymous_id") for k in keys if kind(k) == p), keys[0])
    name, birth = ("", "") if is_light else (draws.pick(NAMES), draws.pick(BIRTHS))
    return Located(node, claims, is_light, name, birth)


def histories(most: int = 16) -> st.SearchStrategy[list[Seen]]:
    """Lists of observations, with their days in no order."""
    return st.lists(st.integers(0, 2**40), min_size=1, max_size=most).map(_history)


def _history(numbers: list[int]) -> list[Seen]:
    seen = []
    for at, number in enumerate(numbers):
        draws = Draws(number)
        place = located(draws)
        level, day = draws.pick(("observed", "asserted", "verified")), draws.pick(range(12))
        seen.append(Seen(day * DAY, f"s/{at:03d}", at + 1, level, place))
    return seen


def said(*events: tuple[int, str]) -> list[Seen]:
    """A history written by hand: (day, "user_id:u1 email:e1@x.it/2"), the first key the node."""
    seen = []
    for number, (day, text) in enumerate(events):
        claims = []
        for word in text.split():
            key, _, strength = word.partition("/")
            claims.append(Claim(key, int(strength or 0)))
        place = Located(claims[0].key, tuple(claims))
        seen.append(Seen(day * DAY, f"s/{number:03d}", number + 1, "asserted", place))
    return seen


class World:
    """A graph with everything said to it, which checks after each step that it tells the truth."""

    def __init__(self, rules: IdentityRules) -> None:
        self.rules = rules
        self.idents, self.groups = MemoryTable(), MemoryTable()
        self.graph = Graph(self.idents, self.groups, rules, SECRET)
        self.seen: list[Seen] = []
        self.cuts: set[tuple[str, str]] = set()
        self.people: dict[str, Person] = {}
        self.given: dict[str, str] = {}

    def observe(self, one: Seen) -> Change | None:
        known = self.graph.knows(one.time, one.assurance, one.located)
        before = self._rows(one) if known else []
        change = self.graph.observe(one.time, one.uid, one.position, one.assurance, one.located)
        if known:
            assert change is None
            assert self._rows(one) == before
        self.seen.append(one)
        self.apply(change)
        return change

    def _rows(self, one: Seen) -> list[bytes]:
        return [msgspec.msgpack.encode(self.idents.get(claim.key)) for claim in one.located.claims]

    def apply(self, change: Change | None) -> None:
        """Keep the list of people by what changes say alone."""
        if change is None:
            return
        for old in change.before:
            assert self.people.pop(old.id) == old
        for new in change.after:
            assert new.id not in self.people
            self.people[new.id] = new
            self.given[new.id] = new.root

    def cut(self, pairs) -> None:
        self.apply(self.graph.cut(pairs, 99, "hand"))
        self.cuts |= {pair(a, b) for a, b in pairs if a in self.idents and b in self.idents}

    def restore(self, pairs) -> None:
        self.apply(self.graph.restore(pairs))
        self.cuts -= {pair(a, b) for a, b in pairs}

    def check(self) -> None:
        oracle = Oracle(self.seen, self.cuts, self.rules)
        assert partition(self.graph, self.idents) == oracle.root
        self.check_rows(oracle)

    def check_rows(self, oracle: Oracle | None = None) -> None:
        """Rows, people as told by changes, ids and redirects agree with each other."""
        actual = {p.id: p for k in self.idents.keys() if (p := self.graph.person_of(k)) is not None}
        assert self.people == actual
        for person in actual.values():
            assert person.members == tuple(sorted(person.members))
            assert {self.graph.person_of(k).id for k in person.members} == {person.id}
            assert self.graph.person_by_id(person.id) == person
        for person in actual.values():
            group = self.groups.get(person.id)
            assert group.leaves == sum(self.idents.get(k).group == "" for k in person.members)
            assert len(group.members) + group.leaves == len(person.members)
        for pid, root in self.given.items():
            if root in self.idents:
                assert self.graph.person_by_id(pid) == self.graph.person_of(root)
                now = self.graph.person_of(root)
                assert pid == now.id or pid in self.graph.retired_ids(now)
            else:
                assert self.graph.person_by_id(pid) is None
        if oracle is not None:
            for key in oracle.first:
                assert self.graph.is_shared(key) == (key in oracle.dead), key
                assert self.idents.get(key).first == oracle.first[key]
                assert self.graph.person_of(key).crowded == (key in oracle.crowded), key
                row = self.idents.get(key)
                if row.group:
                    follows = owner_of(self.graph, key, row) if key in oracle.crowded else ""
                    assert row.owner == follows, key


def partition(graph: Graph, idents) -> dict[str, str]:
    return {key: graph.person_of(key).root for key in idents.keys()}
