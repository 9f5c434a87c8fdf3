"""Logged decisions as arrays: what was earned, how likely the executed action was, how likely the other policy makes it."""

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


class Logged(Struct, frozen=True, eq=False):
    """Rows of a log, one decision each, as columns of the same length. Make it with `Logged.of`.

    >>> rows = Logged.of(reward=[1, 0], propensity=[0.5, 0.5], target=[1.0, 0.0])
    >>> rows.weight.tolist(), len(rows)
    ([2.0, 0.0], 2)
    """

    reward: Floats
    """What the executed action earned, in any one unit."""
    propensity: Floats
    """Probability with which the logging policy executed that action, after all its gates."""
    target: Floats
    """Probability that the policy in question gives the same action in the same situation."""
    predicted: Floats | None = None
    """A model's guess of the reward of the executed action, not fitted on this row (`regress.cross_fit`)."""
    expected: Floats | None = None
    """The same guess averaged over all actions as the policy in question would choose."""
    outside: Floats | None = None
    """Probability that the policy in question gives to actions which the logging policy could not choose."""
    person: Whole | None = None
    """Code of the person, from 0: rows of one person are not independent. None = each row stands by itself."""

    @classmethod
    def of(
        cls,
        reward: ArrayLike,
        propensity: ArrayLike,
        target: ArrayLike,
        *,
        predicted: ArrayLike | None = None,
        expected: ArrayLike | None = None,
        outside: ArrayLike | None = None,
        person: ArrayLike | None = None,
    ) -> "Logged":
        """From anything that numpy reads as columns; people may be of any kind (names, numbers).

        Raises
        ------
        ValueError : columns of different lengths, text where numbers belong, or only one of `predicted` and
            `expected`. Odd numbers inside (a propensity of 0, NaN) are no error here: `faults.fault` refuses them
            with their row.
        """
        if (predicted is None) != (expected is None):
            raise ValueError("`predicted` and `expected` belong together: give both, or none")
        columns = {
            name: _column(name, values)
            for name, values in (
                ("reward", reward),
                ("propensity", propensity),
                ("target", target),
                ("predicted", predicted),
                ("expected", expected),
                ("outside", outside),
            )
            if values is not None
        }
        codes = (
            None if person is None else np.unique(np.asarray(person), return_inverse=True)[1].astype(np.int64)
        )
        lengths = {name: len(column) for name, column in columns.items()}
        if codes is not None:
            lengths["person"] = len(codes)
        if len(set(lengths.values())) > 1:
            raise ValueError(f"all columns need the same number of rows, these have {lengths}")
        return cls(**columns, person=codes)

    def __len__(self) -> int:
        return len(self.reward)

    @property
    def weight(self) -> Floats:
        """Importance weight of each row: how much more often the policy in question does the same."""
        return self.target / self.propensity

    @property
    def units(self) -> int:
        """Number of independent units: people when given, else rows."""
        return len(self) if self.person is None else int(self.person.max(initial=-1)) + 1

    def sums(self, values: Floats) -> Floats:
        """`values` summed over each independent unit.

        >>> Logged.of([1, 0, 1], [1, 1, 1], [1, 1, 1], person=["b", "a", "b"]).sums(np.array([1.0, 2.0, 4.0])).tolist()
        [2.0, 5.0]
        """
        if self.person is None:
            return values
        return np.bincount(self.person, values, self.units).astype(np.float64, copy=False)

    def means(self, values: Floats) -> Floats:
        """`values` averaged over each independent unit."""
        return (
            values
            if self.person is None
            else self.sums(values) / np.bincount(self.person, minlength=self.units)
        )


def _column(name: str, values: ArrayLike) -> Floats:
    try:
        column = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"`{name}` must be numbers: {error}") from None
    if column.ndim != 1:
        raise ValueError(f"`{name}` must be one column, not of shape {column.shape}")
    return column
