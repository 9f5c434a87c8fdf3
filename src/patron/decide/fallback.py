"""What a touchpoint may show while Patron is away: a signed bundle, and the decisions that were made from it.

A bundle says, for the hour and the weather, what may be shown to somebody nobody knows, each with its chance. The touchpoint
draws with the number that follows from the bundle's name and its own decision id, so whoever has both can check the draw:

    u = first 53 bits of SHA-256(bundle + "/" + decision id) / 2**53; the first choice whose chances up to it exceed u

Each table carries a seal: what Patron needs to make the record when the exposure arrives, under a key of its own. So Patron keeps
nothing about the bundles it gave, and takes no exposure that it could not have caused.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from patron.decide.index import CatalogueIndex, is_limited
from patron.decide.learn.choose import draw, unit
from patron.decide.rating import propensities, rate, scores_of
from patron.decide.record import Drawn
from patron.decide.variants import showings
from patron.model.clock import MINUTE
from patron.model.offers import NOTHING, Decision, Offer, Rating

PARTS: tuple[tuple[str, int, int], ...] = (
    ("night", 0, 6),
    ("morning", 6, 11),
    ("midday", 11, 14),
    ("afternoon", 14, 18),
    ("evening", 18, 24),
)
"""The parts of a day: name, first hour, the hour after its last, by the clock of the business."""
MOST = 5
"""Offers of one table: few, so that a bundle stays small."""
POLICY = "fallback-1"
"""The policy of decisions that were drawn from a bundle."""
OWN = "f_"
"""How the ids begin that touchpoints give to decisions of their own."""
LEEWAY = 5 * MINUTE
"""How far a touchpoint's clock may be beside the times of a bundle, ms."""
WHY = "Shown from a bundle while Patron was away: nobody was known"
ALIKE = 0.02
"""Chances that differ by less are told once."""
FORMAT = 1
_TAG = 16
_ID = re.compile(r"f_[0-9a-f]{24,64}")


class Seal(Struct, frozen=True, array_like=True):
    """What Patron must know to make the record of a decision that was drawn from one table of a bundle."""

    format: int
    bundle: str
    placement: str
    channel: str
    catalogue: str
    issued: int
    expires: int
    places: tuple[int, ...]
    """Where the offers stand in the catalogue, ascending; `nothing` follows them."""
    rating: Rating


class Refusal(Exception):
    """An exposure that no decision can be made of: a stable code, and a sentence that says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Seal).decode


def narrowed(made: Drawn, index: CatalogueIndex, expires: int) -> tuple[tuple[int, ...], Rating]:
    """The best few of what nobody in particular may get, and how they were ranked.

    Left out is what cannot be promised from afar: offers with a stock or a budget (nothing can be reserved), and offers
    that begin or end before the bundle does.

    >>> from patron.decide.eligible import Known
    >>> from patron.decide.record import Terms, weigh
    >>> from patron.model.offers import Ask
    >>> index = CatalogueIndex([Offer("tea", "Tea"), Offer("coupon", "Coupon", stock=5)])
    >>> narrowed(weigh(index, Ask("web_home"), Known("", "", {}), Terms("d", 3)), index, 1)[0]
    (0,)
    """
    codes = made.rating.codes if made.rating is not None else bytes(len(made.eligible))
    held = [
        (codes[at], index.places[name], at)
        for at, name in enumerate(made.eligible[:-1])
        if is_promised(index.by_id[name], made.time, expires)
    ]
    best = sorted(sorted(held)[:MOST], key=lambda row: row[1])
    places = tuple(place for _, place, _ in best)
    if made.rating is None:
        return places, Rating(bytes(len(best) + 1))
    scores = scores_of(made.rating)[[*(at for _, _, at in best), -1]]
    told = made.rating
    return places, rate(scores, told.gamma, told.seen, told.features, told.noise)


def is_promised(offer: Offer, now: int, expires: int) -> bool:
    """Whether an offer holds all the while that a bundle does, and for everybody.

    >>> is_promised(Offer("tea", "Tea", valid_until=9), 0, 9), is_promised(Offer("tea", "Tea", stock=3), 0, 9)
    (True, False)
    """
    begun = offer.valid_from is None or offer.valid_from <= now
    lasts = offer.valid_until is None or offer.valid_until >= expires
    return begun and lasts and not is_limited(offer)


def bundle_id(secret: bytes, *told: object) -> str:
    """The name of a bundle: a keyed hash of what it is for and when it was made.

    >>> len(bundle_id(b"secret", "kiosk_home", 5)), bundle_id(b"secret", 1) == bundle_id(b"other", 1)
    (26, False)
    """
    data = "\0".join(map(str, told)).encode("utf-8", "surrogatepass")
    return f"b_{hmac.digest(_key(secret), b'name' + data, 'sha256').hex()[:24]}"


def sealed(secret: bytes, seal: Seal) -> str:
    r"""A seal as text that only this workspace can have made.

    >>> one = Seal(1, "b_1", "till", "pos", "c", 0, 9, (), Rating(b"\0"))
    >>> opened(b"secret", sealed(b"secret", one)) == one, opened(b"other", sealed(b"secret", one))
    (True, None)
    """
    body = _encode(seal)
    tag = hmac.digest(_key(secret), b"seal" + body, "sha256")[:_TAG]
    return base64.urlsafe_b64encode(tag + body).decode().rstrip("=")


def opened(secret: bytes, text: str) -> Seal | None:
    """What a seal says; None when it was not made by this workspace."""
    try:
        data = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (UnicodeEncodeError, binascii.Error, ValueError):
        return None
    tag, body = data[:_TAG], data[_TAG:]
    if not hmac.compare_digest(tag, hmac.digest(_key(secret), b"seal" + body, "sha256")[:_TAG]):
        return None
    try:
        seal = _decode(body)
    except msgspec.MsgspecError:  # of another Patron
        return None
    return seal if seal.format == FORMAT else None


def _key(secret: bytes) -> bytes:
    return hmac.digest(secret, b"patron.fallback", "sha256")


def signature(key: str, text: str) -> str:
    """What stands beside a bundle: hex HMAC-SHA256 of its text under the key that asked for it.

    >>> signature("wk_1", "{}")[:16]
    'a4b555ae52a4342f'
    """
    return hmac.digest(key.encode(), text.encode(), "sha256").hex()


def number(bundle: str, decision: str) -> int:
    """The number (53 bits) that a decision id draws from a bundle: the record's seed.

    >>> number("b_1", "f_00"), 0 <= number("b_1", "f_01") < 2**53
    (7805300430479132, True)
    """
    digest = hashlib.sha256(f"{bundle}/{decision}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8]) >> 11


def table_of(index: CatalogueIndex, seal: Seal, text: str) -> dict[str, Any]:
    """One table of a bundle as touchpoints read it; `text` is its seal."""
    return {
        "choices": [*(index.ids[place] for place in seal.places), NOTHING],
        "chances": propensities(seal.rating).tolist(),
        "seal": text,
    }


def are_alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two tables say nearly the same, so that one of them is enough.

    >>> are_alike({"choices": ["nothing"], "chances": [1.0]}, {"choices": ["nothing"], "chances": [1.0]})
    True
    """
    if one["choices"] != other["choices"]:
        return False
    return all(abs(a - b) < ALIKE for a, b in zip(one["chances"], other["chances"], strict=True))


def shown_of(offer: Offer, placement: str) -> list[dict[str, Any]]:
    """What a placement shows of an offer: the first that fits the reader's language, the last fits everybody.

    >>> shown_of(Offer("tea", "Tea", content={"title": "Tea"}), "till")
    [{'languages': [], 'content': {'title': 'Tea'}}]
    """
    return [
        {
            "languages": [] if at is None else list(offer.variants[at].languages),
            "content": dict(content),
        }
        for at, content in showings(offer, placement)
    ]


class Exposure(Struct, frozen=True):
    """What a touchpoint says of a decision that it made from a bundle."""

    decision: str
    action: str
    seal: str
    time: int
    propensity: float | None = None
    language: str = ""


def exposure_of(told: Mapping[str, Any], time: int) -> Exposure | None:
    """The exposure that an event's properties tell; None when they tell none. Raises Refusal.

    >>> exposure_of({"action": "tea"}, 5) is None
    True
    """
    seal = told.get("bundle_seal")
    if seal is None:
        return None
    decision, action, chance = told.get("decision_id"), told.get("action"), told.get("propensity")
    if not isinstance(seal, str) or not isinstance(action, str) or not isinstance(decision, str):
        raise Refusal(
            "bad_bundle", "An exposure from a bundle gives bundle_seal, decision_id and action as texts."
        )
    if not _ID.fullmatch(decision):
        raise Refusal(
            "bad_bundle", "The decision_id of an exposure from a bundle is f_ and 24 to 64 hex digits."
        )
    wrong = isinstance(chance, bool) or not isinstance(chance, int | float)
    if chance is not None and wrong:
        raise Refusal("bad_bundle", "`propensity` is a number: the chance that the bundle gives the action.")
    language = told.get("language")
    return Exposure(
        decision,
        action,
        seal,
        time,
        None if chance is None else float(chance),
        language[:35] if isinstance(language, str) else "",
    )


def checked(secret: bytes, told: Exposure) -> tuple[Seal, int, float]:
    """The seal of an exposure, which of its choices was drawn and with what chance. Raises Refusal when it cannot be true."""
    seal = opened(secret, told.seal)
    if seal is None:
        raise Refusal(
            "bad_bundle", "bundle_seal was not made here, or was changed: send it as the bundle has it."
        )
    if not seal.issued - LEEWAY <= told.time < seal.expires + LEEWAY:
        raise Refusal(
            "bundle_expired",
            "It was shown before its bundle was made or after it had expired: fetch a new bundle, and show the default "
            "when there is none that holds.",
        )
    chances = propensities(seal.rating)
    at = draw(chances, unit(number(seal.bundle, told.decision)))
    return seal, at, float(chances[at])


def decided(index: CatalogueIndex, told: Exposure, secret: bytes, node: str, person: str) -> Decision:
    """The decision that an exposure tells, as its record has it. Raises Refusal.

    Parameters
    ----------
    index : the catalogue that the seal names.
    node, person : who it was shown to, as far as is known now.
    """
    seal, at, chance = checked(secret, told)
    if index.version != seal.catalogue or any(place >= len(index.ids) for place in seal.places):
        raise Refusal("bad_bundle", "The bundle was made with a catalogue that this workspace never had.")
    choices = (*(index.ids[place] for place in seal.places), NOTHING)
    if choices[at] != told.action:
        raise Refusal(
            "bad_bundle",
            "This decision_id does not draw that action from that bundle: draw as docs/fallback.md says.",
        )
    if told.propensity is not None and abs(told.propensity - chance) > 1e-6:
        raise Refusal(
            "bad_bundle", f"The bundle gives the action a chance of {chance:.6g}, not {told.propensity:.6g}."
        )
    return Decision(
        told.decision,
        told.time,
        node,
        person,
        seal.placement,
        seal.channel,
        told.action,
        chance,
        "treated",
        0.0,
        told.action,
        candidates=choices,
        eligible=choices,
        reasons=(WHY, f"Drawn with a chance of {chance:.2g} from {len(choices)} choices"),
        seed=number(seal.bundle, told.decision),
        policy=POLICY,
        catalogue=index.version,
        expires=told.time,
        rating=seal.rating,
        language=told.language,
    )
