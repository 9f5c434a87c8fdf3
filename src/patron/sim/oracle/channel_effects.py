"""`channel_effects`: leave-one-channel-out worlds on the same luck, and what two channels do to each other (7.7)."""

from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np

from patron.sim.luck import Floats
from patron.sim.oracle.rows import ChannelEffect
from patron.sim.oracle.tally import MEASURES, total
from patron.sim.oracle.without import ADS, ALL, Days
from patron.sim.world.people import CHANNELS, PUSH

Silent = frozenset[str]
EVERYTHING: Silent = frozenset()
"""What is silent in the world as told."""


def used(base: list[Days], prospects: bool) -> tuple[str, ...]:
    """The channels that business as usual uses in this world; the others bring exactly nothing."""
    sent = np.sum([part.tally.sent for part in base], axis=0)
    sent[PUSH] += sum(part.greeted for part in base)
    idle = {name for k, name in enumerate(CHANNELS) if not sent[k]} | (set() if prospects else {ADS})
    return tuple(name for name in ALL if name not in idle)


def worlds(channels: tuple[str, ...]) -> list[Silent]:
    """The worlds to live beside the one told: without each channel, and without each two."""
    return [frozenset(some) for size in (1, 2) for some in combinations(channels, size)]


def rows(done: Mapping[Silent, list[Days]]) -> Iterator[ChannelEffect]:
    """The rows of the file: each of `ALL`, then each pair; worlds that were not lived have nothing to be silent.

    A pair's interaction is Y - Y(without a) - Y(without b) + Y(without both): above 0 when they help each other.
    """
    silent = frozenset[str]().union(*done)
    lived = {
        measure: {
            world: np.concatenate([getattr(part.tally, measure) for part in parts])
            for world, parts in done.items()
        }
        for measure in MEASURES
    }
    for size in (1, 2):
        for some in combinations(ALL, size):
            estimates = {
                measure: total(_difference(found, tuple(frozenset({name}) & silent for name in some)))
                for measure, found in lived.items()
            }
            yield ChannelEffect(some, **estimates)


def _difference(found: Mapping[Silent, Floats], some: tuple[Silent, ...]) -> Floats:
    base = found[EVERYTHING]
    if len(some) == 1:
        return base - found[some[0]]
    first, second = some
    # grouped so that what only one of them changes cancels to nothing at all
    difference: Floats = (base - found[first]) - (found[second] - found[first | second])
    return difference
