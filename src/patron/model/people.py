"""Identifiers, the evidence that joins them, and what a resolved person is made of."""

from msgspec import Struct

ERASED = "[erased]"
"""What erasure leaves in place of a value. As an identifier it counts as absent, or it would join strangers."""

Key = str
"""A normalised identifier written `type:value`, for example `email:ana.rossi@x.it`."""


class Claim(Struct, frozen=True, gc=False):
    """An identifier as one event states it: its normalised key and how strongly (0 best, 2 typed on a device)."""

    key: Key
    strength: int


class Located(Struct, frozen=True, gc=False):
    """Where an event belongs: the node whose partial takes it, and every identifier it carries.

    `light` marks a transaction or visit node; `names` and `births` are what the event says of the person
    (normalised given name, ISO birth date), used only to refuse joining two different people.
    """

    node: Key
    claims: tuple[Claim, ...]
    light: bool = False
    given_name: str = ""
    birth_date: str = ""


class Link(Struct, frozen=True, gc=False):
    """One edge of the evidence: two identifiers seen together, first at `time`, by event `uid`.

    `status` is `accepted`, `refused`, `shared`, `cut` or `proposed`; `rule` says which rule decided and
    `reason` is a sentence for people.
    """

    a: Key
    b: Key
    strength: int
    time: int
    uid: str
    position: int
    assurance: str
    status: str = "accepted"
    rule: str = ""
    reason: str = ""


class Person(Struct, frozen=True, gc=False):
    """A group of identifiers that the evidence joins, with its stable id (`p_...`)."""

    id: str
    root: Key
    members: tuple[Key, ...]
    crowded: bool = False
