"""The built-in policies against table 7.8, on seeds that were never used to set them.

The design states about one point of noise for its own figures; each bar adds four standard errors of this sample.
"""

import pytest

from patron.sim.engine.calibration import Row, calibrate
from patron.sim.engine.letters import Send
from patron.sim.engine.policy import Policy, Today
from patron.sim.engine.run import customers, rehearse
from patron.sim.engine.state import Setting
from patron.sim.policies import POLICIES
from patron.sim.world.people import CHANNELS
from patron.sim.world.sizes import places
from patron.sim.world.worlds import parameters

PEOPLE = 2_500
SEED = 1_004
STATED = {"rule": 0.011, "learner": 0.054, "oracle": 0.137}
"""Revenue against business as usual."""


def rows(world: str, people: int = PEOPLE) -> dict[str, Row]:
    setting = Setting(SEED, parameters(world), places("S"))
    return {row.policy: row for row in calibrate(setting, people, dict(POLICIES))}


@pytest.fixture(scope="module")
def default() -> dict[str, Row]:
    """Every policy on the default world."""
    return rows("default")


@pytest.mark.parametrize("policy", STATED)
def test_lifts_are_those_of_the_design_within_the_stated_noise(default: dict[str, Row], policy: str) -> None:
    found = default[policy].revenue
    error = (found.high - found.low) / 3.92
    assert abs(found.value - STATED[policy]) < 0.01 + 4 * error


def test_policies_stand_in_the_order_of_the_design(default: dict[str, Row]) -> None:
    value = {name: row.revenue.value for name, row in default.items()}
    assert value["nothing"] < 0 < value["rule"] < value["learner"] < value["oracle"]
    assert default["oracle"].sends < 0.6 * default["business-as-usual"].sends
    assert default["oracle"].unsubscribed < default["business-as-usual"].unsubscribed


def test_the_shop_looks_as_in_the_design(default: dict[str, Row]) -> None:
    usual = default["business-as-usual"]
    assert 0.80 <= usual.offline <= 0.86
    assert 0.41 <= usual.conversion <= 0.46
    assert abs(usual.order_value - 39) < 3
    assert 7 < usual.sends < 10


def test_in_the_null_world_no_policy_changes_what_anybody_does() -> None:
    found = rows("null", 600)
    usual = found["business-as-usual"]
    for row in found.values():
        assert (row.orders, row.conversion) == (usual.orders, usual.conversion)
        # an offer's discount is still paid to those who buy anyway: money, not behaviour
        assert abs(row.revenue.value) < 0.002


def test_reminders_put_people_off_in_the_perverse_world() -> None:
    perverse = rows("perverse", 1_200)["learner"].revenue.value
    assert perverse < rows("default", 1_200)["learner"].revenue.value


class Watched:
    """A policy whose addressees are held against who had agreed to the channel that morning."""

    def __init__(self, policy: Policy) -> None:
        self.policy, self.slots = policy, policy.slots
        self.sent = self.withdrawn = 0

    def messages(self, today: Today) -> list[Send]:
        agreed = today.state.agreed.copy()
        self.withdrawn = int((today.people.agreed & ~agreed).sum())
        sends = self.policy.messages(today)
        for send in sends:
            assert agreed[send.rows, send.channel].all(), f"{CHANNELS[send.channel]} on day {today.day}"
            self.sent += len(send.rows)
        return sends


@pytest.mark.parametrize("name", POLICIES)
def test_nobody_is_written_to_without_consent(name: str) -> None:
    setting = Setting(SEED, parameters("default"), places("S"))
    watched = Watched(POLICIES[name]())
    rehearse(setting, customers(setting, 600), lambda: watched, start=20_000, days=84, count_from=0)
    assert watched.withdrawn > 0, "some had agreed once, and must be left alone"
    assert (watched.sent > 0) == (name != "nothing")
