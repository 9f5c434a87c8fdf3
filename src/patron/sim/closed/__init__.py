"""The closed loop: the world lives day by day against a running Patron whose clock it drives, and acts on its answers."""

from patron.sim.closed.loop import Outcome, run

__all__ = ["Outcome", "run"]
