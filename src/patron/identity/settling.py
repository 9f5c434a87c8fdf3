"""Settling: finding again the people of every component that a revision touched, and writing what changed.

Incremental equals from scratch: a component is settled whole (`resolve.py`), or, when it is crowded, as far as the
change reaches (`crowd.py`).
"""

from msgspec import Struct

from patron.identity import crowd
from patron.identity.evidence import NO_OWNER, Group, Ident
from patron.identity.resolve import component, groups_of, live
from patron.identity.rows import Rows
from patron.model.people import Key


class Pack(Struct):
    """One group as found: its members, whether nothing else is linked to it, and how many leaves hang on it."""

    members: list[Key]
    whole: bool
    crowded: bool
    leaves: int


def settle(rows: Rows) -> None:
    """Settle what the seeds of these rows touch."""
    if not rows.seeds or _nothing_to_do(rows):
        return
    packs, done, crowded = _divide(rows)
    if crowded or rows.crowds:
        for key in done:
            row = rows.row(key)
            if row is not None and row.owner:
                rows.edit(key).owner = ""
        for members in _settle_crowd(rows, crowded, done):
            packs.append(Pack(members, False, True, sum(_leaves(rows, key) for key in members)))
    _write(rows, packs)


def _leaves(rows: Rows, key: Key) -> int:
    row = rows.row(key)
    return 0 if row is None else sum(edge is None for edge in row.links.values())


def _nothing_to_do(rows: Rows) -> bool:
    """A link inside one person changes nobody: what was taken is still within the limits, what was refused still not.

    (Not so in a crowd, whose groups follow single links, nor with windows, where the time of a first link counts.)
    """
    if rows.facts or rows.removed or rows.plan.windows:
        return False
    pids = {row.group for key in rows.seeds if (row := rows.row(key)) is not None}
    if len(pids) != 1:
        return False
    group = rows.groups.get(pids.pop())
    return group is not None and not group.crowded


def _divide(rows: Rows) -> tuple[list[Pack], set[Key], set[Key]]:
    """The seeds' components: those settled whole, all identifiers in them, and the crowded seeds."""
    most = rows.plan.rules.crowded
    packs: list[Pack] = []
    done: set[Key] = set()
    large: set[Key] = set()
    crowded: set[Key] = set()
    for seed in sorted(rows.seeds):
        row = rows.row(seed)
        if row is None or row.group == "" or seed in done:
            continue
        rows.crowds = rows.crowds or row.owner != ""
        if row.shared:
            packs.append(Pack([seed], True, False, 0))
            done.add(seed)
        elif seed in large or (not rows.removed and _in_crowd(rows, seed, row)):
            crowded |= _newly_crowded(rows, seed, row, crowded)
        else:
            found = component(rows, seed, most)
            if found.crowded:
                large.update(found.rows)
                crowded |= _newly_crowded(rows, seed, row, crowded)
                continue
            leaves, groups = found.leaves, groups_of(rows, found.rows)
            for members in groups:
                hanging = sum(leaves.get(key, 0) for key in members) if leaves else 0
                packs.append(Pack(members, len(groups) == 1, False, hanging))
            done.update(found.rows)
            rows.crowds = rows.crowds or any(r.owner for r in found.rows.values())
    return packs, done, crowded


def _in_crowd(rows: Rows, seed: Key, row: Ident) -> bool:
    """Whether a component is crowded that only grew: then it was so before, wherever the change touches it."""
    if row.owner:
        return True
    for other, edge in row.links.items():
        theirs = rows.row(other) if edge is not None else None
        if theirs is not None and theirs.owner and not theirs.shared and live(seed, edge, theirs):
            return True
    return False


def _newly_crowded(rows: Rows, seed: Key, row: Ident, known: set[Key]) -> set[Key]:
    """The seed, and what is linked to it and follows nobody yet because its component was not crowded before."""
    found = {seed}
    todo = [] if row.owner or seed in known else [seed]
    while todo:
        key = todo.pop()
        for other, edge in list(rows.row(key).links.items()):  # type: ignore[union-attr]
            theirs = rows.row(other)
            if other in found or theirs is None or theirs.owner or theirs.shared:
                continue
            if live(key, edge, theirs):
                found.add(other)
                todo.append(other)
    return found


def _settle_crowd(rows: Rows, crowded: set[Key], done: set[Key]) -> list[list[Key]]:
    pending: set[Key] = set()
    for key in sorted(crowded):
        row = rows.row(key)
        assert row is not None
        old, new = row.owner, crowd.owner_of(rows, key, row)
        for near in (key, new):
            pending.update(_mates(rows, near))
        if new != old:
            rows.edit(key).owner = new
    pending -= done
    if not pending:
        return []
    return crowd.settle(rows, pending, _stored_owner, lambda key: _mates(rows, key))


def _stored_owner(_key: Key, row: Ident) -> Key:
    return row.owner


def _mates(rows: Rows, key: Key) -> list[Key]:
    """Members of the group that holds `key` as the rows stand, leaves left out; nothing for no identifier."""
    row = rows.row(key) if key not in {"", NO_OWNER} else None
    if row is None:
        return []
    group = rows.groups.get(row.group)
    if group is None or not group.members:
        return [key]
    return [m for m in group.members if rows.row(m) is not None]


def _write(rows: Rows, packs: list[Pack]) -> None:
    """Write the groups found, and note every person that is not as before."""
    if rows.after:
        for pack in packs:
            for key in pack.members:
                row = rows.row(key)
                if row is not None and row.group in rows.after:
                    rows.after.discard(row.group)
                    rows.note(row.group)
    for pack in packs:
        _write_group(rows, pack)


def _write_group(rows: Rows, pack: Pack) -> None:
    members = sorted(pack.members)
    root = rows.people.lead(members)
    pid = rows.people.person_id(root)
    moved = [(key, row.group) for key in members if (row := rows.row(key)) is not None and row.group != pid]
    group = rows.groups.get(pid)
    if group is not None and not moved and group.members == members and group.crowded == pack.crowded:
        if group.whole != pack.whole:
            rows.groups.touch(pid)
            group.whole = pack.whole
        if pid in rows.before:
            rows.after.add(pid)
        return
    rows.note(pid)
    for old in {old for _, old in moved}:
        rows.note(old)
    for key, _ in moved:
        rows.edit(key).group = pid
    rows.groups.put(pid, Group(root, members, pack.whole, pack.crowded, pack.leaves))
    rows.after.add(pid)
