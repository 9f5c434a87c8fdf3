"""The scorecard as one page that needs nothing else: light and dark, on a desk and on a phone."""

import datetime as dt
import re
from html import escape
from itertools import groupby

from patron.sim.score import charts
from patron.sim.score.card import MET, MISSED, NO_BAR, OPEN, Card, Day, Row, shown
from patron.sim.score.style import STYLE

_LOOK = {MET: "ok", MISSED: "bad", NO_BAR: "none", OPEN: "open"}
_FIRST = (
    "pairwise F1 of the evidence ceiling",
    "person precision",
    "household precision",
    "messages missing",
)
_MONEY = ("totals off the truth", "totals off what was sent")


def page(card: Card) -> str:
    """The whole document. Nothing in it is loaded from anywhere, and no script runs."""
    title = f"Scorecard: {card.world}, seed {card.seed}"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">'
        f"<style>{STYLE}</style></head><body><main>{_head(card)}{_figures(card)}"
        f'<div class="charts">{_identity(card)}{_sources(card)}{_money(card)}</div>{_gaps(card)}{_table(card)}{_foot(card)}'
        "</main></body></html>\n"
    )


def _head(card: Card) -> str:
    first, last = _date(card.first), _date(card.first + card.days - 1)
    told = (
        f"World <b>{escape(card.world)}</b>, size {escape(card.size)}, seed {card.seed}: {card.messages:,} messages of "
        f"{card.people:,} people, {first} to {last}. Patron holds {card.held_people:,} people and {card.held_events:,} "
        "events; receipts and visits of nobody known count as people of their own."
    )
    return f"<header><h1>{_verdict(card)}</h1><p>{told}</p></header>"


def _verdict(card: Card) -> str:
    if card.missed:
        names = [row.name for row in card.rows if row.verdict == MISSED]
        return escape(f"{card.missed} of {card.met + card.missed} bars missed: {', '.join(names)}")
    return f"All {card.met} bars met"


def _figures(card: Card) -> str:
    rows = {row.name: row for row in card.rows}
    money = next((rows[name] for name in _MONEY if rows[name].value is not None), rows[_MONEY[-1]])
    chosen = [*(rows[name] for name in _FIRST), money]
    return f'<section class="figures">{"".join(map(_figure, chosen))}</section>'


def _figure(row: Row) -> str:
    bar = f"<small>to reach {escape(row.bar)}</small>" if row.bar else ""
    return (
        f'<div class="figure"><span>{escape(_capital(row.name))}</span><b>{escape(row.text)}</b>'
        f"<p>{_pill(row)}{bar}</p></div>"
    )


def _pill(row: Row) -> str:
    return f'<i class="pill {_LOOK[row.verdict]}">{escape(row.verdict)}</i>'


def _identity(card: Card) -> str:
    lines = "".join(
        f"<li><span>{escape(_capital(mark.name))}</span>{charts.share(mark.value, mark.bar)}"
        f"<b>{shown(mark.value, 'share')}</b></li>"
        for mark in card.identity
    )
    return _panel(
        "Identity against the truth", "A tick is the bar to reach.", f'<ul class="lines">{lines}</ul>'
    )


def _sources(card: Card) -> str:
    most = max((line.sent for line in card.sources), default=1) or 1
    lines = []
    for line in card.sources:
        parts = (("good", line.once), ("wish", line.refused), ("bad", line.missing + line.more))
        lines.append(
            f"<li><span>{escape(line.source.replace('_', ' '))}</span>{charts.stack(parts, most)}<b>{line.sent:,}</b></li>"
        )
    refused = sum(line.refused for line in card.sources)
    wrong = sum(line.missing + line.more for line in card.sources)
    told = (
        f"{_key('good', 'there once')}{_key('wish', f'{refused:,} not collected by wish')}"
        f"{_key('bad', f'{wrong:,} missing or double')}"
    )
    return _panel("Messages by source", told, f'<ul class="lines">{"".join(lines)}</ul>')


def _money(card: Card) -> str:
    held_to = "sent" if any(r.name == _MONEY[0] and r.value is None for r in card.rows) else "true"
    blocks = []
    for currency, group in groupby(card.daily, key=lambda day: day.currency):
        blocks.append(_currency(currency, list(group), held_to))
    told = _key("day", "in Patron") + _key("step", held_to) + _key("bad", "a mark below a day: they differ")
    return _panel("Revenue less refunds, by day", told, "".join(blocks) or "<p>Nothing was sold.</p>", "wide")


def _currency(currency: str, group: list[Day], held_to: str) -> str:
    span = range(group[0].day, group[-1].day + 1)
    by_day = {day.day: day for day in group}
    there, here = (
        [getattr(by_day[d], side) if d in by_day else 0 for d in span] for side in ("there", "here")
    )
    off = sum(a != b for a, b in zip(there, here, strict=True))
    said = f"{currency} {shown(sum(here), 'cents')} in Patron, {shown(sum(there), 'cents')} {held_to}"
    days = f"{off} of {len(span)} days differ" if off else f"all {len(span)} days equal"
    return (
        f"<figure><figcaption><b>{escape(said)}</b><span>{days}</span></figcaption>"
        f"{charts.days(there, here, escape(f'{said}; {days}', quote=True))}"
        f'<p class="ends"><span>{_date(span[0])}</span><span>most in one day {shown(max([*there, *here]), "cents")}</span>'
        f"<span>{_date(span[-1])}</span></p></figure>"
    )


def _gaps(card: Card) -> str:
    if not card.gaps:
        return ""
    lines = "".join(f"<li>{escape(gap)}</li>" for gap in card.gaps)
    return _panel("Where money differs first", "", f'<ul class="gaps">{lines}</ul>', "wide")


def _table(card: Card) -> str:
    parts = []
    for group, rows in groupby(card.rows, key=lambda row: row.group):
        parts.append(f'<tbody><tr class="group"><th colspan="4" scope="rowgroup">{escape(group)}</th></tr>')
        parts.extend(_line(row) for row in rows)
        parts.append("</tbody>")
    heads = '<th>Figure</th><th class="r">Value</th><th class="r">Bar</th><th>Verdict</th>'
    return f'<section class="panel flush"><table><thead><tr>{heads}</tr></thead>{"".join(parts)}</table></section>'


def _line(row: Row) -> str:
    note = f"<small>{escape(_capital(row.note))}.</small>" if row.note else ""
    bar = f'<td class="r bar">{escape(row.bar)}</td>'
    return (
        f"<tr><td><b>{escape(_capital(row.name))}</b>{note}<p>{_code(row.definition)}</p></td>"
        f'<td class="r v">{escape(row.text)}</td>{bar}<td>{_pill(row)}</td></tr>'
    )


def _foot(card: Card) -> str:
    return (
        f"<footer>Read back through the public API of {escape(card.against)} in {card.read_seconds:.1f} s. "
        f"{card.met} bars met, {card.missed} missed, {card.open} figures not computed.</footer>"
    )


def _key(look: str, text: str) -> str:
    return f'<span class="key {look}">{escape(text)}</span>'


def _panel(title: str, told: str, body: str, more: str = "") -> str:
    said = f"<p>{told}</p>" if told else ""
    return f'<section class="panel {more}"><h2>{escape(title)}</h2>{said}{body}</section>'


def _code(text: str) -> str:
    """Text with what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _date(day: int) -> str:
    """A day since 1970 for people: `31 Mar 2026`."""
    date = dt.date(1970, 1, 1) + dt.timedelta(days=day)
    return f"{date.day} {date:%b %Y}"
