"""The product as a role may see it. `Masked` wraps the whole product, so a page that is written tomorrow is masked too.

A role without the right `see` finds people only by a whole identifier, so that a search cannot spell one out.
"""

import re
from typing import Any, cast

from msgspec import structs

from patron.console.audience_port import Audiences
from patron.console.export_port import Exports
from patron.console.masked_audiences import MaskedAudiences
from patron.console.masking import EMAIL, KINDS, Veil, hidden, masked_message
from patron.console.permissions import may
from patron.console.port import ConsoleApp
from patron.identity.diff import PartitionDiff
from patron.model.errors import Forbidden, RequestError
from patron.model.exports import ExportView, Run
from patron.model.guide import Answer, Practice
from patron.model.views import (
    DeadLetter,
    DecisionView,
    PersonRow,
    PersonView,
    Preview,
    PreviewAsk,
    SplitPreview,
    TimelinePage,
)


def seen_by(app: ConsoleApp, role: str) -> ConsoleApp:
    """The product as a role may see it: itself, or masked."""
    return app if may(role, "see") else cast("ConsoleApp", Masked(app))


class Masked:
    """A product whose people are masked; what shows nobody passes through as it is."""

    def __init__(self, app: ConsoleApp) -> None:
        self._app = app

    def __getattr__(self, name: str) -> Any:
        return getattr(self._app, name)

    async def find(self, query: str, limit: int) -> list[PersonRow]:
        """People found by a whole identifier, or by one that is not personal."""
        rows = (row for row in await self._app.find(query, limit) if _whole(query, row.matched))
        return [Veil(row.identifiers, row.name).show(row) for row in rows]

    def person(self, id_or_key: str) -> PersonView | None:
        """One person, masked."""
        found = self._app.person(id_or_key)
        return found if found is None else _veil(found).show(found)

    def timeline(
        self, person_id: str, cursor: str | None, channel: str, order: str, limit: int
    ) -> TimelinePage:
        """A page of a timeline, masked."""
        page = self._app.timeline(person_id, cursor, channel, order, limit)
        return self._veil_of(person_id).show(page)

    def why(self, person_id: str, a: str, b: str) -> tuple[bool, list[str]]:
        """Why two identifiers are one person; those of the person are taken as they are shown."""
        veil = self._veil_of(person_id)
        real = {shown: key for key, shown in veil.keys.items()}
        a, b = real.get(a, a), real.get(b, b)
        same, steps = self._app.why(person_id, a, b)
        other = self._veil_of(b)
        return same, [other.text(veil.text(step)) for step in steps]

    def dry_run(self, rules: dict[str, Any]) -> PartitionDiff:
        """What other identity rules would change; the people of its examples masked."""
        return Veil().show(self._app.dry_run(rules))

    async def preview_split(
        self, person_id: str, nodes: list[str], cut_node: str | None, cut_at: int | None
    ) -> SplitPreview:
        """What a split would do; identifiers are taken as they are shown."""
        veil = self._veil_of(person_id)
        real = {shown: key for key, shown in veil.keys.items()}
        cut = cut_node and real.get(cut_node, cut_node)
        return veil.show(
            await self._app.preview_split(person_id, [real.get(n, n) for n in nodes], cut, cut_at)
        )

    async def export(self, person_id: str, by: str) -> tuple[str, bytes]:  # noqa: ARG002
        """Refused: an archive holds everything."""
        raise Forbidden("masked", "An export holds everything, and your account sees personal data masked.")

    def audiences(self) -> Audiences:
        """Segments and traits whose people and values are masked."""
        return cast("Audiences", MaskedAudiences(self._app.audiences()))

    def exports(self) -> Exports:
        """Exports whose reports are masked: another system may repeat what it was told."""
        return cast("Exports", _MaskedExports(self._app.exports()))

    def recent_decisions(self, limit: int) -> list[DecisionView]:
        """The latest decisions, masked."""
        return [self._decision(view) for view in self._app.recent_decisions(limit)]

    def decisions(
        self, cursor: str | None, channel: str, limit: int
    ) -> tuple[list[DecisionView], str | None]:
        """A page of decisions, masked."""
        found, more = self._app.decisions(cursor, channel, limit)
        return [self._decision(view) for view in found], more

    def decision(self, decision_id: str) -> DecisionView | None:
        """One decision, masked."""
        found = self._app.decision(decision_id)
        if found is None:
            return None
        return self._veil_of(found.decision.person).show(self._decision(found))

    def preview(self, about: PreviewAsk, by: str) -> Preview:
        """What somebody would see, masked; the person is found by id, or by an identifier given whole."""
        found = self._app.preview(about, by)
        shown = (self._veil_of(found.person) if found.person else Veil()).show(found)
        return structs.replace(shown, who=str(hidden(found.who)) if found.who else "")

    def dead_letters(
        self, code: str, source: str, cursor: str | None, limit: int
    ) -> tuple[list[DeadLetter], str | None, dict[str, int]]:
        """A page of dead letters, their sentences masked."""
        found, more, counts = self._app.dead_letters(code, source, cursor, limit)
        return Veil().show(found), more, counts

    def dead_letter(self, letter_id: str) -> tuple[DeadLetter, str] | None:
        """A dead letter, its message masked field by field."""
        found = self._app.dead_letter(letter_id)
        if found is None:
            return None
        letter, text = found
        return Veil().show(letter), masked_message(text)

    async def replay_dead_letter(self, letter_id: str, edited: str | None) -> tuple[bool, str]:
        """Send a dead letter again; the sentence about it is masked."""
        accepted, message = await self._app.replay_dead_letter(letter_id, edited)
        return accepted, Veil().text(message)

    def practice(self) -> Practice | None:
        """The questions; what they reveal at the end is masked."""
        return Veil().show(self._app.practice(), digits=True)

    def answers(self) -> dict[str, Answer]:
        """What was answered, masked: an answer may be a card."""
        return {name: Veil().show(one, digits=True) for name, one in self._app.answers().items()}

    def _decision(self, view: DecisionView) -> DecisionView:
        return Veil((), view.who).show(view)

    def _veil_of(self, id_or_key: str) -> Veil:
        try:
            found = self._app.person(id_or_key)
        except RequestError:
            found = None
        return _veil(found) if found is not None else Veil()


class _MaskedExports:
    """Exports as a role without the right to see may have them."""

    def __init__(self, exports: Exports) -> None:
        self._exports = exports

    def __getattr__(self, name: str) -> Any:
        return getattr(self._exports, name)

    def rows(self) -> list[ExportView]:
        return [Veil().show(view) for view in self._exports.rows()]

    def row(self, name: str) -> ExportView | None:
        return Veil().show(self._exports.row(name))

    def runs(self, name: str) -> list[Run]:
        return Veil().show(self._exports.runs(name))


def _veil(person: PersonView) -> Veil:
    traits = (str(trait.value) for trait in person.traits if "name" in trait.name.casefold())
    return Veil(person.identifiers, person.name, *traits)


def _whole(query: str, matched: str) -> bool:
    """Whether a hit was found by all of its identifier, so that nothing is learned that was not known before."""
    kind, _, value = matched.partition(":")
    wanted, found = query.strip().casefold(), value.casefold()
    if kind not in KINDS and kind != "name" and not EMAIL.search(value):
        return wanted in found
    digits, number = re.sub(r"\D", "", wanted), re.sub(r"\D", "", found)
    return wanted in {found, f"{kind}:{found}"} or (
        kind == "phone" and len(digits) >= 9 and number.endswith(digits)
    )
