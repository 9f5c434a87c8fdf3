"""How people leave traces: e-mails, phones, cookies, cards, and the ways in which they are written wrong (7.5).

`dossier` says who somebody is; `said_email` and its neighbours say what ends up in a system at one moment.
"""

from msgspec import Struct, structs

from patron.sim.luck import Dice, lifelong, scramble, splitmix64
from patron.sim.messages import known_by
from patron.sim.world import names
from patron.sim.world.parameters import Identity, Parameters
from patron.sim.world.people import HOUSE, ROOM, consent_of
from patron.sim.world.shops import COUNTRIES

_WRITTEN = (
    *("email_case", "email_tag", "email_blanks", "email_typo", "phone_format", "phone_wrong"),
    *("name_typo", "junk_email", "junk_phone"),
)
JUNK_EMAILS = ("no@no.example", "cliente@alderrosso.example", "test@test.example", "nomail@nomail.example")
JUNK_PHONES = ("0000000000", "3333333333", "123456789")


class Cookie(Struct, frozen=True):
    """One browser that somebody uses: its anonymous id, the device, and whether they ever say who they are on it."""

    id: str
    device: str
    shared: bool
    told: bool


class Dossier(Struct, frozen=True):
    """Everything that can identify one person; what systems see of it is another matter."""

    number: int
    household: int
    country: int
    given: str
    family: str
    birth: str
    email: str
    phone: str
    cookies: tuple[Cookie, ...] = ()
    second_email: str | None = None
    family_email: str | None = None
    landline: str | None = None
    install: str | None = None
    """Anonymous id of the app on their phone."""
    device: str | None = None
    user_id: str | None = None
    """The account that web and app share."""
    card: str | None = None
    card_named: bool = False
    card_since: int = -1
    """Day of the history on which the card was handed out; -1 = long before."""
    records: tuple[str, ...] = ()
    """Ids of their records in the customer file: more than one = duplicates."""
    receipts: bool = False
    """Has receipts sent by e-mail."""
    caller: bool = False
    noisy: bool = True
    """False for the planted people: what they say is written as they say it."""
    consents: dict[str, bool] = {}
    seed: int = 0

    @property
    def writing(self) -> Dice:
        """The luck of how what they say is written down. It does not change from day to day: the same person makes the
        same slip at the same counter, and a system keeps what was once typed into it."""
        return lifelong(self.seed, self.number)

    def has_card(self, day: int) -> bool:
        """Whether they hold a loyalty card on a day of the history."""
        return self.card is not None and self.card_since <= day

    @property
    def language(self) -> str:
        """Language of their market."""
        return COUNTRIES[self.country].language


def uuid_of(*words: int) -> str:
    """A random-looking UUID (version 4 layout) from numbers.

    >>> uuid_of(1, 2) == uuid_of(1, 2) != uuid_of(2, 1)
    True
    """
    high = low = 0
    for word in words:
        high = splitmix64(high ^ word)
        low = splitmix64(high + word & (1 << 64) - 1)
    text = f"{high:016x}{low:016x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{'89ab'[low >> 62]}{text[17:20]}-{text[20:]}"


def noise_of(p: Parameters) -> Identity:
    """How wrongly things are written in a world: every rate of wrong writing times its noise, at most 1."""
    i = p.identity
    return structs.replace(i, **{name: min(1.0, i.noise * getattr(i, name)) for name in _WRITTEN})


def _cookies(seed: int, number: int, dice: Dice, together: bool, i: Identity) -> tuple[Cookie, ...]:
    found: list[Cookie] = []
    for k in range(max(1, dice.poisson(i.cookies, "cookies"))):
        shared = together and dice.chance(i.shared_tablet, "shared", k)
        owner = HOUSE + number // ROOM if shared else number
        device = "tablet" if shared else ("laptop", "phone", "work laptop")[k % 3]
        cookie = uuid_of(seed, owner, 0 if shared else k + 1)
        if cookie not in [other.id for other in found]:
            found.append(Cookie(cookie, device, shared, dice.chance(i.tells_email, "told", k)))
    return tuple(found)


def _address(given: str, family: str, number: int, domain: str, dice: Dice) -> str:
    tail = f"{number:d}" if dice.chance(0.8, "address number") else f"x{number:x}"
    first = names.plain(given)
    local = (
        f"{first}.{names.plain(family)}",
        f"{first[0]}.{names.plain(family)}",
        f"{first}{names.plain(family)[:4]}",
    )
    return f"{local[dice.below(3, 'address style')]}{tail}@{domain}"


def _phone(seed: int, number: int, country: int) -> str:
    market = COUNTRIES[country]
    return f"+{market.prefix}{market.mobile}{scramble(number & (1 << 26) - 1, 26, seed):08d}"


def _landline(seed: int, household: int, country: int) -> str:
    market = COUNTRIES[country]
    return f"+{market.prefix}{market.landline}{scramble(household & (1 << 22) - 1, 22, seed):07d}"


def card_number(seed: int, number: int) -> str:
    """A twelve-digit loyalty card number; ordinary ones have 1 or 2 as third digit, planted ones 0.

    >>> len(card_number(7, 12))
    12
    """
    return f"29{1_000_000_000 + scramble(number & (1 << 30) - 1, 30, seed):010d}"


def dossier(seed: int, number: int, country: int, together: bool, p: Parameters) -> Dossier:
    """Who a person is; `together` says whether anybody shares their home."""
    i, dice, house = p.identity, Dice(seed, number), Dice(seed, HOUSE + number // ROOM)
    given, family = names.given_name(dice, country), names.family_name(house, country)
    domain, cookies = COUNTRIES[country].domain, _cookies(seed, number, dice, together, i)
    has_app, has_card = dice.chance(p.channels.app, "app"), dice.chance(i.card, "card")
    account = (has_app or any(c.told for c in cookies)) and dice.chance(i.account, "account")
    copies = 1 + dice.poisson(i.crm_duplicates, "duplicates") if dice.chance(i.crm, "crm") else 0
    shared_mail = together and house.chance(i.family_email, "family email")
    return Dossier(
        seed=seed,
        number=number,
        household=number // ROOM,
        country=country,
        given=given,
        family=family,
        birth=f"{1945 + dice.below(60, 'birth year')}-{1 + dice.below(12, 'month'):02d}-{1 + dice.below(28, 'day'):02d}",
        email=_address(given, family, number, domain, dice),
        phone=_phone(seed, number, country),
        cookies=cookies,
        second_email=f"{names.plain(given)}.{number:x}@work.example"
        if dice.chance(i.second_email, "second email")
        else None,
        family_email=f"casa.{names.plain(family)}{number // ROOM}@{domain}" if shared_mail else None,
        landline=_landline(seed, number // ROOM, country) if house.chance(i.landline, "landline") else None,
        install=uuid_of(seed, number, 90) if has_app else None,
        device=uuid_of(seed, number, 91) if has_app else None,
        user_id=f"u-{scramble(number & (1 << 24) - 1, 24, seed + 1)}" if account else None,
        card=card_number(seed, number) if has_card else None,
        card_named=has_card and dice.chance(i.card_named, "card named"),
        card_since=dice.below(90, "enrolled") if dice.chance(i.new_cards, "new card") else -1,
        records=tuple(
            f"C{scramble(number * 8 + k & (1 << 26) - 1, 26, seed)}" for k in range(min(copies, 8))
        ),
        receipts=not has_card and dice.chance(i.receipts, "receipts"),
        caller=dice.chance(i.caller, "caller"),
        consents=consent_of(dice, p, country),
    )


def listed_as(person: Dossier, **mark: str | None) -> list[dict[str, str]]:
    """The identifiers under which the sending system has somebody: their record, else their card, beside an address."""
    if person.records:
        return known_by(crm_id=person.records[0], **mark)
    if person.card_named and person.card_since < 0:
        return known_by(card=person.card, **mark)
    return known_by(**mark)


def stranger(person: Dossier) -> Dossier:
    """The same person as somebody the shop has never heard of: no card, no record in the customer file."""
    return structs.replace(
        person, card=None, card_named=False, card_since=-1, records=(), receipts=True, caller=False
    )


def _typo(text: str, dice: Dice, purpose: str, k: int) -> str:
    """Two neighbouring letters swapped, somewhere before the @."""
    end = text.find("@") if "@" in text else len(text)
    if end < 3:
        return text + "a"
    at = 1 + dice.below(end - 2, purpose, k)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def said_email(person: Dossier, k: int, noise: Identity) -> str:
    """The address somebody gives to a system (`k`): perhaps another of theirs, perhaps written wrong."""
    dice = person.writing
    if not person.noisy:
        return person.email
    email = person.email
    if person.family_email and dice.chance(noise.family_email_used, "use family", k):
        email = person.family_email
    elif person.second_email and dice.chance(noise.second_email_used, "use second", k):
        email = person.second_email
    if dice.chance(noise.email_typo, "email typo", k):
        email = _typo(email, dice, "email typo at", k)
    if dice.chance(noise.email_tag, "email tag", k):
        email = email.replace("@", "+shop@", 1)
    if dice.chance(noise.email_case, "email case", k):
        email = email.upper() if dice.chance(0.3, "shouted", k) else email.title()
    return f" {email} " if dice.chance(noise.email_blanks, "email blanks", k) else email


def till_email(person: Dossier, k: int, noise: Identity) -> str:
    """The address typed at a till: now and then junk, to get on with the queue."""
    dice = person.writing
    if person.noisy and dice.chance(noise.junk_email, "junk email", k):
        return dice.pick(JUNK_EMAILS, "which junk email", k)
    return said_email(person, k, noise)


def said_phone(person: Dossier, k: int, noise: Identity) -> str:
    """A phone number as it is noted by a system (`k`): formats, a wrong digit, the family's landline."""
    dice = person.writing
    if not person.noisy:
        return person.phone
    phone = person.landline if person.landline and dice.chance(0.5, "landline", k) else person.phone
    if dice.chance(noise.phone_wrong, "wrong digit", k):
        phone = phone[:-1] + str((int(phone[-1]) + 1 + dice.below(9, "digit", k)) % 10)
    if not dice.chance(noise.phone_format, "phone format", k):
        return phone
    market = COUNTRIES[person.country]
    bare = phone[1 + len(market.prefix) :]
    spaced = f"{market.trunk}{bare[:3]} {bare[3:6]} {bare[6:]}"
    return (market.trunk + bare, spaced, f"00{market.prefix}{bare}")[dice.below(3, "which format", k)]


def till_phone(person: Dossier, k: int, noise: Identity) -> str:
    """A phone number typed at a till: now and then junk."""
    dice = person.writing
    if person.noisy and dice.chance(noise.junk_phone, "junk phone", k):
        return dice.pick(JUNK_PHONES, "which junk phone", k)
    return said_phone(person, k, noise)


def said_name(person: Dossier, k: int, noise: Identity) -> dict[str, str]:
    """First and last name as somebody heard or typed them, as Segment traits."""
    dice = person.writing
    first, last = person.given, person.family
    if person.noisy and dice.chance(noise.name_typo, "first name typo", k):
        first = _typo(first, dice, "first name typo at", k)
    if person.noisy and dice.chance(noise.name_typo, "last name typo", k):
        last = _typo(last, dice, "last name typo at", k)
    return {"firstName": first, "lastName": last}
