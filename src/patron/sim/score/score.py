"""Holding a platform against a world: read what was sent, read back what is there, compute every figure."""

import datetime as dt
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from patron.sim.generation.folder import TRUTH, check_truth
from patron.sim.identity import records_of, report
from patron.sim.score.card import Card, Day, Mark, SourceLine, shown
from patron.sim.score.figures import Findings, rows
from patron.sim.score.held import Held
from patron.sim.score.ledger import Gap, Place, Sums, gaps
from patron.sim.score.sent import Sent
from patron.sim.score.splits import try_splits
from patron.sim.server.api import Api

SHOWN_GAPS = 20


def world_of(folder: Path) -> Path:
    """The world of a folder that was given as its truth, or is the world itself.

    >>> world_of(Path("w/truth")) == world_of(Path("w")) == Path("w")
    True
    """
    return folder.parent if folder.name == TRUTH else folder


def score(
    truth: Path, api: Api, *, splits: int = 0, progress: Callable[[int, int], None] | None = None
) -> Card:
    """The scorecard of a running platform.

    Parameters
    ----------
    truth : the truth of a generated world; its events lie beside it.
    api : a key of scope `admin` at the platform.
    splits : wrong merges to split and undo on the way. Each leaves two facts in the log, and nothing else.
    progress : told (people read, people there).

    Raises BadFolder, LoadFailed, or Refused with the server's own sentence.
    """
    check_truth(world_of(truth))
    sent = Sent(world_of(truth))
    began = time.monotonic()
    held = Held(api, sent, progress)
    seconds = time.monotonic() - began
    records = records_of(sent.folder)
    findings = Findings(
        held=held,
        identity=report(records, held.labels((record.key, record.person) for record in records)),
        counts=held.counts(),
        here=held.ledger.sums(),
        told=sent.sums,
        true=sent.totals(),
        splits=try_splits(api, sent, held.mixed, splits) if splits else [],
    )
    return _card(findings, api.url, seconds)


def _card(found: Findings, against: str, seconds: float) -> Card:
    manifest, measure = found.held.sent.manifest, found.told if found.true is None else found.true
    return Card(
        world=manifest.world,
        size=manifest.size,
        seed=manifest.seed,
        first=manifest.first,
        days=manifest.days,
        people=manifest.people,
        messages=len(found.held.sent.row),
        against=against,
        held_people=len(found.held.people),
        held_events=found.held.events,
        read_seconds=seconds,
        rows=rows(found),
        identity=_marks(found),
        daily=_daily(found.here, measure),
        sources=[SourceLine(c.source, c.sent, c.once, c.refused, c.missing, c.more) for c in found.counts],
        gaps=[_words(gap) for gap in islice(gaps(found.here, measure), SHOWN_GAPS)],
    )


def _marks(found: Findings) -> list[Mark]:
    scores = found.identity
    return [
        Mark("F1 of the ceiling", scores.of_ceiling, 0.92),
        Mark("person precision", scores.person_precision, 0.94),
        Mark("person precision, every use", scores.precision, None),
        Mark("household precision", scores.household_precision, 0.99),
        Mark("recall", scores.recall, None),
        Mark("F1", scores.f1, None),
        Mark("F1 of the evidence", scores.ceiling_f1, None),
        Mark("B-cubed F1", scores.bcubed_f1, None),
        Mark("merges exact", scores.merge_exact, None),
    ]


def _daily(here: dict[Place, Sums], there: dict[Place, Sums]) -> list[Day]:
    found: dict[tuple[str, int], list[int]] = {}
    for side, sums in enumerate((there, here)):
        for place, one in sums.items():
            found.setdefault((place[3], place[0]), [0, 0])[side] += one.gross - one.refunds
    return [Day(currency, day, *both) for (currency, day), both in sorted(found.items())]


def _words(gap: Gap) -> str:
    day, source, store, currency = gap.place
    date = dt.date(1970, 1, 1) + dt.timedelta(days=day)
    sides = (
        f"{one.orders} orders, {shown(one.gross, 'cents')} gross, {shown(one.refunds, 'cents')} back"
        for one in (gap.here, gap.there)
    )
    return f"{date} {source} {store or 'online'} {currency}: Patron {', not '.join(sides)}"
