"""What the execution asks about people."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from patron.model.people import Key
from patron.rules.consent import Consents


class People(Protocol):
    """Who is who, and what is known of them beside their tallies."""

    def id_of(self, node: Key) -> str | None:
        """The id of the person who has a node now."""
        ...

    def members_of(self, person: str) -> tuple[Key, ...]:
        """All identifiers of a person; none when there is no such person now."""
        ...

    def is_blank(self, key: Key) -> bool:
        """Whether nothing at all is known of an identifier as a node."""
        ...

    def traits(self, members: Sequence[Key], names: Collection[str]) -> Mapping[str, Any]:
        """The traits of these names, deleted ones left out."""
        ...

    def consents(self, members: Sequence[Key]) -> Consents:
        """What stands on every purpose and channel."""
        ...
