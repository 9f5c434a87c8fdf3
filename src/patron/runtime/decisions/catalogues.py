"""The catalogues of a workspace: the text in force, every version that decisions were made with, when each began and by whom."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from msgspec import Struct

from patron.decide.catalogue import parse, version
from patron.decide.index import CatalogueIndex
from patron.model.errors import BadRequest
from patron.model.offers import Catalogue
from patron.runtime.tables import CATALOGUE, Plain
from patron.runtime.workspace import Workspace

HISTORY = "catalogue_history"
"""Key (beside `catalogue/VERSION`, which holds the text and the opted-in purposes) of [version, since when, by whom] of every change, oldest first."""
BY = "catalogue_by"
"""Key beside the text in the fact that changes it: who did."""


class Kept(Struct, frozen=True):
    """One time that a version came into force; `since` is None when nobody noted it."""

    version: str
    since: int | None
    until: int | None
    """When another took its place; None = it is in force, or nobody noted it."""
    by: str
    offers: int
    placements: int


class Held(Struct, frozen=True):
    """One version, whole."""

    version: str
    since: int | None
    by: str
    text: str
    catalogue: Catalogue


def took(workspace: Workspace, index: CatalogueIndex, data: Mapping[str, Any], time: int) -> None:
    """Note a catalogue that came into force: decisions are read with the one they were made with, so every version stays.

    `data` is the change of configuration: the text, and who made it.
    """
    name = index.version
    workspace.config.put(f"{CATALOGUE}/{name}", Plain([data[CATALOGUE], sorted(index.opt_in)]))
    noted = _history(workspace)
    if not noted or noted[-1][0] != name:
        workspace.config.put(HISTORY, Plain([*noted, [name, time, str(data.get(BY, ""))]]))


def text_in_force(workspace: Workspace) -> str:
    """The catalogue in force, as its text."""
    held = workspace.config.get(CATALOGUE)
    return str(held.value) if held else ""


def in_force(workspace: Workspace) -> Catalogue:
    """The catalogue in force."""
    return _parsed(text_in_force(workspace))


def version_in_force(workspace: Workspace) -> str:
    """Its version, under the consent policy of today."""
    return version(in_force(workspace), workspace.settings.decide.opt_in)


def text_of(workspace: Workspace, name: str) -> str | None:
    """The text of a version, also of an earlier one; None when there never was such a version."""
    held = workspace.config.get(f"{CATALOGUE}/{name}")
    return None if held is None else str(held.value[0])


def held(workspace: Workspace, name: str = "") -> Held | None:
    """The version in force, or another one; None when there never was such a version."""
    name = name or version_in_force(workspace)
    text = text_of(workspace, name)
    if text is None:
        return None
    newest = next((row for row in kept(workspace) if row.version == name), None)
    since, by = (newest.since, newest.by) if newest else (None, "")
    return Held(name, since, by, text, _parsed(text))


def kept(workspace: Workspace) -> list[Kept]:
    """Every version, newest first; those from before anybody noted times stand last."""
    noted = _history(workspace)
    untils = [*(since for _, since, _ in noted[1:]), None]
    rows = [
        _kept(workspace, name, since, until, by)
        for (name, since, by), until in zip(noted, untils, strict=True)
    ]
    known = {row.version for row in rows}
    prefix = f"{CATALOGUE}/"
    older = sorted(key.removeprefix(prefix) for key, _ in workspace.config.items() if key.startswith(prefix))
    return [*reversed(rows), *(_kept(workspace, name, None, None, "") for name in older if name not in known)]


def offers_about(workspace: Workspace, segment: str) -> Iterator[tuple[str, str]]:
    """(id, name) of every offer in force that is only for a segment, or for nobody in it."""
    for offer in in_force(workspace).offers:
        if segment in offer.segments or segment in offer.not_segments:
            yield offer.id, offer.name


def _history(workspace: Workspace) -> list[list[Any]]:
    held = workspace.config.get(HISTORY)
    return list(held.value) if held else []


def _kept(workspace: Workspace, name: str, since: int | None, until: int | None, by: str) -> Kept:
    found = _parsed(text_of(workspace, name) or "")
    return Kept(name, since, until, by, len(found.offers), len(found.placements))


@lru_cache(maxsize=64)
def _parsed(text: str) -> Catalogue:
    """A text that was in force once was good then; what a stricter Patron cannot read is told as empty."""
    try:
        return parse(text)
    except BadRequest:
        return Catalogue()
