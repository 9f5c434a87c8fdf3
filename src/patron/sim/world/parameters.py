"""The parameters of a world and their ranges; their values and meaning stand in parameters.toml, section by section."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Share = Annotated[float, Meta(ge=0, le=1)]
NotNegative = Annotated[float, Meta(ge=0, le=1_000_000)]
Positive = Annotated[float, Meta(gt=0, le=1_000_000)]
LogOdds = Annotated[float, Meta(ge=-20, le=20)]
Days = Annotated[int, Meta(ge=0, le=10_000)]


class Needs(Struct, frozen=True, forbid_unknown_fields=True):
    """What people need, and when (7.3)."""

    adoption: Share
    cycle_spread: NotNegative
    steepness: Positive
    leak: Share
    unused: LogOdds


class Visits(Struct, frozen=True, forbid_unknown_fields=True):
    """How often people come."""

    alpha_mean: LogOdds
    alpha_spread: NotNegative
    need_weight: NotNegative
    weekday: tuple[LogOdds, LogOdds, LogOdds, LogOdds, LogOdds, LogOdds, LogOdds]
    store_spread: NotNegative
    rain: NotNegative
    browsing: Share
    browsing_need: Share
    research: Share


class Channels(Struct, frozen=True, forbid_unknown_fields=True):
    """Where they buy."""

    taste_mean: tuple[LogOdds, LogOdds, LogOdds]
    taste_spread: tuple[NotNegative, NotNegative, NotNegative]
    app: Share
    rain: NotNegative


class Buying(Struct, frozen=True, forbid_unknown_fields=True):
    """What they buy when they are there."""

    base: LogOdds
    need: NotNegative
    focus: NotNegative
    focus_offer: NotNegative
    focus_days: Days
    slot: NotNegative
    slot_low: Share
    price: NotNegative
    price_sensitivity_spread: NotNegative
    size_spread: NotNegative
    value_spread: NotNegative
    offer_discount: Share
    season: Positive
    promotion_weeks: Share
    promotion: Positive
    margin: Share


class Life(Struct, frozen=True, forbid_unknown_fields=True):
    """How long they stay customers."""

    beta: Positive
    divisor: Positive


class Returns(Struct, frozen=True, forbid_unknown_fields=True):
    """What comes back."""

    web: Share
    store: Share
    days: tuple[Days, Days]
    web_in_store: Share


class Messages(Struct, frozen=True, forbid_unknown_fields=True):
    """Letters and messages, and what they do (7.4)."""

    classes: tuple[Share, Share, Share, Share]
    own: Share
    other: Share
    none: Share
    reach_spread: NotNegative
    low: NotNegative
    need: NotNegative
    offer: NotNegative
    weariness: NotNegative
    irritable_mean: LogOdds
    irritable_spread: NotNegative
    memory: Share
    fatigue: Share
    unsubscribe: LogOdds
    unsubscribe_fatigue: NotNegative
    click: NotNegative
    click_low: Share
    click_most: Share
    reply: Share
    machine_opens: Share
    creatives: Annotated[int, Meta(ge=1, le=100)]
    creative_spread: NotNegative
    bait: Annotated[int, Meta(ge=0, le=100)]
    costs: tuple[NotNegative, NotNegative, NotNegative, NotNegative]
    hour: Share
    annoyed: Share


class Consent(Struct, frozen=True, forbid_unknown_fields=True):
    """What people agree to."""

    email: Share
    sms: Share
    push: Share
    call: Share
    personalization: Share
    location: Share
    changes: Share
    country_shift: tuple[LogOdds, LogOdds, LogOdds]


class Associates(Struct, frozen=True, forbid_unknown_fields=True):
    """The staff of the stores."""

    skill_spread: NotNegative
    contact: tuple[Share, Share]
    eager_low: NotNegative
    eager: NotNegative
    effect: NotNegative
    basket: Positive
    follow_up: Share
    follow_up_impulse: NotNegative
    follow_up_days: Days
    interaction: NotNegative
    prompted: Share
    card_read: Share
    email_given: Share
    training: NotNegative
    training_days: Days
    gaming: Share
    false_contacts: Share
    tablet: NotNegative


class Geofence(Struct, frozen=True, forbid_unknown_fields=True):
    """The app noticing a store."""

    radius_m: Positive
    noise_m: NotNegative
    missed: Share
    passers_by: NotNegative
    reach_m: Positive
    entry_push: NotNegative
    entry_push_days: Days


class Touchpoints(Struct, frozen=True, forbid_unknown_fields=True):
    """Kiosks and tills asking who somebody is."""

    kiosk: Share
    openness: LogOdds
    benefits: dict[str, LogOdds]
    benefit_costs: dict[str, NotNegative]
    scans_card: Share
    shows_card: Share
    asks_receipt: Share


class Pain(Struct, frozen=True, forbid_unknown_fields=True):
    """Planted pain points and store faults."""

    pick_up_stores: tuple[Annotated[int, Meta(ge=1)], ...]
    pick_up_drop: Share
    pick_up: Share
    app_version: str
    app_version_share: Share
    checkout_failure: Share
    coupon_country: Literal["IT", "ES", "GB"]
    coupon_refused: Share
    appointments: Share
    try_on: NotNegative
    review: NotNegative
    traffic_fault: LogOdds
    evening_fault: LogOdds
    basket_fault: Positive
    stock_fault: Share
    out_of_stock: Share


class Prospects(Struct, frozen=True, forbid_unknown_fields=True):
    """People who are no customers yet, and paid media."""

    base: LogOdds
    near: NotNegative
    ad: NotNegative
    susceptible: tuple[LogOdds, LogOdds, LogOdds]
    impressions: tuple[NotNegative, NotNegative]
    clicks: Share
    lasts: Annotated[int, Meta(ge=1, le=10_000)]
    duplicates: Share
    under_match: Share


class Identity(Struct, frozen=True, forbid_unknown_fields=True):
    """How people leave traces, and how wrongly they are written (7.5)."""

    cookies: NotNegative
    shared_tablet: Share
    tells_email: Share
    says_email: Share
    refuses_analytics: Share
    account: Share
    crm: Share
    crm_duplicates: NotNegative
    card: Share
    card_named: Share
    new_cards: Share
    receipts: Share
    caller: Share
    calls: Share
    second_email: Share
    second_email_used: Share
    family_email: Share
    family_email_used: Share
    landline: Share
    email_case: Share
    email_tag: Share
    email_blanks: Share
    email_typo: Share
    phone_format: Share
    phone_wrong: Share
    name_typo: Share
    junk_email: Share
    junk_phone: Share
    noise: NotNegative


class Transport(Struct, frozen=True, forbid_unknown_fields=True):
    """How messages travel."""

    late_files: Share
    twice: Share
    lost: Share
    offline: Share


class World(Struct, frozen=True, forbid_unknown_fields=True):
    """What differs between whole worlds."""

    effect: Annotated[float, Meta(ge=-10, le=10)]
    mix: Share
    drift_day: Annotated[int, Meta(ge=0)]


class Parameters(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that shapes a world."""

    needs: Needs
    visits: Visits
    channels: Channels
    buying: Buying
    life: Life
    returns: Returns
    messages: Messages
    consent: Consent
    associates: Associates
    geofence: Geofence
    touchpoints: Touchpoints
    pain: Pain
    prospects: Prospects
    identity: Identity
    transport: Transport
    world: World
