"""Where the simulated retailer differs from the grocer, why: one sentence for each marginal and direction.

A difference that has no sentence here makes a test fail: whoever changes the model says what it did to its marginals.
"""

from patron.sim.world.catalogue import CATEGORIES, CYCLES, LIST_PRICES

_CYCLES = f"{CYCLES.min():.0f} to {CYCLES.max():.0f} days"
_PRICES = f"{LIST_PRICES.min():.0f} to {LIST_PRICES.max():.0f} EUR"

SENTENCES: dict[tuple[str, str], str] = {
    ("lines", "less"): (
        f"The simulated shop is a specialist with {len(CATEGORIES)} categories: a visitor takes one product of a category"
        f" at most, and only categories whose need (cycles of {_CYCLES}, each used by 38 % of people) has grown are likely;"
        " the grocer sells thousands of things that run out every week, so one trip fills a trolley."
    ),
    ("value", "more"): (
        f"Prices: the categories are listed at {_PRICES}, so one simulated line costs what several lines of groceries cost;"
        " how much somebody buys at once (size, standard deviation .45 of its logarithm) only spreads that."
    ),
    ("spread", "less"): (
        "A simulated basket holds at least one product of the specialist's price list, while the grocer's small trips"
        " (one line of one or two dollars) and weekly shops lie far apart; the model has one kind of trip."
    ),
    ("spread", "more"): (
        f"Rare expensive categories (list prices {_PRICES}) beside coffee and tea stretch the upper end further than"
        " a grocer's full trolley does."
    ),
    ("wait", "more"): (
        f"A simulated customer comes when a need with a cycle of {_CYCLES} is due, or by habit (alpha: about one visit in"
        " sixteen days a person before needs, fewer than half of which buy); groceries are needed every few days, the set was chosen"
        " among the grocer's frequent shoppers, and 18 % of its baskets are followed by another on the same day."
    ),
    ("orders", "less"): (
        f"Fewer needs fall due: cycles of {_CYCLES}, a tenth of each grown need met at competitors (leak .09 a day), people who leave"
        " after a purchase; the grocer's households are a selection of frequent shoppers whose food is needed each week."
    ),
    ("weekday", "other"): (
        "The weekday effect of the model (Monday -.10 to Saturday +.35, Sunday +.10 on the logarithm of visits) is that of"
        " shops in town, which peak on Saturday; the grocer's Sunday is as busy as its Saturday and its other days are flat."
    ),
    ("hour", "other"): (
        "Simulated stores open from 9 to 20 h with a bump at noon, a lull at 14 h and the peak at 16 to 18 h, as in towns of Italy and"
        " Spain; the grocer is open at all hours (about 15 % of its baskets before 9 h or from 21 h on) and fills evenly through the day."
    ),
    ("coupon", "less"): (
        "Coupons reach simulated people only as offers in messages (12 % off one category for seven days, where consent is"
        " given), and those who do not need the category let them lapse; the grocer redeems manufacturers' coupons, some of which it"
        " matches, on products of every trip."
    ),
    ("coupon", "more"): (
        "Every month an offer (12 % off) goes to whoever agreed to messages, and a specialist's basket holds so few lines that"
        " one redeemed offer marks the whole basket; the grocer's coupons are clipped by few households."
    ),
    ("reduced_baskets", "less"): (
        "A basket of one or two lines meets a promotion rarely: one category-week in ten is reduced by 15 %; the grocer's loyalty"
        " card lowers the price of half of all lines, so nearly every longer basket has one."
    ),
    ("reduced_lines", "less"): (
        "Promotions are drawn by category and week (10 % of weeks at -15 %; price sensitivity .9 ps raises the share a little); the"
        " grocer's reductions are prices for card holders, who are everybody in the set, and run on half of all lines at any time."
    ),
    ("top_tenth", "less"): (
        "Customers differ by how often they come (alpha, standard deviation .55), what they use (38 % of categories) and size (.45), whose effects"
        " average out over the people of a household; the grocer's households range from two"
        " to dozens of baskets in twelve weeks, so its best tenth weighs more."
    ),
    ("top_tenth", "more"): (
        "With few purchases in the window, who bought an expensive category (machines, garden) in it heads the list by chance;"
        " a grocer's weekly totals are steadier."
    ),
}
"""(marginal, direction of the simulated side) -> the cause, in terms of the model's parameters (SIMULATOR.md 7.3, 7.4)."""


_BY_CUSTOMER = ("wait", "orders", "top_tenth")
_RECORDS = (
    " Besides, customers are told apart by records here, so the baskets of one person lie in several places."
)


def why(name: str, direction: str, unit: str = "household") -> str:
    """Why a marginal differs in a direction, where customers are of a unit; empty when nobody has said so.

    >>> why("lines", "less")[:34]
    'The simulated shop is a specialist'
    """
    said = SENTENCES.get((name, direction), "")
    return said + _RECORDS if said and unit == "record" and name in _BY_CUSTOMER else said
