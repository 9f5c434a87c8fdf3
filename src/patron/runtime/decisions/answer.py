"""Deciding: gather what may be used, ask the room, record, and answer only when the record is durable."""

import asyncio
import difflib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from msgspec import structs

from patron.collect import proof
from patron.decide.choose import draw_seed
from patron.decide.compare import Tried, best, mixed_successes
from patron.decide.eligible import Known
from patron.decide.encoding import decode_record, encode_drawn
from patron.decide.explain import restore
from patron.decide.index import CatalogueIndex
from patron.decide.rating import Learned, Policy
from patron.decide.record import Drawn, Terms, grants_of, weigh
from patron.decide.scoring import Scorer
from patron.experiments.assign import arm
from patron.identity.claims import key_of
from patron.identity.normalise import normalise
from patron.model.access import Source
from patron.model.errors import BadRequest, Forbidden, NotFound
from patron.model.log import Entry
from patron.model.offers import Ask, Catalogue, Decision, Placement
from patron.model.people import Key, Person
from patron.model.sends import Sent
from patron.runtime.app import App
from patron.runtime.decisions.decided import pack, row_of
from patron.runtime.decisions.known import LazyFacts, Parts, consents_of, has_complaint
from patron.runtime.decisions.model import Bound
from patron.runtime.decisions.pace import is_paced
from patron.runtime.facts import DecisionWork
from patron.runtime.people import people
from patron.runtime.tables import DecisionRow
from patron.runtime.zones import Zones

_ID_BYTES = 12
_IDS_AT_ONCE = 256
_LONGEST_LANGUAGE = 35
"""Characters of a language tag (RFC 5646, 4.4.1)."""


class _Ids:
    """Decision ids of 96 random bits, drawn from the system some hundreds at a time: asking it for each is slow."""

    def __init__(self) -> None:
        self._drawn = ""

    def next(self) -> str:
        if not self._drawn:
            self._drawn = secrets.token_hex(_ID_BYTES * _IDS_AT_ONCE)
        found, self._drawn = self._drawn[: 2 * _ID_BYTES], self._drawn[2 * _ID_BYTES :]
        return f"d_{found}"


class Answers:
    """Answers asks over one running workspace, with the catalogue prepared once."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._scorer: tuple[str, Scorer] = "", Scorer(Catalogue())
        self._ids = _Ids()
        self._zones = Zones(app.workspace.settings.business.timezone)

    @property
    def index(self) -> CatalogueIndex:
        """The present catalogue, prepared; made again when its text changes."""
        return self._app.workspace.catalogues.present

    def names(self, version: str) -> Mapping[str, str]:
        """Offer id -> its name for people, in one version of the catalogue; empty when that version was never kept."""
        return {
            name: offer.name for name, offer in self._app.workspace.catalogues.version(version).by_id.items()
        }

    async def answer(self, ask: Ask, *, trusted: bool, source: Source | None, user_hash: str) -> Drawn:
        """Decide for one ask, record it durably, and give the decision; of several placements for the best one.

        A caller with a secret key is trusted. A public key proves nothing: it gets personal content only for a user id
        signed with the source's secret; else what this very device did is all that is used.
        """
        workspace, index = self._app.workspace, self.index
        key, verified = self._who(ask, trusted=trusted, source=source, user_hash=user_hash)
        name, now = self._ids.next(), workspace.clock.now()
        tried = [self._weighed(index, one, key, now, name, verified) for one in self._placed(index, ask)]
        one, model = tried[best(index, [one for one, _ in tried])]
        made, place = one.made, index.places_of.get(one.made.placement)
        if made.rating is not None:
            workspace.rewards.expect(made.id, model.looked(made.rating.features))
        await self._record(made, index, outbound=place is not None and place.outbound)
        return made

    def preview(
        self,
        ask: Ask,
        key: Key = "",
        *,
        verified: bool = False,
        now: int | None = None,
        seed: int | None = None,
    ) -> Drawn:
        """What would be answered now, or at another time: nothing is reserved, recorded or learned.

        Parameters
        ----------
        key : the node that asks; whom the ask names is not looked at. Empty: nobody in particular.
        verified : as if it had proved to be who it says.
        seed : of the draw; a new one each time when left out.
        """
        moment = self._app.workspace.clock.now() if now is None else now
        return self._weighed(self.index, ask, key, moment, self._ids.next(), verified, seed)[0].made

    def _weighed(
        self,
        index: CatalogueIndex,
        ask: Ask,
        key: Key,
        now: int,
        decision_id: str,
        verified: bool,
        seed: int | None = None,
    ) -> tuple[Tried, Bound]:
        """A decision as it would be made, and the model that ranked it."""
        workspace = self._app.workspace
        place = self._place(index, ask.placement)
        if not ask.channel:
            ask = structs.replace(ask, channel=(place.channel if place else "") or "web")
        person = people.by_key(workspace, key) if key else None
        known = self._known(index, ask, key, person, now, verified=verified)
        unit, group = self._drawn(key, person)
        terms = Terms(
            decision_id,
            draw_seed(workspace.secret, decision_id) if seed is None else seed,
            group,
            workspace.settings.decide.holdout,
            now,
            place is not None and self._held_here(place, unit),
            min(ask.count, place.slots) if place is not None else ask.count,
            _language(ask.context, known),
        )
        # an unproved device is ranked for by what itself did: what leads would tell it what the person did elsewhere
        model = workspace.model.of(person.members if person and verified else (key,) if key else ())
        policy = self._policy(index, model, ask.placement, unit, person)
        return Tried(weigh(index, ask, known, terms, policy), ask, known, self.default(index, model)), model

    def _policy(
        self, index: CatalogueIndex, model: Bound, placement: str, unit: Key, person: Person | None
    ) -> Policy | None:
        """How what is left is ranked; None: all alike."""
        here = self._app.workspace.launches.here.get(placement)
        if here is not None:
            # without a holdout nobody's first node is remembered: their earliest identifier stands for them
            drawn = self._app.workspace.settings.decide.holdout > 0 or person is None
            own = here.ranks(unit if drawn or person is None else person.root, index, model)
            if own is not None:
                return own
        return self.default(index, model)

    def default(self, index: CatalogueIndex, model: Bound) -> Policy | None:
        """How what is left is ranked where no other policy decides; None: all alike."""
        if self._app.workspace.settings.decide.policy == "uniform":
            return None
        if self._scorer[0] != index.version:
            self._scorer = index.version, Scorer(index.catalogue)
        return Learned(self._scorer[1], model)

    def _placed(self, index: CatalogueIndex, ask: Ask) -> list[Ask]:
        """An ask for each of its placements. Raises BadRequest where their scores do not compare."""
        if not ask.beside:
            return [ask]
        names = (ask.placement, *ask.beside)
        mixed = mixed_successes([place for name in names if (place := self._place(index, name)) is not None])
        if mixed:
            raise BadRequest("bad_body", f"{mixed[0].upper()}{mixed[1:]}: ask for each by itself.")
        return [structs.replace(ask, placement=name, beside=()) for name in names]

    def _place(self, index: CatalogueIndex, name: str) -> Placement | None:
        """The placement that asks; None where none is declared. Raises BadRequest when others are."""
        place = index.places_of.get(name)
        if place is None and index.places_of:
            near = difflib.get_close_matches(name, index.places_of, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"use {', '.join(sorted(index.places_of)[:12])}."
            raise BadRequest("unknown_placement", f"There is no placement `{name}` in the catalogue: {hint}")
        return place

    def foresee(self, ask: Ask, key: Key, person: Person, now: int) -> Known:
        """What may be used for somebody who does not ask: a send, a preview. Nothing is recorded."""
        return self._known(self.index, ask, key, person, now, verified=True)

    def terms(
        self, ask: Ask, decision_id: str, key: Key, person: Person, known: Known, place: Placement
    ) -> Terms:
        """What a decision for somebody who does not ask rests on, their arms among it; the same every time."""
        workspace, (unit, group) = self._app.workspace, self._drawn(key, person)
        return Terms(
            decision_id,
            draw_seed(workspace.secret, decision_id),
            group,
            workspace.settings.decide.holdout,
            workspace.clock.now(),
            self._held_here(place, unit),
            language=_language(ask.context, known),
        )

    def unit(self, key: Key, person: Person) -> Key:
        """The node of a person by which arms are drawn."""
        return self._drawn(key, person)[0]

    def policy(
        self, index: CatalogueIndex, model: Bound, placement: str, key: Key, person: Person
    ) -> Policy | None:
        """How what is left is ranked for somebody at a placement; None: all alike."""
        return self._policy(index, model, placement, self.unit(key, person), person)

    def row(self, made: Drawn, index: CatalogueIndex, sent: Sent, *, outbound: bool = True) -> DecisionRow:
        """A decision for somebody who did not ask as it is kept: for a send until its hour is over, else for now."""
        due = 0 if sent.position else sent.due
        return row_of(
            made, encode_drawn(made, index), grants_of(index, made, outbound=outbound, due=due), sent
        )

    def _record(self, made: Drawn, index: CatalogueIndex, *, outbound: bool) -> "asyncio.Future[int]":
        """Append a decision; the future is done when it is durable and applied. What it gives is held from now on."""
        row = row_of(made, encode_drawn(made, index), grants_of(index, made, outbound=outbound))
        return self.keep(made.id, row)

    def keep(self, decision: str, row: DecisionRow) -> "asyncio.Future[int]":
        """Append a decision; the future is done when it is durable and applied. What it gives is held from now on."""
        workspace = self._app.workspace
        entry = Entry("fact", workspace.log.last + 1, 1, "patron", workspace.clock.now(), "fact")
        workspace.given.reserve(row.node, row.grants)
        work = DecisionWork(workspace, entry, decision, row)
        return self._app.pipeline.submit(entry, pack(decision, row), work)

    def read(self, row: DecisionRow) -> Decision:
        """A recorded decision in full, with the texts of the catalogue it was made with."""
        index = self._app.workspace.catalogues.version(row.catalogue)
        return restore(decode_record(row.record, index.ids), index)

    def asker(self, ask: Ask, *, trusted: bool, source: Source | None, user_hash: str) -> Key:
        """The node that an ask speaks of, as far as its key may. Raises Forbidden."""
        return self._who(ask, trusted=trusted, source=source, user_hash=user_hash)[0]

    def _who(self, ask: Ask, *, trusted: bool, source: Source | None, user_hash: str) -> tuple[Key, bool]:
        """The node that asks, and whether it is proved to be who it says."""
        rules = self._app.workspace.settings.identity
        user = key_of("user_id", ask.user_id, rules) if ask.user_id else ""
        device = key_of("anonymous_id", ask.anonymous_id, rules) if ask.anonymous_id else ""
        if user and not trusted and user_hash and source is not None and source.secret:
            wanted = proof.user_hash(source.secret, ask.user_id or "")
            if not hmac.compare_digest(wanted.encode(), user_hash.strip().lower().encode()):
                raise Forbidden(
                    "bad_user_hash",
                    "`userHash` does not prove this userId: sign it with the source's secret.",
                )
            return user, True
        if user and not trusted and not device:
            raise Forbidden(
                "unproved_user",
                "A write key may ask for its own device only: give `anonymousId`, or prove the userId with `userHash`, the "
                "hex HMAC-SHA256 of it under the source's secret.",
            )
        if user and trusted:
            return user, True
        if trusted and (told := self._told(ask.context)):
            return told, True
        if device:
            return device, trusted
        return user, False

    def _told(self, context: Mapping[str, Any]) -> Key:
        """A card, e-mail or phone that a trusted touchpoint read: the first of `context.externalIds` that is one."""
        listed = context.get("externalIds")
        for one in listed if isinstance(listed, list) else ():
            if isinstance(one, dict) and isinstance(one.get("type"), str):
                value = normalise(one["type"], one.get("id"), self._app.workspace.settings.identity)
                if value:
                    return f"{one['type']}:{value}"
        return ""

    def _known(
        self, index: CatalogueIndex, ask: Ask, key: Key, person: Person | None, now: int, *, verified: bool
    ) -> Known:
        """What may be used. An unproved device is shown only what itself did; consents of the whole person bind all the same."""
        workspace = self._app.workspace
        rules = workspace.settings.profiles
        around = workspace.feeds.around(ask.context, now, index)
        whole = self._parts(person.members) if person else None
        parts = whole if verified and whole is not None else self._parts((key,))
        proved = verified and key != ""
        return Known(
            key,
            person.id if person else "",
            LazyFacts(parts, ask.context, now, rules, around),
            consents_of(parts if whole is None else whole, rules),
            "verified" if proved else ("asserted" if ask.user_id else "anonymous"),
            own_device=not proved and self._is_own_device(ask, key),
            around=around,
            grants=workspace.given.held(person.members if person else (key,) if key else ()),
            zone=self._zones.of(ask.context, parts if whole is None else whole),
            complaint=has_complaint(parts if whole is None else whole),
            spent=workspace.given.spent(index, now),
            price=self._price(index, ask.placement, now),
            is_in=partial(workspace.live.is_in, person.id) if person else bool,
        )

    def _price(self, index: CatalogueIndex, placement: str, now: int) -> float:
        """What a message must be worth beside its cost; 0 for what is shown to who came."""
        place = index.places_of.get(placement)
        if place is None or not is_paced(place):
            return 0.0
        return self._app.workspace.pace.price(index.catalogue, now)

    def _parts(self, keys: Iterable[Key]) -> Parts:
        nodes = self._app.workspace.nodes
        return [(key, part) for key in keys if (part := nodes.get(key)) is not None]

    def _is_own_device(self, ask: Ask, key: Key) -> bool:
        """Whether the device that asks is one person's: what it shows back is then nothing new to whoever holds it."""
        workspace = self._app.workspace
        if not key.startswith("anonymous_id:") or ask.channel in workspace.settings.identity.shared_channels:
            return False
        return not workspace.graph.is_shared(key)

    def _drawn(self, key: Key, person: Person | None) -> tuple[Key, str]:
        """The sticky arm and the node that drew it: of all nodes of the person the one drawn first; else drawn now."""
        workspace, settings = self._app.workspace, self._app.workspace.settings.decide
        nodes = person.members if person else (key,)
        drawn = [(a.time, a.arm, k) for k in nodes if (a := workspace.assigned.get(k))]
        if drawn:
            _, group, node = min(drawn)
            return node, group
        if not key or settings.holdout <= 0:
            return key, "treated"
        return key, arm(workspace.secret, settings.trial, key, settings.holdout)

    def _held_here(self, place: Placement, unit: Key) -> bool:
        """Whether this place's own holdout holds somebody out: sticky, and drawn apart from the universal one."""
        if not place.holdout or not unit:
            return False
        trial = f"{self._app.workspace.settings.decide.trial}/placement/{place.id}"
        return arm(self._app.workspace.secret, trial, unit, place.holdout) == "control"

    def find(self, decision_id: str) -> Decision:
        """One recorded decision. Raises NotFound."""
        found = self._app.workspace.decisions.get(decision_id)
        if found is None:
            raise NotFound(
                "unknown_decision", "There is no such decision; it may belong to a person who was erased."
            )
        return self.read(found)


def _language(context: Mapping[str, Any], known: Known) -> str:
    """What the person reads: said by the touchpoint, else by their profile."""
    told = context.get("language") or context.get("locale") or known.facts.get("traits.language")
    told = told or known.facts.get("traits.locale")
    return told[:_LONGEST_LANGUAGE] if isinstance(told, str) else ""
