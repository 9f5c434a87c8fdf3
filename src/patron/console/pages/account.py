"""Signing in and out, the first account, and one's own account."""

import re
from functools import partial

from anyio import to_thread
from starlette.responses import RedirectResponse, Response

from patron.console.port import User
from patron.console.visit import Visit
from patron.model.errors import BadRequest, RequestError

SHORTEST_PASSWORD = 12
_LONGEST_PASSWORD = 1024
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}")


def safe_next(path: str) -> str:
    """Where to go after sign-in: only a path of the console itself.

    >>> safe_next("/console/people"), safe_next("//evil/console"), safe_next("https://evil"), safe_next("/console/../x")
    ('/console/people', '/console', '/console', '/console')
    """
    good = re.fullmatch(r"/console(/[A-Za-z0-9_.~:@+-]+)*", path) and ".." not in path
    return path if good and not path.startswith(("/console/signin", "/console/live")) else "/console"


async def sign_in_form(visit: Visit) -> Response:
    """The sign-in page; without any account yet, the first-run page."""
    if not visit.app.has_users():
        return RedirectResponse("/console/first-run", 303)
    return visit.page("signin.html", next=safe_next(visit.query.get("next", "")), error="", name="")


async def sign_in(visit: Visit) -> Response:
    """Check name and password, slowly for those who guess."""
    name = visit.form.get("name", "").strip().lower()[:64]
    password = visit.form.get("password", "")[:_LONGEST_PASSWORD]
    going = safe_next(visit.form.get("next", ""))
    keys = (f"name:{name}", f"from:{_address(visit)}")
    wait = visit.house.brake.wait(*keys)
    if wait:
        error = f"Too many tries. Wait {wait} s, then try again."
        answer = visit.page("signin.html", 429, next=going, error=error, name=name)
        answer.headers["retry-after"] = str(wait)
        return answer
    user = await to_thread.run_sync(visit.app.authenticate, name, password)
    if user is None:
        visit.house.brake.failed(*keys)
        error = "This name and password do not belong together. Nothing was changed."
        return visit.page("signin.html", 401, next=going, error=error, name=name)
    visit.house.brake.passed(keys[0])
    return _enter(visit, user, going)


async def first_run_form(visit: Visit) -> Response:
    """The page that makes the first account."""
    if visit.app.has_users():
        return RedirectResponse("/console/signin", 303)
    return visit.page("first_run.html", error="", fields={})


async def first_run(visit: Visit) -> Response:
    """Make the first account against the code that the server printed."""
    if visit.app.has_users():
        return RedirectResponse("/console/signin", 303)
    fields: dict[str, str] = {
        key: visit.form.get(key, "").strip()[:200] for key in ("code", "name", "full_name")
    }
    fields["name"] = fields["name"].lower()
    address = f"first:{_address(visit)}"
    try:
        wait = visit.house.brake.wait(address)
        if wait:
            raise BadRequest("wait", f"Too many tries. Wait {wait} s, then try again.")
        if not _NAME.fullmatch(fields["name"]):
            raise BadRequest("bad_name", "Use 2 to 64 letters, digits, dots or dashes as account name.")
        password = _new_password(visit)
        make = partial(
            visit.app.create_first_user, fields["code"], fields["name"], fields["full_name"], password
        )
        user = await to_thread.run_sync(make)
    except RequestError as error:
        visit.house.brake.failed(address)
        return visit.page("first_run.html", error.status, error=error.message, fields=fields)
    return _enter(visit, user, "/console")


async def sign_out(visit: Visit) -> Response:
    """End the session here and in the browser."""
    visit.house.sessions.end(visit.request.cookies.get(visit.house.cookie, ""))
    answer = RedirectResponse("/console/signin", 303)
    answer.delete_cookie(
        visit.house.cookie, path="/", secure=visit.house.secure, httponly=True, samesite="lax"
    )
    return answer


async def show(visit: Visit) -> Response:
    """One's own account."""
    return visit.page("account.html", error="")


async def change_password(visit: Visit) -> Response:
    """A new password, against the old one; other browsers are signed out."""
    old = visit.form.get("old", "")[:_LONGEST_PASSWORD]
    name = visit.user.name
    try:
        wait = visit.house.brake.wait(f"name:{name}")
        if wait:
            raise BadRequest("wait", f"Too many tries. Wait {wait} s, then try again.")
        if await to_thread.run_sync(visit.app.authenticate, name, old) is None:
            visit.house.brake.failed(f"name:{name}")
            raise BadRequest("wrong_password", "The present password is not right. Nothing was changed.")
        await visit.app.set_password(name, _new_password(visit))
    except RequestError as error:
        return visit.page("account.html", error.status, error=error.message)
    visit.house.sessions.end_others(name, visit.request.cookies.get(visit.house.cookie, ""))
    visit.app.audit(name, "password", name)
    return visit.go("/console/account", "Password changed. Other browsers were signed out.")


def _new_password(visit: Visit) -> str:
    password, again = visit.form.get("password", ""), visit.form.get("again", "")
    if not SHORTEST_PASSWORD <= len(password) <= _LONGEST_PASSWORD:
        raise BadRequest(
            "short_password", f"Use at least {SHORTEST_PASSWORD} characters; a sentence is good."
        )
    if password != again:
        raise BadRequest("passwords_differ", "The two passwords differ. Type the same one twice.")
    return password


def _enter(visit: Visit, user: User, going: str) -> Response:
    visit.house.sessions.end(visit.request.cookies.get(visit.house.cookie, ""))
    key = visit.house.sessions.start(user)
    visit.app.audit(user.name, "sign_in", user.name)
    answer = RedirectResponse(going, 303)
    answer.set_cookie(
        visit.house.cookie, key, path="/", httponly=True, samesite="lax", secure=visit.house.secure
    )
    return answer


def _address(visit: Visit) -> str:
    return visit.request.client.host if visit.request.client else "?"
