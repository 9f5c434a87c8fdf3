"""The truth that needs the world lived again: every potential outcome, policy, lifetime and channel, on paired luck (7.7).

`run` writes the oracle files beside the truth of a generated world; `read` and `read_needs` give them back.
"""

from patron.sim.oracle.files import read, read_needs, read_report
from patron.sim.oracle.makers import Plan
from patron.sim.oracle.needs import Needs
from patron.sim.oracle.rows import NAMES, Report
from patron.sim.oracle.run import run

__all__ = ["NAMES", "Needs", "Plan", "Report", "read", "read_needs", "read_report", "run"]
