"""The people that a set of rules would make of the evidence, worked out from scratch: the dry run of a rule change."""

from collections import defaultdict
from collections.abc import Iterable

from msgspec import Struct

from patron.identity import crowd
from patron.identity.evidence import Ident
from patron.identity.guards import sharing_rule
from patron.identity.plan import Plan
from patron.identity.resolve import component, groups_of
from patron.identity.rules import IdentityRules
from patron.model.people import Key
from patron.model.ports import Table

_ALL = 1 << 60


class Regrouping(Struct, frozen=True):
    """One example of a difference: the people that become one, or that one becomes."""

    one: tuple[Key, ...]
    """Identifiers of the one person (at most 20 shown)."""
    parts: tuple[tuple[Key, ...], ...]
    """Identifiers of each of the several people (at most 20 of 20 shown)."""


class PartitionDiff(Struct, frozen=True):
    """What other rules would change: counts, and a few examples of each kind."""

    people_before: int
    people_after: int
    merges: int
    """People under the new rules who hold several of today's."""
    splits: int
    """People of today who would become several."""
    merge_examples: tuple[Regrouping, ...] = ()
    split_examples: tuple[Regrouping, ...] = ()


class _Scratch:
    """The evidence under some rules, with nothing remembered from any other: sharing and owners are found again."""

    def __init__(self, idents: Table[Ident], rules: IdentityRules) -> None:
        self.plan: Plan = rules.plan
        self.row = idents.get
        self._dead: dict[Key, bool] = {}
        self._owners: dict[Key, Key] = {}

    def is_dead(self, key: Key, row: Ident) -> bool:
        """Whether the identifier links nobody: shared, or junk under these rules."""
        known = self._dead.get(key)
        if known is None:
            known = self._dead[key] = self.is_junk(key) or sharing_rule(self, key, row) != ""
        return known

    def is_junk(self, key: Key) -> bool:
        """Whether these rules would not take the value as an identifier."""
        kind, _, value = key.partition(":")
        return kind not in self.plan.order or self.plan.blocks(kind, value)

    def owner(self, key: Key, row: Ident) -> Key:
        """Whom an identifier would follow in a crowded component."""
        known = self._owners.get(key)
        if known is None:
            known = self._owners[key] = "" if self.is_dead(key, row) else crowd.owner_of(self, key, row)
        return known


def partition(idents: Table[Ident], rules: IdentityRules) -> dict[Key, Key]:
    """The people that follow from the evidence under `rules`: identifier -> leading identifier of its person.

    Identifiers that are junk under these rules are left out.
    """
    scratch = _Scratch(idents, rules)
    found: dict[Key, Key] = {}
    leaves: dict[Key, Key] = {}
    for key in idents.keys():
        row = idents.get(key)
        if row is None or key in found or scratch.is_junk(key):
            continue
        if row.group == "" and len(row.links) == 1:
            leaves[key] = next(iter(row.links))
        elif scratch.is_dead(key, row):
            found[key] = key
        else:
            for members in _groups(scratch, key):
                root = min(members, key=lambda k: _place(scratch, k))
                found.update(dict.fromkeys(members, root))
    for leaf, stem in leaves.items():
        stem_row = idents.get(stem)
        alone = stem_row is None or stem not in found or scratch.is_dead(stem, stem_row)
        found[leaf] = leaf if alone else found[stem]
    return found


def _groups(scratch: _Scratch, seed: Key) -> list[list[Key]]:
    rows = component(scratch, seed, _ALL).rows
    light = scratch.plan.light
    if sum(not key.startswith(light) for key in rows) <= scratch.plan.rules.crowded:
        return groups_of(scratch, rows)
    return crowd.settle(scratch, rows, scratch.owner, lambda _key: ())


def _place(scratch: _Scratch, key: Key) -> tuple[bool, int, Key]:
    row = scratch.row(key)
    return key.startswith(scratch.plan.light), row.first if row else 0, key


def dry_run(
    idents: Table[Ident], old_rules: IdentityRules, new_rules: IdentityRules, examples: int = 20
) -> PartitionDiff:
    """What a change of rules would do to the people, on the evidence at hand; nothing is changed.

    Normalisation and strengths were settled when the events came, so a change of those shows only on new events;
    limits, guards, blocked values and the sizes show in full.
    """
    before, after = partition(idents, old_rules), partition(idents, new_rules)
    merges, merge_examples = _regrouped(after, before, examples)
    splits, split_examples = _regrouped(before, after, examples)
    return PartitionDiff(
        len(set(before.values())), len(set(after.values())), merges, splits, merge_examples, split_examples
    )


def _regrouped(
    whole: dict[Key, Key], parts: dict[Key, Key], examples: int
) -> tuple[int, tuple[Regrouping, ...]]:
    """How many groups of `whole` hold several groups of `parts`, and the first examples by root."""
    roots: dict[Key, set[Key]] = defaultdict(set)
    for key, root in whole.items():
        if key in parts:
            roots[root].add(parts[key])
    several = sorted(root for root, held in roots.items() if len(held) > 1)
    shown = several[:examples]
    ours = _members(whole, shown)
    theirs = _members(parts, (part for root in shown for part in roots[root]))
    return len(several), tuple(
        Regrouping(
            tuple(sorted(ours[root])[:20]),
            tuple(tuple(sorted(theirs[part])[:20]) for part in sorted(roots[root])[:20]),
        )
        for root in shown
    )


def _members(partition: dict[Key, Key], roots: Iterable[Key]) -> dict[Key, list[Key]]:
    found: dict[Key, list[Key]] = {root: [] for root in roots}
    for key, root in partition.items():
        if root in found:
            found[root].append(key)
    return found
