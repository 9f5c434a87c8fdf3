"""What an operation on the identity graph did, as values: the people before and after, or why it was refused."""

from msgspec import Struct

from patron.model.people import Person


class Change(Struct, frozen=True, gc=False):
    """Every person that an operation touched, as they were and as they are, also those with no event in it.

    `before` are people that no longer exist so, `after` those that exist instead, both by id; both are empty when
    the evidence grew and nobody changed.
    """

    before: tuple[Person, ...] = ()
    after: tuple[Person, ...] = ()

    @property
    def moved(self) -> bool:
        """Whether some person is not as before.

        >>> Change().moved
        False
        """
        return bool(self.before or self.after)


class Refusal(Struct, frozen=True, gc=False):
    """A join by hand that was not made: the rule in its way, and a sentence for people."""

    rule: str
    reason: str
