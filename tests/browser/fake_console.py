"""A double of the product behind the console: a small rich world in memory. Run it to look at the pages:

python -m tests.browser.fake_console --port 8123        (account giulia, password "a cup of coffee")
"""

import argparse
import asyncio
import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import uvicorn
from starlette.types import Receive, Scope, Send

from patron.console.app import create_console
from patron.console.port import Figures, LiveUpdate, Product, ShopSetup, User
from patron.decide.rating import rate
from patron.identity.diff import PartitionDiff, Regrouping
from patron.model.access import ApiKey, Source, WriteKey
from patron.model.audiences import LakeView
from patron.model.errors import BadRequest, Conflict, Forbidden, Gone, NotFound
from patron.model.feeds import FeedLoad, FeedStatus, Reject
from patron.model.guide import Answer, Check, Look, Practice, Question, Stories, Story
from patron.model.offers import Decision, Dropped, Outcome
from patron.model.policies import Figure
from patron.model.views import (
    ChannelRate,
    ConsentView,
    Cycle,
    DeadLetter,
    DecisionView,
    EraseReceipt,
    Health,
    IdentifierView,
    LinkView,
    Need,
    PersonRow,
    PersonView,
    PlacePreview,
    Preview,
    PreviewAsk,
    ProgrammeEffect,
    Spent,
    SplitPreview,
    SplitView,
    Status,
    TimelineEvent,
    TimelinePage,
    TraitView,
)
from patron.runtime.decisions.programme import NOT_YET
from tests.browser.fake_audiences import FakeAudiences, FakeInsights, lake
from tests.browser.fake_catalogue import FakeCatalogue
from tests.browser.fake_exports import FakeExports
from tests.browser.fake_policies import FakeLaunching, FakePolicies
from tests.browser.fake_sends import FakeSends

NOW = 1_795_254_127_000  # Saturday 21 November 2026, 10:42:07 in Rome
MIN, HOUR, DAY = 60_000, 3_600_000, 86_400_000
PASSWORD = "a cup of coffee"
NASTY = "<script>alert('x')</script>' OR 1=1 --\u202egnp.exe\x00 " + "long " * 2048
NAMES = {
    "kit": "Descaling kit with beans",
    "grinder": "Burr grinder G2",
    "points": "Double points today",
    "jug": "Milk jug 350 ml",
    "lids": "Glass lids",
    "welcome": "Welcome 10%",
    "sms": "Birthday gift by SMS",
    "nothing": "Nothing shown",
}


def event(
    n: int,
    when: int,
    channel: str,
    sentence: str,
    detail: str = "",
    money: str = "",
    *,
    ours: bool = False,
    late: int = 0,
    decision: str = "",
) -> TimelineEvent:
    """One event of a timeline."""
    return TimelineEvent(
        message_id=f"m-{n}",
        type="track",
        event="Product Viewed",
        timestamp="2026-11-21T09:42:00Z",
        channel=channel,
        source=f"{channel}-source",
        properties={"decisionId": decision} if decision else {},
        received_at="2026-11-21T09:42:01Z",
        position=n,
        node="user_id:88213",
        sentence=sentence,
        detail=detail,
        money=money,
        late_days=late,
        ours=ours,
        time=when,
    )


def ident(key: str, days: int = 400, *, shared: bool = False) -> IdentifierView:
    """One identifier."""
    kind, _, value = key.partition(":")
    return IdentifierView(
        type=kind, value=value, first_seen=NOW - days * DAY, last_seen=NOW - MIN, shared=shared
    )


def link(
    a: str, b: str, status: str, days: int, name: str, reason: str, assurance: str = "verified"
) -> LinkView:
    """One link."""
    return LinkView(
        a=a,
        b=b,
        status=status,
        strength=0,
        assurance=assurance,
        time=NOW - days * DAY,
        event=name,
        source="web-shop",
        rule="logged in",
        reason=reason,
    )


def decision(
    n: int, when: int, channel: str, action: str, who: str, person: str, reason: str, group: str = "treated"
) -> DecisionView:
    """One decision with what followed."""
    made = Decision(
        id=f"d_01JD7Q8ZK{n}",
        time=when,
        node="user_id:88213",
        person=person,
        placement={"pos": "till", "web": "home_hero", "kiosk": "welcome"}.get(channel, "inbox"),
        channel=channel,
        action="nothing" if group == "control" else action,
        propensity=1.0 if group == "control" else 0.21 if n == 4 else 0.25,
        group=group,
        holdout=0.5,
        would=action,
        candidates=("kit", "grinder", "points", "jug", "lids", "welcome", "sms", "nothing"),
        eligible=("kit", "grinder", "points", "nothing"),
        dropped=(
            Dropped("jug", "channel", "Only on web and app"),
            Dropped("lids", "validity", "Ended on 15 November"),
            Dropped("sms", "consent", "No consent to SMS"),
            Dropped("welcome", "conditions", "Only before the second order; there were 14"),
        ),
        reasons=(reason, "Espresso machine bought 7 months ago", "Drawn by lot, every allowed offer equally"),
        seed=9_876_543_210 + n,
        catalogue="cat-7f31",
        identified="verified",
        policy="learned-1" if n == 4 else "uniform-1",
        rating=rate(np.array([0.31, 0.24, 0.24, 0.0]), 12.0, seen=1_204) if n == 4 else None,
        slate=("points",) if n == 4 else (),
    )
    outcome = (
        Outcome(shown=when + MIN, orders=("771204",), revenue={"EUR": 249_000}) if n % 3 == 0 else Outcome()
    )
    return DecisionView(
        decision=made,
        outcome=outcome,
        offer=NAMES[made.action],
        who=who,
        names={k: v for k, v in NAMES.items() if k != "nothing"},
    )


def anna() -> PersonView:
    """The person that the drawings show."""
    return PersonView(
        id="p_7F3K2Q",
        name="Anna Bianchi",
        summary="Customer since March 2024, mostly in store. Last bought on 19 November.",
        identifiers=[
            ident("user_id:88213", 900),
            ident("email:a.bianchi@posta.example", 900),
            ident("card:29004471"),
            ident("phone:+393331234567", 300),
            ident("anonymous_id:7c1f0e52-4a1b-4b11-9d0a-55e0a9d1c001", 914),
            ident("device_id:iphone-2f81a0", 520),
            ident("order_id:771204", 11),
        ],
        traits=[
            TraitView("given_name", "Anna", NOW - 900 * DAY, "web-shop", "m-1"),
            TraitView("favourite_store", "Bologna Indipendenza", NOW - 3 * HOUR, "crm", "m-2"),
            TraitView("language", "it", NOW - 20 * MIN, "app", "m-3"),
            TraitView("newsletter", True, NOW - 300 * DAY, "web-shop", "m-4"),
            TraitView("sizes", {"cup": "small", "bag": ["250 g", "1 kg"]}, NOW - 40 * DAY, "crm", "m-5"),
        ],
        consents=[
            ConsentView("personalization", "*", True, NOW - 900 * DAY, "v6", "Web sign-up", "web-shop"),
            ConsentView("email_marketing", "email", True, NOW - 72 * DAY, "v7", "Kiosk K-07", "kiosk"),
            ConsentView("sms_marketing", "sms", False, NOW - 900 * DAY, "v6", "Web sign-up", "web-shop"),
        ],
        links=[
            link("email:a.bianchi@posta.example", "user_id:88213", "accepted", 900, "Signed Up", "Typed at sign-up, confirmed by login"),
            link("anonymous_id:7c1f0e52-4a1b-4b11-9d0a-55e0a9d1c001", "user_id:88213", "accepted", 899, "Logged In", "14 days of earlier visits joined"),
            link("device_id:iphone-2f81a0", "user_id:88213", "accepted", 520, "Logged In", "App login"),
            link("card:29004471", "email:a.bianchi@posta.example", "accepted", 72, "Order Completed", "Till 2, Bologna: e-receipt"),
            link("phone:+393331234567", "card:29004471", "accepted", 60, "Identified", "Told to an associate", "asserted"),
            link("order_id:771204", "user_id:88213", "accepted", 11, "Order Completed", "Ordered while logged in"),
            link("anonymous_id:kiosk-07", "email:a.bianchi@posta.example", "shared", 71, "Identified", "Shared device: 1,912 people have used it"),
            link("email:m.bianchi@posta.example", "card:29004471", "refused", 30, "Order Completed", "Would join two user ids: limit 1"),
        ],
        decisions=[
            decision(3, NOW - 2000, "pos", "kit", "Anna Bianchi", "p_7F3K2Q", "Machine bought 7 months ago, no descaler since"),
            decision(7, NOW - 3 * DAY, "web", "grinder", "Anna Bianchi", "p_7F3K2Q", "Viewed twice on Thursday"),
        ],
        counters={"Product Viewed": 412, "Order Completed": 14, "Page Viewed": 610, "Card Scanned": 61, "Other": 9},
        orders=14,
        revenue={"EUR": "684.20", "GBP": "41.30"},
        channels={"web": (NOW - 900 * DAY, NOW - DAY, 640), "pos": (NOW - 400 * DAY, NOW - MIN, 61), "app": (NOW - 520 * DAY, NOW, 480), "kiosk": (NOW - 72 * DAY, NOW, 12), "call_centre": (NOW - 11 * DAY, NOW - 11 * DAY, 2), "email": (NOW - 300 * DAY, NOW - 2 * DAY, 9)},
        first_seen=NOW - 1006 * DAY,
        last_seen=NOW - MIN,
        groups=[("acme-office", {"name": "Acme office"})],
        nodes=["user_id:88213", "anonymous_id:7c1f0e52-4a1b-4b11-9d0a-55e0a9d1c001", "device_id:iphone-2f81a0"],
        crowded=False,
        retired=["p_1AB2CD"],
        group="treated",
        holdout=0.5,
        seen_by=3,
    )  # fmt: skip


def hostile() -> PersonView:
    """A person made of everything that should not be interpreted."""
    return PersonView(
        id="p_EVIL01",
        name=NASTY[:90],
        summary=NASTY[:300],
        identifiers=[ident(f"user_id:{NASTY[:60]}"), ident("email:<b>@x.example"), ident("card:1")],
        traits=[
            TraitView(NASTY[:40], NASTY, NOW, "web", "m"),
            TraitView("list", ["<i>", 1], NOW, "<s>", "m"),
        ],
        consents=[ConsentView(NASTY[:50], "*", True, NOW, NASTY[:50], NASTY[:50], "web")],
        links=[link(f"user_id:{NASTY[:60]}", "email:<b>@x.example", "accepted", 1, NASTY[:80], NASTY[:200])],
        decisions=[],
        counters={NASTY[:80]: 3},
        orders=0,
        revenue={},
        channels={"web": (NOW, NOW, 1)},
        first_seen=NOW,
        last_seen=NOW,
        groups=[(NASTY[:50], {})],
        nodes=[],
        crowded=True,
        retired=[],
        group="control",
        holdout=0.5,
    )


def story() -> list[TimelineEvent]:
    """Anna's timeline, newest first."""
    today = [
        event(41, NOW - 7_000, "pos", "Scanned card at till 3", "Bologna Indipendenza, cashier 114"),
        event(42, NOW - 6_000, "pos", "Offered: descaling kit with beans at the till", "Probability 0.25.", ours=True, decision="d_01JD7Q8ZK3"),
        event(40, NOW - 11 * MIN, "kiosk", "Typed an e-mail at kiosk K-07, confirmed by code", "Free coffee given once"),
        event(39, NOW - 14 * MIN, "app", "Entered the store", "Location consent since 18 Jun 2025"),
        event(38, NOW - 37 * HOUR, "web", "Viewed Burr grinder G2, twice", "Laptop, 3 min 10 s"),
        event(37, NOW - 40 * HOUR, "email", "Opened “Your machine is due a clean”", "Sent 07:40, the usual hour", ours=True),
        event(43, NOW - 46 * HOUR, "pos", "Bought Espresso beans 1 kg", "Bologna Indipendenza.", "€21.90", late=2),
        event(30, NOW - 11 * DAY, "call_centre", "Called about a late delivery, order 770958"),
        event(29, NOW - 11 * DAY - 8 * HOUR, "web", "Ordered Milk jug 350 ml", "Home delivery, order 771204", "€24.50"),
    ]  # fmt: skip
    older = [
        event(
            28 - n,
            NOW - (12 + n) * DAY,
            ("web", "app", "pos")[n % 3],
            f"Viewed product {n}",
            "",
            "€9.90" if n % 3 == 2 else "",
        )
        for n in range(60)
    ]
    return today + older


@dataclass
class FakeApp:
    """The double. What pages change is kept in `calls`."""

    accounts: dict[str, tuple[User, str]] = field(
        default_factory=lambda: {"giulia": (User("giulia", "Giulia Serra", "admin"), PASSWORD)}
    )
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    letters: dict[str, tuple[DeadLetter, str]] = field(default_factory=dict)
    wks: list[Source] = field(default_factory=list)
    secrets: list[ApiKey] = field(default_factory=list)
    erased: list[EraseReceipt] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    cut: list[SplitView] = field(default_factory=list)
    tracked: list[dict[str, Any]] = field(default_factory=list)
    ticks: int = 0
    with_shop: bool = True
    with_guide: bool = True
    over: bool = False
    """Whether the practice has ended."""
    given: dict[str, Answer] = field(default_factory=dict)
    empty: bool = False
    groups: FakeAudiences = field(default_factory=FakeAudiences)
    carried: FakeExports = field(default_factory=FakeExports)
    shelf: FakeCatalogue = field(default_factory=FakeCatalogue)
    deciding: FakePolicies = field(default_factory=FakePolicies)
    launches: FakeLaunching = field(default_factory=FakeLaunching)
    posted: FakeSends = field(default_factory=FakeSends)

    def __post_init__(self) -> None:
        """Fill the world."""
        if self.empty:
            self.groups = FakeAudiences(empty=True, with_lake=False)
            self.carried = FakeExports({}, {})
            self.deciding = FakePolicies(empty=True)
            self.launches = FakeLaunching(empty=True)
            self.posted = FakeSends(empty=True)
            self.shelf = FakeCatalogue([("", NOW, "")])
            return
        self.wks = [
            Source("web-shop", "web", keys=(WriteKey("h", "wk_web_4f", NOW - 300 * DAY), WriteKey("h", "wk_web_91", NOW - 40 * DAY, NOW - 2 * DAY)), created=NOW - 300 * DAY),
            Source("tills", "pos", assurance="verified", keys=(WriteKey("h", "wk_pos_7a", NOW - 300 * DAY),), created=NOW - 300 * DAY),
            Source("kiosks", "kiosk", keys=(WriteKey("h", "wk_kio_22", NOW - 90 * DAY),), created=NOW - 90 * DAY),
            Source("history-2025", "crm", kind="import", assurance="verified", keys=(WriteKey("h", "wk_crm_0c", NOW - 90 * DAY),), created=NOW - 90 * DAY),
        ]  # fmt: skip
        self.secrets = [
            ApiKey("till-software", "h", "pk_1a2b", ("profiles:read", "decide"), ("given_name", "favourite_store"), ("email", "phone"), ("tills",), NOW - 90 * DAY),
            ApiKey("operations", "h", "pk_9f00", ("admin",), created=NOW - 200 * DAY),
            ApiKey("old-partner", "h", "pk_77aa", ("profiles:read",), created=NOW - 400 * DAY, revoked=NOW - 10 * DAY),
        ]  # fmt: skip
        self.erased = [
            EraseReceipt(
                "er_5QK2",
                NOW - 9 * DAY,
                [
                    ("log", 214, "Messages removed from 3 segments, rewritten and swapped"),
                    ("state", 1, "Profile, links and values removed; free pages overwritten"),
                    ("dead_letters", 2, "Messages that named an identifier"),
                    ("tombstones", 5, "Keyed hashes kept, so that old copies stay out"),
                ],
            )
        ]
        bad = {"type": "track", "event": "Order Completed", "messageId": "t-14-881", "anonymousId": "till-14", "properties": {"order_id": "T-881", "revenue": "NaN", "currency": "EUR", "products": [{"product_id": "P0412", "price": 18.0, "quantity": 2}]}, "context": {"channel": "pos"}}  # fmt: skip
        lite = {**bad, "messageId": "t-14-882", "context": {"channel": "pos-lite"}}
        for n in range(3):
            self._letter(
                f"dl_{n}",
                "unknown_channel",
                "There is no channel “pos-lite”",
                "context.channel",
                lite,
                "pos-lite",
                n,
            )
        self._letter(
            "dl_7", "not_a_number", "revenue is not a number: NaN", "properties.revenue", bad, "pos", 3
        )
        self._letter(
            "dl_8",
            "time_out_of_range",
            "2031-01-01 lies more than 24 h ahead",
            "timestamp",
            {**bad, "timestamp": "2031-01-01T00:00:00Z"},
            "pos",
            4,
        )
        self._letter(
            "dl_9",
            "id_too_long",
            "userId has 10,240 bytes; the limit is 512",
            "userId",
            {**bad, "userId": NASTY},
            "web",
            5,
        )

    def _letter(
        self, name: str, code: str, text: str, path: str, body: dict[str, Any], channel: str, n: int
    ) -> None:
        raw = json.dumps(body)
        letter = DeadLetter(
            name, NOW - n * 20 * MIN, "tills", code, text, path, 9000 + n, "open", channel, len(raw)
        )
        self.letters[name] = (letter, raw)

    # the house
    def now(self) -> int:
        return NOW + self.ticks * 1000

    def workspace(self) -> tuple[str, str]:
        return "Alder & Rosso", "Europe/Rome"

    def tracking_url(self) -> str:
        return ""

    def status(self) -> Status:
        return Status(1_204_331, 1_204_330, 1_204_331, 1.9)

    def health(self) -> Health:
        return Health(
            status=self.status(), people=612, identifiers=2_571, events=184_320, uptime_s=200_000, memory_mb=214,
            log_mb=96.4, state_mb=11.2, disk_free_mb=20_480, last_checkpoint=NOW - 12_000, dead_letters=len(self.letters),
            clock="system", now=NOW, version="0.1.0",
            checks=[
                ("Log", True, "Continuous from 1 to 1,204,331, last sync 0.2 s ago"),
                ("State", True, "Behind the log by 1 event, checkpoint 12 s ago"),
                ("Disk", True, "20 GB free, enough for 800 days at this rate"),
                ("Clock", True, "In step with the last receipts"),
                ("Kiosks", False, "One kiosk in Bologna has been silent for 14 minutes."),
            ],
        )  # fmt: skip

    def rates(self) -> list[ChannelRate]:
        if self.empty:
            return []
        beat = (self.ticks % 5) / 2
        rows = [("web", 41, 88_214, 1), ("app", 18, 41_007, 1), ("pos", 9, 9_412, 2), ("kiosk", 0, 512, 14 * 60), ("associate_tablet", 1, 340, 9), ("call_centre", 0.4, 61, 40), ("email", 6, 12_906, 3)]  # fmt: skip
        seen = [ChannelRate(c, r + beat if r > 1 else r, n, NOW - s * 1000) for c, r, n, s in rows]
        return [*seen, ChannelRate("sms", 0, 0, None)]

    def figures(self) -> Figures:
        if self.empty:
            return Figures(0, 0, 0, 0, 0, [0] * 24, [])
        hours = [400, 300, 200, 200, 300, 600, 1400, 2600, 4100, 5800, 7200] + [0] * 13
        before = [380, 310, 190, 210, 280, 640, 1300, 2500, 4000, 5600, 7000, 7900, 6500, 6100, 6900, 7800, 8200, 8000, 6900, 4900, 3900, 3000, 1900, 900]  # fmt: skip
        return Figures(48_214 + self.ticks, 24_107, 152_452, 9_412, 3_577, hours, before)

    def needs(self) -> list[Need]:
        if self.empty:
            return []
        return [
            Need("quarantine", "3 events wait in quarantine: unknown channel “pos-lite”", "All from till 14, Bologna Indipendenza, since 10:02. Nothing is lost.", "/console/data/quarantine?code=unknown_channel", "Map and replay"),
            Need("identity", "2 merges were stopped at the limit", "One e-mail, 6 loyalty cards. Looks like a shop’s own address.", "/console/people", "Review"),
            Need("health", "One kiosk has been silent for 14 minutes", "Kiosk K-07, Bologna Indipendenza.", "/console/data", "Look"),
        ]  # fmt: skip

    async def effect(self) -> ProgrammeEffect:
        if self.empty:
            return NOT_YET
        return ProgrammeEffect(
            shown=1_204, held_out=1_187, verdict="early",
            sentence="Too early: 1,204 shown, 1,187 held out; about 3,100 each are needed to see a change of 20%.",
            treated_rate=0.164, control_rate=0.157, value=0.043, low=-0.134, high=0.22, judged_by="revenue", bought=Figure(0.045, -0.12, 0.22),
            in_both=0.031, cycle_days=23, spent=Spent("EUR", 41.2, 39.5, Figure(0.043, -0.134, 0.22)),
            cycles=[Cycle(1, 2_391, Figure(0.071, 0.002, 0.14)), Cycle(2, 1_102, Figure(-0.02, -0.13, 0.09)), Cycle(3, 4, None)],
        )  # fmt: skip

    async def subscribe(self, watch: str) -> AsyncIterator[LiveUpdate]:
        while True:
            self.ticks += 1
            newest = self.recent_decisions(1)
            yield LiveUpdate(
                self.now(),
                self.rates(),
                self.figures().decisions_today,
                newest[0].decision.id if newest else "",
                watch,
                43,
            )
            await asyncio.sleep(1)

    # people
    def _person(self, person_id: str) -> PersonView | None:
        if person_id in self.gone:
            raise Gone("erased", "This person was erased on 21 November 2026.")
        if person_id in {"p_7F3K2Q", "p_1AB2CD", "card:29004471"}:
            return msgspec.structs.replace(anna(), splits=list(self.cut))
        if person_id == "p_9WD04M":
            return msgspec.structs.replace(anna(), id="p_9WD04M", name="", identifiers=anna().identifiers[4:5], links=[], decisions=[], splits=list(self.cut))  # fmt: skip
        if person_id in {"p_5MX9RD", "p_1QW4TB", "p_8JH2VC"}:
            return msgspec.structs.replace(
                anna(), id=person_id, name="", identifiers=anna().identifiers[:1], links=[], decisions=[]
            )
        if person_id == "p_EVIL01":
            return hostile()
        mine = [
            m
            for m in self.tracked
            if self._root(person_id)
            and self._root(person_id) == self._root(f"anonymous_id:{m.get('anonymousId')}")
        ]
        if mine or person_id.startswith("p_shop"):
            return msgspec.structs.replace(
                hostile(), id=self._root(person_id) or person_id, name="you@posta.example", crowded=False
            )
        return None

    def _root(self, key: str) -> str:
        """The demo shopper: everything of one e-mail or card is one person."""
        if key.startswith("p_shop"):
            return key
        for message in self.tracked:
            ids = [
                f"anonymous_id:{message.get('anonymousId')}",
                *(f"card:{e['id']}" for e in message.get("context", {}).get("externalIds", [])),
            ]
            if key in ids:
                return "p_shop01"
        return ""

    def person(self, id_or_key: str) -> PersonView | None:
        return self._person(id_or_key)

    async def find(self, query: str, limit: int) -> list[PersonRow]:
        if query == "slow":
            raise BadRequest("query_too_wide", "This matches too many people. Type more of it.")
        rows = []
        for view in (anna(), hostile()):
            text = " ".join([view.name, *(one.value for one in view.identifiers)]).casefold()
            if query.casefold() in text:
                hit = next(
                    (
                        f"{i.type}:{i.value}"
                        for i in view.identifiers
                        if query.casefold() in i.value.casefold()
                    ),
                    f"name:{view.name}",
                )
                rows.append(
                    PersonRow(
                        view.id,
                        view.name,
                        view.identifiers,
                        hit,
                        view.last_seen,
                        view.orders,
                        view.revenue,
                        list(view.channels),
                    )
                )
        return rows[:limit]

    def timeline(
        self, person_id: str, cursor: str | None, channel: str, order: str, limit: int
    ) -> TimelinePage:
        if person_id.startswith("p_shop"):
            data = [
                event(n, NOW + n, m.get("context", {}).get("channel", "web"), m.get("event", "Identified"))
                for n, m in enumerate(self.tracked)
            ][::-1]
        elif person_id == "p_EVIL01":
            data = [event(1, NOW, "web", NASTY, NASTY, "€1.00"), event(2, NOW, "<chan>", "x", late=3)]
        else:
            data = story()
        data = [one for one in data if not channel or one.channel == channel]
        data.sort(key=lambda one: (one.time, one.position), reverse=order != "asc")
        start = int(cursor or 0)
        page = data[start : start + limit]
        more = str(start + limit) if start + limit < len(data) else None
        return TimelinePage(page, more, len(data))

    def why(self, person_id: str, a: str, b: str) -> tuple[bool, list[str]]:
        same = b in {f"{i.type}:{i.value}" for i in anna().identifiers}
        return same, [
            f"{a} was seen with user_id:88213 at sign-up, 4 Mar 2024",
            f"user_id:88213 was seen with {b}",
        ] if same else [f"{b} was never seen with any identifier of this person"]

    def dry_run(self, rules: dict[str, Any]) -> PartitionDiff:
        self.calls.append(("dry_run", rules))
        if "total" in rules:
            raise BadRequest("bad_rules", "These identity rules cannot be read: there is no `total`.")
        one = Regrouping(
            ("card:29004471", "email:a.bianchi@posta.example", "user_id:77"),
            (("card:29004471", "user_id:77"), ("email:a.bianchi@posta.example",)),
        )
        return PartitionDiff(2145, 2146, 0, 1, (), (one,)) if rules else PartitionDiff(2145, 2145, 0, 0)

    async def preview_split(
        self, person_id: str, nodes: list[str], cut_node: str | None, cut_at: int | None
    ) -> SplitPreview:
        keys = [f"{i.type}:{i.value}" for i in anna().identifiers]
        leaving = nodes or [cut_node or ""]
        if len(leaving) >= len(keys):
            raise BadRequest("nobody_left", "Somebody has to stay: leave at least one identifier.")
        return SplitPreview(
            [([k for k in keys if k not in leaving], 990), (leaving, 214)],
            "214 events become a second person. Traits and 1 open offer are computed again for both.",
        )

    async def split(
        self, person_id: str, nodes: list[str], cut_node: str | None, cut_at: int | None, by: str
    ) -> SplitView:
        self.calls.append(("split", person_id, tuple(nodes), cut_node, cut_at, by))
        done = SplitView("sp_1", ["p_7F3K2Q", "p_9WD04M"], [], "Split into p_7F3K2Q and p_9WD04M.", NOW)
        self.cut.append(done)
        return done

    async def undo_split(self, split_id: str, by: str) -> SplitView:
        self.calls.append(("undo_split", split_id, by))
        if not any(one.id == split_id for one in self.cut):
            raise NotFound("unknown_split", "There is no such split.")
        self.cut = [one for one in self.cut if one.id != split_id]
        return SplitView(split_id, ["p_7F3K2Q"], [], "Joined again: p_7F3K2Q.", NOW)

    async def export(self, person_id: str, by: str) -> tuple[str, bytes]:
        self.calls.append(("export", person_id, by))
        return "person-p_7F3K2Q.zip", b"PK\x05\x06" + b"\0" * 18

    async def erase(self, person_id: str, by: str) -> EraseReceipt:
        self.calls.append(("erase", person_id, by))
        self.gone.add(person_id)
        receipt = EraseReceipt("er_NEW1", NOW, [("log", 69, "Messages removed from 1 segment")])
        self.erased.append(receipt)
        return receipt

    def receipts(self) -> list[EraseReceipt]:
        return self.erased

    def audit(self, user: str, verb: str, subject: str) -> None:
        self.calls.append(("audit", user, verb, subject))

    # segments, analyses, the lake
    def policies(self) -> FakePolicies:
        return self.deciding

    def launching(self) -> FakeLaunching:
        return self.launches

    def sends(self) -> FakeSends:
        return self.posted

    def catalogue(self) -> FakeCatalogue:
        return self.shelf

    def exports(self) -> FakeExports:
        return self.carried

    def audiences(self) -> FakeAudiences:
        return self.groups

    def insights(self) -> FakeInsights | None:
        return FakeInsights() if self.groups.with_lake else None

    def has_lake(self) -> bool:
        return self.groups.with_lake

    async def lake(self) -> LakeView | None:
        return lake() if self.groups.with_lake else None

    # decisions
    def recent_decisions(self, limit: int) -> list[DecisionView]:
        if self.empty:
            return []
        beat = self.ticks // 4
        rows = [
            decision(3, NOW - 0, "pos", "kit", "Anna Bianchi", "p_7F3K2Q", "Machine bought 7 months ago, no descaler since"),
            decision(4, NOW - 1000, "web", "grinder", "", "", "Cart holds an espresso machine"),
            decision(5, NOW - 1000, "kiosk", "points", "", "", "Saturday morning"),
            decision(6, NOW - 2000, "push", "kit", "p_5MX9RD", "p_5MX9RD", "In the comparison group", "control"),
            decision(7, NOW - 2000, "associate_tablet", "lids", "p_1QW4TB", "p_1QW4TB", "Pan bought Tuesday, lid in stock here"),
            decision(8, NOW - 3000, "email", "nothing", "p_8JH2VC", "p_8JH2VC", "Leaving people alone is always possible"),
        ]  # fmt: skip
        if beat:
            rows.insert(0, decision(100 + beat, self.now(), "web", "points", "", "", f"New one, {beat}"))
        return rows[:limit]

    def decisions(
        self, cursor: str | None, channel: str, limit: int
    ) -> tuple[list[DecisionView], str | None]:
        found = [one for one in self.recent_decisions(99) if not channel or one.decision.channel == channel]
        return found, None

    def decision(self, decision_id: str) -> DecisionView | None:
        return next(
            (
                one
                for one in [*self.recent_decisions(99), *anna().decisions]
                if one.decision.id == decision_id
            ),
            None,
        )

    def preview(self, about: PreviewAsk, by: str) -> Preview:
        person = self.person(about.person) if about.person else None
        if about.person and person is None:
            raise NotFound("unknown_person", "Nobody has this id.")
        who = person.name if person else ""
        rows = [
            decision(3, NOW, "pos", "kit", who, person.id if person else "", "Bought 7 months ago"),
            decision(6, NOW, "push", "kit", who, person.id if person else "", "Comparison group", "control"),
        ]
        places = [
            PlacePreview(r.decision.placement, r.decision.placement, r.decision.channel, r) for r in rows
        ]
        return Preview(person.id if person else "", who, NOW, places)

    # data
    def sources(self) -> list[Source]:
        return self.wks

    def feeds(self) -> list[FeedStatus]:
        load = FeedLoad(
            "1-a", "stock", "nacht-bestand.csv", "till", NOW - MIN, 12_700, 44, 12_650, 6, ended=True
        )
        bad = [
            Reject(
                7,
                "quantity",
                "`12,5` is no number; write a point for the decimals",
                "write a number such as 12.5",
            )
        ]
        bad += [Reject(n, "store", NASTY, NASTY, NASTY) for n in range(8, 40)]
        load = msgspec.structs.replace(load, rejects=tuple(bad))
        torn = FeedLoad("1-b", "weather", NASTY, NASTY, NOW - DAY, 4_000, 4_000, ended=False)
        rest = [FeedStatus("stores", "stores: where they are"), FeedStatus("campaigns_offline", "posters")]
        if self.empty:
            return rest
        return [
            FeedStatus("stock", "how many a store has", 720, 12_744, NOW - MIN, NOW - DAY, NOW - MIN, load),
            FeedStatus(
                "weather", "the weather of a city", 540, 38_880, NOW + HOUR, NOW + DAY, NOW - DAY, torn
            ),
            *rest,
        ]

    def arrived(self) -> dict[str, int]:
        return {one.name: 4096 + n for n, one in enumerate(self.wks[1:])}

    async def add_source(self, name: str, channel: str, kind: str, assurance: str) -> str:
        self.calls.append(("add_source", name, channel, kind, assurance))
        self.wks.append(
            Source(name, channel, kind, assurance, (WriteKey("h", "wk_new_0", NOW),), created=NOW)
        )
        return "wk_new_0aBcDeFgHiJkLmNoPqRsTuVwXyZ"

    async def rotate(self, name: str) -> str:
        self.calls.append(("rotate", name))
        return "wk_rot_1aBcDeFgHiJkLmNoPqRsTuVwXyZ"

    async def revoke(self, name: str, hint: str) -> None:
        self.calls.append(("revoke", name, hint))

    def keys(self) -> list[ApiKey]:
        return self.secrets

    async def add_key(
        self, name: str, scopes: list[str], fields: list[str], masked: list[str], sources: list[str]
    ) -> str:
        self.calls.append(("add_key", name, scopes, fields, masked, sources))
        self.secrets.append(
            ApiKey(name, "h", "pk_new0", tuple(scopes), tuple(fields), tuple(masked), tuple(sources), NOW)
        )
        return "pk_new0aBcDeFgHiJkLmNoPqRsTuVwXyZ"

    async def revoke_key(self, name: str) -> None:
        self.calls.append(("revoke_key", name))

    def dead_letters(
        self, code: str, source: str, cursor: str | None, limit: int
    ) -> tuple[list[DeadLetter], str | None, dict[str, int]]:
        every = [letter for letter, _ in self.letters.values()]
        counts: dict[str, int] = {}
        for one in every:
            counts[one.code] = counts.get(one.code, 0) + 1
        found = [
            one for one in every if (not code or one.code == code) and (not source or one.source == source)
        ]
        return found[:limit], None, counts

    def dead_letter(self, letter_id: str) -> tuple[DeadLetter, str] | None:
        return self.letters.get(letter_id)

    async def replay_dead_letter(self, letter_id: str, edited: str | None) -> tuple[bool, str]:
        self.calls.append(("replay", letter_id, edited))
        text = edited or self.letters[letter_id][1]
        if '"NaN"' in text:
            return False, "Still refused: revenue is not a number: NaN."
        del self.letters[letter_id]
        return True, "Accepted at its own time: Order Completed, order T-881."

    async def map_channel(self, unknown: str, channel: str) -> tuple[int, int]:
        self.calls.append(("map_channel", unknown, channel))
        waiting = [k for k, (letter, _) in self.letters.items() if letter.channel == unknown]
        for key in waiting:
            del self.letters[key]
        return len(waiting), 0

    # accounts
    def has_users(self) -> bool:
        return bool(self.accounts)

    def authenticate(self, name: str, password: str) -> User | None:
        found = self.accounts.get(name)
        return found[0] if found and found[1] == password else None

    def create_first_user(self, code: str, name: str, full_name: str, password: str) -> User:
        if code != "coffee-code":
            raise Forbidden("bad_code", "That is not the code the server printed when it started.")
        self.accounts[name] = (User(name, full_name, "admin"), password)
        return self.accounts[name][0]

    async def set_password(self, name: str, password: str) -> None:
        self.accounts[name] = (self.accounts[name][0], password)

    # the demo shop
    def shop(self) -> ShopSetup | None:
        if not self.with_shop:
            return None
        goods = [("P1", "Espresso beans 1 kg", "coffee", "21.90"), ("P2", "Burr grinder G2", "machines", "189.00"), ("P3", "Milk jug 350 ml", "tools", "24.50"), ("P4", "Paper filters, 100", "coffee", "3.90"), ("P5", "Descaling kit", "care", "12.90")]  # fmt: skip
        return ShopSetup(
            {"web": "wk_web", "kiosk": "wk_kiosk", "pos": "wk_pos"},
            [Product(*one) for one in goods],
            {"web": "home_hero", "kiosk": "welcome", "pos": "till"},
            "EUR",
            "S12",
            "it-7",
        )

    def stories(self) -> Stories | None:
        if not self.with_guide or self.empty:
            return None
        return Stories(
            stories=(
                Story(
                    id="wrong-merge",
                    icon="people",
                    title="Who buys the cat food?",
                    question="{anna} orders a milk jug. Somebody else buys cat food on the same account, says {evil} to {gone}.",
                    looks=(Look("Open {anna}", "anna"), Look("Why one person", "anna", "#why"), Look("Open {gone}", "gone"), Look("Decisions", path="/console/decisions")),
                    checks=(Check("By curl", 'curl -s -u "$KEY": "{url}/v1/profiles/{anna}/events"'),),
                    answer="An agent typed the card of somebody else into the account of {anna}.",
                    figures=(("Given up", "4 of 8"), ("Waited", "37 minutes")),
                    people={"anna": "p_7F3K2Q", "evil": "p_EVIL01", "gone": "p_NOBODY"},
                ),
                Story(id="pick-up", icon="clock", title="Who keeps people waiting?", question="Where?", answer="Madrid."),
            )
        )  # fmt: skip

    def practice(self) -> Practice | None:
        if not self.with_guide or self.empty:
            return None
        stores = tuple((f"S{n:02d}", f"S{n:02d} Store number {n}") for n in range(1, 25))
        told = (
            {"truth": "card 290000004417, of {anna}", "seen": "Seen on the profile of {anna}.", "points": 0.5}
            if self.over
            else {}
        )
        return Practice(
            lead="A retailer with 24 stores. Things go wrong in it.",
            files="practice-data/1/world",
            until=0 if self.over else NOW + 12 * MIN,
            ended=self.over,
            questions=(
                Question(id="stray", icon="people", title="Who does not belong here?", ask="Which identifier of {anna} is not theirs?", kind="text", where="Read the links.", looks=(Look("Open {anna}", "anna"),), people={"anna": "p_7F3K2Q"}, **told),
                Question(id="pick-up", icon="clock", title="Who keeps people waiting?", ask="Which store?", kind="some", choices=stores[:6], where="On timelines.", **told),
                Question(id="slow", icon="clock", title="Which of many?", ask="Which stores?", kind="some", choices=stores, where="In the files.", files=True, **told),
                Question(id="evening", icon="kiosk", title="Who sells badly after five?", ask="Which store?", kind="one", choices=stores, where="In the files.", files=True, **told),
                Question(id="coupon", icon="pos", title="Where are coupons refused?", ask="Which country?", kind="one", choices=(("IT", "Italy"), ("ES", "Spain"), ("x", "{anna}")), where="In the files.", people={"anna": "p_7F3K2Q"}, **told),
                Question(id="offline", icon="results", title="How much is sold in stores?", ask="Which part?", kind="number", unit="%", where="In the files.", files=True, **told),
            ),
        )  # fmt: skip

    def answers(self) -> dict[str, Answer]:
        return {name: one for name, one in self.given.items() if one.values}

    async def answer(self, question: str, values: tuple[str, ...], by: str) -> None:
        if self.over:
            raise Conflict("practice_over", "The practice is over: no answer counts any more.")
        self.calls.append(("answer", question, values, by))
        self.given[question] = Answer(question=question, values=values, by=by, at=NOW)


def with_tracking(app: FakeApp, console: Any) -> Any:
    """The console with just enough of the tracking API beside it for the demo shop."""

    async def both(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            await console(scope, receive, send)
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = dict(scope["headers"])
        key = base64.b64decode(headers[b"authorization"].split()[1]).decode()
        assert key in {"wk_web:", "wk_kiosk:", "wk_pos:"}
        sent = json.loads(body or b"{}")
        answer: dict[str, Any] = {"success": True}
        if scope["path"].startswith("/v1/fallback/"):
            answer = {"bundle": "{}", "signature": ""}
        elif scope["path"] == "/v1/decide":
            shown = sent["context"]["channel"] != "kiosk"
            answer = {
                "decisionId": "d_01JD7Q8ZK3",
                "action": "kit" if shown else "nothing",
                "content": {"title": "Descaling kit with beans", "text": "€5 less today, shelf C4."},
            }
        else:
            app.tracked.append(sent)
        payload = json.dumps(answer).encode()
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-type", b"application/json")],
            }
        )
        await send({"type": "http.response.body", "body": payload})

    return both


def build(app: FakeApp | None = None) -> Any:
    """An application to serve."""
    app = app or FakeApp()
    return with_tracking(app, create_console(app, allowed_hosts=["127.0.0.1", "localhost", "testserver"]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8123)
    parser.add_argument("--empty", action="store_true")
    chosen = parser.parse_args()
    uvicorn.run(build(FakeApp(empty=chosen.empty)), host="127.0.0.1", port=chosen.port, log_level="warning")
