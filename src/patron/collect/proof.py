"""How far the identifiers of a message can be trusted (WIRE.md, "Who may say what")."""

import hmac

from patron.collect.refusal import Refused


def user_hash(secret: str, user_id: str) -> str:
    """What a shop's server puts into `context.userHash` for a logged-in user: hex HMAC-SHA256 of the user id.

    >>> user_hash("s3cret", "u-1")[:16]
    'f0280a207b563af4'
    """
    return hmac.digest(secret.encode(), user_id.encode(), "sha256").hex()


def check_user_hash(given: object, secret: str, user_id: str) -> None:
    """Raise `Refused` (`bad_user_hash`) unless the hash proves the user id. Takes equal time right or wrong."""
    expected = user_hash(secret, user_id).encode()
    if isinstance(given, str) and hmac.compare_digest(expected, given.strip().lower().encode()):
        return
    raise Refused(
        "bad_user_hash",
        "userHash is not the hex HMAC-SHA256 of userId under the secret of this source.",
        "$.context.userHash",
    )


def assurance(ceiling: str, *, names_somebody: bool) -> str:
    """The assurance of an unsigned message: what its source may claim, or less when only a device speaks.

    >>> assurance("asserted", names_somebody=False), assurance("verified", names_somebody=False)
    ('observed', 'verified')
    """
    return ceiling if names_somebody or ceiling == "verified" else "observed"
