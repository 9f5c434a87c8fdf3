"""The console as one Starlette application: its routes, its doors, and the pages behind them."""

import time
from collections.abc import Collection
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from patron.console.guard import Guard
from patron.console.pages import (
    account,
    builder,
    catalogue,
    conditions,
    deadletters,
    decisions,
    exports,
    feeds,
    health,
    home,
    keys,
    lake,
    launches,
    live,
    palette,
    people,
    person,
    placements,
    policies,
    practice,
    preview,
    privacy,
    results,
    rules,
    segments,
    sends,
    shop,
    sources,
    stories,
    traits,
)
from patron.console.port import ConsoleApp
from patron.console.render import STATIC, render
from patron.console.sessions import Brake, Sessions
from patron.console.visit import Form, House, Page, Visit, problem, serve
from patron.model.errors import NotFound, RequestError, TooLarge

PAGES: tuple[tuple[str, str, Page], ...] = (
    ("GET", "/console/signin", account.sign_in_form),
    ("POST", "/console/signin", account.sign_in),
    ("GET", "/console/first-run", account.first_run_form),
    ("POST", "/console/first-run", account.first_run),
    ("POST", "/console/signout", account.sign_out),
    ("GET", "/console/account", account.show),
    ("POST", "/console/account/password", account.change_password),
    ("GET", "/console", home.show),
    ("GET", "/console/home/decisions", home.newest),
    ("POST", "/console/palette", palette.find),
    ("GET", "/console/people", people.show),
    ("POST", "/console/people", people.find),
    ("GET", "/console/people/rules", rules.show),
    ("POST", "/console/people/rules", rules.dry_run),
    ("GET", "/console/people/segments", segments.show),
    ("GET", "/console/people/segments/new", builder.new),
    ("POST", "/console/people/segments/draft", builder.change),
    ("POST", "/console/people/segments/preview", builder.preview),
    ("GET", "/console/people/segments/overlap", segments.overlap),
    ("GET", "/console/people/segments/{id}", builder.show),
    ("GET", "/console/people/segments/{id}/weeks", segments.weeks),
    ("GET", "/console/people/segments/{id}/remove", segments.ask_to_remove),
    ("POST", "/console/people/segments/{id}/remove", segments.remove),
    ("GET", "/console/people/conditions", conditions.show),
    ("GET", "/console/people/conditions/{id}/remove", conditions.ask_to_remove),
    ("POST", "/console/people/conditions/{id}/remove", conditions.remove),
    ("GET", "/console/people/traits", traits.show),
    ("GET", "/console/people/traits/new", traits.new),
    ("POST", "/console/people/traits/draft", traits.change),
    ("POST", "/console/people/traits/preview", traits.preview),
    ("GET", "/console/people/traits/{id}", traits.open_one),
    ("GET", "/console/people/traits/{id}/remove", traits.ask_to_remove),
    ("POST", "/console/people/traits/{id}/remove", traits.remove),
    ("GET", "/console/people/{id}", person.show),
    ("GET", "/console/people/{id}/timeline", person.timeline),
    ("POST", "/console/people/{id}/why", person.why),
    ("GET", "/console/people/{id}/split", person.split_form),
    ("POST", "/console/people/{id}/split/preview", person.split_preview),
    ("POST", "/console/people/{id}/split", person.split),
    ("POST", "/console/people/undo-split", person.undo_split),
    ("GET", "/console/people/{id}/data", person.data_form),
    ("POST", "/console/people/{id}/export", person.export),
    ("POST", "/console/people/{id}/erase", person.erase),
    ("GET", "/console/decisions", decisions.log),
    ("GET", "/console/decisions/placements", placements.show),
    ("GET", preview.ADDRESS, preview.show),
    ("POST", preview.ADDRESS, preview.ask),
    ("GET", "/console/decisions/catalogue", catalogue.show),
    ("GET", "/console/decisions/catalogue/edit", catalogue.edit),
    ("POST", "/console/decisions/catalogue/edit", catalogue.load),
    ("POST", "/console/decisions/catalogue/restore", catalogue.restore),
    ("GET", "/console/decisions/catalogue/versions", catalogue.versions),
    ("GET", "/console/decisions/catalogue/versions/{version}", catalogue.version),
    ("GET", "/console/decisions/catalogue/offers/{id}", catalogue.offer),
    ("GET", "/console/decisions/policies", policies.show),
    ("GET", "/console/decisions/policies/{placement:path}", policies.open_one),
    ("POST", "/console/decisions/launches", launches.save),
    ("GET", "/console/decisions/launches/new", launches.new),
    ("GET", "/console/decisions/launches/{id}", launches.open_one),
    ("GET", "/console/decisions/launches/{id}/edit", launches.edit),
    ("POST", "/console/decisions/launches/{id}/edit", launches.save),
    ("POST", "/console/decisions/launches/{id}/move", launches.move),
    ("GET", "/console/decisions/sends", sends.show),
    ("GET", "/console/decisions/sends/new", sends.new),
    ("POST", "/console/decisions/sends/new", sends.create),
    ("GET", "/console/decisions/sends/{id}", sends.open_one),
    ("POST", "/console/decisions/sends/{id}/stop", sends.stop),
    ("GET", "/console/decisions/{id}", decisions.show),
    ("GET", "/console/data", health.show),
    ("GET", "/console/data/sources", sources.show),
    ("POST", "/console/data/sources", sources.add),
    ("POST", "/console/data/sources/rotate", sources.rotate),
    ("POST", "/console/data/sources/revoke", sources.revoke),
    ("GET", "/console/data/feeds", feeds.show),
    ("GET", "/console/data/exports", exports.show),
    ("POST", "/console/data/exports", exports.create),
    ("GET", "/console/data/exports/new", exports.new),
    ("GET", "/console/data/exports/{id}", exports.open_one),
    ("POST", "/console/data/exports/{id}", exports.change),
    ("GET", "/console/data/exports/{id}/edit", exports.edit),
    ("POST", "/console/data/exports/{id}/run", exports.run),
    ("POST", "/console/data/exports/{id}/pause", exports.pause),
    ("GET", "/console/data/exports/{id}/remove", exports.ask_to_remove),
    ("POST", "/console/data/exports/{id}/remove", exports.remove),
    ("GET", "/console/data/keys", keys.show),
    ("POST", "/console/data/keys", keys.add),
    ("POST", "/console/data/keys/revoke", keys.revoke),
    ("GET", "/console/data/quarantine", deadletters.show),
    ("POST", "/console/data/quarantine/map", deadletters.map_channel),
    ("GET", "/console/data/quarantine/{id}", deadletters.open_one),
    ("POST", "/console/data/quarantine/{id}", deadletters.replay),
    ("POST", "/console/data/quarantine/{id}/reveal", deadletters.reveal),
    ("GET", "/console/data/lake", lake.show),
    ("GET", "/console/results", results.funnel),
    ("GET", "/console/results/retention", results.cohorts),
    ("GET", "/console/results/paths", results.paths),
    ("GET", "/console/results/baskets", results.baskets),
    ("GET", "/console/results/rfm", results.rfm),
    ("GET", "/console/privacy", privacy.show),
    ("GET", "/console/shop", shop.show),
    ("POST", "/console/shop/feed", shop.feed),
    ("GET", "/console/stories", stories.show),
    ("GET", "/console/practice", practice.show),
    ("POST", "/console/practice", practice.answer),
)


class _Static(StaticFiles):
    """Static files under an address that carries a mark of their content: browsers may keep them for ever."""

    def file_response(
        self, full_path: Any, stat_result: Any, scope: Scope, status_code: int = 200
    ) -> Response:
        answer = super().file_response(full_path, stat_result, scope, status_code)
        marked = b"v=" in scope.get("query_string", b"")
        answer.headers["cache-control"] = "public, max-age=31536000, immutable" if marked else "no-cache"
        return answer


def create_console(app: ConsoleApp, allowed_hosts: Collection[str], *, secure: bool = False) -> Starlette:
    """The console over a product.

    Parameters
    ----------
    app
        What the pages ask and tell.
    allowed_hosts
        The names (without port) under which the console may be opened; any other Host header gets 421.
    secure
        Whether it is reached over https: cookies are then `Secure` and bound to this host.

    Returns
    -------
    Starlette
        An application whose paths all begin with `/console`.
    """
    house = House(app=app, sessions=Sessions(time.monotonic), brake=Brake(time.monotonic), secure=secure)
    routes: list[Route | Mount] = [
        Mount("/console/static", app=_Static(directory=STATIC), name="static"),
        Route("/console/live", live.endpoint(house), methods=["GET"]),
        Route("/console/", lambda _: RedirectResponse("/console", 308), methods=["GET"]),
    ]
    routes += [Route(path, serve(house, page), methods=[method]) for method, path, page in PAGES]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, allowed_hosts=tuple(allowed_hosts))],
        exception_handlers={
            HTTPException: _not_found(house),
            RequestError: _refused,
            Exception: _fault,
        },
    )


def _not_found(house: House) -> Any:
    async def answer(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 404
        session = house.sessions.find(request.cookies.get(house.cookie, ""))
        if session is None or status != 404:
            return Response(
                "Not found.\n" if status == 404 else "Not allowed.\n", status, media_type="text/plain"
            )
        visit = Visit(house, request, session, form=_EMPTY)
        return problem(
            visit, NotFound("no_such_page", "There is no page at this address. Find it with Ctrl K.")
        )

    return answer


async def _refused(_: Request, error: Exception) -> Response:
    """A request refused before a visit exists (its form was too large)."""
    status = error.status if isinstance(error, TooLarge) else 400
    return Response(f"{error}\n", status, media_type="text/plain")


async def _fault(_: Request, error: Exception) -> Response:
    """A fault of ours: say so, and nothing of its inside (the log has that)."""
    del error
    return HTMLResponse(render("fault.html", {"theme": "", "workspace": ""}), 500)


_EMPTY = Form()
