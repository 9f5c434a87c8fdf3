"""Catalogues for the bench's decisions, as TOML text."""

PLACEMENT = "bench"


def wide(actions: int = 200, survive: int = 120) -> str:
    """`actions` offers at one placement, of which `survive` pass every gate for an anonymous visitor.

    The others ask for something the visitor has not: an order, a trait, a counter.

    >>> wide(3, 2).count("[[offer]]")
    3
    """
    unmet = (
        '{ field = "totals.orders", op = ">=", value = 3 }',
        '{ field = "traits.tier", op = "=", value = "platinum" }',
        '{ field = "counters.Order Completed", op = ">", value = 5 }',
    )
    met = (
        '{ field = "totals.orders", op = "<", value = 100 }',
        '{ field = "traits.tier", op = "missing" }',
        '{ field = "context.weather", op = "=", value = "rain" }',
    )
    parts = []
    for number in range(actions):
        condition = met[number % 3] if number < survive else unmet[number % 3]
        parts.append(
            f'[[offer]]\nid = "offer-{number:03d}"\nname = "Offer {number}"\nplacements = ["{PLACEMENT}"]\n'
            f"conditions = [{condition}]\n"
            f'[offer.content]\ntitle = "Offer {number}"\ncode = "C{number:03d}"\n'
        )
    return "\n".join(parts)


def flip() -> str:
    """One offer that only a person with the trait `tier = gold` may get."""
    return (
        f'[[offer]]\nid = "gold"\nname = "Gold"\nplacements = ["{PLACEMENT}"]\n'
        'conditions = [{ field = "traits.tier", op = "=", value = "gold" }]\n[offer.content]\ntitle = "Gold"\n'
    )
