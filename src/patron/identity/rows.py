"""The rows a revision changes: read, edited in place, bounded, with leaves hung on and taken off."""

from patron.identity.aliases import one_account
from patron.identity.evidence import Edge, Group, Ident, Proof, add
from patron.identity.once import EMAIL, joins
from patron.identity.people import NEW, People
from patron.identity.plan import Plan
from patron.model.people import Key, Person
from patron.model.ports import Table


class Rows:
    """Rows being changed, and what must be looked at again before the change is whole."""

    def __init__(self, idents: Table[Ident], groups: Table[Group], plan: Plan, people: People) -> None:
        self.idents = idents
        self.groups = groups
        self.plan = plan
        self.people = people
        self.row = idents.get
        self.seeds: set[Key] = set()
        """Identifiers whose component must be settled again."""
        self.removed = False
        """Whether a live link went away, so that components may have become smaller."""
        self.crowds = False
        """Whether an identifier concerned follows an owner."""
        self.facts = False
        """Whether something else than a link changed (a name, a first time, a new identifier)."""
        self.changed = False
        self.before: dict[str, Person] = {}
        self.after: set[str] = set()
        self._erased: set[str] = set()
        self._recheck: dict[Key, bool] = {}
        self._pairs: list[tuple[Key, Key]] = []

    # --- the Evidence that guards and partition read --------------------------------------------------------

    def is_dead(self, _key: Key, row: Ident) -> bool:
        """Whether an identifier links nobody."""
        return row.shared != ""

    def edit(self, key: Key) -> Ident:
        """The live row, about to be changed in place."""
        self.idents.touch(key)
        row = self.idents.get(key)
        assert row is not None
        self.changed = True
        return row

    def note(self, pid: str) -> None:
        """Remember a person as they were, once, before anything of them changes."""
        if pid and pid != NEW and pid not in self.before:
            person = self.people.by_group(pid)
            if person is not None:
                self.before[pid] = person

    def _row(self, key: Key) -> Ident:
        row = self.row(key)
        assert row is not None
        return row

    # --- leaves: transactions and visits that hang on one identifier ----------------------------------------

    def _hang(self, leaf: Key, stem: Key, proof: Proof) -> bool:
        """Hang a transaction or visit without links on the one identifier it was seen with. It counts for no limit
        and has no other neighbour, so it goes wherever that one goes and nothing needs settling."""
        light, row, stem_row = self.plan.light, self._row(leaf), self._row(stem)
        if row.links or not leaf.startswith(light) or stem.startswith(light) or stem_row.shared:
            return False
        if len(stem_row.links) >= self.plan.rules.neighbours:
            return False
        if stem_row.group != NEW:
            self.note(stem_row.group)
            self.after.add(stem_row.group)
            self._count_leaf(stem_row.group, 1)
        self.note(row.group)
        stem_row = self.edit(stem)
        stem_row.links[leaf] = None
        stem_row.worst = None
        row = self.edit(leaf)
        row.group = ""
        row.links[stem] = add(None, proof)
        self.seeds.discard(leaf)
        return True

    def _promote(self, leaf: Key) -> None:
        """Make a leaf an ordinary member of the group it hangs on: it gets a second link, or loses its one."""
        row = self.edit(leaf)
        ((stem, edge),) = row.links.items()
        stem_row = self.edit(stem)
        stem_row.links[leaf] = edge
        row.group = stem_row.group
        if stem_row.group == NEW:
            self.seeds.add(leaf)
            return
        row.owner = stem if stem_row.owner else ""
        group = self._count_leaf(row.group, -1)
        group.members = sorted((*group.members, leaf))

    def _count_leaf(self, pid: str, more: int) -> Group:
        self.groups.touch(pid)
        group = self.groups.get(pid)
        assert group is not None
        group.leaves += more
        return group

    # --- bounded rows ---------------------------------------------------------------------------------------

    def _keep(self, key: Key, other: Key, edge: Edge) -> None:
        """Put a pair into one row, which keeps its best links only: those to heavy identifiers first, then by rank.

        What a row keeps is a function of the set of links, whatever their order: ranks only ever improve, so what was
        pushed out once and belongs inside comes back with the event that makes it belong there.
        """
        row = self._row(key)
        if len(row.links) >= self.plan.rules.neighbours and edge.cut is None:
            place = (*self._place(key, other, edge), other)
            if row.worst is None or place < row.worst:
                row = self.edit(key)
                row.worst = self._worst(key, row)
            if row.worst is not None and place > row.worst:
                self.edit(key).refused += 1
                return
            if row.worst is not None:
                self._push_out(key, row.worst[3])
        row = self.edit(key)
        row.links[other] = edge
        row.worst = None
        row.aliased = row.aliased or edge.is_alias
        if edge.is_alias and edge.cut is None and key in self._row(other).links:
            self._account(key, other)  # an alias counts while both rows keep it
        self._recheck[key] = self._recheck.get(key, False) or self._may_free(key, other)
        self._tied(key, other)

    def _worst(self, key: Key, row: Ident) -> tuple[bool, int, int, Key] | None:
        kept = ((*self._place(key, o, e), o) for o, e in row.links.items() if e is None or e.cut is None)
        return max(kept, default=None)

    def _place(self, key: Key, other: Key, edge: Edge | None) -> tuple[bool, int, int]:
        if edge is None:
            edge = self._row(other).links[key]
            assert edge is not None
        return other.startswith(self.plan.light), edge.strength, edge.time

    def _push_out(self, key: Key, other: Key) -> None:
        if self._row(key).links[other] is None:
            self.note(self._row(key).group)
            self.after.add(self._row(key).group)
            self._count_leaf(self._row(key).group, -1)
            self.edit(other).group = NEW
        row = self.edit(key)
        edge = row.links.pop(other)
        if edge is not None and edge.is_alias:
            self._account(key, other)
        row.refused += 1
        self._lost(key, other)

    def _lost(self, *keys: Key) -> None:
        """A live link of these, or between these two, went away."""
        self.removed = True
        if len(keys) > 1:
            self._tied(*keys)
        for key in keys:
            self.seeds.add(key)
            self._recheck[key] = True

    # --- what counts once (`once.py`): rows two links away that must be judged again ------------------------------

    def _tied(self, a: Key, b: Key) -> None:
        """A link between an e-mail and what may hold two of them came or went: the e-mail may count with another now, or by
        itself again."""
        for email, holder in ((a, b), (b, a)):
            if email.startswith(EMAIL) and joins(self, holder):
                self._retell(email)

    def _may_free(self, key: Key, other: Key) -> bool:
        """Whether a new link may free what was held to be shared: on a device a further e-mail, which may show that two
        before it are one person's; at an address a further user id, which may lend its name to an account counted already.
        """
        if joins(self, key):
            return other.startswith("user_id:")
        return other.startswith(EMAIL)

    def _retell(self, email: Key) -> None:
        """Judge every device again on which an e-mail was told."""
        row = self.row(email)
        for other, edge in row.links.items() if row else ():
            if edge is not None and self.plan.kinds.get(other.partition(":")[0]) == "device":
                self._recheck[other] = True

    def _renamed(self, key: Key, row: Ident) -> None:
        """The names of an identifier changed: addresses that it is a record of are judged again."""
        if self.plan.kinds.get(key.partition(":")[0]) == "account":
            for other, edge in row.links.items():
                if edge is not None and self.plan.kinds.get(other.partition(":")[0]) == "contact":
                    self._recheck[other] = True

    def _account(self, a: Key, b: Key) -> None:
        """Two user ids become, or stop being, names of one account: everything seen with them is judged again."""
        for user in one_account(self, a, b):
            self.seeds.add(user)
            self.facts = True
            for other, edge in self._row(user).links.items():
                if edge is not None:
                    self._recheck[other] = True
