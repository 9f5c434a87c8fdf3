"""Segments and computed traits as a role without the right to see may have them: people masked, personal fields left out."""

from collections.abc import Sequence
from typing import Any

from msgspec import structs

from patron.console.audience_port import Audiences
from patron.console.masking import Veil, hidden, is_personal
from patron.model.audiences import (
    Checked,
    ConditionRow,
    Kind,
    PersonAudiences,
    Reach,
    SegmentRow,
    TraitRow,
    Trial,
    Values,
    Vocabulary,
)


class MaskedAudiences:
    """What shows nobody passes through as it is."""

    def __init__(self, audiences: Audiences) -> None:
        self._audiences = audiences

    def __getattr__(self, name: str) -> Any:
        return getattr(self._audiences, name)

    def segments(self) -> list[SegmentRow]:
        """The list; what a sentence says of a personal trait is masked."""
        return [
            structs.replace(row, sentence=Veil().text(row.sentence)) for row in self._audiences.segments()
        ]

    def traits(self) -> list[TraitRow]:
        """The list, masked as that of segments."""
        return [structs.replace(row, sentence=Veil().text(row.sentence)) for row in self._audiences.traits()]

    def conditions(self) -> list[ConditionRow]:
        """The list, masked as that of segments."""
        return [
            structs.replace(
                row,
                sentence=Veil().text(row.sentence),
                parameters=tuple((name, Veil().show(value)) for name, value in row.parameters),
            )
            for row in self._audiences.conditions()
        ]

    def vocabulary(self) -> Vocabulary:
        """What rules may be built from, without what is personal."""
        words = self._audiences.vocabulary()
        return structs.replace(
            words,
            traits=tuple(one for one in words.traits if not is_personal(one.id, trait=True)),
            properties={
                event: tuple(name for name in names if not _personal(name))
                for event, names in words.properties.items()
            },
            values={name: values for name, values in words.values.items() if not _personal(name)},
        )

    def check(self, kind: Kind, definition: dict[str, Any]) -> Checked:
        """The sentence with addresses and numbers of people masked."""
        found = self._audiences.check(kind, definition)
        veil = Veil()
        return structs.replace(
            found,
            sentence=tuple(structs.replace(part, text=veil.text(part.text)) for part in found.sentence),
        )

    async def reach(self, *args: Any, **named: Any) -> Reach | None:
        """Numbers as they are; the people of the sample masked."""
        found = await self._audiences.reach(*args, **named)
        if found is None:
            return None
        people = tuple(structs.replace(one, name=_name(one.name, one.id)) for one in found.people)
        return structs.replace(found, people=people)

    async def trials(self, definition: dict[str, Any], people: Sequence[str], by: str) -> list[Trial]:
        """Trials; names masked, and what was said of people in the reasons too."""
        found = await self._audiences.trials(definition, people, by)
        return [
            structs.replace(
                one,
                name=_name(one.name, one.person),
                because=Veil((), one.name).text(one.because),
                would=Veil((), one.name).text(one.would),
            )
            for one in found
        ]

    async def values(self, definition: dict[str, Any]) -> Values | None:
        """Values; names masked, and texts that look like an address or a phone."""
        found = await self._audiences.values(definition)
        if found is None:
            return None
        veil = Veil()
        people = tuple(
            structs.replace(one, name=_name(one.name, one.person), value=veil.show(one.value, digits=True))
            for one in found.people
        )
        common = tuple((veil.text(text, digits=True), count) for text, count in found.common)
        return structs.replace(found, people=people, common=common)

    async def of_person(self, person_id: str) -> PersonAudiences:
        """Segments as they are; texts of computed traits masked where they look personal."""
        found = await self._audiences.of_person(person_id)
        veil = Veil()
        return structs.replace(
            found,
            traits=tuple(
                structs.replace(one, value=veil.show(one.value, digits=True)) for one in found.traits
            ),
        )


def _name(name: str, person: str) -> str:
    return name if name in ("", person) else str(hidden(name))


def _personal(field: str) -> bool:
    root, _, name = field.partition(".")
    parts = (name or root).replace("[]", "").split(".")
    return any(is_personal(part, trait=root == "traits") for part in parts)
