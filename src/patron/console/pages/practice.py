"""Practice: what can you find out about this world?"""

from typing import Any

from starlette.responses import Response

from patron.console.pages.stories import looks
from patron.console.visit import Visit
from patron.model.errors import NotFound
from patron.model.guide import Answer, Practice, Question, filled, parsed

BOXES = 8
"""Choices that are shown as boxes; more are chosen from a list, or typed."""


async def show(visit: Visit) -> Response:
    """The questions, with what was answered; once it has ended, with the truth."""
    return _page(visit, _practice(visit), {}, {})


async def answer(visit: Visit) -> Response:
    """Note what was answered. What cannot be an answer is told beside its question; the others are kept."""
    practice = _practice(visit)
    known, wrong, typed = visit.app.answers(), dict[str, str](), dict[str, tuple[str, ...]]()
    for question in practice.questions:
        texts = visit.form.getlist(question.id)
        try:
            values = parsed(question, texts)
        except ValueError as error:
            wrong[question.id], typed[question.id] = str(error), (", ".join(texts)[:400],)
            continue
        before = known.get(question.id)
        if values != (before.values if before else ()):
            await visit.app.answer(question.id, values, visit.user.name)
    if wrong:
        return _page(visit, practice, wrong, typed, 400)
    number = len(_answered(practice, visit.app.answers()))
    return visit.go(
        "/console/practice", f"Kept: {number} of {len(practice.questions)} questions have an answer."
    )


def _practice(visit: Visit) -> Practice:
    found = visit.app.practice()
    if found is None:
        raise NotFound(
            "no_practice", "This workspace has no questions. `patron sim practice` makes one with them."
        )
    return found


def _answered(practice: Practice, known: dict[str, Answer]) -> set[str]:
    return {question.id for question in practice.questions} & known.keys()


def _page(
    visit: Visit,
    practice: Practice,
    wrong: dict[str, str],
    typed: dict[str, tuple[str, ...]],
    status: int = 200,
) -> Response:
    known = visit.app.answers()
    given = {name: one.values for name, one in known.items()} | typed
    return visit.page(
        "practice.html",
        status,
        practice=practice,
        rows=[_row(visit, one, given.get(one.id, ()), wrong.get(one.id, "")) for one in practice.questions],
        answered=len(_answered(practice, known)),
        score=sum(one.points or 0.0 for one in practice.questions),
        wrong=wrong,
    )


def _row(visit: Visit, question: Question, values: tuple[str, ...], wrong: str) -> dict[str, Any]:
    names = visit.names(question.people)
    choices = [(value, filled(label, names)) for value, label in question.choices]
    words = dict(choices)
    return {
        "question": question,
        "ask": filled(question.ask, names),
        "choices": choices,
        "looks": looks(question.looks, question.people, names),
        "field": _field(question),
        "given": values,
        "said": ", ".join(words.get(value, value) for value in values),
        "truth": filled(question.truth, names),
        "seen": filled(question.seen, names),
        "wrong": wrong,
    }


def _field(question: Question) -> str:
    if question.kind in {"number", "text"}:
        return question.kind
    if len(question.choices) <= BOXES:
        return "radio" if question.kind == "one" else "checkbox"
    return "select" if question.kind == "one" else "list"
