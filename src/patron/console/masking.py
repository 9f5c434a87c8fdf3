"""What personal data is, and how it reads when it is masked: the one place that decides, for every page.

`a.b•••` stands for a name, an e-mail, a phone, a card, an address or a birth date, wherever it is: in a field, in a
sentence, or in the message of a dead letter. `masked` puts this between the product and the roles that may not see.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar, cast

import msgspec
from msgspec import Struct, structs

from patron.model.views import (
    DecisionView,
    IdentifierView,
    PersonRow,
    PersonView,
    TimelineEvent,
    TraitView,
)
from patron.profiles.public import MASK

KINDS = frozenset({"email", "phone", "card", "crm_id"})
"""Identifier types whose values are personal; a user id or a device is a pseudonym."""
_NAMES = frozenset(
    (
        *(
            "email",
            "mail",
            "emailaddress",
            "phone",
            "mobile",
            "telephone",
            "phonenumber",
            "mobilephone",
            "msisdn",
        ),
        *(
            "whatsapp",
            "card",
            "cardnumber",
            "loyaltycard",
            "loyaltyid",
            "loyaltynumber",
            "crmid",
            "customerid",
        ),
        *(
            "firstname",
            "lastname",
            "fullname",
            "middlename",
            "givenname",
            "familyname",
            "surname",
            "nickname",
        ),
        *("displayname", "maidenname", "birthday", "birthdate", "dateofbirth", "dob", "address", "street"),
        *(
            "streetaddress",
            "addressline",
            "postalcode",
            "zip",
            "zipcode",
            "postcode",
            "iban",
            "bic",
            "taxid",
            "vat",
        ),
        *("ssn", "fiscalcode", "passport", "ip", "ipaddress", "avatar", "latitude", "longitude"),
    )
)
_TRAITS = _NAMES | {"name"}
EMAIL = re.compile(r"[^\s@<>\"',;:()\[\]\\]{1,64}@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?<![\w/-])(?:\+|00)\d(?:[\s().\-/–]?\d){6,14}(?!\w)")
_LONG = re.compile(r"(?<![\w.])\d(?:[ .-]?\d){8,18}(?![\w.])")
_UNTOUCHED = frozenset(
    {"id", "person", "message_id", "timestamp", "received_at", "channels", "counters", "revenue"}
)
"""Fields of views that address something, or whose names are channels (`email`) and events."""
_SHORTEST = 4
T = TypeVar("T")


def hidden(value: Any) -> Any:
    """A value of which the kind shows: two initials of a text, the last two digits of a number of six or more.

    >>> hidden("anna.bianchi@posta.example"), hidden("Anna Bianchi"), hidden("+393331234567"), hidden(36), hidden(None)
    ('a.b•••', 'A.B•••', '•••67', '•••', None)
    """
    if value is None:
        return None
    if isinstance(value, Mapping):
        return {name: hidden(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [hidden(inner) for inner in value]
    if not isinstance(value, str):
        return MASK
    words = re.findall(r"[^\W\d_]+", value.partition("@")[0])[:2]
    if words:
        return ".".join(word[0] for word in words) + MASK
    digits = re.sub(r"\D", "", value)
    return MASK + (digits[-2:] if len(digits) >= 6 else "")


def is_personal(name: str, *, trait: bool = False) -> bool:
    """Whether what stands under this name is personal; a plain `name` is only among the traits of a person.

    >>> is_personal("phone_number"), is_personal("name"), is_personal("name", trait=True), is_personal("city")
    (True, False, True, False)
    """
    return re.sub(r"[^a-z0-9]", "", name.casefold()) in (_TRAITS if trait else _NAMES)


class Veil:
    """Masks everything that is shown of some people, so that equal values stay equal and different ones different.

    >>> ana = IdentifierView("email", "ana.r@x.it", 0, 0)
    >>> veil = Veil([ana, IdentifierView("email", "ada.r@x.it", 0, 0)], "Ana Rossi")
    >>> veil.text("ana.r@x.it and email:ada.r@x.it, says Ana (new@y.it)"), veil.show(ana).value
    ('a.r••• and email:a.r••• (2), says A••• (n•••)', 'a.r•••')
    """

    def __init__(self, identifiers: Sequence[IdentifierView] = (), *names: str) -> None:
        self.keys: dict[str, str] = {}
        """Identifier key -> how it is shown."""
        self._known: re.Pattern[str] | None = None
        self._told: dict[str, str] = {}
        told: dict[str, str] = {}
        taken: set[str] = set()
        for one in identifiers:
            shown = self._distinct(one, taken) if one.type in KINDS else self.text(one.value)
            taken.add(f"{one.type}:{shown}")
            self.keys[f"{one.type}:{one.value}"] = f"{one.type}:{shown}"
            if shown != one.value and len(one.value) >= _SHORTEST:
                told[one.value] = shown
        words = {word for name in names if "@" not in name for word in re.findall(r"[^\W\d_]{3,}", name)}
        parts = [re.escape(value) for value in sorted(told, key=len, reverse=True)]
        parts += [rf"(?<!\w){re.escape(word)}(?!\w)" for word in sorted(words)]
        self._told = told
        self._known = re.compile("|".join(parts)) if parts else None

    @staticmethod
    def _distinct(one: IdentifierView, taken: set[str]) -> str:
        shown = first = str(hidden(one.value))
        number = 1
        while f"{one.type}:{shown}" in taken:
            number += 1
            shown = f"{first} ({number})"
        return shown

    def text(self, text: str, *, digits: bool = False) -> str:
        """A text without what is known of the people, and without anything that looks like an e-mail or a phone
        (with `digits`: any long number)."""
        whole = self.keys.get(text)
        if whole is not None:
            return whole
        kind, colon, value = text.partition(":")
        if colon and kind in KINDS:
            return f"{kind}:{hidden(value)}"
        if self._known is not None:
            text = self._known.sub(lambda found: self._told.get(found[0]) or str(hidden(found[0])), text)
        for pattern in (EMAIL, _PHONE, *((_LONG,) if digits else ())):
            text = pattern.sub(lambda found: str(hidden(found[0])), text)
        return text

    def show(self, value: T, *, trait: bool = False, digits: bool = False) -> T:
        """Anything that pages are given, masked: views, lists, JSON values and texts."""
        return cast("T", self._show(value, trait=trait, digits=digits))

    def _show(self, value: Any, *, trait: bool, digits: bool) -> Any:
        if isinstance(value, str):
            return self.text(value, digits=digits)
        if isinstance(value, list | tuple):
            return type(value)(self._show(one, trait=trait, digits=digits) for one in value)
        if isinstance(value, dict):
            return self._object(value, trait=trait, digits=digits)
        return self._view(value, digits=digits) if isinstance(value, Struct) else value

    def _object(self, value: dict[Any, Any], *, trait: bool, digits: bool) -> dict[Any, Any]:
        named = str(value.get("type", "")) in KINDS
        return {
            key: hidden(inner)
            if is_personal(str(key), trait=trait) or (named and key in {"id", "value"})
            else self._show(inner, trait=trait or key == "traits", digits=digits)
            for key, inner in value.items()
        }

    def _view(self, value: Struct, *, digits: bool) -> Struct:
        if isinstance(value, IdentifierView):
            key = self.keys.get(f"{value.type}:{value.value}", "")
            plain = hidden(value.value) if value.type in KINDS else self.text(value.value)
            return structs.replace(value, value=key.partition(":")[2] or plain)
        changed = {
            name: self._show(inner, trait=False, digits=digits)
            for name in value.__struct_fields__
            if name not in _UNTOUCHED and not isinstance(inner := getattr(value, name), int | float)
        }
        if isinstance(value, TimelineEvent):
            for said in _personal_texts(value.properties):
                for name in ("sentence", "detail"):
                    changed[name] = changed[name].replace(said, str(hidden(said)))
        if isinstance(value, TraitView) and is_personal(value.name, trait=True):
            changed["value"] = hidden(value.value)
        for name in {"name", "who"} & changed.keys():
            if isinstance(value, PersonView | PersonRow | DecisionView) and getattr(value, name):
                changed[name] = hidden(getattr(value, name))
        return structs.replace(value, **changed)


def _personal_texts(value: Any, inside: bool = False) -> Iterator[str]:
    """Texts of an event's properties that stand under a personal name, from which its sentence may have been made."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _personal_texts(inner, inside or is_personal(str(name)))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _personal_texts(inner, inside)
    elif inside and value not in (None, "") and not isinstance(value, bool):
        yield str(value)


def masked_message(text: str) -> str:
    """A message as JSON text whose personal values are masked; a text that is no JSON loses every long number too.

    >>> masked_message('{"userId": "7", "traits": {"name": "Ana Rossi", "city": "Rome"}, "to": "ana@x.it"}')
    '{"userId":"7","traits":{"name":"A.R•••","city":"Rome"},"to":"a•••"}'
    """
    try:
        value = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return Veil().text(text, digits=True)
    return msgspec.json.encode(Veil().show(value, digits=True)).decode()
