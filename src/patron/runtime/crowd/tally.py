"""How many of some people a rule finds, row by row, in one pass over them."""

from collections.abc import Sequence
from typing import Literal, Protocol

from patron.model.audiences import RowCount
from patron.rules.tree import Rule


class Looked(Protocol):
    """Somebody whose events were read."""

    def has_basis(self, purpose: str) -> bool:
        """Whether a rule of this purpose may see them."""
        ...

    def holds(self, rule: Rule) -> bool:
        """Whether a rule holds for them."""
        ...


class Tally:
    """Counts who is in, who has no lawful basis, and who is left after each row.

    >>> from patron.rules.tree import Member
    >>> class One:
    ...     def __init__(self, *names): self.names = names
    ...     def has_basis(self, purpose): return bool(self.names)
    ...     def holds(self, rule): return rule.segment in self.names
    >>> a, b = Member("a"), Member("b")
    >>> tally = Tally("ads", a, [("0", a, True), ("1", b, True)], "all")
    >>> [tally.add(one) for one in (One("a", "b"), One("b"), One())], tally.without
    ([True, False, False], 1)
    >>> [(row.path, row.alone, row.left) for row in tally.rows()]
    [('0', 1, 1), ('1', 2, 1)]
    """

    def __init__(
        self, purpose: str, rule: Rule, rows: Sequence[tuple[str, Rule, bool]], mode: Literal["all", "any"]
    ) -> None:
        self._purpose = purpose
        self._rule = rule
        self._rows = rows
        self._mode = mode
        self._alone = [0] * len(rows)
        self._left = [0] * len(rows)
        self.seen = 0
        self.members = 0
        self.without = 0
        """People for whom the purpose has no lawful basis; they count in no row."""

    def add(self, one: Looked) -> bool:
        """Look at one more; whether they are in."""
        self.seen += 1
        if not one.has_basis(self._purpose):
            self.without += 1
            return False
        so_far = self._mode == "all"
        for number, (_, rule, step) in enumerate(self._rows):
            holds = one.holds(rule)
            self._alone[number] += holds
            if step:
                so_far = (so_far and holds) if self._mode == "all" else (so_far or holds)
                self._left[number] += so_far
        inside = one.holds(self._rule)
        self.members += inside
        return inside

    def rows(self, times: float = 1.0) -> tuple[RowCount, ...]:
        """What was counted of each row, multiplied (a sample stands for more people than were seen)."""
        return tuple(
            RowCount(place, round(alone * times), round(left * times))
            for (place, _, _), alone, left in zip(self._rows, self._alone, self._left, strict=True)
        )
