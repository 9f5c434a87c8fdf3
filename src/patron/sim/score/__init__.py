"""The scorecard: a running platform held against the truth of a generated world, through the public API only."""

from patron.sim.score.card import Card, Row
from patron.sim.score.score import score, world_of

__all__ = ["Card", "Row", "score", "world_of"]
