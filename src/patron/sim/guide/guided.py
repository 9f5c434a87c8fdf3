"""The stories planted in a town, as a visitor may look for them: a question, where to look, and the answer with figures.

Who people are is said by slots and identifiers; whoever shows a story asks the product for their names.
"""

from collections.abc import Callable

from patron.model.guide import Check, Look, Story
from patron.sim.guide.witness import PickUps, Witness
from patron.sim.telling import cast
from patron.sim.town import Town
from patron.sim.world.associates import ADVISER
from patron.sim.world.shops import Store, associate

EXAMPLES = 3
"""People shown beside a figure that holds for many."""


def gaming(town: Town) -> list[str]:
    """Staff numbers of the associates who write down conversations that never were."""
    stores = town.setting.geography.stores
    return [associate(stores[store], number + 1) for store, number in town.setting.staff.gaming.items()]


def slow(town: Town) -> list[Store]:
    """The stores at which whoever fetches an order waits long."""
    return [
        store
        for store in town.setting.geography.stores
        if int(store.id[1:]) in town.parameters.pain.pick_up_stores
    ]


def planted(town: Town, witness: Witness, again: str = "") -> list[Story]:
    """The stories of a town that was told whole; those whose people or places it has not are left out.

    Parameters
    ----------
    witness : has seen every message of the town's history.
    again : the command that writes the same town into a folder `world`, for whoever wants to count.
    """
    tellers: tuple[Callable[[Town, Witness, str], Story | None], ...] = (
        _wrong_merge,
        _pick_up,
        _gaming,
        _lapsed,
        _tablet,
        _served,
    )
    return [story for tell in tellers if (story := tell(town, witness, again)) is not None]


def _here(town: Town, *numbers: int) -> bool:
    return all(town.row(number) is not None for number in numbers)


def _wrong_merge(town: Town, _witness: Witness, _again: str) -> Story | None:
    if not _here(town, cast.ANNA, cast.MARTA):
        return None
    person = cast.DOSSIERS[cast.ANNA]
    return Story(
        id="wrong-merge",
        icon="people",
        title="Who buys the cat food?",
        question="{anna} looks at espresso machines on the web and orders a milk jug. On the same account, somebody buys "
        "cat food every ten days. Since when, and who joined the two?",
        looks=(
            Look("Open {anna}", "anna"),
            Look("At the tills", "anna", "?channel=pos#timeline"),
            Look("Why one person", "anna", "#why"),
        ),
        answer="Eight days before the town was loaded {anna} called about a late delivery, and the agent typed a neighbour's card: two "
        "digits stand the other way round. That one entry made two customers one. Choose Split…, take the card that buys "
        "cat food, and there are two people again, each with their own history. It can be undone.",
        people={"anna": f"email:{person.email}"},
    )


def _pick_up(town: Town, witness: Witness, again: str) -> Story | None:
    there = [store for store in slow(town) if witness.pick_ups.get(store.id, PickUps()).abandoned]
    if not there:
        return None
    ids = {store.id for store in there}
    here, others = PickUps(), PickUps()
    for store, counted in witness.pick_ups.items():
        (here if store in ids else others).add(counted)
    given_up, fetched = _orders(witness, ids)
    names = listed([f"{store.name} ({store.id})" for store in there])
    count = "grep -h wait_minutes world/events/pos.ndjson | grep -o 'Reservation [AC][a-z]*\\|S[0-9][0-9]*\",\"wait' | paste - - | sort | uniq -c"
    return Story(
        id="pick-up",
        icon="clock",
        title="Who keeps people waiting?",
        question="People order on the web and fetch it in a store. At most stores that takes some minutes. Somewhere it does "
        "not, and some of those who wait go home without their order. Where?",
        looks=tuple(
            Look(f"Fetched their order ({n})", f"fetched{n}", "?channel=pos#timeline")
            for n in range(1, 1 + len(fetched[:2]))
        )
        + tuple(
            Look(f"Gave up ({n})", f"gave{n}", "?channel=pos#timeline")
            for n in range(1, 1 + len(given_up[:2]))
        ),
        checks=(
            Check(
                "One of them by curl. KEY is the key that the demo printed.",
                'curl -s -u "$KEY": "{url}/v1/profiles/{gave1}/events?limit=1000" | grep -o \'"wait_minutes":[0-9]*\'',
            ),
            *(
                [Check("All of them: write the same town into a folder, and count.", f"{again} && {count}")]
                if again
                else []
            ),
        ),
        answer=f"At {names}. No page shows stores yet: each wait stands on the timeline of whoever "
        "waited, with its minutes and its store.",
        figures=(
            (
                f"Given up at {listed([store.id for store in there])}",
                f"{here.abandoned:,} of {here.count:,}",
            ),
            ("Waited there, on average", f"{here.wait:.0f} minutes"),
            ("Given up at all other stores", f"{others.abandoned:,} of {others.count:,}"),
            ("Waited there, on average", f"{others.wait:.0f} minutes"),
        ),
        people={f"gave{n}": f"order_id:{order}" for n, order in enumerate(given_up[:EXAMPLES], 1)}
        | {f"fetched{n}": f"order_id:{order}" for n, order in enumerate(fetched[:EXAMPLES], 1)},
    )


def _orders(witness: Witness, ids: set[str]) -> tuple[list[str], list[str]]:
    """Orders given up at these stores, longest wait first, and fetched at others, latest first."""
    waited = sorted(witness.waited, key=lambda one: (-one[2], one[1]))
    given_up = [order for store, order, _, event in waited if store in ids and event.endswith("Abandoned")]
    fetched = [
        order
        for store, order, _, event in reversed(waited)
        if store not in ids and event.endswith("Collected")
    ]
    return given_up, fetched


def _gaming(town: Town, witness: Witness, again: str) -> Story | None:
    unseen = witness.unseen()
    there = [name for name in gaming(town) if unseen.get(name, (0, 0))[0]]
    if not there:
        return None
    named = [one.card for one in witness.contacts if one.associate in there and not witness.was_there(one)]
    cast_cards = {person.card for person in cast.DOSSIERS.values()}
    cards = [card for card in dict.fromkeys(reversed(named)) if card not in cast_cards][:EXAMPLES]
    missed, known = (sum(unseen[name][at] for name in there) for at in (0, 1))
    others = [counts for name, counts in unseen.items() if name not in there]
    return Story(
        id="gaming",
        icon="associate_tablet",
        title="Conversations that nobody had",
        question="Associates note whom they speak with, and get a bonus for it. Somebody notes customers who were not in the "
        "store that day. Who?",
        looks=tuple(
            Look(f"Was noted ({n})", f"noted{n}", "?channel=associate_tablet#timeline")
            for n in range(1, 1 + len(cards))
        ),
        checks=(
            *(
                [
                    Check(
                        "Who notes how many cards: write the same town into a folder, and count.",
                        f"{again} && grep -h '\"card\"' world/events/associate_tablet.ndjson | grep -o 'A-[0-9-]*' | sort | uniq -c | sort -n",
                    )
                ]
                if again
                else []
            ),
        ),
        answer=f"{listed(there)}. Take a day on which a customer was noted and look at all channels: no till and no kiosk read "
        "their card. One such day means little, since not everybody buys; the share tells.",
        figures=(
            (f"Noted by {listed(there)}, card not seen in the store that day", share(missed, known)),
            ("The same for all others", share(sum(n for n, _ in others), sum(n for _, n in others))),
        ),
        people={f"noted{n}": f"card:{card}" for n, card in enumerate(cards, 1)},
    )


def _lapsed(town: Town, _witness: Witness, _again: str) -> Story | None:
    if not _here(town, cast.HANNAH):
        return None
    person = cast.DOSSIERS[cast.HANNAH]
    store = town.setting.geography.stores[cast.HOMES[cast.HANNAH]]
    return Story(
        id="lapsed",
        icon="shop",
        title="A regular who stopped coming",
        question="{hannah} bought tea and coffee every few days. The last event on the timeline is recent all the same. When was "
        "the last visit, and what has happened since?",
        looks=(
            Look("Open {hannah}", "hannah"),
            Look("Without the letters: tills", "hannah", "?channel=pos#timeline"),
        ),
        answer=f"The visits to {store.name} ended {cast.LAST_SEEN} days before the town was loaded. Since then there are only "
        "letters, which go on by themselves, and some are opened by mail programs rather than by people. Whoever counts "
        "openings as life never sees that a customer left.",
        people={"hannah": f"email:{person.email}"},
    )


def _tablet(town: Town, _witness: Witness, _again: str) -> Story | None:
    if not _here(town, cast.CARMEN, cast.PABLO, cast.NURIA):
        return None
    people = {"carmen": cast.CARMEN, "pablo": cast.PABLO, "nuria": cast.NURIA}
    return Story(
        id="tablet",
        icon="app",
        title="Three people on one tablet",
        question="{carmen}, {pablo} and {nuria} share a tablet and an address. Are they one customer, and whose is what was "
        "looked at on the tablet?",
        looks=tuple(Look(f"Open {{{slot}}}", slot, "#why") for slot in people),
        answer="Three customers. A browser on which three accounts logged in proves nothing, so it links nobody: see it among "
        "the links that do not count. What was looked at without logging in stays with the tablet.",
        people={slot: f"email:{cast.DOSSIERS[number].email}" for slot, number in people.items()},
    )


def _served(town: Town, _witness: Witness, _again: str) -> Story | None:
    if not _here(town, cast.LUCA):
        return None
    person = cast.DOSSIERS[cast.LUCA]
    adviser = associate(town.setting.geography.stores[cast.HOMES[cast.LUCA]], 1 + ADVISER[1])
    return Story(
        id="served",
        icon="email",
        title="Whose letters get an answer?",
        question="A shop writes thousands of letters, and nobody answers. {luca} does. Who writes those letters, and what happens before each?",
        looks=(
            Look("Open {luca}", "luca"),
            Look("The letters", "luca", "?channel=email#timeline"),
            Look("On the tablet", "luca", "?channel=associate_tablet#timeline"),
        ),
        answer=f"Associate {adviser}, who serves {{luca}} in the store and writes afterwards about what they spoke of. The app says "
        f"when {{luca}} walks in, the tablet what was shown, the till what was taken.",
        people={"luca": f"card:{person.card}"},
    )


def listed(names: list[str]) -> str:
    """Names in words.

    >>> listed(["S03"]), listed(["S03", "S11", "S27"])
    ('S03', 'S03, S11 and S27')
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def share(part: int, whole: int) -> str:
    """A part of a whole in words.

    >>> share(4, 8)
    '4 of 8, 50%'
    """
    return f"{part:,} of {whole:,}, {100 * part / whole:.0f}%" if whole else "none"
