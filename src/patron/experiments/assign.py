"""Who is held out: a sticky draw by keyed hash. The same unit of the same trial always falls into the same arm."""

import hashlib
from collections.abc import Iterable

TREATED, CONTROL = "treated", "control"
_WORD = 2**64


def arm(secret: bytes, trial: str, unit: str, share: float) -> str:
    """The arm of a unit: `control` with probability `share`, else `treated`.

    Parameters
    ----------
    secret : the workspace's secret, so that nobody outside can pick an arm.
    trial : its name; another name draws all units anew and independently.
    unit : what is drawn, such as the key of the node that asked first.
    share : of units held out, 0 to 1. A larger share only moves units from treated to control.

    Raises
    ------
    ValueError : `share` is outside 0 to 1.

    >>> arm(b"secret", "programme", "user_id:7", 0.0), arm(b"secret", "programme", "user_id:7", 1.0)
    ('treated', 'control')
    """
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"the share held out is between 0 and 1, not {share}")
    return CONTROL if _place(secret, trial, unit) < share * _WORD else TREATED


def settle(assignments: Iterable[tuple[int, str, str]]) -> tuple[int, str, str]:
    """Which of a merged person's assignments (time, unit, arm) stands: the earliest, in whatever order they come.

    At the same instant the smaller unit wins, so that every order of merging ends the same. A person treated first
    stays treated: what they have seen cannot be unseen. ValueError when there is none.

    >>> settle([(900, "anonymous_id:b", "control"), (400, "user_id:7", "treated")])
    (400, 'user_id:7', 'treated')
    """
    earliest = min(assignments, default=None)
    if earliest is None:
        raise ValueError("there is no assignment to settle; draw one with `arm` first")
    return earliest


def _place(secret: bytes, trial: str, unit: str) -> int:
    """A uniform 64-bit number. The length in front keeps (`ab`, `c`) and (`a`, `bc`) apart."""
    key = secret if len(secret) <= 64 else hashlib.blake2b(secret).digest()
    name, who = trial.encode("utf-8", "surrogatepass"), unit.encode("utf-8", "surrogatepass")
    data = len(name).to_bytes(4) + name + who
    return int.from_bytes(hashlib.blake2b(data, key=key, digest_size=8, person=b"patron.arm").digest())
