"""Somebody somewhere on some day: what every teller of events needs."""

from msgspec import Struct

from patron.sim.engine.state import Setting
from patron.sim.luck import Dice, lifelong
from patron.sim.messages import Message, Pen
from patron.sim.world.identities import Dossier
from patron.sim.world.parameters import Identity, Parameters
from patron.sim.world.shops import COUNTRIES, Country, Store, touchpoint


class Occasion(Struct, frozen=True):
    """A person on a day, their luck, the store they go to, and the pen that writes what the systems send."""

    setting: Setting
    noise: Identity
    """How wrongly things are written in this world."""
    pen: Pen
    dice: Dice
    person: Dossier
    store: Store
    day: int
    """Day of the history, 0 = the first one told."""
    consents: dict[str, bool] = {}
    """What they agree to today, by purpose."""

    @property
    def parameters(self) -> Parameters:
        """Those of the world."""
        return self.setting.parameters

    @property
    def market(self) -> Country:
        """The country they live in."""
        return COUNTRIES[self.person.country]

    @property
    def currency(self) -> str:
        """What they pay in."""
        return self.market.currency

    @property
    def habits(self) -> Dice:
        """Luck that stays the same over the days: what they are used to."""
        return lifelong(self.setting.seed, self.person.number)

    def has_card(self) -> bool:
        """Whether they hold a loyalty card that day."""
        return self.person.has_card(self.day)

    def device(self, kind: str, number: int, visit: str = "") -> Message:
        """`context` of a shared device of the store; `visit` is the id of one use of it."""
        return {"touchpoint": touchpoint(self.store, kind, number, visit)}

    def visit_id(self) -> str:
        """The id that a shared device gives to one use of it."""
        return f"v-{self.pen.number() & 0xFFFFFFFFFF:010x}"

    def phone(self) -> Message:
        """`context.device` of the phone with the app."""
        kind = "ios" if self.person.number % 2 else "android"
        return {"id": self.person.device, "type": kind}

    def app_ids(self) -> Message:
        """The ids that the app's messages carry."""
        ids: Message = {"anonymousId": self.person.install}
        return {**ids, "userId": self.person.user_id} if self.person.user_id else ids
