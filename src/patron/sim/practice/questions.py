"""The questions of a practice, each with its key: the truth, and how it could have been seen.

A question whose answer the data does not show is not asked.
"""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from patron.model.guide import Look, Question
from patron.sim.guide.guided import gaming, listed, share, slow
from patron.sim.guide.witness import PickUps
from patron.sim.practice.evidence import Evidence, stands_out
from patron.sim.practice.people import Gone, Stray, Twin
from patron.sim.town import Town
from patron.sim.world.shops import COUNTRIES, Store

FEWEST = 4
"""Cases that something must stand on, to be asked for."""
MANY = 12
"""Cards noted without their owner before a difference between colleagues means anything."""
_COUNTRY = {"IT": "Italy", "ES": "Spain", "GB": "Great Britain"}
_FETCH = "fetch an order at the store"


class Key(Struct, frozen=True, kw_only=True):
    """The answer to a question, kept apart from it."""

    question: str
    values: tuple[str, ...]
    truth: str
    """In words; people by slots as in the question."""
    seen: str
    """How it could have been seen."""
    tolerance: float = 0.0
    """Of a number: full points within it, none beyond four times as much."""


Asked = tuple[Question, Key]


class Known(Struct, frozen=True):
    """What questions are made from."""

    town: Town
    evidence: Evidence
    stray: Stray | None = None
    twin: Twin | None = None
    gone: Gone | None = None

    @property
    def stores(self) -> Sequence[Store]:
        """Of the world."""
        return self.town.setting.geography.stores

    def choices(self) -> tuple[tuple[str, str], ...]:
        """The stores to choose from."""
        return tuple((store.id, f"{store.id} {store.name}") for store in self.stores)

    def named(self, ids: Sequence[str]) -> str:
        """Stores in words."""
        return listed([f"{store.name} ({store.id})" for store in self.stores if store.id in ids])


def asked(known: Known) -> list[Asked]:
    """Every question that this world answers."""
    makers: tuple[Callable[[Known], Asked | None], ...] = (
        _pick_up,
        _stray,
        _gone,
        _twin,
        _app,
        _coupon,
        _gaming,
        _evening,
        _empty,
        _offline,
    )
    return [made for make in makers if (made := make(known)) is not None]


def _pick_up(known: Known) -> Asked | None:
    counted = known.evidence.witness.pick_ups
    there = tuple(store.id for store in slow(known.town))
    long = {store for store, one in counted.items() if one.count >= FEWEST and one.wait >= 15}
    if not there or long != set(there):
        return None
    usual = [one for store, one in counted.items() if store not in there]
    told = "; ".join(
        f"{store}: {counted[store].abandoned} of {counted[store].count} given up, {counted[store].wait:.0f} minutes on average"
        for store in there
    )
    others = PickUps()
    for one in usual:
        others.add(one)
    return (
        Question(
            id="pick-up",
            icon="clock",
            title="Who keeps people waiting?",
            ask="People order on the web and fetch their order in a store. At which store do they wait so long that some go home "
            f"without it?{' Name every such store.' if len(known.stores) > 8 else ''}",
            kind="some",
            choices=known.choices(),
            where="On timelines, at the tills: an order that was collected, or given up, says after how many minutes. In the files: "
            "events/pos.ndjson, the property wait_minutes.",
        ),
        Key(
            question="pick-up",
            values=there,
            truth=known.named(there),
            seen=f"{told}. All others together: {others.abandoned} of {others.count} given up, {others.wait:.0f} minutes. One bad wait is chance; "
            "every one of them long is a store.",
        ),
    )


def _stray(known: Known) -> Asked | None:
    stray = known.stray
    if stray is None:
        return None
    kind, _, value = stray.identifier.partition(":")
    return (
        Question(
            id="stray",
            icon="people",
            title="Who does not belong here?",
            ask="Two customers stand on the profile of {person}. Which identifier belongs to the other one? Give it as the "
            "console writes it.",
            kind="text",
            where="Open the profile, read “Why one person”, and ask of each link who said so, and when. Then look at what was bought "
            "with each card. Do not split it before you have answered, or do: it can be undone.",
            looks=(Look("Open {person}", "person"), Look("Why one person", "person", "#why")),
            people={"person": stray.profile},
        ),
        Key(
            question="stray",
            values=(value,),
            truth=f"{kind.replace('_', ' ')} {value}, of somebody in another house",
            seen="The profile is that of {person}. A single entry of the call centre joined the two. Before it "
            "and after it the identifier was read alone, never together with the others, and it buys other things.",
        ),
    )


def _gone(known: Known) -> Asked | None:
    gone = known.gone
    if gone is None:
        return None
    # in the order of their ids, which tells nothing
    ids = sorted((gone.profile, *gone.others))
    people = {f"person{n}": one for n, one in enumerate(ids, 1)}
    right = 1 + ids.index(gone.profile)
    return (
        Question(
            id="gone",
            icon="shop",
            title="Who stopped coming?",
            ask="Five customers bought regularly. One has left for good. Who?",
            kind="one",
            choices=tuple((str(n), f"{{person{n}}}") for n in range(1, 1 + len(ids))),
            where="On each timeline, what the customer did, without what was sent to them: letters go on, and some are opened by "
            "mail programs rather than by people.",
            looks=tuple(Look(f"{n}: {{person{n}}}", f"person{n}") for n in range(1, 1 + len(ids))),
            people=people,
        ),
        Key(
            question="gone",
            values=(str(right),),
            truth=f"{right}, {{person{right}}}",
            seen="No order for at least thirty days, after many close to each other; each of the others bought within the last two "
            "weeks. The date of the last event does not say it, since letters count as events.",
        ),
    )


def _twin(known: Known) -> Asked | None:
    twin = known.twin
    if twin is None:
        return None
    ids = sorted((twin.again, *twin.others))
    people = {"person": twin.profile} | {f"other{n}": one for n, one in enumerate(ids, 1)}
    right = 1 + ids.index(twin.again)
    return (
        Question(
            id="twin",
            icon="link",
            title="Who is here twice?",
            ask="{person} stands here a second time, under a profile of its own. Which of these is it?",
            kind="one",
            choices=tuple((str(n), f"Profile {n}") for n in range(1, 1 + len(ids))),
            where="Compare names, birthdays, numbers, stores and tastes. The rules did not join the two, because nothing that they may "
            "trust stands on both sides.",
            looks=(
                Look("Open {person}", "person"),
                *(Look(f"Profile {n}", f"other{n}") for n in range(1, 1 + len(ids))),
            ),
            people=people,
        ),
        Key(
            question="twin",
            values=(str(right),),
            truth=f"Profile {right}",
            seen="Both profiles say {person}, first and last name; the others share one of the two at most. "
            "A name alone must not join people, so the rules leave it to somebody who looks.",
        ),
    )


def _app(known: Known) -> Asked | None:
    counted = {version: c for version, c in known.evidence.witness.checkouts.items() if c["Checkout Started"]}
    bad = known.town.parameters.pain.app_version
    failing = {version for version, c in counted.items() if c["Checkout Failed"]}
    if failing != {bad} or counted[bad]["Checkout Failed"] < FEWEST - 1 or len(counted) < 3:
        return None
    began, failed = counted[bad]["Checkout Started"], counted[bad]["Checkout Failed"]
    others = sum(c["Checkout Started"] for version, c in counted.items() if version != bad)
    return (
        Question(
            id="app",
            icon="app",
            title="Which app cannot pay?",
            ask="One version of the app breaks now and then when somebody wants to pay. Which?",
            kind="one",
            choices=tuple((version, version) for version in sorted(counted)),
            where="In the files: events/app.ndjson, what follows Checkout Started, by context.app.version. On timelines, a checkout "
            "that failed says the version.",
            files=True,
        ),
        Key(
            question="app",
            values=(bad,),
            truth=bad,
            seen=f"{failed} of {began} checkouts begun with {bad} failed, none of {others} with the others. The orders that are "
            "missing are nowhere: only the failure is.",
        ),
    )


def _coupon(known: Known) -> Asked | None:
    code, denied = known.town.parameters.pain.coupon_country, known.evidence.denied
    if denied[code] < 2 or set(denied) != {code}:
        return None
    honoured = known.evidence.honoured
    return (
        Question(
            id="coupon",
            icon="pos",
            title="Where are coupons refused?",
            ask="Customers complain that a till did not take the coupon they had been sent. In which country does that happen?",
            kind="one",
            choices=tuple((country.code, _COUNTRY[country.code]) for country in COUNTRIES),
            where="In the files: Coupon Denied in events/pos.ndjson, by store; the countries of the stores stand with the currency and "
            "the customers. Set the number beside that of coupons taken.",
            files=True,
        ),
        Key(
            question="coupon",
            values=(code,),
            truth=_COUNTRY[code],
            seen=f"{denied[code]} coupons were refused there beside {honoured[code]} that were taken, and none elsewhere beside "
            f"{sum(honoured.values()) - honoured[code]}.",
        ),
    )


def _gaming(known: Known) -> Asked | None:
    there, unseen = gaming(known.town), known.evidence.witness.unseen()
    if not there or any(not unseen.get(name, (0, 0))[1] for name in there):
        return None
    others = [missed for name, (missed, _) in unseen.items() if name not in there]
    if not others or suspects(unseen) != set(there):
        return None
    missed, cards = (sum(unseen[name][at] for name in there) for at in (0, 1))
    every = sorted(unseen)
    return (
        Question(
            id="gaming",
            icon="associate_tablet",
            title="Conversations that nobody had",
            ask="Associates note whom they speak with, and get a bonus for it. Who notes customers who were not in the store that day?"
            + (" Name everybody who does." if len(there) > 1 else ""),
            kind="some",
            choices=tuple((name, name) for name in every),
            where="In the files: Associate Contacted in events/associate_tablet.ndjson names a card. Was the same card read at a till or "
            "kiosk on that day? Everybody has some for whom it was not, since not everybody who talks buys: compare colleagues of one store.",
            files=True,
        ),
        Key(
            question="gaming",
            values=tuple(sorted(there)),
            truth=listed(sorted(there)),
            seen=f"Of the cards noted there, {share(missed, cards)} were not read in the store that day: {missed / len(there):.0f} each, where "
            f"each of the others has {sum(others) / len(others):.0f}. Everybody has some, since not everybody who talks buys.",
        ),
    )


def suspects(unseen: Mapping[str, tuple[int, int]]) -> set[str]:
    """Who notes far more cards that were not in the store than colleagues of the same store do.

    >>> suspects({"A-01-1": (40, 44), "A-01-2": (6, 15), "A-02-1": (4, 5), "A-02-2": (1, 6)})
    {'A-01-1'}
    """
    found = set()
    for name, (missed, _) in unseen.items():
        beside = [n for other, (n, _) in unseen.items() if other != name and other[:-2] == name[:-2]]
        usual = sum(beside) / max(1, len(beside))
        if missed >= MANY and missed > 2.5 * usual:
            found.add(name)
    return found


def _fault(known: Known, fault: str) -> str | None:
    faults = known.town.setting.geography.faults
    return next((known.stores[n].id for n, name in sorted(faults.items()) if name == fault), None)


def _evening(known: Known) -> Asked | None:
    there, rates = _fault(known, "evening"), known.evidence.weak_evenings()
    if there is None or stands_out(rates, low=True, by=1.4) != there:
        return None
    early, doors, late, evening = known.evidence.evening[there]
    return (
        Question(
            id="evening",
            icon="kiosk",
            title="Who sells badly after five?",
            ask="At one store, something is wrong in the evening: from 17 h on, visitors leave without buying. Which store?",
            kind="one",
            choices=known.choices(),
            where="In the files: orders in events/pos.ndjson by hour of the store, divided by the door counts of feeds/footfall.csv. Compare "
            "each store with itself earlier in the day; times are UTC.",
            files=True,
        ),
        Key(
            question="evening",
            values=(there,),
            truth=known.named([there]),
            seen=f"Before 17 h {early} orders for {doors} people through the door ({100 * early / doors:.0f}%), afterwards {late} for {evening} "
            f"({100 * late / evening:.0f}%). The other stores sell about as well in the evening. Orders alone would hide it: evenings "
            "have more visitors.",
        ),
    )


def _empty(known: Known) -> Asked | None:
    there, rates = _fault(known, "stock"), known.evidence.out_of_stock()
    if there is None or stands_out(rates, by=2.0) != there:
        return None
    usual = [rate for store, rate in rates.items() if store != there]
    return (
        Question(
            id="empty",
            icon="data",
            title="Whose shelves are empty?",
            ask="At one store, customers often do not find what they came for. Which?",
            kind="one",
            choices=known.choices(),
            where="In the files: feeds/stock.csv. On some days every product of a store is counted; take those, and the share of zeros.",
            files=True,
        ),
        Key(
            question="empty",
            values=(there,),
            truth=known.named([there]),
            seen=f"{100 * rates[there]:.0f}% of its products were out on days of a full count, {100 * sum(usual) / len(usual):.0f}% at the others.",
        ),
    )


def _offline(known: Known) -> Asked | None:
    if not known.evidence.gross["pos", "EUR"]:
        return None
    true = 100 * known.evidence.offline("EUR")
    return (
        Question(
            id="offline",
            icon="results",
            title="How much is sold in stores?",
            ask="Which part of all that was ordered in euros, before returns, was paid at a till?",
            kind="number",
            unit="%",
            where="In the files: Order Completed in events/pos.ndjson beside events/web.ndjson and events/app.ndjson. Currencies do not add "
            "up; some messages come twice, with the same messageId; not every order says who bought.",
            files=True,
        ),
        Key(
            question="offline",
            values=(f"{true:.1f}",),
            tolerance=2.0,
            truth=f"{true:.1f}%",
            seen="Revenue of each order once, euros only. Whoever counts only customers that are known misses the receipts of nobody "
            "known, which are nearly all from tills.",
        ),
    )
