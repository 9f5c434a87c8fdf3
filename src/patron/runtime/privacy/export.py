"""Export of one person: everything that is held, as one archive (GOV-04)."""

import io
import json
import zipfile
from typing import Any

from patron.collect.segment_api import message_at
from patron.identity.explain import links
from patron.model.people import Person
from patron.profiles import public
from patron.runtime.decisions.answer import Answers
from patron.runtime.people import people
from patron.runtime.people.views import decisions_of
from patron.runtime.segments.belonging import belonging, computed
from patron.runtime.workspace import Workspace, plain


def archive(workspace: Workspace, answers: Answers, person: Person) -> bytes:
    """One ZIP with all that is held on a person: profile, identity with its reasons, every event, decisions.

    The events are the messages as received, so that nothing is lost in translation; README.txt says what each file is.
    """
    rows = people.rows(workspace, person)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", _README)
        archive.writestr("profile.json", _pretty(_profile(workspace, person)))
        archive.writestr("identity.json", _pretty(_identity(workspace, person)))
        archive.writestr("decisions.json", _pretty(plain(decisions_of(workspace, answers, person, 10_000))))
        with archive.open("events.ndjson", "w") as out:
            for row in rows:
                message = _message(workspace, row.position)
                if message is not None:
                    out.write(message + b"\n")
    return buffer.getvalue()


_README = """All that is held about one person.

profile.json    traits with their origin, consents with their proof, totals, computed traits, segments
identity.json   identifiers, and why each belongs to this person
events.ndjson   every message, as received, in the order of time, one a line
decisions.json  what was decided for this person, and why
"""


def _profile(workspace: Workspace, person: Person) -> Any:
    return {
        **public.to_json(person, people.profile(workspace, person)),
        "computed": computed(workspace, person, None),
        "segments": belonging(workspace, person, None)["data"],
    }


def _identity(workspace: Workspace, person: Person) -> Any:
    return {
        "id": person.id,
        "identifiers": list(person.members),
        "links": plain(links(workspace.graph, person)),
    }


def _message(workspace: Workspace, position: int) -> bytes | None:
    entry, body = workspace.log.at(position)
    return message_at(body, entry.route, position - entry.base)


def _pretty(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)
