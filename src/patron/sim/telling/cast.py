"""The planted people: who they are, what sets them apart, and what happens to them on which day.

Anna, Marta and Luca live by the script of `patron.sim.telling.script` only; the Navarro family and Hannah live by the
equations, with a few parameters set here.
"""

import numpy as np
from msgspec import Struct

from patron.sim.world.catalogue import CATEGORIES
from patron.sim.world.identities import Cookie, Dossier, uuid_of
from patron.sim.world.people import EMAIL, FOREVER, Population

ANNA, MARTA, LUCA, CARMEN, PABLO, NURIA, HANNAH = 0, 4, 8, 12, 13, 14, 16
SIZES: dict[int, int] = {0: 1, 1: 1, 2: 1, 3: 3, 4: 1}
"""Households of the cast."""
HOMES: dict[int, int] = {ANNA: 0, MARTA: 0, LUCA: 1, CARMEN: 2, PABLO: 2, NURIA: 2, HANNAH: 4}
"""Index of the store each goes to."""
REGULARS = (ANNA, ANNA, MARTA, LUCA, LUCA, CARMEN, PABLO, NURIA)
"""Who is seen in the live town now and then, the first ones more often."""
LIKES: dict[int, tuple[str, ...]] = {
    ANNA: ("coffee", "tableware", "machines"),
    MARTA: ("pet",),
    LUCA: ("cookware", "pantry", "coffee", "tableware"),
}
TASTES: dict[int, tuple[float, float, float]] = {
    ANNA: (1.5, 1.2, -9.0),
    MARTA: (9.0, -9.0, -9.0),
    LUCA: (3.0, -9.0, 0.5),
}
LAST_SEEN = 35
"""Days before the end on which Hannah was last seen."""
_ALL = {
    "email_marketing": True,
    "personalization": True,
    "sms_marketing": False,
    "push_marketing": False,
    "location": False,
}
_TABLET = Cookie(uuid_of(3, 3), "tablet", True, True)


def _navarro(number: int, given: str, birth: str, email: str, user: str, own: bool) -> Dossier:
    cookies = (_TABLET, Cookie(uuid_of(3, number), "phone", False, True)) if own else (_TABLET,)
    return Dossier(
        number=number,
        household=3,
        country=1,
        given=given,
        family="Navarro",
        birth=birth,
        email=email,
        phone=f"+3461200{number:04d}",
        cookies=cookies,
        family_email="casa.navarro@correo.example",
        user_id=user,
        card=f"29000000{5500 + number}",
        card_named=True,
        consents=_ALL,
        noisy=False,
    )


DOSSIERS: dict[int, Dossier] = {
    ANNA: Dossier(
        number=ANNA,
        household=0,
        country=0,
        given="Anna",
        family="Bianchi",
        birth="1987-06-14",
        email="a.bianchi@posta.example",
        phone="+393401187462",
        cookies=(Cookie(uuid_of(1, 1), "laptop", False, True),),
        user_id="u-88213",
        card="290000004471",
        consents=_ALL,
        noisy=False,
    ),
    MARTA: Dossier(
        number=MARTA,
        household=1,
        country=0,
        given="Marta",
        family="Conti",
        birth="1961-02-03",
        email="marta.conti@posta.example",
        phone="+393409921350",
        card="290000004417",
        noisy=False,
    ),
    LUCA: Dossier(
        number=LUCA,
        household=2,
        country=0,
        given="Luca",
        family="Moretti",
        birth="1979-11-02",
        email="luca.moretti@posta.example",
        phone="+393487710254",
        cookies=(Cookie(uuid_of(2, 1), "laptop", False, True),),
        install=uuid_of(2, 2),
        device=uuid_of(2, 3),
        user_id="u-40117",
        card="290000002208",
        card_named=True,
        consents=_ALL | {"location": True, "push_marketing": True},
        noisy=False,
    ),
    CARMEN: _navarro(CARMEN, "Carmen", "1980-05-21", "carmen.navarro@correo.example", "u-51012", True),
    PABLO: _navarro(PABLO, "Pablo", "1978-09-09", "pablo.navarro@correo.example", "u-51013", True),
    NURIA: _navarro(NURIA, "Nuria", "2007-01-30", "nuria.navarro@correo.example", "u-51014", False),
    HANNAH: Dossier(
        number=HANNAH,
        household=4,
        country=2,
        given="Hannah",
        family="Clarke",
        birth="1990-03-17",
        email="hannah.clarke@mail.example",
        phone="+447412330871",
        cookies=(Cookie(uuid_of(4, 1), "laptop", False, True), Cookie(uuid_of(4, 2), "phone", False, True)),
        user_id="u-63305",
        card="290000006630",
        card_named=True,
        records=("C41007733",),
        consents=_ALL,
        noisy=False,
    ),
}
"""Number of a planted person -> their identity."""


class Story(Struct, frozen=True):
    """A person worth opening: `identifier` finds them (`type:value`), `what_to_see` says why."""

    title: str
    identifier: str
    what_to_see: str


def settle(people: Population, days: int) -> None:
    """Give the planted people of a population their own parameters, in place."""
    for number, home in HOMES.items():
        rows = np.flatnonzero(people.ids == number)
        if not len(rows):
            continue
        row = int(rows[0])
        people.home[row] = home
        people.country[row] = DOSSIERS[number].country
        people.app[row] = DOSSIERS[number].install is not None
        people.agreed[row] = False
        people.agreed[row, EMAIL] = number in {CARMEN, PABLO, HANNAH}
        people.listed[row] = people.receipts[row] = False
        people.located[row] = bool(DOSSIERS[number].install and DOSSIERS[number].consents.get("location"))
        people.leaving[row] = 0.0
        if number in LIKES:
            people.until[row], people.taste[row] = -FOREVER, TASTES[number]
            people.adopts[row] = [name in LIKES[number] for name in CATEGORIES]
        elif number == HANNAH:
            _regular(people, row, until=days - LAST_SEEN)
        else:
            people.alpha[row], people.taste[row] = -2.0, (1.2, 1.4, -np.inf)


def _regular(people: Population, row: int, until: int) -> None:
    """Somebody who comes to the store every few days for tea and coffee, until a day on which they stop."""
    people.alpha[row], people.taste[row], people.until[row] = -1.5, (2.8, 0.4, -np.inf), until
    people.adopts[row] = [name in {"coffee", "tea", "pantry", "candles"} for name in CATEGORIES]


def stories(people: Population) -> list[Story]:
    """The planted stories of a population; those whose people are not in it are left out."""
    told = (
        (
            (ANNA, MARTA),
            Story(
                "Anna Bianchi, with a stranger's cat on her account",
                f"email:{DOSSIERS[ANNA].email}",
                "Web, kiosk, till and a call make one customer. But who buys the cat food? Eight days ago a call-centre "
                "agent typed her neighbour's card (…4417) for hers (…4471). Split that card off: two people again.",
            ),
        ),
        (
            (LUCA,),
            Story(
                "Luca Moretti, served by the same associate for years",
                f"card:{DOSSIERS[LUCA].card}",
                "He walks in with the app in his pocket, talks with associate A-02-3, and buys what she suggests; "
                "her letters get an answer.",
            ),
        ),
        (
            (CARMEN, PABLO, NURIA),
            Story(
                "The Navarro family, three people on one tablet",
                f"email:{DOSSIERS[CARMEN].email}",
                "The tablet has been used with three accounts, so it links nobody: see the shared identifier among "
                "her links, and that Pablo and Nuria stayed themselves.",
            ),
        ),
        (
            (HANNAH,),
            Story(
                "Hannah Clarke, a regular who stopped coming",
                f"email:{DOSSIERS[HANNAH].email}",
                f"Every few days in London Marylebone until {LAST_SEEN} days ago; since then only letters, "
                "opened by a machine if at all.",
            ),
        ),
    )
    here = set(people.ids.tolist())
    return [story for numbers, story in told if here.issuperset(numbers)]
