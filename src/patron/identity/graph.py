"""The identity graph: evidence in, people out. `observe` is on the path of every event; the rest serves people.

The state is two tables, passed in: identifiers with their links, and groups by person id. Everything in them is a
function of the set of observations and cuts made (except which ids are retired), so any order of arrival, any slicing
and any replay ends in the same people.
"""

from collections.abc import Iterable, Iterator

from patron.identity.change import Change, Refusal
from patron.identity.evidence import ALIAS, ASSURANCE, HAND, VERIFIED, Edge, Group, Ident, Proof, knows
from patron.identity.growth import grow
from patron.identity.guards import broken_by, tally_of
from patron.identity.people import Hasher, People
from patron.identity.revision import Revision
from patron.identity.rules import IdentityRules
from patron.identity.split import split_edges
from patron.identity.strangers import Strangers
from patron.model.people import Claim, Key, Located, Person
from patron.model.ports import Table

__all__ = ["Change", "Graph", "Group", "Ident", "Refusal"]

_NOTHING = Change()


def _pair(a: Claim, b: Claim, proof: Proof) -> tuple[Key, Key, Proof]:
    """One pair as the event states it. Two user ids in one event are two names of one account."""
    alias = ALIAS if a.key.startswith("user_id:") and b.key.startswith("user_id:") else 0
    strength = max(a.strength, b.strength)
    return a.key, b.key, Proof(strength, proof.time, proof.uid, proof.position, proof.marks | alias)


class Graph:
    """Identifiers, the evidence that links them, and the people that follow from it.

    Parameters
    ----------
    idents, groups
        Where the rows live.
    rules
        Limits and guards. After a change of rules make a new graph over the same tables and call `resettle`.
    secret
        The workspace's secret (16 to 64 bytes), which keys person ids.

    >>> from patron.model.people import Claim
    >>> from patron.testing import MemoryTable
    >>> graph = Graph(MemoryTable(), MemoryTable(), IdentityRules(), b"0123456789abcdef")
    >>> place = Located("user_id:7", (Claim("user_id:7", 0), Claim("anonymous_id:c1", 0)))
    >>> graph.observe(1000, "shop/m1", 1, "asserted", place).after[0].members
    ('anonymous_id:c1', 'user_id:7')
    >>> graph.observe(2000, "shop/m2", 2, "asserted", place) is None
    True
    """

    def __init__(
        self, idents: Table[Ident], groups: Table[Group], rules: IdentityRules, secret: bytes
    ) -> None:
        self._idents = idents
        self._groups = groups
        self.plan = rules.plan
        self.row = idents.get
        self._people = People(idents, groups, self.plan, Hasher(secret))
        self._strangers = Strangers(self, idents, groups, self._people)

    # --- events ---------------------------------------------------------------------------------------------

    def knows(self, event_time: int, assurance: str, located: Located) -> bool:
        """Whether an event plainly says nothing new, as nearly every one: then `observe` would change nothing.

        False says nothing: ask `observe`.
        """
        claims = located.claims
        if len(claims) > 2 or located.given_name or located.birth_date:
            return False
        row_of, b = self.row, claims[-1]
        last = row_of(b.key)
        if last is None or last.first > event_time:
            return False
        a = claims[0]
        if a is b:
            return True
        first = row_of(a.key)
        if first is None or first.first > event_time:
            return False
        edge = last.links.get(a.key) or first.links.get(b.key)
        return (
            edge is not None
            and edge.time < event_time
            and edge.strength == max(a.strength, b.strength)
            and edge.marks & 3 >= ASSURANCE[assurance]
            and not edge.marks & HAND
        )

    def observe(
        self, event_time: int, uid: str, position: int, assurance: str, located: Located
    ) -> Change | None:
        """Take in what one event says of its identifiers; None when it says nothing new.

        Parameters
        ----------
        event_time
            Milliseconds UTC, by the event's own time.
        uid, position
            The event's global id, and its place in the log.
        assurance
            `verified`, `asserted` or `observed`.
        located
            The event's identifiers (`claims.locate`).
        """
        level, claims = ASSURANCE[assurance], located.claims
        if (
            len(claims) <= 2
            and not located.given_name
            and not located.birth_date
            and self.row(claims[-1].key) is None
        ):
            met = self._strangers.meet(event_time, uid, position, level, claims)
            if met is not None:
                return met
        return self._learn(event_time, uid, position, level, located)

    def _learn(self, time: int, uid: str, position: int, level: int, located: Located) -> Change | None:
        proof = Proof(0, time, uid, position, level)
        pairs = list(self._pairs(located, proof))
        if self._is_known(time, located, pairs):
            return None
        grown = grow(self, self._idents, self._groups, self._people, proof, located)
        if grown is not None:
            return grown
        revision = self._revision()
        for claim in located.claims:
            revision.see(claim.key, time, located.given_name, located.birth_date)
        for a, b, one in pairs:
            revision.link(a, b, one)
        return revision.finish()

    def _is_known(self, time: int, located: Located, pairs: list[tuple[Key, Key, Proof]]) -> bool:
        """Whether an event with names, or with three identifiers or more, says nothing new: the usual `identify`."""
        name, birth, light = located.given_name, located.birth_date, self.plan.light
        rows = {}
        for claim in located.claims:
            key = claim.key
            row = self.row(key)
            if row is None or row.first > time:
                return False
            new_fact = (name and name not in row.names) or (birth and birth not in row.births)
            if new_fact and not key.startswith(light):
                return False
            rows[key] = row
        for a, b, proof in pairs:
            edge = rows[a].links.get(b) or rows[b].links.get(a)
            if edge is None or not knows(edge, proof):
                return False
        return True

    def _pairs(self, located: Located, proof: Proof) -> Iterator[tuple[Key, Key, Proof]]:
        """Every two heavy identifiers of an event; a transaction or visit is linked to the event's node only."""
        light, claims = self.plan.light, located.claims
        heavy = [c for c in claims if not c.key.startswith(light)]
        for i, one in enumerate(heavy):
            for other in heavy[i + 1 :]:
                yield _pair(one, other, proof)
        if len(heavy) < len(claims):
            node = next((c for c in claims if c.key == located.node), claims[0])
            for claim in claims:
                if claim.key != node.key and claim.key.startswith(light):
                    yield _pair(node, claim, proof)

    def _revision(self) -> Revision:
        return Revision(self._idents, self._groups, self.plan, self._people)

    # --- reading --------------------------------------------------------------------------------------------

    def person_of(self, key: Key) -> Person | None:
        """Who holds an identifier; None when it was never seen."""
        row = self.row(key)
        if row is not None and row.group == "":
            row = self.row(next(iter(row.links)))
        return None if row is None else self._people.by_group(row.group)

    def person_by_id(self, pid: str) -> Person | None:
        """Who has a person id today: a retired id leads to whoever holds its identifier. None when it was never given."""
        group = self._groups.get(pid)
        if group is None:
            return None
        return self._people.by_group(pid) if group.members else self.person_of(group.root)

    def retired_ids(self, person: Person) -> list[str]:
        """Earlier ids that lead to this person today, sorted."""
        ids = (self._people.person_id(key) for key in person.members)
        return sorted(pid for pid in ids if pid != person.id and pid in self._groups)

    def is_shared(self, key: Key) -> bool:
        """Whether an identifier links nobody because many use it."""
        row = self.row(key)
        return row is not None and row.shared != ""

    def is_dead(self, _key: Key, row: Ident) -> bool:
        """Whether an identifier with this row links nobody."""
        return row.shared != ""

    def edge(self, a: Key, b: Key) -> Edge | None:
        """The evidence of a pair, None when there is none."""
        first, second = self.row(a), self.row(b)
        return (first.links.get(b) if first else None) or (second.links.get(a) if second else None)

    # --- by hand --------------------------------------------------------------------------------------------

    def split_edges(self, person: Person, nodes: Iterable[Key]) -> list[tuple[Key, Key]]:
        """The links to cut so that `nodes`, with the transactions that hang on them, leave the rest of the person."""
        return split_edges(self, person, nodes)

    def cut(self, pairs: Iterable[tuple[Key, Key]], time: int, uid: str) -> Change:
        """Keep pairs apart from now on, exactly as if they had never been seen together, also when they are seen again.

        Pairs of which one identifier is unknown are passed over.
        """
        revision = self._revision()
        for a, b in pairs:
            revision.cut(a, b, time, uid)
        return revision.finish() or _NOTHING

    def restore(self, pairs: Iterable[tuple[Key, Key]]) -> Change:
        """Undo a cut: all evidence of the pairs, also what came since, counts again."""
        revision = self._revision()
        for a, b in pairs:
            revision.restore(a, b)
        return revision.finish() or _NOTHING

    def join(self, a: Key, b: Key, time: int, uid: str, position: int = 0) -> Change | Refusal:
        """Merge by hand: a verified link of strength 0, still subject to the guards and limits. Lifts a cut of the pair.

        A join that would not make them one person is refused with the reason, and leaves no trace.
        """
        first, second = self.row(a), self.row(b)
        if first is None or second is None or a == b:
            which = a if first is None else b
            return Refusal("unknown", f"{which} was never seen; join two different identifiers that were.")
        for key, row in ((a, first), (b, second)):
            if row.shared:
                return Refusal(row.shared, f"{key} is shared by several people, so it links nobody.")
        old = self.edge(a, b)
        revision = self._revision()
        revision.restore(a, b)
        revision.link(a, b, Proof(0, time, uid, position, VERIFIED | HAND))
        change = revision.finish() or _NOTHING
        refusal = self._apart(a, b)
        if refusal is None:
            return change
        self._undo_join(a, b, old)
        return refusal

    def _apart(self, a: Key, b: Key) -> Refusal | None:
        """Why two identifiers are not one person although a link by hand joins them; None when they are one."""
        from patron.identity.sentences import limit_sentence

        ours, theirs = self.person_of(a), self.person_of(b)
        assert ours is not None
        assert theirs is not None
        if ours.id == theirs.id:
            return None
        tallies = [tally_of(self, ((k, r) for k in p.members if (r := self.row(k)))) for p in (ours, theirs)]
        rule = broken_by(self.plan, *tallies) or ("crowded" if ours.crowded else "neighbours")
        return Refusal(rule, limit_sentence(rule, self.plan))

    def _undo_join(self, a: Key, b: Key, old: Edge | None) -> None:
        revision = self._revision()
        revision.replace(a, b, old)
        revision.finish()

    # --- taking away ----------------------------------------------------------------------------------------

    def drop(self, *keys: Key, erased: bool = True) -> Change:
        """Remove identifiers with all their links; unknown ones are passed over.

        Parameters
        ----------
        erased
            True (erasure): those they were seen with go on counting them, as numbers, so that what was shared stays
            shared. False (to observe the same events again, under other cut times): no trace is left, but a cut
            made by hand stands as long as one of the pair stays.
        """
        revision = self._revision()
        for key in keys:
            if self.row(key) is not None:
                revision.drop(key, erased=erased)
        return revision.finish() or _NOTHING

    def haunt(self, key: Key, ghosts: tuple[int, int, int, int]) -> Change:
        """Say how many erased neighbours still count for an identifier (in a rebuild, where they were never seen)."""
        row = self.row(key)
        if row is None or row.ghosts == ghosts:
            return _NOTHING
        self._idents.touch(key)
        row.ghosts = ghosts
        revision = self._revision()
        revision.judge_again(key)
        return revision.finish() or _NOTHING

    def resettle(self) -> Change:
        """Find all people again from the evidence, under this graph's rules: after a change of rules."""
        revision = self._revision()
        for key in list(self._idents.keys()):
            revision.judge_again(key)
        return revision.finish() or _NOTHING
