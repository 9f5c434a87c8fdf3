"""The end of a practice as one page that needs nothing else: each question, what was answered, and the truth."""

import datetime as dt
from collections.abc import Mapping
from html import escape

from patron.model.clock import MINUTE
from patron.model.guide import Answer, Practice, Question, filled
from patron.sim.score.style import STYLE

_MORE = """
.qa{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:12px 24px;margin:12px 0}.qa span{display:block;color:var(--ink2);
font-size:12px;line-height:16px}.qa b{font-weight:600;overflow-wrap:anywhere}.top{display:flex;gap:12px;align-items:baseline;
justify-content:space-between}.panel>p.ask{color:var(--ink);font-size:14px;margin:4px 0 0}.panel>p.seen{margin:0;padding-top:12px;
border-top:1px solid var(--line);text-wrap:pretty}.figures{grid-template-columns:repeat(4,minmax(0,1fr))}
.pill.part{background:var(--sunk);color:var(--ink)}
@media(max-width:900px){.figures{grid-template-columns:repeat(2,minmax(0,1fr))}.figure:last-child{grid-column:auto}}
@media(max-width:560px){.qa{grid-template-columns:minmax(0,1fr)}}
"""


def page(
    practice: Practice,
    answers: Mapping[str, Answer],
    names: Mapping[str, Mapping[str, str]],
    origin: tuple[int, str],
    began: int = 0,
) -> str:
    """The whole document. Nothing in it is loaded from anywhere, and no script runs.

    Parameters
    ----------
    practice : as it ended (`session.reveal`).
    names : question -> slot -> name, for texts that name people.
    origin : seed and size of the world.
    began : when the questions were given, UTC ms; 0 = unknown.
    """
    title = f"Practice, seed {origin[0]}"
    panels = "".join(_panel(one, answers.get(one.id), names.get(one.id, {})) for one in practice.questions)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">'
        f"<style>{STYLE}{_MORE}</style></head><body><main>{_head(practice, origin)}{_figures(practice, answers, began)}"
        f"{panels}{_foot(origin)}</main></body></html>\n"
    )


def score(practice: Practice) -> float:
    """Points of all questions, 0 to 1: each counts the same."""
    return sum(one.points or 0.0 for one in practice.questions) / max(1, len(practice.questions))


def answered(question: Question, answer: Answer | None, names: Mapping[str, str]) -> str:
    """What was answered, in words."""
    if answer is None:
        return "nothing"
    labels = {value: filled(label, names) for value, label in question.choices}
    said = ", ".join(
        f"{value}: {labels[value]}" if value.isdigit() and value in labels else labels.get(value, value)
        for value in answer.values
    )
    return f"{said} {question.unit}".strip()


def verdict(points: float | None) -> str:
    """How an answer fared, in words."""
    if not points:
        return "missed"
    return "found" if points >= 0.995 else f"{100 * points:.0f}% of it"


def _head(practice: Practice, origin: tuple[int, str]) -> str:
    right = sum((one.points or 0.0) >= 0.995 for one in practice.questions)
    told = f"{right} of {len(practice.questions)} found, {100 * score(practice):.0f} of 100 points"
    lead = f"World of seed <b>{origin[0]}</b>, size {escape(origin[1])}. {escape(practice.lead.split(' What can')[0])}"
    return f"<header><h1>{told}</h1><p>{lead}</p></header>"


def _figures(practice: Practice, answers: Mapping[str, Answer], began: int) -> str:
    given = [answers[one.id] for one in practice.questions if one.id in answers]
    by_files = [one for one in practice.questions if one.files]
    minutes = round((max(one.at for one in given) - began) / MINUTE) if given and began else None
    cells = (
        ("Points", f"{100 * score(practice):.0f}", "of 100"),
        ("Answered", f"{len(given)}", f"of {len(practice.questions)}"),
        (
            "Found in the files",
            f"{sum((one.points or 0.0) >= 0.995 for one in by_files)}",
            f"of {len(by_files)}",
        ),
        ("Time to the last answer", "not measured" if minutes is None else f"{minutes} min", ""),
    )
    return f'<section class="figures">{"".join(_figure(*cell) for cell in cells)}</section>'


def _figure(name: str, value: str, of: str) -> str:
    return f'<div class="figure"><span>{name}</span><b>{escape(value)}</b><p><small>{of}</small></p></div>'


def _panel(question: Question, answer: Answer | None, names: Mapping[str, str]) -> str:
    worth = question.points or 0.0
    look = "ok" if worth >= 0.995 else "part" if worth else "bad" if answer is not None else "none"
    words = verdict(question.points) if answer is not None else "not answered"
    pill = f'<i class="pill {look}">{escape(words)}</i>'
    return (
        f'<section class="panel"><div class="top"><h2>{escape(question.title)}</h2>{pill}</div>'
        f'<p class="ask">{escape(filled(question.ask, names))}</p>'
        f'<div class="qa"><div><span>Answered</span><b>{escape(answered(question, answer, names))}</b></div>'
        f"<div><span>Truth</span><b>{escape(filled(question.truth, names))}</b></div></div>"
        f'<p class="seen">{escape(filled(question.seen, names))}</p></section>'
    )


def _foot(origin: tuple[int, str]) -> str:
    command = f"patron sim practice --seed {origin[0]} --size {origin[1]}"
    return (
        f"<footer>The same world again: <code>{escape(command)}</code>. Another: any other seed. "
        f"Written {dt.datetime.now(dt.UTC):%d %B %Y, %H:%M} UTC.</footer>"
    )
