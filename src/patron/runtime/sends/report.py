"""What a send comes to, read from its decisions: the same for those that are recorded and those that a dry run only made."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from patron.decide.distinct import Got, content_of, mix, product
from patron.decide.encoding import Record, look
from patron.decide.gates import GATES
from patron.decide.index import CatalogueIndex
from patron.decide.rating import gaps_of, price_of
from patron.decide.variants import fits
from patron.model.offers import Offer
from patron.model.sends import Counted, Mix, SendReport, Stopped
from patron.runtime.tables import DecisionRow

UNREACHABLE, UNLUCKY, HELD_SEND, HELD_ALL = "address", "nothing", "send_holdout", "universal_holdout"
WHY_NOT: Mapping[str, str] = {
    UNREACHABLE: "No address for any of its channels is known",
    UNLUCKY: "Leaving them alone was chosen: nothing was better, or it was tried",
    HELD_SEND: "Held out from this send, so that its effect can be measured",
    HELD_ALL: "Held out from all marketing, so that its effect can be measured",
    "placement": "Its placement shows none of its offers",
    "channel": "None of its offers is for this channel",
    "validity": "Its offers do not hold at that time",
    "consent": "They refused, or never gave the consent that is needed",
    "identity": "They are not proven to be who they say",
    "conditions": "The conditions of its offers do not hold for them",
    "stock": "What it offers is out of stock where they are",
    "audience": "Its offers are for other segments",
    "complaint": "They have an open complaint",
    "quiet": "Quiet hours, or none of its hours is left, where they are",
    "held": "They hold or have used such an offer already",
    "cooldown": "They were given it too lately",
    "cap": "A cap is reached",
    "fatigue": "They saw it often without answering",
    "budget": "The budget is spent",
    "sold_out": "All are given",
    "score": "The formula gives its offers no number",
    "holdout": "They are held out from its placement",
}
"""What stopped somebody -> a sentence for people."""


class Tally:
    """Counts the decisions of a send, or of a placement.

    Parameters
    ----------
    version : the catalogue that a decision was made with.
    """

    def __init__(self, version: Callable[[str], CatalogueIndex]) -> None:
        self._version = version
        self._contents: dict[tuple[str, int, str, str], tuple[str, tuple[str, ...]]] = {}
        self.decided = self.given = self.held_out = self.hours_known = 0
        self.cost = self.expected = 0.0
        self.what: Counter[str] = Counter()
        self.where: Counter[str] = Counter()
        self.when: Counter[int] = Counter()
        self.why_not: Counter[str] = Counter()
        self._got: Counter[Got] = Counter()
        self._slots: dict[str, None] = {}

    def add(self, row: DecisionRow, hour: int | None = None) -> None:
        """One decision; `hour` of one that is of no send."""
        record, index = look(row.record), self._version(row.catalogue)
        self.decided += 1
        sent = row.sent
        self.held_out += sent is not None and sent.arm == "control"
        offer = index.by_id.get(row.action)
        if offer is None:
            self.why_not[stopped(row, record)] += 1
            return
        self.given += 1
        self.hours_known += sent is not None and sent.moments > 0
        self.cost += offer.cost
        self.expected += _beyond_nothing(record, index)
        at = sent.hour if sent is not None else hour or 0
        content, slots = self._content(row.catalogue, record, offer)
        self._slots.update(dict.fromkeys(slots))
        self.what[offer.id] += 1
        self.where[record.placement] += 1
        self.when[at] += 1
        self._got[Got(product(offer), content, record.channel, at)] += 1

    def mix(self, *, asked: bool = False) -> Mix:
        """How different what people got is; `asked` of a placement where they ask."""
        return mix(self._got, self._slots, asked=asked)

    def report(
        self, looked: int, unreachable: int, names: CatalogueIndex, *, sampled: bool = False
    ) -> SendReport:
        """All of it; `names` is the catalogue that says what things are called."""
        why_not = self.why_not + Counter({UNREACHABLE: unreachable})
        places = names.places_of
        return SendReport(
            audience=looked,
            looked=looked,
            decided=self.decided,
            given=self.given,
            held_out=self.held_out,
            cost=round(self.cost, 4),
            expected=round(self.expected, 4),
            what=_counted(self.what, lambda one: names.by_id[one].name if one in names.by_id else one),
            where=_counted(self.where, lambda one: places[one].name if one in places else one),
            when=[Counted(str(hour), f"{hour:02}:00", self.when[hour]) for hour in sorted(self.when)],
            why_not=[Stopped(gate, WHY_NOT.get(gate, gate), n) for gate, n in why_not.most_common() if n],
            hours_known=self.hours_known,
            mix=self.mix(),
            sampled=sampled,
        )

    def _content(self, version: str, record: Record, offer: Offer) -> tuple[str, tuple[str, ...]]:
        place = (version, record.action, record.placement, record.language)
        found = self._contents.get(place)
        if found is None:
            found = self._contents[place] = content_of(offer, record.placement, record.language)
        return found


def stopped(row: DecisionRow, record: Record) -> str:
    """Why somebody got nothing: the gate at which the last of their offers fell; `nothing` when some were left.

    Holdouts are told first: whoever is held out was not asked for anything else.
    """
    if row.group == "control":
        return HELD_ALL
    if row.sent is not None and row.sent.arm == "control":
        return HELD_SEND
    if record.rating is not None or _left(record):
        return UNLUCKY
    last = max((at for at, mask in enumerate(record.gates) if mask), default=-1)
    return UNLUCKY if last < 0 else GATES[last]


def variant_of(offer: Offer, placement: str, language: str) -> str:
    """Which content is shown: the number of the variant from 0, or `own`.

    >>> variant_of(Offer("tea", "Tea"), "mail", "it")
    'own'
    """
    found = (str(at) for at, one in enumerate(offer.variants) if fits(one, placement, language))
    return next(found, "own")


def _left(record: Record) -> bool:
    """Whether anything was left beside nothing, where no score says so."""
    return record.propensity < 1.0


def _beyond_nothing(record: Record, index: CatalogueIndex) -> float:
    """How much better than nothing what was given scored, before any price of a message."""
    rating = record.rating
    if rating is None or not rating.widest:
        return 0.0
    gone = 0
    for mask in record.gates:
        gone |= int.from_bytes(mask, "little")
    before = (1 << record.action) - 1
    at = record.action - (gone & before).bit_count()
    gaps = gaps_of(rating)
    price = price_of(rating, index.catalogue.scoring.nothing, index.places_of.get(record.placement))
    return float(gaps[-1] - gaps[at]) + price


def _counted(counts: Mapping[str, int], name: Callable[[str], str]) -> list[Counted]:
    rows: Iterable[tuple[str, int]] = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return [Counted(one, name(one), n) for one, n in rows]
