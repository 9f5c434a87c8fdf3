"""What a change of rules would do, in sentences: the dry run of `diff` for people who decide about it."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from patron.identity.diff import PartitionDiff, Regrouping
from patron.identity.sentences import NAMES
from patron.model.people import Key

SHOWN = 4
"""Identifiers named of each person, those that people know first."""
LONGEST = 40
"""Characters of an identifier's value; cookies and devices have more, and nobody reads them."""
_DEVICES = frozenset({"anonymous_id", "device_id", "push_token", "ga_client_id"})
_RANK = {kind: rank for rank, kind in enumerate(NAMES)}
UNKNOWN = (
    "It counts the links there are. What these rules would make of values that came in another spelling, or of channels "
    "and traits that count as proof, shows only on new events."
)


class Impact(Struct, frozen=True):
    """The sentences: what would change, and of each kind some examples, each as the people on its several side."""

    changes: bool
    """Whether anybody would be somebody else."""
    summary: tuple[str, ...]
    joined: tuple[tuple[str, ...], ...]
    apart: tuple[tuple[str, ...], ...]
    unknown: str = UNKNOWN
    """What a dry run cannot know."""


def named(key: Key) -> str:
    """An identifier as people say it.

    >>> named("card:29004471"), named("club_number:7"), named("anonymous_id:0afb99d3-32b7-4694-9a7b-f938d1aa64ad")
    ('card 29004471', 'club number 7', 'cookie 0afb99d3…')
    """
    kind, _, value = key.partition(":")
    most = 9 if kind in _DEVICES else LONGEST
    value = value if len(value) <= most + 3 else f"{value[: most - 1]}…"
    return f"{NAMES[kind][0] if kind in NAMES else kind.replace('_', ' ')} {value}"


def impact(diff: PartitionDiff, name: Callable[[Key], str] = named) -> Impact:
    """Say what a dry run found. `name` writes an identifier, masked where the reader may not see it.

    >>> one = Regrouping(("card:7", "email:a@x.it"), (("card:7",), ("email:a@x.it",)))
    >>> told = impact(PartitionDiff(10, 9, 1, 0, (one,)))
    >>> told.summary, told.joined
    (('10 people today, 9 under these rules.', '1 person would be made of several of today.', 'Nobody would come apart.'), (('card 7', 'e-mail a@x.it'),))
    """
    return Impact(
        bool(diff.merges or diff.splits or diff.people_before != diff.people_after),
        (
            f"{_people(diff.people_before)} today, {diff.people_after:,} under these rules.",
            f"{_people(diff.merges)} would be made of several of today."
            if diff.merges
            else "Nobody would be joined.",
            f"{_people(diff.splits)} of today would come apart."
            if diff.splits
            else "Nobody would come apart.",
        ),
        tuple(_several(one, name) for one in diff.merge_examples),
        tuple(_several(one, name) for one in diff.split_examples),
    )


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"


def _several(example: Regrouping, name: Callable[[Key], str]) -> tuple[str, ...]:
    return tuple(_person(keys, name) for keys in example.parts)


def _person(keys: Sequence[Key], name: Callable[[Key], str]) -> str:
    """The identifiers of one person; orders and visits only when there is nothing else."""
    own = [key for key in keys if not key.startswith(("order_id:", "visit_id:"))] or list(keys)
    own.sort(key=lambda key: (_RANK.get(key.partition(":")[0], len(_RANK)), key))
    more = f" and {len(own) - SHOWN} more" if len(own) > SHOWN else ""
    return ", ".join(name(key) for key in own[:SHOWN]) + more
