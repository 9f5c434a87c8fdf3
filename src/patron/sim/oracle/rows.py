"""What the lines of the oracle files say: one struct a file, one field a column.

Money is EUR, whatever the currency of a person's country. A `day` counts from the first day told; `date` is days since 1970.
"""

from msgspec import Struct

Twelve = tuple[float, ...]
"""One number a category, in the order of `Report.categories`."""


class Estimate(Struct, frozen=True):
    """A sum or a ratio with its 95 % interval over people."""

    value: float
    low: float
    high: float


class Latent(Struct, frozen=True):
    """`person_latent`: the numbers that drive one person, as they stand on the first day told."""

    person: int
    household: int
    country: str
    home: str
    """Id of the store they go to."""
    alpha: float
    """Log of the visits a day when nothing is needed."""
    tau: Twelve
    """Own cycle of each category, days."""
    adopts: tuple[bool, ...]
    """Whether they use each category at all."""
    taste: tuple[float, float, float | None]
    """Liking of store, web, app, in log-odds; none when the app is not installed."""
    taste_after_drift: tuple[float, float, float | None] | None
    """The same from `world.drift_day` on; none in worlds without a drift."""
    size: float
    """How much they buy at once; 1 is ordinary."""
    price_sensitivity: float
    irritable: float
    annoyed: bool
    """Whether reminders put them off."""
    leaving: float
    """Chance of never coming back after a purchase."""
    answers_to: str
    """Channel class: email, sms, push, call or none."""
    reach: tuple[float, ...]
    """Response to each channel, in the order of `Report.channels`."""
    hour: float
    """Local hour at which a message does most."""
    prospect: bool
    """No customer at the start."""
    intent: float
    susceptible: float
    """How much ads move them."""


class Potential(Struct, frozen=True):
    """`potential`: one decision point, and what each action there is worth over the horizon."""

    person: int
    day: int
    date: int
    kind: str
    """`message`: the morning of somebody who can be written to; `slot`: a visit, which is certain to happen."""
    did: str | None
    """The action that the retailer took in the world as lived; none when no single action is the same."""
    actions: tuple[str, ...]
    """`usual`, `none`, then CHANNEL:CATEGORY, CHANNEL:CATEGORY:offer, or slot:CATEGORY."""
    value: tuple[float, ...]
    """Margin of the horizon in EUR, mean over the branches."""
    error: tuple[float, ...]
    """Standard error of that mean."""
    gain: tuple[float, ...]
    """Value beside `none`, on the same luck."""
    gain_error: tuple[float, ...]
    half: tuple[float, ...]
    """Gain in every other branch: whoever looks for the best action chooses by these and judges by the others."""
    other_half: tuple[float, ...]


class PolicyValue(Struct, frozen=True):
    """`policy_values`: one policy over one window of days, on all people of the world."""

    policy: str
    start: int
    days: int
    people: int
    orders: int
    revenue: float
    """After discounts."""
    margin: float
    """After discounts and what messages cost."""
    sent: int
    """Messages."""
    unsubscribed: int
    """People who unsubscribed from a message within the window; those who change their minds by themselves are not counted."""
    revenue_lift: Estimate | None
    """Against business as usual; none when that brought nothing."""
    margin_lift: Estimate | None
    gap_closed: float | None
    """Share of the margin between business as usual and the oracle; none when these are equal."""


class Lifetime(Struct, frozen=True):
    """`clv`: the year after the last day told, of one customer, without marketing."""

    person: int
    value: float
    """Margin of 365 days in EUR, mean over the rollouts."""
    error: float
    """Standard error of that mean."""
    orders: float
    stays: float
    """Share of rollouts in which they are still a customer at the end."""


class ChannelEffect(Struct, frozen=True):
    """`channel_effects`: what one channel brought in the days told, or what two bring together beyond their sum."""

    channels: tuple[str, ...]
    """One: all days with it less all days without. Two: their interaction."""
    orders: Estimate
    sales: Estimate
    """Full price of what was bought, before offers."""
    revenue: Estimate
    """After offers."""
    margin: Estimate
    """After offers and what messages cost, before what ads cost."""


class AdsEffect(Struct, frozen=True):
    """`ads_effects`: what one campaign brought in the days told, by audience."""

    platform: str
    """`all` = every platform stops at once."""
    campaign: str
    audience: str
    """`customers` or `prospects`, as they stood at the start."""
    people: int
    impressions: int
    clicks: int
    acquired: int
    """New customers in the world as lived."""
    acquisitions: Estimate
    """Of these, those who would not have come without the campaign."""
    orders: Estimate
    revenue: Estimate
    margin: Estimate
    """Before what the ads cost."""


class Made(Struct, frozen=True, kw_only=True):
    """How one file was made."""

    file: str
    rows: int
    cpu_seconds: float
    people_days: int
    """Days lived for it, over all people and branches."""
    sample: int | None = None
    branches: int | None = None
    """Paired branches, or rollouts."""
    horizon: int | None = None
    """Days."""
    error: float | None = None
    """Median standard error of a value, in EUR."""
    gain_error: float | None = None


class Report(Struct, frozen=True, kw_only=True):
    """`oracle.json`: which files there are, and how each was made."""

    format: int
    world: str
    size: str
    seed: int
    first: int
    days: int
    parameters: str
    """SHA-256 of the world's parameters: files of other parameters are forgotten."""
    categories: tuple[str, ...]
    channels: tuple[str, ...]
    versions: dict[str, str]
    files: dict[str, Made]


Row = Latent | Potential | PolicyValue | Lifetime | ChannelEffect | AdsEffect
ROWS: dict[str, type[Row]] = {
    "person_latent": Latent,
    "potential": Potential,
    "policy_values": PolicyValue,
    "clv": Lifetime,
    "channel_effects": ChannelEffect,
    "ads_effects": AdsEffect,
}
"""Name of an NDJSON file -> what its lines are."""
NEEDS = "needs"
NAMES = ("person_latent", NEEDS, "potential", "policy_values", "clv", "channel_effects", "ads_effects")
"""Every oracle file, the cheap ones first."""
FORMAT = 1
