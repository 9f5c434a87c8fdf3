"""The commonest way a graph grows: an event of one or two identifiers none of which was ever seen. They are a new person.

Whether two such identifiers link depends on their types alone, so it is asked once for each pair of types
(`growth` decides); after that a new person costs little more than the rows.
"""

from patron.identity.aliases import Evidence
from patron.identity.change import Change
from patron.identity.evidence import Edge, Group, Ident
from patron.identity.growth import Newcomers, would_share
from patron.identity.people import People
from patron.model.people import Claim, Key, Person
from patron.model.ports import Table


class Strangers:
    """Takes in events of people never met."""

    def __init__(
        self, evidence: Evidence, idents: Table[Ident], groups: Table[Group], people: People
    ) -> None:
        self._evidence = evidence
        self._idents = idents
        self._groups = groups
        self._person_id = people.person_id
        self._simple: dict[tuple[str, ...], bool] = {}

    def meet(
        self, time: int, uid: str, position: int, marks: int, claims: tuple[Claim, ...]
    ) -> Change | None:
        """Make a person of one or two identifiers without names; None (and nothing done) when it is not that simple.

        The last identifier is known to be new.
        """
        last = claims[-1]
        b = last.key
        if len(claims) == 1:
            if not self._is_simple(claims, (b[: b.index(":")],)):
                return None
            pid = self._person_id(b)
            if self._groups.get(pid) is not None:
                return None
            self._idents.put(b, Ident(time, pid, {}))
            return self._enrol(pid, b, [b])
        first = claims[0]
        a = first.key
        if self._idents.get(a) is not None or not self._is_simple(
            claims, (a[: a.index(":")], b[: b.index(":")])
        ):
            return None
        members = [a, b] if a < b else [b, a]
        pid = self._person_id(members[0])
        if self._groups.get(pid) is not None:
            return None
        edge = Edge(max(last.strength, first.strength), time, uid, position, marks)
        self._idents.put(a, Ident(time, pid, {b: edge}))
        self._idents.put(b, Ident(time, pid, {a: edge}))
        return self._enrol(pid, members[0], members)

    def _enrol(self, pid: str, root: Key, members: list[Key]) -> Change:
        self._groups.put(pid, Group(root, members))
        return Change((), (Person(pid, root, tuple(members)),))

    def _is_simple(self, claims: tuple[Claim, ...], kinds: tuple[str, ...]) -> bool:
        """Whether identifiers of these types, met alone, break no limit and share nothing."""
        known = self._simple.get(kinds)
        if known is not None:
            return known
        plan, count = self._evidence.plan, len(claims)
        rules = plan.rules
        simple = (
            not plan.windows
            and len(set(kinds)) == count
            and not any(claim.key.startswith(plan.light) for claim in claims)
            and count <= min(rules.total_limit, rules.crowded, rules.neighbours)
            and not would_share(self._evidence, Newcomers(list(claims), [], [], [], ""))
        )
        if all(
            kind in plan.kinds for kind in kinds
        ):  # types that are no longer declared are not remembered: they are few
            self._simple[kinds] = simple
        return simple
