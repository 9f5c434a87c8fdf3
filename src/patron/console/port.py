"""What the console asks of the product. `runtime` implements it; tests put a double behind it.

Plain methods are quick and answer from memory on the event loop; `async` ones write to the log or read from
disk. They raise `patron.model.errors` (`Gone` for an erased person, `BadRequest` with a sentence for people).
"""

from collections.abc import AsyncIterator
from typing import Any, Protocol

from msgspec import Struct

from patron.console.audience_port import Audiences, Insights
from patron.console.catalogue_port import Catalogues
from patron.console.export_port import Exports
from patron.console.policy_port import Launching, Policies
from patron.console.send_port import Sends
from patron.identity.diff import PartitionDiff
from patron.model.access import ApiKey, Source
from patron.model.audiences import LakeView
from patron.model.feeds import FeedStatus
from patron.model.guide import Answer, Practice, Stories
from patron.model.views import (
    ChannelRate,
    DeadLetter,
    DecisionView,
    EraseReceipt,
    Health,
    Need,
    PersonRow,
    PersonView,
    Preview,
    PreviewAsk,
    ProgrammeEffect,
    SplitPreview,
    SplitView,
    Status,
    TimelinePage,
)

ROLES = ("admin", "marketer", "privacy", "developer", "viewer")
"""What an account may be; `console/permissions.py` says what each may do."""


class User(Struct, frozen=True):
    """An account of the console."""

    name: str
    full_name: str
    role: str = "admin"


class Figures(Struct, frozen=True):
    """The counts of the home page, for today in the workspace's zone."""

    decisions_today: int
    nothing_today: int
    """Decisions that showed nothing (held out, or nothing was the choice)."""
    events_today: int
    store_visits: int
    """Visits in store today: kiosk, till and tablet events by visit or transaction; 0 = none seen."""
    store_identified: int
    by_hour: list[int]
    """Decisions of today, 24 numbers."""
    by_hour_before: list[int]
    """Decisions of the same day last week, 24 numbers; empty when nothing was running then."""


class LiveUpdate(Struct, frozen=True):
    """One small message a second for an open tab."""

    now: int
    rates: list[ChannelRate]
    decisions_today: int
    newest_decision: str
    """Id of the newest decision, empty when there is none."""
    watched: str
    """Id of the person on view as it is today (a retired id is followed), empty when nobody is watched."""
    position: int
    """Log position of that person's newest event."""


class Product(Struct, frozen=True):
    """One thing the demo shop sells; `price` is a decimal such as `21.90`."""

    id: str
    name: str
    category: str
    price: str


class ShopSetup(Struct, frozen=True):
    """What the page "Be the customer" needs: public write keys by channel and what to sell."""

    keys: dict[str, str]
    """channel (`web`, `kiosk`, `pos`) -> write key."""
    products: list[Product]
    placements: dict[str, str]
    """channel -> placement to ask for."""
    currency: str = "EUR"
    store: str = ""
    notice: str = ""
    """Version of the privacy notice that is shown, kept as proof with a consent."""


class ConsoleApp(Protocol):
    """The product as the console sees it."""

    # the house
    def now(self) -> int:
        """Milliseconds since 1970 UTC, by the product's clock (it may be stepped)."""
        ...

    def workspace(self) -> tuple[str, str]:
        """Name of the workspace, and its time zone (`Europe/Rome`)."""
        ...

    def tracking_url(self) -> str:
        """Where the tracking API is reached from outside, without a final slash; empty = as the console itself."""
        ...

    def health(self) -> Health: ...
    def status(self) -> Status: ...
    def rates(self) -> list[ChannelRate]: ...
    def figures(self) -> Figures: ...
    def needs(self) -> list[Need]: ...
    async def effect(self) -> ProgrammeEffect: ...
    def subscribe(self, watch: str) -> AsyncIterator[LiveUpdate]:
        """Updates, one a second, while the tab is open. `watch` is a person id, an identifier key, or empty."""
        ...

    # people
    async def find(self, query: str, limit: int) -> list[PersonRow]: ...
    def person(self, id_or_key: str) -> PersonView | None:
        """The person of an id (retired ids redirect) or identifier key. Raises `Gone` when erased."""
        ...

    def timeline(
        self, person_id: str, cursor: str | None, channel: str, order: str, limit: int
    ) -> TimelinePage:
        """Events by their own time; `channel` empty = all, `order` is `desc` or `asc`."""
        ...

    def why(self, person_id: str, a: str, b: str) -> tuple[bool, list[str]]:
        """Whether two identifiers are one person, and the steps that say why (or why not)."""
        ...

    def dry_run(self, rules: dict[str, Any]) -> PartitionDiff:
        """What other identity rules would make of the people there are. Raises `BadRequest` when they cannot be read."""
        ...

    async def preview_split(
        self, person_id: str, nodes: list[str], cut_node: str | None, cut_at: int | None
    ) -> SplitPreview: ...
    async def split(
        self, person_id: str, nodes: list[str], cut_node: str | None, cut_at: int | None, by: str
    ) -> SplitView: ...
    async def undo_split(self, split_id: str, by: str) -> SplitView: ...
    async def export(self, person_id: str, by: str) -> tuple[str, bytes]:
        """File name and content of one archive with all that is kept about the person."""
        ...

    async def erase(self, person_id: str, by: str) -> EraseReceipt: ...
    def receipts(self) -> list[EraseReceipt]: ...
    def audit(self, user: str, verb: str, subject: str) -> None:
        """Record that an account did or saw something (`view`, `find`, ...)."""
        ...

    # segments, analyses, the lake
    def audiences(self) -> Audiences: ...
    def exports(self) -> Exports: ...
    def insights(self) -> Insights | None:
        """Analyses; None when there is no lake to ask."""
        ...

    def has_lake(self) -> bool: ...
    async def lake(self) -> LakeView | None:
        """How the lake is; None when there is none."""
        ...

    # decisions
    def catalogue(self) -> Catalogues: ...
    def policies(self) -> Policies: ...
    def launching(self) -> Launching: ...
    def sends(self) -> Sends: ...
    def recent_decisions(self, limit: int) -> list[DecisionView]: ...
    def decisions(
        self, cursor: str | None, channel: str, limit: int
    ) -> tuple[list[DecisionView], str | None]: ...
    def decision(self, decision_id: str) -> DecisionView | None: ...
    def preview(self, about: PreviewAsk, by: str) -> Preview:
        """What somebody would see now. Raises `NotFound`, `Gone` or `BadRequest` with a sentence."""
        ...

    # data
    def sources(self) -> list[Source]: ...
    def arrived(self) -> dict[str, int]:
        """Messages accepted today by source; sources that sent none may be left out."""
        ...

    async def add_source(self, name: str, channel: str, kind: str, assurance: str) -> str: ...
    async def rotate(self, name: str) -> str:
        """A further write key for the source; the older ones stay valid until revoked."""
        ...

    async def revoke(self, name: str, hint: str) -> None: ...
    def feeds(self) -> list[FeedStatus]:
        """Every kind of reference feed, those that were loaded first."""
        ...

    def keys(self) -> list[ApiKey]: ...
    async def add_key(
        self, name: str, scopes: list[str], fields: list[str], masked: list[str], sources: list[str]
    ) -> str: ...
    async def revoke_key(self, name: str) -> None: ...
    def dead_letters(
        self, code: str, source: str, cursor: str | None, limit: int
    ) -> tuple[list[DeadLetter], str | None, dict[str, int]]:
        """A page of open dead letters (empty `source` = all; empty `code` = all but `collection_refused`, which nobody
        has to mend), the next cursor, open ones by code."""
        ...

    def dead_letter(self, letter_id: str) -> tuple[DeadLetter, str] | None:
        """A dead letter and its message as JSON text."""
        ...

    async def replay_dead_letter(self, letter_id: str, edited: str | None) -> tuple[bool, str]:
        """Send it again, as edited or as it was: whether it was accepted, and a sentence."""
        ...

    async def map_channel(self, unknown: str, channel: str) -> tuple[int, int]:
        """Declare what an unknown channel is, and replay: (accepted, still refused)."""
        ...

    # accounts; `authenticate` and `create_first_user` hash and are called in a worker thread
    def has_users(self) -> bool: ...
    def authenticate(self, name: str, password: str) -> User | None: ...
    def create_first_user(self, code: str, name: str, full_name: str, password: str) -> User:
        """The first account, against the code that the server printed. Raises `Forbidden` for a wrong code."""
        ...

    async def set_password(self, name: str, password: str) -> None: ...

    # the demo shop
    def shop(self) -> ShopSetup | None:
        """What "Be the customer" needs; None when this workspace has no demo shop."""
        ...

    # stories and questions
    def stories(self) -> Stories | None:
        """The stories planted in this workspace; None when there are none."""
        ...

    def practice(self) -> Practice | None:
        """The questions to practise on; None when there are none."""
        ...

    def answers(self) -> dict[str, Answer]:
        """The last answer to each question of the practice."""
        ...

    async def answer(self, question: str, values: tuple[str, ...], by: str) -> None:
        """Note an answer. Raises `Conflict` when the practice is over."""
        ...


__all__ = ["ROLES", "ConsoleApp", "Figures", "LiveUpdate", "Product", "ShopSetup", "User"]
