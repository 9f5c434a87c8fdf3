"""Be the customer: three touchpoints that send real events, and the person they become."""

import msgspec
from starlette.responses import Response

from patron.console.visit import Visit
from patron.model.errors import Gone, NotFound
from patron.model.views import PersonView, TimelineEvent

_ROWS = 14


async def show(visit: Visit) -> Response:
    """A web page, a kiosk and a till, side by side."""
    setup = visit.app.shop()
    if setup is None:
        raise NotFound("no_shop", "This workspace has no demo shop. `patron demo` makes one with it.")
    data = msgspec.json.encode(
        {
            "keys": setup.keys,
            "placements": setup.placements,
            "currency": setup.currency,
            "store": setup.store,
            "notice": setup.notice,
            "base": visit.app.tracking_url(),
        }
    ).decode()
    return visit.page("shop.html", setup=setup, data=data)


async def feed(visit: Visit) -> Response:
    """What has arrived from this visitor's three touchpoints, and whom each resolves to today."""
    screens = [(name, visit.form.get(name, "")[:600]) for name in ("web", "kiosk", "pos")]
    people: dict[str, PersonView] = {}
    found: list[tuple[str, str]] = []
    for name, key in screens:
        person = _person(visit, key)
        found.append((name, person.id if person else ""))
        if person:
            people[person.id] = person
    events: list[tuple[TimelineEvent, str]] = []
    for person_id in people:
        page = visit.app.timeline(person_id, None, "", "desc", _ROWS)
        events += [(event, person_id) for event in page.data]
    events.sort(key=lambda pair: (pair[0].time, pair[0].position), reverse=True)
    return visit.fragment("parts/shop_feed.html", screens=found, people=people, events=events[:_ROWS])


def _person(visit: Visit, key: str) -> PersonView | None:
    try:
        return visit.app.person(key) if key else None
    except Gone:
        return None
