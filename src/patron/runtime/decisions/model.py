"""What the learned policy expects: features of the ask, a regression for each action, and how well each offer fits the person.

    expected reward of an offer = its own regression over the features, and 0.2 standard errors of it + what its fit adds

An action's own regression starts from the joint one of all actions (`decide.learn.joint`), which also says what a fit adds. Both
are learned from the same decisions and rewards; before there are any, the fit's rules speak (`decide.fit.RULED`) and all else is
alike.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from math import log1p
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from patron.decide.eligible import Known
from patron.decide.fit import RULED, SIZE, TRENDS, Topics, topic_of, wants
from patron.decide.index import CatalogueIndex
from patron.decide.kinds import kind_of, success
from patron.decide.learn.grid import REWARD_STEP, Row, from_steps, reward_steps, snap
from patron.decide.learn.packing import length, pack, unpack
from patron.decide.learn.ridge import Ridge
from patron.decide.rating import CHOOSING
from patron.decide.scoring import Expected, Places
from patron.model.clock import DAY, HOUR, MINUTE
from patron.model.offers import NOTHING, Ask, Placement
from patron.model.ports import Table
from patron.profiles.interests import Interests, answered, named
from patron.rules.calendar import Calendar
from patron.rules.facts import Facts
from patron.runtime.decisions.arms import JOINED, UNSUBSCRIBE, Arm, Arms
from patron.runtime.decisions.interests import LiveInterests
from patron.runtime.decisions.looks import JOINT, SCHEMA, VERSION
from patron.runtime.decisions.trends import Trends
from patron.runtime.feeds.feeds import store_of

_MARK = bytes((VERSION,))
"""Begins what a record says was looked at."""
_STEPS = 255
_STEP = np.float32(1 / _STEPS)
_HALF = np.float32(0.5)
_ONE_STEPS = snap([1.0]).steps[0]
_FIT_STEPS = snap(np.arange(_STEPS + 1) / _STEPS).steps
"""A part of a fit, as records keep it -> on the grid."""
_GREATEST = 1e15
"""Numbers of people from here on say nothing."""
_FIRST = 10**9
"""As a number of changes: since the start of the process nothing started anew."""
_OF_WHAT_IS_SHOWN = frozenset({"view", "click"})
"""Rewards that cannot come where nothing is shown."""
_REFRESH, _PART = 32, 0.02
"""Choices and rewards, at least and as a part of all choices, after which every action starts anew from what all have in common."""
_SENT_FOR, _CLICKED_FOR = 30 * DAY, 90 * DAY
_MONTH, _DAYS, _ALIKE = 30.0, 60.0, 2.0
"""Of `response`: days that orders are counted for; days that one is taken to lie back at first; messages that all answers are worth."""
_LEAST = 0.0004
"""Least variance of a success that comes or not."""
_TOP = 6
_CATALOGUES = 8
"""Catalogues whose offers are remembered."""


class Looked(Struct, frozen=True):
    """What a record says that the model looked at: the features, and the fit of the action that was given."""

    features: Row
    fit: Row


class Model:
    """The live model of one workspace: what `decide.rating.Model` asks, and what rewards teach.

    Parameters
    ----------
    category_of : product -> category, as the catalogue feed has it; empty when it has none.
    """

    def __init__(
        self, arms: Table[Arm], interests: LiveInterests, category_of: Callable[[str], str], trends: Trends
    ) -> None:
        self._arms = Arms(arms)
        self._interests = interests
        self._trends = trends
        self._topics: dict[str, Topics] = {}
        self._joined: dict[str, Ridge] = {}
        self._changes: dict[str, int] = {}
        """Kind -> what was learned since its actions last started anew."""
        self._rows: dict[tuple[str, str], NDArray[np.intp]] = {}
        self._category_of = category_of

    def of(self, nodes: Iterable[str]) -> "Bound":
        """The model for somebody: what these nodes are interested in."""
        return Bound(self, self._interests.of(nodes))

    def ridge(self, kind: str) -> Ridge:
        """The regressions of a kind of reward."""
        return self._arms.ridge(kind, SCHEMA.size)

    def joined(self, kind: str) -> Ridge:
        """The joint regression of a kind of reward (`looks.JOINT`); its only action is called `JOINED`."""
        found = self._joined.get(kind)
        if found is None:
            found = self._joined[kind] = self._arms.ridge(f"{JOINED}:{kind}", JOINT.size)
            found.add(JOINED, JOINT.start(RULED))
        return found

    def start_anew(self, kind: str) -> None:
        """Let the actions of a kind of reward start from what the joint regression says now."""
        ridge = self.ridge(kind)
        shown, nothing = JOINT.starts(self.joined(kind).weights(JOINED))
        rows = ridge.rows(ridge.actions)
        priors = np.repeat(shown[None], len(rows), 0)
        if NOTHING in ridge:
            priors[rows == ridge.row(NOTHING)] = nothing
        ridge.reprior_all(rows, priors)
        self._changes[kind] = 0

    def refresh(self, kind: str) -> None:
        """The same, when enough was learned since: what rests on much changes little."""
        changes = self._changes.get(kind, _FIRST)
        if changes >= _REFRESH and changes >= _PART * self.ridge(kind).seen:
            self.start_anew(kind)

    def recategorised(self) -> None:
        """The catalogue feed says other categories."""
        self._topics.clear()

    def topics(self, index: CatalogueIndex) -> Topics:
        """What the offers of a catalogue are about."""
        found = self._topics.get(index.version)
        if found is None:
            if len(self._topics) > _CATALOGUES:
                self._topics.clear()
            found = Topics([topic_of(offer, self._category_of) for offer in index.offers])
            self._topics[index.version] = found
        return found

    def wants(self, interests: Interests, hour: int) -> tuple[float, float]:
        """What somebody wants (`decide.fit.wants`)."""
        return wants(interests, hour, self._interests.cycle)

    def response(self, facts: Facts, interests: Interests, channel: str) -> float | None:
        """How much somebody may be moved by what a channel sends: orders a month times the share of its messages they answer.

        Nobody answers what the channel never sent: None. Who got few is taken to answer as others do.
        """
        answers, sent = self._interests.answered(channel)
        if sent < 1:
            return None
        own, got = answered(interests, channel)
        usual = (min(answers, sent) + 1.0) / (sent + 10.0)
        share = min(1.0, (own + _ALIKE * usual) / (got + _ALIKE))
        often = (_number(facts, "totals.orders") + 1.0) / (_number(facts, "first_seen_days") + _DAYS)
        return _MONTH * often * share

    def nothing(self, kind: str, features: Row, noise: float) -> float:
        """What is expected to come anyway, by a kind of reward that learns it."""
        self._take_up(kind, NOTHING)
        ridge = self.ridge(kind)
        row = ridge.row(NOTHING)
        return float(_hopeful(ridge, features, noise)[row])

    def rows(self, kind: str, index: CatalogueIndex) -> NDArray[np.intp]:
        """Where the offers of a catalogue stand in the regressions of a kind of reward, `nothing` last."""
        found = self._rows.get((kind, index.version))
        if found is None:
            if len(self._rows) > _CATALOGUES:
                self._rows.clear()
            ridge, names = self.ridge(kind), (*index.ids, NOTHING)
            for name in names:
                self._take_up(kind, name)
            found = self._rows[kind, index.version] = ridge.rows(names)
        return found

    def fits(
        self, index: CatalogueIndex, interests: Interests, ask: Ask, now: int
    ) -> NDArray[np.uint8] | None:
        """The fit of every offer, as records keep it: 0 to 255; None where nothing known of the person and the place fits any."""
        cart, topics = _cart(ask.context), self.topics(index)
        near = self._trends.near(topics, store_of(ask.context))
        if near is None and not interests and not cart:
            return None
        found = topics.fits(interests, cart, now // HOUR, self._interests.cycle)
        if near is not None:
            found = np.zeros((len(near), SIZE), np.float32) if found is None else found
            found[:, TRENDS:] = near
        elif found is None:
            return None
        found *= _STEPS
        found += _HALF
        return found.astype(np.uint8)

    def observe(self, kind: str, action: str, looked: Looked, time: int, times: int = 1) -> None:
        """A decision was made: nothing has followed so far. With `times=-1` it was never made."""
        joint = self._prepare(kind, action, looked)
        self._arms.observe(kind, action, looked.features, time, times)
        self._arms.observe(f"{JOINED}:{kind}", JOINED, joint, time, times)

    def reward(self, kind: str, action: str, looked: Looked, steps: int, time: int) -> None:
        """Something followed it, or what had followed was taken back."""
        joint = self._prepare(kind, action, looked)
        self._arms.reward(kind, action, looked.features, steps, time)
        self._arms.reward(f"{JOINED}:{kind}", JOINED, joint, steps, time)

    def sent(self, channel: str, looked: Looked, time: int, times: int = 1) -> None:
        """Something was sent on a channel, or `nothing` was: so far nobody has withdrawn a consent."""
        self.ridge(UNSUBSCRIBE).include(channel)
        self._arms.observe(UNSUBSCRIBE, channel, looked.features, time, times)

    def left(self, channel: str, looked: Looked, time: int, times: int = 1) -> None:
        """Somebody withdrew a consent after it; with `times=-1` that is taken back."""
        self.ridge(UNSUBSCRIBE).include(channel)
        self._arms.reward(UNSUBSCRIBE, channel, looked.features, times * reward_steps(1.0), time)

    def leaving(self, features: Row, channel: str) -> float:
        """The chance that something sent on a channel makes somebody withdraw a consent who would not have by themselves."""
        ridge = self.ridge(UNSUBSCRIBE)
        if channel not in ridge:
            return 0.0
        known = (channel, NOTHING) if NOTHING in ridge else (channel,)
        chances = ridge.means(features, ridge.rows(known)).tolist()
        return float(min(1.0, max(0.0, chances[0] - sum(max(0.0, one) for one in chances[1:]))))

    def catch_up(self) -> None:
        """Learn some of the choices that nothing has followed yet; to be called every second or so."""
        self._arms.catch_up()

    def _prepare(self, kind: str, action: str, looked: Looked) -> Row:
        self._changes[kind] = self._changes.get(kind, _FIRST) + 1
        self.joined(kind)
        self._take_up(kind, action)
        return JOINT.row(looked.features, looked.fit, shown=action != NOTHING)

    def _take_up(self, kind: str, action: str) -> None:
        ridge = self.ridge(kind)
        if action not in ridge:
            ridge.add(action, JOINT.starts(self.joined(kind).weights(JOINED))[action == NOTHING])


class Bound:
    """The model for one person (`decide.rating.Model`)."""

    def __init__(self, model: Model, interests: Interests) -> None:
        self._model = model
        self.interests = interests
        self._features: Row | None = None
        self._wants: dict[int, tuple[float, float]] = {}

    def expect(self, index: CatalogueIndex, places: Places, ask: Ask, known: Known, now: int) -> Expected:
        """What is to be expected of the offers at these places."""
        place, model = place_of(index, ask.placement), self._model
        kind = kind_of(place)
        ridge = model.ridge(kind)
        values = values_of(ask, known, self.interests, now)
        if (hour := now // HOUR) not in self._wants:  # a question over several placements asks once
            self._wants[hour] = model.wants(self.interests, hour)
        values["due"], values["due in all"] = self._wants[hour]
        response = model.response(known.facts, self.interests, ask.channel)
        if response is not None:
            values["response"] = response
        features = SCHEMA.encode(values)
        self._features = features
        rows = model.rows(kind, index)
        model.refresh(kind)
        noise = _noise(place.reward, ridge)
        every = _hopeful(ridge, features, noise)
        means = every.take(rows.take(places)).astype(np.float64)
        found = model.fits(index, self.interests, ask, now)
        if found is None:
            fits = bytes(SIZE * len(places))
        else:
            here = found.take(places, 0)
            means += here.astype(np.float32) @ (JOINT.of_fits(model.joined(kind).weights(JOINED)) * _STEP)
            fits = here.tobytes()
        if place.reward in _OF_WHAT_IS_SHOWN:
            nothing = 0.0
        elif place.fill:  # here nothing is hardly ever tried: what it brings is learned where it is
            nothing = model.nothing(success(place), features, noise)
        else:
            nothing = float(every[rows[-1]])
        leaving = model.leaving(features, ask.channel) if place.outbound else 0.0
        return Expected(means, nothing, leaving, _MARK + pack(features), int(ridge.seen), fits, noise)

    def looked(self, told: bytes) -> Looked | None:
        """`looked_at` of the record that was just made, without unpacking what is still at hand."""
        if self._features is None or len(told) <= SIZE:
            return None
        return Looked(self._features, _fit(told[-SIZE:]))


def _hopeful(ridge: Ridge, features: Row, noise: float) -> NDArray[np.float32]:
    """What every action is expected to earn, and some standard errors more: what is unknown is tried first."""
    return ridge.means(features) + np.float32(CHOOSING.optimism * noise) * ridge.widths(features)


def _noise(reward: str, ridge: Ridge) -> float:
    """Standard deviation of one reward: of a success that comes or not, from how often it comes; of money about twice its mean."""
    total = abs(int(np.add.reduce(ridge.totals))) * REWARD_STEP
    if reward == "margin":
        return max(1.0, 2.0 * total / ridge.seen) if ridge.seen > 0 else 1.0
    often = min((total + 1.0) / (max(ridge.seen, 0) + 2.0), 1.0)
    return float(max(often * (1.0 - often), _LEAST) ** 0.5)


def place_of(index: CatalogueIndex, placement: str) -> Placement:
    """A placement, or what holds for one that is not declared."""
    return index.places_of.get(placement) or Placement(placement, placement, reward="order")


def looked_at(told: bytes) -> Looked | None:
    """What a record says was looked at; None where nothing was, or by another schema.

    >>> looked_at(b"") is None
    True
    """
    if told[:1] != _MARK:
        return None
    told = told[1:]
    end = length(told, SCHEMA.size)
    if end < 1 or len(told) != end + SIZE:
        return None
    try:
        features = unpack(told[:end], SCHEMA.size)
    except ValueError:
        return None
    return Looked(features, _fit(told[end:]))


def _fit(told: bytes) -> Row:
    steps = np.empty(1 + SIZE)
    steps[0] = _ONE_STEPS
    _FIT_STEPS.take(np.frombuffer(told, np.uint8), out=steps[1:])
    return from_steps(steps)


def values_of(ask: Ask, known: Known, interests: Interests, now: int) -> dict[str, Any]:
    """The values of the schema's fields: what is not known is left out."""
    facts, context = known.facts, ask.context
    bought = sorted((-signs[0], key) for key, signs in interests.items() if key[0] == "c" and signs[0])
    cart = context.get("cart")
    sent = clicked = 0
    for one in known.grants:
        if one.outbound and one.time > now - _SENT_FOR and one.counts(now):
            sent += 1
        if one.clicked > now - _CLICKED_FOR:
            clicked += 1
    hour, weekday = _moment(known.zone, now // MINUTE)
    found: dict[str, Any] = {
        "orders": log1p(_number(facts, "totals.orders")),
        "revenue": log1p(_number(facts, "totals.revenue")),
        "last seen": log1p(_number(facts, "last_seen_days")),
        "first seen": log1p(_number(facts, "first_seen_days")),
        "categories bought": log1p(len(bought)),
        "cart": log1p(len(cart)) if isinstance(cart, list) else 0.0,
        "hour": hour,
        "weekday": weekday,
        "channel": ask.channel,
        "sent lately": log1p(sent),
        "clicked lately": log1p(clicked),
        "placement": ask.placement,
    }
    if bought:
        found["bought"] = [key for _, key in bought[:_TOP]]
    for name, field in (
        ("weather", "context.weather"),
        ("store", "context.store_id"),
        ("city", "traits.city"),
    ):
        value = facts.get(field)
        if isinstance(value, str) and value:
            found[name] = value.casefold()
    return found


@lru_cache(256)
def _moment(zone: Calendar, minute: int) -> tuple[float, float]:
    """The local hour and the weekday of a minute (UTC, since 1970)."""
    return zone.minute(minute * MINUTE) / 60, float(zone.weekday(minute * MINUTE))


def _number(facts: Facts, field: str) -> float:
    value: Any = facts.get(field)
    if (type(value) is int or type(value) is float) and 0 < value < _GREATEST:
        return value
    return 0.0


def _cart(context: Mapping[str, Any]) -> frozenset[str]:
    """What lies in the basket: ids of products, or lines as events have them."""
    cart = context.get("cart")
    found: set[str] = set()
    for line in cart[:100] if isinstance(cart, list) else ():
        if isinstance(line, str):
            found.add(f"p:{line[:100]}")
        elif isinstance(line, Mapping):
            found.update(named(line))
    return frozenset(found)
