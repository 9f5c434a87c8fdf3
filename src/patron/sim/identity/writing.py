"""One writing for each identifier, and when two given names cannot be one person's.

Written apart from the product's own rules on purpose: a scorecard that shares the platform's mistakes cannot see them.
"""

import unicodedata
from functools import lru_cache

import phonenumbers

from patron.sim.world.shops import COUNTRIES

_MARKETS = tuple(market.code for market in COUNTRIES)


def normal(identifier: str, country: str) -> str:
    """An identifier in its one writing; what is neither e-mail nor phone stays as it is.

    >>> normal("email: Anna.Rossi+shop@Mail.example", "IT"), normal("phone:333 123 4567", "IT")
    ('email:anna.rossi@mail.example', 'phone:+393331234567')
    """
    kind, _, value = identifier.partition(":")
    if kind == "email":
        return f"email:{normal_email(value)}"
    if kind == "phone":
        return f"phone:{normal_phone(value, country)}"
    return identifier


def normal_email(text: str) -> str:
    """Lower case, without blanks around it and without what follows a plus.

    >>> normal_email(" Anna+x@Mail.example ")
    'anna@mail.example'
    """
    local, at, domain = text.strip().lower().rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"


@lru_cache(maxsize=65_536)
def normal_phone(text: str, country: str) -> str:
    """A phone number in E.164; the number as written, behind a `?`, where no market's rules read it.

    Without a country each market is tried, and the only one in which the number can exist is taken.

    >>> normal_phone("07400 123456", "GB"), normal_phone("0039 347 1234567", ""), normal_phone("12", "IT")
    ('+447400123456', '+393471234567', '?12')
    """
    read = {number for market in ((country,) if country else _MARKETS) if (number := _e164(text, market))}
    return read.pop() if len(read) == 1 else "?" + "".join(c for c in text if c.isdigit())


def _e164(text: str, country: str) -> str:
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(number):
        return ""
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


@lru_cache(maxsize=16_384)
def plain_name(text: str) -> str:
    """A given name for comparing: lower case, without accents.

    >>> plain_name("Inés ")
    'ines'
    """
    letters = unicodedata.normalize("NFKD", text).lower()
    return "".join(c for c in letters if c.isalpha())


@lru_cache(maxsize=65_536)
def conflict(a: str, b: str) -> bool:
    """Whether two given names cannot be one person's: more than one slip of the keys lies between them.

    >>> conflict("Marco", "Macro"), conflict("Marco", "Sofia")
    (False, True)
    """
    return not _one_slip(plain_name(a), plain_name(b))


def _one_slip(a: str, b: str) -> bool:
    """Same, or one letter wrong, missing, too many, or two neighbours swapped."""
    if a == b:
        return True
    if abs(len(a) - len(b)) > 1:
        return False
    if len(a) != len(b):
        short, long = sorted((a, b), key=len)
        return any(long[:k] + long[k + 1 :] == short for k in range(len(long)))
    wrong = [k for k in range(len(a)) if a[k] != b[k]]
    swapped = (
        len(wrong) == 2
        and wrong[1] == wrong[0] + 1
        and a[wrong[0]] == b[wrong[1]]
        and a[wrong[1]] == b[wrong[0]]
    )
    return len(wrong) == 1 or swapped
