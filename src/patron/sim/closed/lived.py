"""What some days brought, day by day and person by person: enough for every row that a closed loop is judged by."""

import numpy as np
from msgspec import Struct, field

from patron.sim.engine.day import Plan
from patron.sim.engine.ledger import Ledger
from patron.sim.luck import Floats
from patron.sim.town import Town


class Lived(Struct):
    """Sums of some days."""

    ledger: Ledger = field(default_factory=Ledger)
    revenue: list[Floats] = field(default_factory=list)
    """Of each day, by person."""
    margin: list[Floats] = field(default_factory=list)
    sent: list[Floats] = field(default_factory=list)
    """Messages of each day, by person."""
    left: list[Floats] = field(default_factory=list)
    """Consents taken back on each day, by person."""

    def add(self, town: Town, plan: Plan) -> None:
        """Count one day."""
        day = Ledger()
        day.add(town.setting, town.people, plan)
        if not self.revenue:
            self.ledger = day
        else:
            self.ledger = self._with(day)
        sent, left = np.zeros(len(town.people)), np.zeros(len(town.people))
        for delivered in plan.delivered:
            np.add.at(sent, delivered.send.rows, 1.0)
            np.add.at(left, delivered.send.rows, delivered.unsubscribed)
        np.add.at(left, plan.changes.rows, ~plan.changes.granted)
        self.revenue.append(day.by_person)
        self.margin.append(day.margin_by_person)
        self.sent.append(sent)
        self.left.append(left)

    def _with(self, day: Ledger) -> Ledger:
        """The sums of both; the people are the same."""
        ours = self.ledger
        sums = {name: getattr(ours, name) + getattr(day, name) for name in Ledger.__struct_fields__}
        return Ledger(**{**sums, "people": ours.people})
