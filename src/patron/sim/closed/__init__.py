"""The closed loop: the world lives day by day against a running Patron whose clock it drives, and acts on its answers."""

from patron.sim.closed.judging import judge
from patron.sim.closed.loop import NAMES, Outcome, run

__all__ = ["NAMES", "Outcome", "judge", "run"]
