"""One spelling for each identifier: the same person written in two ways must give the same key.

Sources: E.164 for phones (through `phonenumbers`, Google's libphonenumber), RFC 5321 for the shape of e-mail addresses.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from patron.identity.plan import Plan
from patron.identity.rules import IdentityRules

_EMAIL = re.compile(r"[^\s@<>\",;:()\[\]\\]{1,64}@(?:[\w](?:[\w-]{0,61}[\w])?\.)+[^\W\d_][\w-]{0,61}[\w]")
_PHONE = re.compile(r"[+0-9(][0-9()\s./\-–]{4,28}(?:(?:x|ext\.?|int\.?)\s?\d{1,6})?", re.IGNORECASE)
_CUT = re.compile(r"(~+)(\d*)$")
_ISO_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def normalise(kind: str, value: object, rules: IdentityRules, country: str = "") -> str | None:
    """The one spelling of an identifier, or None when it is none (junk, blocked, not plausible, too long).

    Parameters
    ----------
    kind
        Identifier type, such as `email`. An undeclared type gives None.
    value
        As the client wrote it: a text or a number; anything else gives None.
    rules
        Blocked values, the phone region and the longest identifier.
    country
        Where a phone number without its country is dialled from (ISO 3166, two letters), when the event says so; else,
        and where that is no country, `rules.phone_region`.

    >>> rules = IdentityRules()
    >>> normalise("email", " Ana.Rossi+shop@X.it ", rules), normalise("phone", "0039 333 123 4567", rules)
    ('ana.rossi@x.it', '+393331234567')
    >>> normalise("phone", "612 903 478", rules, "ES")
    '+34612903478'
    >>> normalise("email", "noemail@store.it", rules), normalise("user_id", "  undefined ", rules)
    (None, None)
    """
    return spelling(kind, value, rules.plan, country)


def spelling(kind: str, value: object, plan: Plan, country: str = "") -> str | None:
    """The same as `normalise`, for who has the plan of the rules at hand.

    >>> spelling("card", "2900 0001", IdentityRules().plan)
    '29000001'
    """
    rules = plan.rules
    if kind not in plan.order:
        return None
    text = _text(value)
    if text is None or len(text) > 4 * rules.identifier_bytes:
        return None
    if kind == "email":
        clean = _email(text)
    elif kind == "phone":
        clean = _phone(text, rules.phone_region, country)
    elif kind == "card":
        clean = _identifier(re.sub(r"\s+", "", text))
    else:
        clean = _identifier(text)
    if (
        clean is None
        or 4 * len(clean) > rules.identifier_bytes < len(clean.encode())
        or plan.blocks(kind, clean)
    ):
        return None
    return clean


def _text(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if -(2**63) <= value < 2**64 else None
    if not isinstance(value, str):
        return None
    if not value.isprintable():
        # characters that nobody sees (NUL, bidi marks, lone surrogates) must not make two keys of one
        value = "".join(c for c in value if unicodedata.category(c) not in _UNSEEN or c in "\t\n\r")
    return value.strip() or None


def _identifier(text: str) -> str | None:
    if not text.isprintable():
        text = re.sub(r"[\t\n\r]+", "", text)
    if "~" in text:
        # `key~time` names an identifier cut at a time: tildes before a last number are doubled, so no client
        # can write the name of a cut one (those have an odd number of tildes)
        text = _CUT.sub(lambda m: m[1] * 2 + m[2], text)
    return text or None


def _email(text: str) -> str | None:
    text = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).lower()
    name, at, domain = text.rpartition("@")
    name = name.partition("+")[0].strip(".")
    if not at or not name:
        return None
    text = f"{name}@{domain.rstrip('.')}"
    return text if len(text) <= 254 and ".." not in text and _EMAIL.fullmatch(text) else None


@lru_cache(maxsize=65_536)
def _phone(text: str, region: str, country: str) -> str | None:
    import phonenumbers  # slow to import, and a number takes 45 us: only when one is met, and remembered

    if not _PHONE.fullmatch(text):
        return None
    if text.startswith("00"):
        text = f"+{text[2:]}"
    try:
        number = phonenumbers.parse(text, country if country in phonenumbers.SUPPORTED_REGIONS else region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def forget(rules: IdentityRules) -> None:
    """Drop every cached identifier from memory (after an erasure).

    >>> forget(IdentityRules())
    """
    _phone.cache_clear()
    normalise_name.cache_clear()
    names_conflict.cache_clear()
    rules.plan.forget()


@lru_cache(maxsize=16_384)
def normalise_name(value: str) -> str:
    """A given name for comparison: lower case, no accents, letters only; "" when nothing is left.

    >>> normalise_name("  José-María "), normalise_name("A."), normalise_name("***")
    ('jose maria', 'a', '')
    """
    plain = unicodedata.normalize("NFKD", value[:200]).casefold()
    kept = (c if c.isalpha() else "" if unicodedata.combining(c) or c in "'’`." else " " for c in plain)
    words = "".join(kept).split()
    return "" if " ".join(words) in _NO_NAMES else " ".join(words)


_NO_NAMES = {
    "",
    "unknown",
    "null",
    "none",
    "undefined",
    "anonymous",
    "guest",
    "test",
    "na",
    "nome",
    "name",
    "customer",
    "cliente",
}


@lru_cache(maxsize=65_536)
def names_conflict(a: str, b: str) -> bool:
    """Whether two normalised given names cannot be one person's.

    No conflict: the same name, an initial, a beginning ("al", "alessandro"), a name in common ("maria", "anna maria"),
    one typing error (a letter wrong, missing, too many or two swapped) in names of four letters or more, or neighbouring
    letters swapped twice in names of five or more: each of the two may have been mistyped once.

    >>> names_conflict("anna", "marco"), names_conflict("a", "anna"), names_conflict("marco", "marcco")
    (True, False, False)
    >>> names_conflict("siabella", "isabelal"), names_conflict("silvia", "olivia")
    (False, True)
    """
    if not a or not b or a == b:
        return False
    ours, theirs = a.split(), b.split()
    return not any(_same_word(x, y) for x in ours for y in theirs)


def _same_word(a: str, b: str) -> bool:
    if a.startswith(b) or b.startswith(a):
        return True
    return min(len(a), len(b)) >= 4 and (_one_edit(a, b) or _two_swaps(a, b))


def _one_edit(a: str, b: str) -> bool:
    if len(a) > len(b):
        a, b = b, a
    if len(b) - len(a) > 1:
        return False
    start = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), len(a))
    if len(a) < len(b):
        return a[start:] == b[start + 1 :]
    swapped = a[start + 1 : start + 2] + a[start : start + 1] + a[start + 2 :]
    return a[start + 1 :] == b[start + 1 :] or swapped == b[start:]


def _two_swaps(a: str, b: str) -> bool:
    """Whether neighbouring letters swapped twice make the one of the other, in words of five letters or more."""
    if len(a) < 5 or len(a) != len(b) or sorted(a) != sorted(b):
        return False
    return any(_one_swap(once, b) for once in _swapped(a))


def _swapped(word: str) -> Iterator[str]:
    """The word with each two neighbours swapped."""
    for at in range(len(word) - 1):
        yield word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _one_swap(a: str, b: str) -> bool:
    at = next((i for i, (x, y) in enumerate(zip(a, b, strict=True)) if x != y), len(a))
    return a[:at] + a[at + 1 : at + 2] + a[at : at + 1] + a[at + 2 :] == b


def is_slip(a: str, b: str) -> bool:
    """Whether two e-mail addresses are one address mistyped: two neighbouring letters swapped before the @.

    Only letters, and only in names of five characters or more: numbers, a missing letter and a wrong one tell the
    addresses of one family apart as often (`rossi12` and `rossi21`, `andre` and `andrea`, `m.rossi` and `a.rossi`).

    >>> is_slip("anna.rossi@x.it", "anna.rosis@x.it"), is_slip("rossi12@x.it", "rossi21@x.it")
    (True, False)
    """
    ours, _, here = a.rpartition("@")
    theirs, _, there = b.rpartition("@")
    if here != there or len(ours) != len(theirs) or len(ours) < 5:
        return False
    wrong = [at for at, (x, y) in enumerate(zip(ours, theirs, strict=True)) if x != y]
    return len(wrong) == 2 and wrong[1] == wrong[0] + 1 and _is_swap(ours, theirs, wrong[0])


def _is_swap(a: str, b: str, at: int) -> bool:
    x, y = a[at], a[at + 1]
    return b[at] == y and b[at + 1] == x and x.isalpha() and y.isalpha()


def normalise_birth(value: object, blocked: tuple[str, ...] = ()) -> str:
    """A birth date as `YYYY-MM-DD`; "" when it is no ISO date, is impossible or is a form's default.

    >>> normalise_birth("1980-02-01T00:00:00Z"), normalise_birth("1900-01-01", ("1900-01-01",)), normalise_birth(7)
    ('1980-02-01', '', '')
    """
    found = _ISO_DATE.match(value) if isinstance(value, str) else None
    if found is None or found[0] in blocked or not found[0].isascii():
        return ""
    return found[0] if 1 <= int(found[2]) <= 12 and 1 <= int(found[3]) <= 31 else ""


def births_conflict(a: str, b: str) -> bool:
    """Whether two birth dates cannot be one person's; day and month swapped by a form are no conflict.

    >>> births_conflict("1980-02-01", "1980-01-02"), births_conflict("1980-02-01", "1981-02-01")
    (False, True)
    """
    return a != b and b != f"{a[:4]}-{a[8:]}-{a[5:7]}"
