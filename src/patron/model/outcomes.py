"""What a touchpoint tells of a decision afterwards, by the decision's id."""

from msgspec import Struct

KINDS = ("view", "click", "accept", "dismiss", "visit", "order", "refund", "unsubscribe")


class Reported(
    Struct,
    frozen=True,
    forbid_unknown_fields=True,
    rename={
        "decision_id": "decisionId",
        "order_id": "orderId",
        "user_id": "userId",
        "anonymous_id": "anonymousId",
        "user_hash": "userHash",
        "write_key": "writeKey",
    },
):
    """One outcome."""

    decision_id: str
    kind: str
    """One of `KINDS`."""
    id: str
    """The reporter's own id of it: the same told again counts once."""
    time: str = ""
    """ISO; empty = now. Late is fine."""
    value: float | None = None
    """Of an order its revenue, below 0 what was given back; of a refund what was given back."""
    currency: str = ""
    order_id: str = ""
    """Of an order or refund; an order without one goes by the id of its outcome."""
    void: bool = False
    """It did not happen after all: takes back what the same id (or order) told before, or will tell."""
    user_id: str | None = None
    anonymous_id: str | None = None
    user_hash: str = ""
    write_key: str = ""
    """With a write key: who asked, as the decision was asked for."""
