"""Stories of this demo: what was planted in it, and where to look?"""

from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from patron.console.visit import Visit
from patron.model.errors import NotFound
from patron.model.guide import Look, Story, filled


async def show(visit: Visit) -> Response:
    """Every story with its question, the places to look at, and the answer behind a click."""
    found = visit.app.stories()
    if found is None:
        raise NotFound(
            "no_stories", "Nothing was planted in this workspace. `patron demo` makes one with stories."
        )
    return visit.page("stories.html", stories=[_told(visit, story) for story in found.stories])


def looks(asked: tuple[Look, ...], people: dict[str, str], names: dict[str, str]) -> list[dict[str, str]]:
    """Links to the places to look at; a person who is not there any more has none."""
    return [
        {
            "label": filled(look.label, names),
            "href": _address(people.get(look.person, "")) + look.path if look.person else look.path,
        }
        for look in asked
        if not look.person or look.person in names
    ]


def _told(visit: Visit, story: Story) -> dict[str, Any]:
    names = visit.names(story.people)
    # a command names people by id: what stands in a shell's history must not be a name
    known = {"url": str(visit.request.base_url).rstrip("/"), **story.people}
    return {
        "id": story.id,
        "icon": story.icon,
        "title": filled(story.title, names),
        "question": filled(story.question, names),
        "looks": looks(story.looks, story.people, names),
        "checks": [
            {"label": filled(one.label, names), "command": filled(one.command, known)} for one in story.checks
        ],
        "answer": filled(story.answer, names),
        "figures": [(filled(what, names), value) for what, value in story.figures],
    }


def _address(person_id: str) -> str:
    return f"/console/people/{quote(person_id, safe='')}"
