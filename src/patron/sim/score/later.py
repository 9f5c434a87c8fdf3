"""Figures whose place is kept: what they will say, and what has to be there first."""

from patron.sim.score.card import OPEN, Row

GROUP = "Not yet computed by Patron"


def _later(name: str, definition: str, needs: str) -> Row:
    return Row(group=GROUP, name=name, definition=definition, verdict=OPEN, note=f"needs {needs}")


LATER: tuple[Row, ...] = (
    _later(
        "replenishment error",
        "Mean absolute difference, in days, between the day on which a need is said to fall due and the true one.",
        "next due day by person and category; truth/needs",
    ),
    _later(
        "channel choice",
        "Share of people for whom the channel that works best for them was chosen.",
        "a chosen channel a person; truth/person_latent",
    ),
    _later(
        "decision regret",
        "Mean value lost against the best allowed action, over sampled people and days.",
        "a closed loop: the card of `patron sim run --policy api` has it",
    ),
    _later(
        "OPE coverage",
        "Share of intervals of off-policy estimates that hold the true value of the policy.",
        "a closed loop: the card of `patron sim run --policy api` has it",
    ),
    _later(
        "attribution error",
        "Mean relative error of the incremental revenue credited to each channel.",
        "credit by channel; truth/channel_effects",
    ),
    _later(
        "map edge F1",
        "F1 of the transitions of the journey map against the true ones.",
        "journey maps; truth/journey_truth",
    ),
    _later(
        "associate ranking",
        "Rank correlation of associates' estimated and true effects.",
        "effects by associate; truth/associates_truth",
    ),
    _later(
        "CLV",
        "Mean absolute error and rank correlation of the value of the next 365 days.",
        "a predicted value a person; truth/clv",
    ),
)
"""In the order of the table."""
