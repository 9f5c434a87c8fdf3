"""Who is signed in: server-side sessions, form tokens and the brake on guessing passwords. Kept in memory only."""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from patron.console.port import User

IDLE_S = 12 * 3600
_MOST = 10_000
_FREE_TRIES = 5
_WINDOW_S = 900.0


@dataclass(slots=True)
class Toast:
    """What changed, shown once on the next page; `undo` is a form action and its fields."""

    message: str
    undo: tuple[str, dict[str, str]] | None = None
    bad: bool = False


@dataclass(slots=True)
class Reveal:
    """A secret that is shown once: what it is, the secret, and a command that uses it."""

    title: str
    secret: str
    command: str = ""


@dataclass(slots=True)
class Session:
    """One browser that is signed in."""

    user: User
    token: str
    seen: float
    toast: Toast | None = None
    reveal: Reveal | None = None
    finds: list[str] = field(default_factory=list)


class Sessions:
    """Sessions by the hash of a random id; the id itself lives only in the cookie.

    Parameters
    ----------
    clock
        Seconds that never go back (`time.monotonic`).

    Examples
    --------
    >>> sessions = Sessions(lambda: 0.0)
    >>> key = sessions.start(User(name="giulia", full_name="Giulia Serra"))
    >>> sessions.find(key).user.name, sessions.find("forged")
    ('giulia', None)
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._held: dict[str, Session] = {}
        self._secret = secrets.token_bytes(32)

    def start(self, user: User) -> str:
        """Begin a session under a new id (never one that the browser brought) and return the id."""
        key = secrets.token_urlsafe(32)
        if len(self._held) >= _MOST:
            self._sweep()
        self._held[_digest(key)] = Session(user, secrets.token_urlsafe(32), self._clock())
        return key

    def find(self, key: str, *, touch: bool = True) -> Session | None:
        """The live session of an id; idle ones are forgotten. `touch` counts this as activity."""
        digest = _digest(key)
        session = self._held.get(digest)
        if session is None:
            return None
        if self._clock() - session.seen > IDLE_S:
            del self._held[digest]
            return None
        if touch:
            session.seen = self._clock()
        return session

    def end(self, key: str) -> None:
        """Forget a session."""
        self._held.pop(_digest(key), None)

    def end_others(self, name: str, keep: str) -> None:
        """Forget every session of an account but one, as after a change of password."""
        kept = _digest(keep)
        for digest in [d for d, s in self._held.items() if s.user.name == name and d != kept]:
            del self._held[digest]

    def form_token(self, visitor: str) -> str:
        """The token of forms that are shown before sign-in, bound to the visitor's cookie."""
        return hmac.new(self._secret, visitor.encode(), hashlib.sha256).hexdigest()

    def _sweep(self) -> None:
        """Forget idle sessions, and when all are live the longest idle half."""
        for digest in sorted(self._held, key=lambda d: self._held[d].seen)[: _MOST // 2]:
            del self._held[digest]


class Brake:
    """Slows down guessing: after five failures each further one doubles the wait, up to 15 minutes.

    Examples
    --------
    >>> now = [0.0]
    >>> brake = Brake(lambda: now[0])
    >>> for _ in range(6): brake.failed("giulia")
    >>> brake.wait("giulia")
    2
    >>> now[0] = 3.0; brake.wait("giulia")
    0
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures: dict[str, tuple[int, float]] = {}

    def wait(self, *keys: str) -> int:
        """Whole seconds until any of these keys (account, address) may try again."""
        return max((self._wait(key) for key in keys), default=0)

    def failed(self, *keys: str) -> None:
        """Note one failure."""
        now = self._clock()
        if len(self._failures) >= _MOST:
            self._failures = {k: v for k, v in self._failures.items() if now - v[1] < _WINDOW_S}
        for key in keys:
            tries, last = self._failures.get(key, (0, now))
            self._failures[key] = (tries + 1 if now - last < _WINDOW_S else 1, now)

    def passed(self, *keys: str) -> None:
        """Forget the failures after a success."""
        for key in keys:
            self._failures.pop(key, None)

    def _wait(self, key: str) -> int:
        tries, last = self._failures.get(key, (0, 0.0))
        if tries < _FREE_TRIES:
            return 0
        left = min(2.0 ** (tries - _FREE_TRIES), _WINDOW_S) - (self._clock() - last)
        return max(0, -int(-left // 1))


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
