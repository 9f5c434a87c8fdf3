"""The luck of an arrival is that of its message, though a day's are drawn together."""

import datetime as dt
from collections import defaultdict

from patron.model.clock import DAY, HOUR
from patron.sim import make_town
from patron.sim.luck import Dice
from patron.sim.telling.history import arrivals


def test_each_message_arrives_late_twice_or_never_by_its_own_luck(tmp_path):
    worse = tmp_path / "worse.toml"
    worse.write_text("[transport]\nlost = 0.2\ntwice = 0.3\n")
    town = make_town(7, dt.date(2026, 11, 21), 30, days=8, file=worse)
    told, arrived = [], defaultdict(list)
    for at, key, _ in arrivals(town, hear=told.extend):
        arrived[key].append(at)
    # what is told of the last days may still be under way; till files wait for the night
    early = [one for one in told if one.at < (town.until - 2) * DAY and one.source == "web" and not one.delay]
    kinds = set()
    for one in early:
        key = one.message["messageId"]
        dice, expected = Dice(town.seed, one.person, int(key[-12:], 16)), []
        if not dice.chance(0.2, "lost"):
            expected = [one.at + int(dice.between(120, 900, "travels"))]
            if dice.chance(0.3, "twice"):
                expected.append(expected[0] + int(dice.between(1_500, 5 * HOUR, "again")))
        assert arrived[key] == expected
        kinds.add(len(expected))
    assert kinds == {0, 1, 2}
