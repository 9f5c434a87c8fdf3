"""The rules of identity: the settings, and what follows from them."""

from functools import cached_property

from patron.identity.plan import Plan
from patron.identity.settings import (
    STANDARD_TYPES,
    IdentifierType,
    IdentitySettings,
    Sharing,
    Window,
)


class IdentityRules(IdentitySettings, frozen=True, dict=True, forbid_unknown_fields=True):
    """How identifiers become people, ready to be asked.

    >>> rules = IdentityRules(total_limit=50)
    >>> rules.plan.limits["email"], rules.plan.order["user_id"]
    (5, 0)
    """

    @cached_property
    def plan(self) -> Plan:
        """What follows from these rules, worked out once."""
        return Plan(self)


__all__ = ["STANDARD_TYPES", "IdentifierType", "IdentityRules", "Sharing", "Window"]
