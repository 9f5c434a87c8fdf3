"""What a scoped key may see of one person's events, decisions and search hits (`profiles.public` masks the profile itself).

A key of narrowed `fields` reads only these, be they traits, event properties or identifiers; sentences, names and content that
were made of other fields are left out, since nobody can tell what went into them.
"""

from collections.abc import Collection
from typing import Any

from msgspec import structs

from patron.model.access import ApiKey
from patron.model.errors import Forbidden
from patron.model.people import Key
from patron.model.views import DecisionView, PersonRow, TimelineEvent
from patron.profiles import public
from patron.runtime.workspace import plain


def is_whole(key: ApiKey | None) -> bool:
    """Whether a key sees everything as it is; without a key (the console) one does.

    >>> is_whole(ApiKey("crm", "", "", ("profiles:read",), fields=("city",)))
    False
    """
    return key is None or ("*" in key.fields and not key.masked)


def need_whole(key: ApiKey | None, what: str) -> None:
    """Refuse a key that sees only some fields of people something that cannot be shown in part (403, `narrow_key`).

    >>> need_whole(None, "An export holds everything")
    """
    if not is_whole(key):
        raise Forbidden(
            "narrow_key", f"{what}, and this key sees only some fields. Use a key without fields and masks."
        )


def node(name: Key, key: ApiKey) -> str:
    """An identifier key as a scoped key sees it.

    >>> node("email:ana@x.it", ApiKey("crm", "", "", ("profiles:read",), masked=("email",)))
    'email:a•••'
    """
    kind, _, value = name.partition(":")
    hidden = not public.listed(kind, key.fields) or public.listed(kind, key.masked)
    return f"{kind}:{public.masked_value(value)}" if hidden else name


def sentence(text: str, names: Collection[Key], key: ApiKey | None) -> str:
    """A sentence in which the values of identifiers that the key may not read are masked.

    >>> key = ApiKey("crm", "", "", ("profiles:read",), masked=("email",))
    >>> sentence("ana@x.it and card 12 on one order", ["email:ana@x.it", "card:12"], key)
    'a••• and card 12 on one order'
    """
    if key is None or is_whole(key):
        return text
    hidden = [name.partition(":")[2] for name in names if node(name, key) != name]
    for value in sorted(hidden, key=len, reverse=True):
        text = text.replace(value, public.masked_value(value))
    return text


def event(shown: TimelineEvent, key: ApiKey) -> TimelineEvent:
    """An event of a timeline."""
    if is_whole(key):
        return shown
    properties = public.mask({"traits": shown.properties}, key.fields, key.masked)["traits"]
    return structs.replace(
        shown, node=node(shown.node, key), properties=properties, sentence=shown.event, detail=""
    )


def decision(shown: DecisionView, key: ApiKey | None) -> DecisionView:
    """A decision: what was chosen and why by rule; not whom it names."""
    if key is None or is_whole(key):
        return shown
    made = shown.decision
    bare = structs.replace(made, node=node(made.node, key), reasons=made.reasons[-1:], content={})
    return structs.replace(shown, decision=bare, who=public.MASK)


def row(shown: PersonRow, query: str, key: ApiKey | None) -> dict[str, Any] | None:
    """A hit of a search; None when it was found by something that the key may not read."""
    value: dict[str, Any] = plain(shown)
    if key is None or is_whole(key):
        return value
    kind, _, found = shown.matched.partition(":")
    wanted = query.strip().casefold()
    if node(shown.matched, key) != shown.matched or not _within(wanted, found.casefold(), kind):
        return None
    value["identifiers"] = public.mask_identifiers(value["identifiers"], key.fields, key.masked)
    return {**value, "name": public.MASK}


def _within(wanted: str, found: str, kind: str) -> bool:
    digits = "".join(c for c in wanted if c.isdigit())
    return (
        wanted in {found, f"{kind}:{found}"}
        or wanted in found
        or (kind == "phone" and bool(digits) and digits in found)
    )
