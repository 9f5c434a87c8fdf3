"""One change of the evidence under way: what is added to or taken from the rows, and which identifiers to settle again.

A `Revision` is made for each operation that is not on the fast path, takes the evidence in (`see`, `link`, `cut`,
`restore`, `drop`), and ends in `finish`, which rechecks the sharing guards, settles the people concerned
(`settling.py`) and says what changed.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from patron.identity.change import Change
from patron.identity.evidence import (
    MORE,
    NO_EVIDENCE,
    Edge,
    Group,
    Ident,
    Proof,
    add,
    knows,
    with_value,
)
from patron.identity.guards import counted, ghost_count, sharing_rule
from patron.identity.normalise import births_conflict, names_conflict
from patron.identity.once import EMAIL, around, conflict, joins
from patron.identity.people import NEW
from patron.identity.rows import Rows
from patron.identity.settling import settle
from patron.model.people import Key


class Revision(Rows):
    """One change of the evidence, from the first row it touches to the people it moves."""

    # --- taking evidence in ---------------------------------------------------------------------------------

    def see(self, key: Key, time: int, name: str, birth: str) -> None:
        """An identifier was in an event at `time` that states a given name and a birth date."""
        row = self.row(key)
        if row is None:
            self.idents.put(key, Ident(time, NEW, {}))
            self.changed = self.facts = True
            self.seeds.add(key)
            row = self.row(key)
            assert row is not None
        elif time < row.first:
            self.edit(key).first = time
            if row.group and self.people.may_lead(key, time, row.group):
                self.facts = True
                self.seeds.add(key)
        if (name or birth) and not key.startswith(self.plan.light):
            self._state(key, row, name, birth)

    def _state(self, key: Key, row: Ident, name: str, birth: str) -> None:
        most = self.plan.rules.names_kept
        names = with_value(row.names, name, most) if name and name not in row.names else row.names
        births = with_value(row.births, birth, most) if birth and birth not in row.births else row.births
        if names != row.names or births != row.births:
            row = self.edit(key)
            row.names, row.births = names, births
            self._renamed(key, row)
            self.facts = True
            self.seeds.add(key)
            self._recheck.setdefault(key, False)

    def link(self, a: Key, b: Key, proof: Proof) -> None:
        """Two identifiers were seen together."""
        first, second = self.row(a), self.row(b)
        assert first is not None
        assert second is not None
        there, back = first.links.get(b), second.links.get(a)
        old = there or back
        if old is not None and knows(old, proof):
            return
        if old is None:
            self._new_pair(a, b, proof)
        else:
            self._known_pair(a, b, old, proof)

    def _new_pair(self, a: Key, b: Key, proof: Proof) -> None:
        for key in (a, b):
            if self._row(key).group == "":
                self._promote(key)
        if self._hang(a, b, proof) or self._hang(b, a, proof):
            return
        edge = add(None, proof)
        self._keep(a, b, edge)
        self._keep(b, a, edge)
        self._pairs.append((a, b))

    def _known_pair(self, a: Key, b: Key, old: Edge, proof: Proof) -> None:
        edge = add(old, proof)
        if edge.is_alias and not old.is_alias and edge.cut is None:
            self._account(a, b)
        again = b not in self._row(a).links or a not in self._row(b).links
        better = again or (edge.strength, edge.time) != (old.strength, old.time)
        for key, other in ((a, b), (b, a)):
            links = self._row(key).links
            if other not in links:
                self._ordinary(key)  # a leaf observed again whose cut from another stands in that one's row
                self._keep(key, other, edge)
                self._recheck[other] = True
            elif links[other] is not None:
                row = self.edit(key)
                row.links[other] = edge
                row.aliased = row.aliased or edge.is_alias
        if better and edge.cut is None and self._row(a).group and self._row(b).group:
            self._pairs.append((a, b))

    # --- taking evidence away -------------------------------------------------------------------------------

    def cut(self, a: Key, b: Key, time: int, uid: str) -> None:
        """Keep a pair apart, as if it had never been seen, until it is restored. Unknown identifiers are passed over."""
        if a == b or self.row(a) is None or self.row(b) is None:
            return
        self._ordinary(a, b)
        edge = self._row(a).links.get(b) or self._row(b).links.get(a)
        if edge is not None and edge.cut is not None:
            return
        if edge is not None and edge.is_alias:
            self._account(a, b)
        apart = replace(edge or Edge(NO_EVIDENCE, 0, "", 0, 0), cut=(time, uid))
        for key, other in ((a, b), (b, a)):
            if edge is None or other in self._row(key).links:
                self.edit(key).links[other] = apart
        self._lost(a, b)

    def restore(self, a: Key, b: Key) -> None:
        """Let a pair that was cut link again."""
        edge = None
        self._tied(a, b)
        for key, other in ((a, b), (b, a)):
            row = self.row(key)
            edge = row.links.get(other) if row else None
            if edge is None or edge.cut is None:
                continue
            links = self.edit(key).links
            if edge.strength == NO_EVIDENCE:
                del links[other]
            else:
                links[other] = replace(edge, cut=None)
            self._recheck[key] = True
            self.seeds.add(key)
            self.facts = True
        if edge is not None and edge.is_alias:
            self._account(a, b)

    def replace(self, a: Key, b: Key, edge: Edge | None) -> None:
        """Put a pair's evidence back as it was (a join that was refused)."""
        for key, other in ((a, b), (b, a)):
            if other in self._row(key).links:
                links = self.edit(key).links
                if edge is None:
                    del links[other]
                else:
                    links[other] = edge
        self._lost(a, b)

    def judge_again(self, key: Key) -> None:
        """Look at an identifier again although nothing of it changed: the rules did."""
        self.changed = self.facts = self.removed = True
        self.seeds.add(key)
        self._recheck[key] = True

    def _ordinary(self, *keys: Key) -> None:
        """Make ordinary members of leaves, so that their links stand in both rows."""
        for key in keys:
            if self._row(key).group == "":
                self.note(self._row(next(iter(self._row(key).links))).group)
                self._promote(key)

    def drop(self, key: Key, *, erased: bool) -> None:
        """Remove an identifier with all its links. `erased`: those it was seen with still count it, as a number."""
        row = self._row(key)
        for other in list(row.links):
            if row.links[other] is None:
                self._promote(other)
        if row.group == "":
            self._promote(key)
        self.note(row.group)
        counts = self._counts(around(self, key, row)) if erased else {}
        for other, edge in list(row.links.items()):
            if edge is not None and edge.is_alias and edge.cut is None:
                self._account(key, other)
            self._unlink(other, key, edge, erased=erased)
        self.seeds.discard(key)
        self._recheck.pop(key, None)
        self.idents.delete(key)
        for other, now in self._counts(counts).items():
            if now != counts[other]:
                self.edit(other).ghosts = ghost_count(self._row(other).ghosts, counts[other], now)
        if erased:
            own = self.people.person_id(key)
            self._erased.add(own)
            if own not in self.before:
                self.groups.delete(own)
        self.changed = self.removed = True

    def _unlink(self, key: Key, gone: Key, edge: Edge | None, *, erased: bool) -> None:
        row = self.row(key)
        if row is None or gone not in row.links:
            return
        row = self.edit(key)
        del row.links[gone]
        if erased and row.shared:
            most = self.plan.rules.names_kept
            row.names = (MORE,) if conflict(row.names, names_conflict, most) else ()
            row.births = (MORE,) if conflict(row.births, births_conflict, most) else ()
            self._renamed(key, row)
        elif not erased and edge is not None and edge.cut is not None:
            row.links[gone] = Edge(NO_EVIDENCE, 0, "", 0, 0, cut=edge.cut)
        self._lost(key)
        self._tied(key, gone)

    def _counts(self, keys: Iterable[Key]) -> dict[Key, list[int]]:
        """What identifiers are judged by: of those that can be shared by being seen with many."""
        rows = ((key, self.row(key)) for key in keys if self.plan.shareable(key))
        return {key: counted(self, key, row) for key, row in rows if row is not None}

    # --- the end --------------------------------------------------------------------------------------------

    def finish(self) -> Change | None:
        """Judge again what changed, settle the people concerned, and say who changed; None when nothing was new."""
        if not self.changed:
            return None
        self._judge_all()
        for a, b in self._pairs:
            if self._links(a, b) or self.plan.windows:
                self.seeds.update((a, b))
        settle(self)
        return self._report()

    def _links(self, a: Key, b: Key) -> bool:
        first, second = self.row(a), self.row(b)
        if first is None or second is None or first.shared or second.shared:
            return False
        edge = first.links.get(b)
        return edge is not None and edge.cut is None and a in second.links

    def _judge_all(self) -> None:
        """Devices last: how many people use one depends on which addresses and records link, never the other way round."""
        for devices in (False, True):
            waiting = [(k, lost) for k, lost in self._recheck.items() if self._is_device(k) == devices]
            for key, lost in waiting:
                self._judge(key, lost=lost)

    def _is_device(self, key: Key) -> bool:
        return self.plan.kinds.get(key.partition(":")[0]) == "device"

    def _judge(self, key: Key, *, lost: bool) -> None:
        """Find again whether an identifier links nobody; when that changes, its neighbours are settled too."""
        row = self.row(key)
        if row is None or (row.shared and not lost):
            return
        rule = sharing_rule(self, key, row)
        if rule == row.shared:
            return
        turned = bool(rule) != bool(row.shared)
        if turned:
            self._turn(key, row)
        self.edit(key).shared = rule

    def _turn(self, key: Key, row: Ident) -> None:
        self.removed = self.facts = True
        if joins(self, key):
            for email in [k for k in row.links if k.startswith(EMAIL)]:
                self._retell(email)
        for other in [o for o, e in row.links.items() if e is None]:
            self.note(row.group)
            self._promote(other)
        self.seeds.add(key)
        self.seeds.update(o for o, e in self._row(key).links.items() if e is not None and e.cut is None)

    def _report(self) -> Change:
        for pid in self.before:
            if pid not in self.after:
                self._close(pid)
        now = {pid: person for pid in self.after if (person := self.people.by_group(pid)) is not None}
        same = {pid for pid, person in now.items() if self.before.get(pid) == person}
        return Change(
            tuple(self.before[pid] for pid in sorted(self.before) if pid not in same),
            tuple(now[pid] for pid in sorted(now) if pid not in same),
        )

    def _close(self, pid: str) -> None:
        """Nobody has this id any more: it leads to whoever holds its identifier, unless that was erased."""
        group = self.groups.get(pid)
        if group is None:
            return
        root = self.row(group.root)
        if pid in self._erased:
            self.groups.delete(pid)
        elif root is not None and root.group == pid:
            self.after.add(pid)
        else:
            self.groups.put(pid, Group(group.root, []))
