"""The comparison for a terminal: one line a marginal, then the causes."""

import textwrap

from patron.sim.marginals import words
from patron.sim.marginals.page import summary
from patron.sim.marginals.report import Report, Side

_WIDTH = 110


def text(report: Report) -> str:
    """The whole comparison as plain text."""
    rows = [("", "simulated", "real", "distance", "")]
    for marginal in report.marginals:
        verdict = "alike" if not marginal.differs else "differs" if marginal.why else "differs, unexplained"
        rows.append((marginal.title, *words.headline(marginal), words.distance(marginal), verdict))
    wide = [max(len(row[k]) for row in rows) for k in range(5)]
    body = ["  ".join(cell.ljust(w) for cell, w in zip(row, wide, strict=True)).rstrip() for row in rows]
    whys = [
        textwrap.fill(
            f"{m.title}: {m.why or 'nobody has said why yet (reasons.py).'}", _WIDTH, subsequent_indent="  "
        )
        for m in report.marginals
        if m.differs
    ]
    said = textwrap.fill(
        f"{summary(report)} Intervals: 95 %, {report.draws} bootstrap samples of whole customers. The real side: "
        f'"{report.quote}", says the package that carries it.',
        _WIDTH,
    )
    sides = [_side("simulated", report.simulated), _side("real", report.real)]
    return "\n".join([*sides, "", *body, "", *whys, "", said])


def _side(name: str, side: Side) -> str:
    told = (
        f"{name}: {side.label}: {side.baskets:,} baskets of {side.customers:,} {side.unit}s over {side.days} days,"
        f" {side.currency}; {side.customer}"
    )
    if side.unidentified:
        told += f"; {side.unidentified:,} baskets are nobody's"
    if side.left_out:
        told += f"; {side.left_out:,} baskets without a value above zero left out"
    return textwrap.fill(told, _WIDTH, subsequent_indent="  ")
