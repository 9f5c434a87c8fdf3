"""Every figure of the scorecard: a function whose docstring is its definition, with the bar it must reach.

The order of this file is the order of the table. A figure that cannot be computed gives `Open` with the reason.
"""

import inspect
from collections.abc import Callable

from msgspec import Struct, structs

from patron.sim.identity import Scores
from patron.sim.score.card import MET, MISSED, NO_BAR, OPEN, Bar, Row, shown
from patron.sim.score.held import Held
from patron.sim.score.later import LATER
from patron.sim.score.ledger import Place, Sums, by_currency, gaps, offline_share
from patron.sim.score.sent import Counts
from patron.sim.score.splits import Tried


class Findings(Struct):
    """What the figures are computed from."""

    held: Held
    identity: Scores
    counts: list[Counts]
    here: dict[Place, Sums]
    """Money on the platform."""
    told: dict[Place, Sums]
    """Money as the sources told it."""
    true: dict[Place, Sums] | None
    """Money by the truth, when there is such a file."""
    splits: list[Tried]


class Open(Struct, frozen=True):
    """Why a figure is not there."""

    why: str


class Value(Struct, frozen=True):
    """A figure, and what else should be known of it."""

    number: float
    note: str = ""


Compute = Callable[[Findings], Value | Open]


class Figure(Struct, frozen=True):
    """A figure's place in the table."""

    group: str
    name: str
    kind: str
    bar: Bar | None
    compute: Compute

    @property
    def definition(self) -> str:
        """The docstring of what computes it, as one line."""
        return " ".join((inspect.getdoc(self.compute) or "").split())

    def row(self, findings: Findings) -> Row:
        """The row of the table."""
        found = self.compute(findings)
        row = Row(
            group=self.group,
            name=self.name,
            definition=self.definition,
            kind=self.kind,
            bar=self.bar.text(self.kind) if self.bar else "",
        )
        if isinstance(found, Open):
            return structs.replace(row, verdict=OPEN, note=found.why)
        verdict = NO_BAR if self.bar is None else MET if self.bar.met(found.number) else MISSED
        text = shown(found.number, self.kind)
        return structs.replace(row, value=found.number, text=text, verdict=verdict, note=found.note)


FIGURES: list[Figure] = []
"""All figures in the order of the table."""


def _figure(
    group: str, name: str, kind: str = "share", bar: Bar | None = None
) -> Callable[[Compute], Compute]:
    def add(compute: Compute) -> Compute:
        FIGURES.append(Figure(group, name, kind, bar, compute))
        return compute

    return add


_ID, _ALL, _MONEY, _SAID, _TIME = "Identity", "Completeness", "Money", "Consent", "Timelines"
_NO_FILE = "no truth file"
NONE = Bar(high=0)


# --- identity -------------------------------------------------------------------------------------------------


@_figure(_ID, "pairwise F1 of the evidence ceiling", bar=Bar(low=0.92))
def of_ceiling(found: Findings) -> Value:
    """Pairwise F1 over the F1 of the deterministic evidence joined within true people, which no rule that joins equal
    identifiers can pass."""
    scores = found.identity
    return Value(
        scores.of_ceiling, f"F1 {shown(scores.f1, 'share')}, ceiling {shown(scores.ceiling_f1, 'share')}"
    )


@_figure(_ID, "person precision", bar=Bar(low=0.94))
def precision(found: Findings) -> Value:
    """Share of the pairs of different records put together that belong to one person. A record is the entry of a system that
    a message names (customer file, card, browser or app, e-mail, phone); each true person's use of it is with the person
    on whose timeline most of its messages are. A use by somebody else is a wrong pair with every other record there."""
    return Value(
        found.identity.person_precision,
        f"{found.identity.records:,} records of {found.identity.people:,} people",
    )


@_figure(_ID, "person precision, every use")
def every_use(found: Findings) -> Value:
    """The same where two uses of one record by two people count as a pair put together as well, though to the platform and to
    the system that sent it they are one browser: the unit of the design's table, and of all other figures here."""
    return Value(found.identity.precision)


@_figure(_ID, "household precision", bar=Bar(low=0.99))
def household_precision(found: Findings) -> Value:
    """Share of the pairs of records put together that belong to one household: a browser that a family shares tells no more."""
    return Value(found.identity.household_precision)


@_figure(_ID, "pairwise recall")
def recall(found: Findings) -> Value:
    """Share of the pairs of records of one person that were put together."""
    return Value(found.identity.recall)


@_figure(_ID, "pairwise F1")
def f1(found: Findings) -> Value:
    """Harmonic mean of person precision and pairwise recall."""
    return Value(found.identity.f1)


@_figure(_ID, "B-cubed F1")
def bcubed(found: Findings) -> Value:
    """Harmonic mean of B-cubed precision and recall (Bagga and Baldwin 1998): the mean over records of how much of its cluster
    is its person's, and how much of its person is in its cluster."""
    scores = found.identity
    return Value(
        scores.bcubed_f1, f"precision {scores.bcubed_precision:.3f}, recall {scores.bcubed_recall:.3f}"
    )


@_figure(_ID, "merge exactness")
def merges(found: Findings) -> Value:
    """Share of the groups of two or more records that the evidence makes which were found exactly: no record more, none less."""
    return Value(found.identity.merge_exact, f"largest person: {found.identity.largest:,} records")


@_figure(_ID, "pure people")
def pure(found: Findings) -> Value:
    """Share of people of two or more records who hold records of one true person only."""
    return Value(found.identity.pure, f"{len(found.held.mixed):,} timelines hold messages of two people")


@_figure(_ID, "split exactness", bar=Bar(low=1.0))
def splits(found: Findings) -> Value | Open:
    """Share of wrong merges tried (`--try-splits`) after whose split each side held exactly its own messages, each once (and at
    most more of the same true people), and whose undoing gave the very timeline from before."""
    tried = found.splits
    if not tried:
        return Open("no wrong merge was tried; use --try-splits N")
    good = sum(one.apart and one.undone for one in tried)
    wrong = next(
        (f"{one.person}: {one.note or 'not as before'}" for one in tried if not (one.apart and one.undone)),
        "",
    )
    return Value(good / len(tried), wrong or f"{len(tried)} tried and taken back")


# --- completeness -----------------------------------------------------------------------------------------------


@_figure(_ALL, "messages missing", "count", NONE)
def missing(found: Findings) -> Value:
    """Distinct messages sent that stand on no timeline, but for those whose own sender refuses their collection."""
    worst = ", ".join(f"{c.source} {c.missing:,}" for c in found.counts if c.missing)
    return Value(
        sum(c.missing for c in found.counts), worst or f"{sum(c.once for c in found.counts):,} are there once"
    )


@_figure(_ALL, "messages there more than once", "count", NONE)
def duplicates(found: Findings) -> Value:
    """Distinct messages that stand on timelines more than once, whoever's, although some were sent more than once."""
    return Value(sum(c.more for c in found.counts), f"{found.held.sent.again:,} were sent a second time")


@_figure(_ALL, "dead letters", "count", NONE)
def dead_letters(found: Findings) -> Value:
    """Open dead letters of the world's sources, but for those kept back by a person's own wish."""
    letters = found.held.letters
    return Value(sum(letters.values()), ", ".join(f"{code} {count:,}" for code, count in letters.items()))


@_figure(_ALL, "not collected by their sender's wish", "count")
def refused(found: Findings) -> Value:
    """Distinct messages whose own context refuses analytics and which are on no timeline: nothing of them may be kept."""
    return Value(sum(c.refused for c in found.counts), f"{found.held.refused:,} letters of that reason")


@_figure(_ALL, "told under another source", "count", NONE)
def misplaced(found: Findings) -> Value:
    """Events that the platform tells under another source than the one that sent them."""
    return Value(found.held.misplaced)


@_figure(_ALL, "events of other data", "count")
def foreign(found: Findings) -> Value:
    """Events on timelines that this world never sent: other data in the same workspace, and what came live."""
    return Value(found.held.foreign)


# --- money --------------------------------------------------------------------------------------------------------


def _off(here: dict[Place, Sums], there: dict[Place, Sums]) -> Value:
    wrong, places = list(gaps(here, there)), len({*here, *there})
    orders = sum(gap.here.orders != gap.there.orders for gap in wrong)
    cents = sum(gap.cents for gap in wrong)
    note = f"{places:,} days × sources × stores × currencies"
    if wrong:
        note = f"{len(wrong):,} of {note} differ; orders differ in {orders:,}"
    return Value(max(cents, len(wrong)), note)


@_figure(_MONEY, "totals off the truth", "cents", NONE)
def totals_true(found: Findings) -> Value | Open:
    """Sum of the differences, gross and refunds apart, between the orders and refunds on all timelines and
    `truth/totals.ndjson`, by UTC day, source, store and currency, unidentified sales included; in integers."""
    return Open(_NO_FILE) if found.true is None else _off(found.here, found.true)


@_figure(_MONEY, "totals off what was sent", "cents", NONE)
def totals_told(found: Findings) -> Value:
    """The same against the orders and refunds that the sources sent, each message counted once."""
    return _off(found.here, found.told)


@_figure(_MONEY, "profiles off what was sent", "cents", NONE)
def profiles(found: Findings) -> Value:
    """Sum of the differences between the orders before refunds of all profiles together, as the profiles themselves say, and
    what the sources sent, by currency."""
    here, there = found.held.totals, by_currency(found.told)
    off = sum(abs(here.get(c, Sums()).gross - there.get(c, Sums()).gross) for c in {*here, *there})
    return Value(off, ", ".join(f"{c} {shown(one.gross, 'cents')}" for c, one in sorted(here.items())))


@_figure(_MONEY, "refunds not taken off their order", "cents")
def not_netted(found: Findings) -> Value:
    """Refunds that the sources sent less the refunds that all profiles together take off their orders: what was given back to
    somebody else than the person with whom the order stands, such as of a browser that a family shares."""
    here, there = found.held.totals, by_currency(found.told)
    sent = sum(one.refunds for one in there.values())
    return Value(sent - sum(one.refunds for one in here.values()), f"of {shown(sent, 'cents')} given back")


@_figure(_MONEY, "amounts that cannot be read", "count", NONE)
def unreadable(found: Findings) -> Value:
    """Orders and refunds, sent or read back, whose amount is missing or finer than a cent."""
    faults = [*found.held.ledger.faults, *found.held.sent.ledger.faults]
    return Value(len(faults), faults[0] if faults else "")


@_figure(_MONEY, "offline share of revenue", "percent")
def offline(found: Findings) -> Value | Open:
    """Gross of all sources but web and app over all gross on the platform; currencies are added as they are."""
    share = offline_share(found.here)
    return Open("nothing was sold") if share is None else Value(share)


@_figure(_MONEY, "offline share off the truth", "points", Bar(high=0.01))
def offline_off(found: Findings) -> Value | Open:
    """Distance of that share from the same share of `truth/totals.ndjson`, in percentage points."""
    if found.true is None:
        return Open(_NO_FILE)
    here, there = offline_share(found.here), offline_share(found.true)
    if here is None or there is None:
        return Open("nothing was sold")
    return Value(abs(here - there), f"true {shown(there, 'percent')}")


@_figure(_MONEY, "unidentified share of revenue", "percent")
def unidentified(found: Findings) -> Value | Open:
    """Gross of orders on timelines of which only a receipt or a visit is known, over all gross."""
    gross = sum(one.gross for one in found.here.values())
    if not gross:
        return Open("nothing was sold")
    return Value(found.held.unknown.gross / gross, f"{found.held.unknown.orders:,} orders")


# --- consent ------------------------------------------------------------------------------------------------------


@_figure(_SAID, "sent by Patron against a refusal", "count", NONE)
def violations(found: Findings) -> Value | Open:
    """Messages on a decision of the platform to people who had refused that channel at that moment, by
    `truth/consent.ndjson`."""
    if found.held.sent.truth("consent") is None:
        return Open(_NO_FILE)
    sends = found.held.sends
    return Value(sends.ours_refused, f"of {sends.ours:,} sent on a decision")


@_figure(_SAID, "sent by the retailer's own tools against a refusal", "count")
def own_tools(found: Findings) -> Value | Open:
    """The same for messages that name no decision of the platform: the retailer's own newsletters and follow-ups."""
    if found.held.sent.truth("consent") is None:
        return Open(_NO_FILE)
    sends = found.held.sends
    return Value(sends.own_refused, f"of {sends.own:,}; {sends.own_unasked:,} to people never asked")


# --- timelines ----------------------------------------------------------------------------------------------------


@_figure(_TIME, "timelines out of order", "count", NONE)
def disordered(found: Findings) -> Value:
    """Timelines on which some event stands before one with an earlier time, by the platform's own times."""
    return Value(found.held.disordered, f"of {len(found.held.people):,} timelines")


@_figure(_TIME, "events in true order")
def in_true_order(found: Findings) -> Value | Open:
    """Share of events that need not move for every timeline to stand in the order in which things happened."""
    held = found.held
    there = held.events - held.foreign
    return Value(1 - held.moved / there, f"{held.moved:,} would move") if there else Open("no events")


@_figure(_TIME, "events at another time than written", "count")
def shifted(found: Findings) -> Value:
    """Events whose time on the platform is not the `timestamp` that their source wrote."""
    return Value(found.held.shifted)


def rows(findings: Findings) -> list[Row]:
    """The whole table: what can be computed, then the named places."""
    return [*(figure.row(findings) for figure in FIGURES), *LATER]
