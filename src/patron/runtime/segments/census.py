"""Who is who, and what profiles say of them, as the live execution of segments asks for it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from patron.identity.graph import Graph, Group
from patron.model.people import Key
from patron.model.ports import Table
from patron.profiles.bounds import keep_latest
from patron.profiles.partial import Partial, Trait
from patron.profiles.rules import ProfileRules
from patron.rules.consent import Consents
from patron.segments.tally import Tally


class Census:
    """Who is who, and what profiles say of them: the `People` of the execution."""

    def __init__(
        self,
        graph: Graph,
        groups: Table[Group],
        nodes: Table[Partial],
        tallies: Table[Tally],
        rules: ProfileRules,
    ) -> None:
        self._graph = graph
        self._row = graph.row
        self._groups = groups
        self._nodes = nodes
        self._tallies = tallies
        self._rules = rules

    def id_of(self, node: Key) -> str | None:
        """The id of the person who has a node now."""
        row = self._row(node)
        if row is not None and row.group == "":
            row = self._row(next(iter(row.links)))
        return None if row is None else row.group

    def members_of(self, person: str) -> tuple[Key, ...]:
        """All identifiers of a person; none when there is no such person now."""
        group = self._groups.get(person)
        if group is None or not group.members:
            return ()
        if not group.leaves:
            return tuple(group.members)
        found = self._graph.person_by_id(person)
        return () if found is None else found.members

    def is_blank(self, key: Key) -> bool:
        """Whether nothing at all is known of an identifier as a node."""
        return key not in self._nodes and key not in self._tallies

    def traits(self, members: Sequence[Key], names: Collection[str]) -> Mapping[str, Any]:
        """The traits of these names, deleted ones left out: as `profiles.merge` finds them."""
        having = [
            part.traits for key in members if (part := self._nodes.get(key)) is not None and part.traits
        ]
        written: dict[str, Trait] = {}
        if sum(map(len, having)) > self._rules.traits:
            for traits in having:
                _latest(written, traits.items())
            keep_latest(written, self._rules.traits, lambda trait: trait[1])
        else:
            for traits in having:
                _latest(written, ((name, traits[name]) for name in names if name in traits))
        return {name: trait[0] for name, trait in written.items() if trait[0] is not None}

    def consents(self, members: Sequence[Key]) -> Consents:
        """What stands on every purpose and channel."""
        having = [
            part.consents for key in members if (part := self._nodes.get(key)) is not None and part.consents
        ]
        if not having:
            return {}
        said = dict(having[0])
        for consents in having[1:]:
            for key, consent in consents.items():
                before = said.get(key)
                if before is None or consent.rank > before.rank:
                    said[key] = consent
        if len(said) > self._rules.consents:
            keep_latest(said, self._rules.consents, lambda consent: consent.rank)
        return {key: (consent.granted, consent.stamp[0]) for key, consent in said.items()}


def _latest(into: dict[str, Trait], traits: Iterable[tuple[str, Trait]]) -> None:
    for name, trait in traits:
        before = into.get(name)
        if before is None or trait[1] > before[1]:
            into[name] = trait
