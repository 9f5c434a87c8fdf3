"""Worlds without a channel, a platform, or all policies but one: exactly nothing changes where nothing can."""

import numpy as np
import pytest
from msgspec import structs

from patron.sim.engine.day import live_day
from patron.sim.engine.media import PLATFORMS
from patron.sim.luck import Luck
from patron.sim.oracle import ads_effects, channel_effects, lifetimes, policy_values
from patron.sim.oracle.channel_effects import EVERYTHING
from patron.sim.oracle.open_loop import morning, relive
from patron.sim.oracle.rows import AdsEffect, ChannelEffect, Estimate, Lifetime
from patron.sim.oracle.stack import take
from patron.sim.oracle.tally import nothing_yet, total
from patron.sim.oracle.without import ADS, ALL, ASSOCIATES, SLOTS, Days, live_without, quiet
from patron.sim.policies import Nothing
from patron.sim.town import Town
from patron.sim.world.people import PUSH
from tests.unit.sim.oracle.towns import town

NEAR = -2.5
NOTHING = Estimate(0.0, 0.0, 0.0)


@pytest.fixture(autouse=True)
def little_past(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few days before the first day told are enough here."""
    monkeypatch.setattr("patron.sim.oracle.open_loop.BURN_IN", 4)


def effects(place: Town) -> dict[tuple[str, ...], ChannelEffect]:
    """The rows of `channel_effects`."""
    told = [live_without(place, EVERYTHING)]
    channels = channel_effects.used(told, bool(place.people.prospect.any()))
    assert set(channels) == set(ALL) - {"call"}
    done = {EVERYTHING: told}
    for world in channel_effects.worlds(channels):
        done[world] = [live_without(place, world)]
    return {row.channels: row for row in channel_effects.rows(done)}


def ads(place: Town) -> list[AdsEffect]:
    """The rows of `ads_effects`."""
    done: dict[frozenset[int], list[Days]] = {
        dark: [live_without(place, frozenset(), dark)]
        for dark in [ads_effects.AS_TOLD, *ads_effects.worlds()]
    }
    return list(ads_effects.rows(done, place.people.prospect))


def test_in_the_null_world_channels_bring_exactly_nothing() -> None:
    found = effects(town("null", customers=80, prospects=60, near=NEAR, days=9))
    assert len(found) == 7 + 21
    for channels, row in found.items():
        assert (row.orders, row.sales) == (NOTHING, NOTHING)
        if not {"email", "sms"} & set(channels):
            assert (row.revenue, row.margin) == (NOTHING, NOTHING)
    # messages move nobody there, but they are paid for, and so are offers taken by those who came anyway
    assert found[("sms",)].margin.value < 0
    assert found[("sms",)].revenue.value <= 0


def test_channels_bring_something_in_the_default_world_and_interactions_add_up() -> None:
    place = town(customers=300, prospects=60, near=NEAR, days=9)
    found = effects(place)
    assert found[("email",)].orders.value > 0
    assert found[(ASSOCIATES,)].sales.value > 0
    assert found[("call",)].margin == found[("email", "call")].margin == NOTHING
    told, neither = (live_without(place, world).tally for world in (EVERYTHING, frozenset({"email", SLOTS})))
    both = float(told.margin.sum() - neither.margin.sum())
    parts = [found[some].margin.value for some in (("email",), (SLOTS,), ("email", SLOTS))]
    assert both == pytest.approx(parts[0] + parts[1] - parts[2], abs=1e-3)


def test_without_any_channel_people_live_as_when_nothing_is_done() -> None:
    place = town(customers=60, prospects=60, near=NEAR, days=14)
    silent = live_without(place, frozenset(ALL))
    assert silent.tally.sent.sum() == silent.seen.sum() == silent.greeted == 0
    # the same by other means: ads that move nobody, phones that tell nobody where they are
    p = place.parameters
    still = structs.replace(
        p,
        associates=structs.replace(p.associates, contact=(0.0, 0.0)),
        prospects=structs.replace(p.prospects, ad=0.0),
    )
    people, (state, noted) = place.people, morning(place)
    setting, tally = structs.replace(place.setting, parameters=still), nothing_yet(len(people))
    people.located[:] = False
    state.ads[:] = 0.0
    won = np.zeros(len(people), dtype=np.bool_)
    for day in range(place.days):
        plan = live_day(setting, people, state, noted, Nothing(), day, place.first + day)
        tally.add(setting, people, plan)
        won[plan.media.acquired] = True
    # ads seen before the first day told still move somebody; all else is the same
    assert (silent.won >= won).all()
    assert np.array_equal(silent.tally.orders[~people.prospect], tally.orders[~people.prospect])
    assert np.array_equal(silent.tally.margin[~people.prospect], tally.margin[~people.prospect])


def test_a_quiet_world_greets_nobody_and_is_otherwise_the_same() -> None:
    place = town(customers=300, prospects=0, days=9)
    told, silent = live_without(place, frozenset()), live_without(place, frozenset({"push"}))
    assert told.greeted > 0
    assert silent.greeted == 0
    still = ~(place.people.located & place.people.agreed[:, PUSH])
    assert np.array_equal(told.tally.margin[still], silent.tally.margin[still])
    assert quiet(place.setting, frozenset()) == place.setting


def test_a_dark_platform_leaves_the_impressions_of_the_others() -> None:
    place = town(customers=20, prospects=20)
    told, dark = live_without(place, frozenset()), live_without(place, frozenset(), {0})
    assert told.seen[:, 0].any()
    assert not dark.seen[:, 0].any()
    assert not dark.clicked[:, 0].any()
    assert np.array_equal(dark.seen[:, 1], told.seen[:, 1])


def test_ads_bring_some_prospects_and_no_customer_anything() -> None:
    rows = ads(town(customers=40, prospects=400, near=NEAR, days=40))
    assert [(row.platform, row.audience) for row in rows] == [
        (name, audience) for name in (*PLATFORMS, "all") for audience in ("customers", "prospects")
    ]
    for row in rows:
        assert row.impressions > 0
        if row.audience == "customers":
            assert row.acquisitions == row.orders == row.margin == NOTHING
        else:
            assert 0 < row.acquisitions.value < row.acquired
    every = {row.platform: row.acquisitions.value for row in rows if row.audience == "prospects"}
    assert every["all"] >= max(every[name] for name in PLATFORMS)
    assert sum(row.impressions for row in rows if row.platform == "all") == sum(
        row.impressions for row in rows if row.platform != "all"
    )


def test_in_the_null_world_ads_bring_exactly_nobody() -> None:
    for row in ads(town("null", customers=10, prospects=200, near=NEAR)):
        assert row.acquisitions == row.orders == row.revenue == row.margin == NOTHING
        assert row.acquired > 5 or row.audience == "customers"


def test_policies_start_from_the_world_told_and_windows_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy_values, "HALF", 30)
    monkeypatch.setattr(policy_values, "WINDOWS", ((0, 30), (0, 60), (30, 30)))
    place = town(customers=100, prospects=20, days=policy_values.HALF)
    names = ("nothing", policy_values.USUAL, policy_values.BEST)
    done = {name: [policy_values.rehearse(place, name)] for name in names}
    rows = {(row.policy, row.start, row.days): row for row in policy_values.rows(done)}
    assert len(rows) == 9
    for name in names:
        first, both, second = (rows[name, *window] for window in policy_values.WINDOWS)
        assert first.orders + second.orders == both.orders
        assert first.margin + second.margin == pytest.approx(both.margin, abs=1e-3)
        assert first.sent + second.sent == both.sent
        assert both.gap_closed == {policy_values.BEST: 1.0, policy_values.USUAL: 0.0}.get(
            name, both.gap_closed
        )
    usual = rows[policy_values.USUAL, 0, policy_values.HALF]
    assert usual.orders == relive(place, {}).orders
    assert usual.margin_lift == NOTHING
    assert rows[policy_values.BEST, 0, 60].margin > rows[policy_values.USUAL, 0, 60].margin
    assert rows["nothing", 0, 60].sent == rows["nothing", 0, 60].unsubscribed == 0


def test_a_lifetime_is_a_mean_over_rollouts_of_those_who_are_still_there() -> None:
    place = town(customers=40, prospects=0, days=10)
    lived = relive(place, {})
    here = np.flatnonzero(lived.state.here)
    start = lifetimes.Start(place.days, place.first + place.days, 16, 40)
    some = take(lived.state, here), take(lived.noted, here)
    rows, days = lifetimes.lifetimes(place.setting, place.people.take(here), *some, start)
    assert days == len(here) * 16 * 40
    assert [row.person for row in rows] == place.people.ids[here].tolist()
    values = np.array([row.value for row in rows])
    assert values.std() > 3 * np.mean([row.error for row in rows]) / 4
    assert all(row.value > 0 and row.error > 0 and 0.5 <= row.stays <= 1 for row in rows if row.orders > 1)
    assert lifetimes.gone(8) == Lifetime(8, 0.0, 0.0, 0.0, 0.0)
    assert np.array_equal(np.concatenate(list(lifetimes.groups(here, 10_000))), here)


def test_an_interval_is_that_of_a_sum_over_people() -> None:
    drawn = Luck(1, np.arange(400)).normal(0, "x") + 1.0
    found = total(drawn)
    assert found.value == pytest.approx(drawn.sum(), abs=1e-3)
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * 20 * drawn.std(ddof=1), rel=1e-4)


def test_a_world_without_prospects_or_letters_has_idle_channels() -> None:
    place = town(customers=5, prospects=0, days=2)
    quiet = live_without(place, frozenset({"email", "sms", "push"}))
    assert channel_effects.used([quiet], prospects=False) == (SLOTS, ASSOCIATES)
    assert ADS in channel_effects.used([quiet], prospects=True)
