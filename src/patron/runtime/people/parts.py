"""The parts of a profile that the API gives, each within what the key may read."""

from collections.abc import Callable
from typing import Any

from patron.model.access import ApiKey
from patron.model.people import Person
from patron.profiles import public
from patron.runtime.decisions.answer import Answers
from patron.runtime.people import people, scoped, views
from patron.runtime.segments.belonging import belonging, computed
from patron.runtime.segments.readable import may_know_homes
from patron.runtime.workspace import Workspace, plain


def _profile(workspace: Workspace, _answers: Answers, person: Person, key: ApiKey) -> Any:
    profile = people.profile(workspace, person)
    value = public.to_json(person, profile)
    value["identifiers"] = identifiers(workspace, person)
    value["computed"] = computed(workspace, person, key)
    return public.mask(value, key.fields, key.masked)


def identifiers(workspace: Workspace, person: Person) -> list[dict[str, Any]]:
    """The identifiers of a person, with the times in which they were seen."""
    return [
        {**plain(i), "first_seen": public.iso(i.first_seen), "last_seen": public.iso(i.last_seen)}
        for i in views.identifiers(workspace, person)
    ]


def _traits(workspace: Workspace, _answers: Answers, person: Person, key: ApiKey) -> Any:
    return {
        "traits": public.mask_traits(public.traits(people.profile(workspace, person)), key.fields, key.masked)
    }


def _external_ids(workspace: Workspace, _answers: Answers, person: Person, key: ApiKey) -> Any:
    rows = identifiers(workspace, person)
    return {"data": public.mask_identifiers(rows, key.fields, key.masked)}


def _links(workspace: Workspace, _answers: Answers, person: Person, key: ApiKey) -> Any:
    rows = plain(views.links(workspace, person))
    return {
        "data": [{**row, "a": scoped.node(row["a"], key), "b": scoped.node(row["b"], key)} for row in rows]
    }


def _segments(workspace: Workspace, _answers: Answers, person: Person, key: ApiKey) -> Any:
    return belonging(workspace, person, key)


def _consents(workspace: Workspace, _answers: Answers, person: Person, _key: ApiKey) -> Any:
    profile = people.profile(workspace, person)
    return public.consents(profile)


def _metadata(workspace: Workspace, _answers: Answers, person: Person, key: ApiKey) -> Any:
    profile = people.profile(workspace, person)
    return {
        "id": person.id,
        "retired_ids": sorted(workspace.graph.retired_ids(person)),
        "events": profile.events,
        "nodes": [scoped.node(n, key) for n in profile.nodes],
        "crowded": person.crowded,
        "groups": views.groups(workspace, person),
        "household": _household(workspace, person, key),
    }


def _household(workspace: Workspace, person: Person, key: ApiKey) -> str | None:
    """The household that the person last told; None too for keys that may not read what it rests on."""
    return (workspace.households.of(person.members) or None) if may_know_homes(key) else None


def _decisions(workspace: Workspace, answers: Answers, person: Person, key: ApiKey) -> Any:
    found = views.decisions_of(workspace, answers, person, 50)
    return {"data": [scoped.decision(d, key) for d in found]}


PARTS: dict[str, Callable[[Workspace, Answers, Person, ApiKey], Any]] = {
    "profile": _profile,
    "traits": _traits,
    "external_ids": _external_ids,
    "links": _links,
    "segments": _segments,
    "consents": _consents,
    "metadata": _metadata,
    "decisions": _decisions,
}
"""Name of a part, as in the path of the API -> what gives it."""
