"""One request to a page: who asks, what they sent, and how to answer. Every page is reached through `serve`."""

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, quote

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from patron.console.guard import same_origin
from patron.console.masked import seen_by
from patron.console.permissions import may, who_may
from patron.console.places import LAKE, PRACTICE, RESULTS, SHOP, STORIES, Place, places
from patron.console.port import ConsoleApp, User
from patron.console.render import Times, render
from patron.console.sessions import Brake, Reveal, Session, Sessions, Toast
from patron.model.errors import Forbidden, Gone, NotFound, RequestError, TooLarge
from patron.model.views import PersonView

_LARGEST_FORM = 1 << 20
_UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
PUBLIC = {"/console/signin", "/console/first-run"}
_SOME = (SHOP, STORIES, PRACTICE)
"""Places that only some workspaces have."""


class Form:
    """The fields of a posted form, in order; a field may come more than once.

    >>> form = Form([("node", "a"), ("node", "b")])
    >>> form.get("node"), form.getlist("node"), form.get("absent", "-")
    ('b', ['a', 'b'], '-')
    """

    def __init__(self, fields: Sequence[tuple[str, str]] = ()) -> None:
        self._fields = list(fields)

    def get(self, name: str, default: str = "") -> str:
        """The last value of a field."""
        return next((value for key, value in reversed(self._fields) if key == name), default)

    def names(self) -> list[str]:
        """The names of all fields, each once, in the order they were sent."""
        return list(dict.fromkeys(key for key, _ in self._fields))

    def getlist(self, name: str) -> list[str]:
        """All values of a field."""
        return [value for key, value in self._fields if key == name]


class House(Struct, frozen=True):
    """What all pages share."""

    app: ConsoleApp
    sessions: Sessions
    brake: Brake
    secure: bool

    @property
    def cookie(self) -> str:
        """Name of the session cookie; over https bound to this host alone."""
        return "__Host-patron" if self.secure else "patron_session"

    @property
    def visitor_cookie(self) -> str:
        """Name of the cookie that binds the forms shown before sign-in."""
        return "__Host-patron-visitor" if self.secure else "patron_visitor"


class Visit:
    """One request, with what a page needs to answer it."""

    def __init__(self, house: House, request: Request, session: Session | None, form: Form) -> None:
        self.house = house
        self.app = house.app if session is None else seen_by(house.app, session.user.role)
        """The product, as the role of whoever asks may see it."""
        self.request = request
        self._session = session
        self.form = form
        self.query = request.query_params
        self.path = request.path_params
        self.now = self.app.now()
        self.name, zone = self.app.workspace()
        self.times = Times(zone, self.now)
        self.visitor = request.cookies.get(house.visitor_cookie, "")
        self.fresh_visitor = False
        if session is None and len(self.visitor) < 20:
            self.visitor, self.fresh_visitor = secrets.token_urlsafe(24), True

    @property
    def session(self) -> Session:
        """The session; pages that may be seen without one do not ask."""
        if self._session is None:
            raise Forbidden("signed_out", "Sign in first.")
        return self._session

    @property
    def user(self) -> User:
        """Who asks."""
        return self.session.user

    @property
    def partial(self) -> bool:
        """Whether the page's script asks for a fragment."""
        return self.request.headers.get("hx-request") == "true"

    @property
    def token(self) -> str:
        """The token that every form of this visit carries."""
        return self._session.token if self._session else self.house.sessions.form_token(self.visitor)

    @property
    def masked(self) -> bool:
        """Whether personal data is masked for whoever asks."""
        return not may(self.user.role, "see")

    def may(self, action: str) -> bool:
        """Whether the account may take the action."""
        return may(self.user.role, action)

    def removal(
        self, what: str, name: str, address: str, effect: str, up: tuple[str, str], users: Sequence[Any] = ()
    ) -> Response:
        """The question before something is removed: what follows, or by what it is used and so cannot be.

        `address` is its page and, with `/remove` behind it, where the button sends; `up` the title and page of the list.
        """
        context: dict[str, Any] = {
            "what": what, "name": name, "effect": effect, "users": users, "up": up,
        }  # fmt: skip
        context |= {"action": address, "back": address if what != "condition" else up[1]}
        if self.partial:
            return self.fragment("parts/remove_dialog.html", **context)
        return self.page("remove.html", **context)

    def need(self, action: str) -> None:
        """Refuse unless the account may take the action."""
        if not may(self.user.role, action):
            raise Forbidden(
                "not_allowed", f"Your account may look, not change this. It is up to {who_may(action)}."
            )

    def person(self, id_or_key: str) -> PersonView:
        """The person of an id; the error pages say erased or unknown."""
        found = self.app.person(id_or_key)
        if found is None:
            raise NotFound(
                "unknown_person", "Nobody has this id. The data may have been split, or never arrived."
            )
        return found

    def places(self) -> list[Place]:
        """The places of this workspace, as the palette lists them."""
        app = self.app
        return places(
            with_shop=app.shop() is not None,
            with_stories=app.stories() is not None,
            with_practice=app.practice() is not None,
            with_lake=app.has_lake(),
            with_results=app.insights() is not None,
        )

    def names(self, people: Mapping[str, str]) -> dict[str, str]:
        """The names of people in slots, as whoever asks may see them; who is erased or unknown has none."""
        found = {}
        for slot, person_id in people.items():
            try:
                person = self.app.person(person_id)
            except RequestError:
                continue
            if person is not None:
                found[slot] = person.name or "somebody without a name"
        return found

    def page(self, template: str, status: int = 200, **context: Any) -> Response:
        """A whole page."""
        session = self._session
        toast, reveal = None, None
        if session is not None:
            toast, session.toast = session.toast, None
            reveal, session.reveal = session.reveal, None
        needs = self.app.needs() if session else []
        known = self.places() if session else []
        context = {
            **self._context(),
            "toast": toast,
            "reveal": reveal,
            "needs": needs,
            "data_needs": sum(need.href.startswith("/console/data") for need in needs),
            "here_too": [place for place in known if place in _SOME],
            "palette_places": known,
            "with_results": RESULTS[0] in known,
            "with_lake": LAKE in known,
            **context,
        }
        response = HTMLResponse(_encoded(render(template, context)), status)
        if self.fresh_visitor:
            response.set_cookie(
                self.house.visitor_cookie,
                self.visitor,
                httponly=True,
                samesite="lax",
                secure=self.house.secure,
            )
        return response

    def fragment(self, template: str, status: int = 200, **context: Any) -> Response:
        """A part of a page, for its script."""
        return HTMLResponse(_encoded(render(template, {**self._context(), **context})), status)

    def go(self, path: str, message: str = "", undo: tuple[str, dict[str, str]] | None = None) -> Response:
        """Send the browser on, with a sentence about what changed."""
        if message:
            self.session.toast = Toast(message, undo)
        return RedirectResponse(path, 303)

    def reveal(self, title: str, secret: str, command: str = "") -> None:
        """Show a secret once, on the next page."""
        self.session.reveal = Reveal(title, secret, command)

    def _context(self) -> dict[str, Any]:
        theme = self.request.cookies.get("patron_theme", "")
        return {
            "visit": self,
            "times": self.times,
            "user": self._session.user if self._session else None,
            "token": self.token,
            "workspace": self.name,
            "theme": theme if theme in {"light", "dark"} else "",
            "here": self.request.url.path,
        }


Page = Callable[[Visit], Awaitable[Response]]


def serve(house: House, page: Page) -> Callable[[Request], Awaitable[Response]]:
    """The one way to a page: session, form, origin and token are checked here, and errors become pages."""

    async def endpoint(request: Request) -> Response:
        session = house.sessions.find(request.cookies.get(house.cookie, ""))
        public = request.url.path in PUBLIC
        if session is None and not public:
            return _to_sign_in(request)
        form = await _form(request) if request.method in _UNSAFE else Form()
        visit = Visit(house, request, session, form)
        try:
            if request.method in _UNSAFE:
                _check_sender(visit)
            return await page(visit)
        except RequestError as error:
            return problem(visit, error)

    return endpoint


def problem(visit: Visit, error: RequestError) -> Response:
    """An error as a page (or a fragment): what happened, what is safe, what to do, and its code."""
    title = {403: "Not allowed", 404: "Not found", 410: "Erased", 429: "Too many tries"}.get(
        error.status, "Not done"
    )
    context = {
        "title": title,
        "message": error.message,
        "code": error.code,
        "erased": isinstance(error, Gone),
    }
    headers = {"retry-after": str(error.retry_after)} if error.retry_after else {}
    if visit.partial:
        answer = visit.fragment("parts/problem.html", error.status, **context)
    elif visit._session is None:  # noqa: SLF001 - same module
        answer = visit.page("signed_out_problem.html", error.status, **context)
    else:
        answer = visit.page("problem.html", error.status, **context)
    answer.headers.update(headers)
    return answer


def _check_sender(visit: Visit) -> None:
    sent = visit.request.headers.get("x-csrf-token") or visit.form.get("csrf", "")
    known = secrets.compare_digest(sent.encode("utf-8", "replace"), visit.token.encode())
    if not same_origin(visit.request.headers) or visit.fresh_visitor or not known:
        raise Forbidden(
            "form_expired",
            "This form is from an older visit. Nothing was changed. Reload the page and try again.",
        )


async def _form(request: Request) -> Form:
    """The fields of a form, bounded while it is read."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_FORM:
            raise TooLarge("form_too_large", "The form is larger than 1 MiB.")
    try:
        return Form(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=2000))
    except ValueError:
        raise TooLarge("form_too_wide", "The form has more than 2,000 fields.") from None


def _to_sign_in(request: Request) -> Response:
    if request.headers.get("hx-request") == "true":
        return Response(status_code=401, headers={"hx-redirect": "/console/signin"})
    if request.method in _UNSAFE or request.url.path == "/console/live":
        return Response("Signed out.", 401)
    return RedirectResponse(f"/console/signin?next={quote(request.url.path, safe='/')}", 303)


def _encoded(html: str) -> bytes:
    return html.encode("utf-8", "replace")
