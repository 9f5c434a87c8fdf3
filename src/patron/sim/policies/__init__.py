"""What a retailer may do: whom to write to, and what to show at a touchpoint. One file, one policy."""

from patron.sim.engine.policy import Policy, Today
from patron.sim.policies.business_as_usual import BusinessAsUsual
from patron.sim.policies.learner import Learner
from patron.sim.policies.nothing import Nothing
from patron.sim.policies.oracle import Oracle
from patron.sim.policies.rule import Rule

POLICIES: dict[str, type[Policy]] = {
    "nothing": Nothing,
    "business-as-usual": BusinessAsUsual,
    "rule": Rule,
    "learner": Learner,
    "oracle": Oracle,
}
"""Name -> policy. `learner` sees only what a retailer sees; `oracle` reads the truth."""

__all__ = ["POLICIES", "BusinessAsUsual", "Learner", "Nothing", "Oracle", "Policy", "Rule", "Today"]
