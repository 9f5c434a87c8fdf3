"""Variants, placements, caps, quiet hours and scoring: what is read, and every fault and broken reference by its path."""

import pytest

from patron.decide.catalogue import MAX_CAPS, MAX_PLACEMENTS, parse, read
from patron.decide.reading.offers import MAX_VARIANTS
from patron.decide.reading.scoring import MAX_WEIGHTS
from patron.model.offers import Cap, Catalogue, Condition, Placement, Quiet, Scoring, Variant, Weight

TEA = '[[offer]]\nid = "tea"\nname = "Tea"\nfamily = "hot"\ncontent = {title = "Tea", say = "Tea?"}\n'
TILL = '[[placement]]\nid = "till"\nname = "Till"\n'
CAP = '[[cap]]\nid = "c"\nlimit = 1\n'
WEIGHT = "[[scoring.weight]]\nfactor = 2\n"


def test_everything_that_can_be_said_is_read() -> None:
    found = parse(
        TEA
        + "value = 24.9\ncost = 0.5\nmargin = 0.4\npriority = 10\nstock = 0\nbudget = 9\ndaily_budget = 1\n"
        + 'cooldown_hours = 5\nproducts = ["P1", "P1", "P2"]\nsegments = ["vip"]\nnot_segments = ["staff"]\n'
        + '[[offer.variant]]\nplacements = ["till"]\nlanguages = ["it", "de-CH"]\ncontent = {title = "Tè"}\n'
        + TILL
        + 'channel = "pos"\nslots = 3\nneeds = ["title"]\nfamilies = ["hot"]\noutbound = true\nreward = "margin"\n'
        + 'window_hours = 4\nholdout = 0.1\nfallback = "tea"\nexplore = false\n'
        + CAP
        + 'hours = 36\nchannels = ["email"]\nfamilies = ["hot"]\neach = "offer"\noutbound = true\n'
        + '[quiet]\nstart = "21:30"\nend = 08:00:00\nchannels = ["push"]\n'
        + '[scoring]\nformula = "propensity * value - cost"\nunsubscribe_cost = 8\nnothing = -1.5\nmessages_a_month = 2.5\n'
        + WEIGHT
        + 'offers = ["tea"]\nfamilies = ["hot"]\nconditions = [{field = "context.weather", op = "=", value = "rain"}]\n',
        ["vip", "staff"],
    )
    (offer,) = found.offers
    assert (offer.value, offer.cost, offer.margin, offer.priority) == (24.9, 0.5, 0.4, 10.0)
    assert (offer.stock, offer.budget, offer.daily_budget, offer.cooldown_hours) == (0, 9.0, 1.0, 5)
    assert (offer.products, offer.segments, offer.not_segments) == (("P1", "P2"), ("vip",), ("staff",))
    assert offer.variants == (Variant({"title": "Tè"}, ("till",), ("it", "de-CH")),)
    assert found.placements == (
        Placement("till", "Till", "pos", 3, ("title",), ("hot",), True, "margin", 4, 0.1, "tea", False),
    )
    assert found.caps == (Cap("c", 1, 0, 36, ("email",), ("hot",), "offer", True),)
    assert found.quiet == Quiet(21 * 60 + 30, 8 * 60, ("push",))
    rain = Condition("context.weather", "=", "rain")
    assert found.scoring == Scoring(
        "propensity * value - cost", 8.0, -1.5, (Weight(2.0, (rain,), ("tea",), ("hot",)),), 2.5
    )
    assert isinstance(found.scoring.weights[0].factor, float)
    assert isinstance(offer.budget, float)


FAULTS = [
    (TEA + "value = nan", "offer[0].value", "from 0 to 1 000 000 000, not nan"),
    (TEA + "value = inf", "offer[0].value", "not inf"),
    (TEA + "value = -0.1", "offer[0].value", "not -0.1"),
    (TEA + f"value = 1{'0' * 400}", "offer[0].value", "very many digits"),
    (TEA + "value = true", "offer[0].value", "not true"),
    (TEA + 'cost = "3"', "offer[0].cost", 'not "3"'),
    (TEA + "margin = 1.01", "offer[0].margin", "from 0 to 1"),
    (TEA + "priority = 0", "offer[0].priority", "from 0.1 to 10"),
    (TEA + "priority = 11", "offer[0].priority", "from 0.1 to 10"),
    (TEA + "stock = 1.0", "offer[0].stock", "whole number"),
    (TEA + "stock = -1", "offer[0].stock", "whole number"),
    (TEA + "stock = false", "offer[0].stock", "whole number"),
    (TEA + "budget = 5", "offer[0].budget", "say what one costs"),
    (TEA + "daily_budget = 5", "offer[0].daily_budget", "say what one costs"),
    (TEA + "cooldown_hours = 99999999", "offer[0].cooldown_hours", "whole number from 0"),
    (TEA.replace('"hot"', '"Hot drinks"'), "offer[0].family", "a-z 0-9"),
    (TEA + 'segments = "vip"', "offer[0].segments", "a list of names"),
    (TEA + 'segments = ["vip"]\nnot_segments = ["vip"]', "offer[0].not_segments[0]", "in and out"),
    (TEA + "variant = 3", "offer[0].variant", "write [[offer.variant]]"),
    (TEA + "variants = []", "offer[0].variants", "did you mean `variant`?"),
    (TEA + "[[offer.variant]]\nlanguages = ['it']", "offer[0].variant[0].content", "is missing"),
    (TEA + "[[offer.variant]]\ncontent = {}", "offer[0].variant[0].content", "is empty"),
    (TEA + "[[offer.variant]]\ncontent = {a = 1}\nlanguages = ['italiano!']", "offer[0].variant[0].languages[0]", "such as `it`"),
    (TEA + "[[offer.variant]]\ncontent = {a = 1}\nlanguages = 'it'", "offer[0].variant[0].languages", "a list of languages"),
    (TEA + "[[offer.variant]]\ncontent = {a = nan}", "offer[0].variant[0].content.a", "no finite number"),
    ("placement = 3", "placement", "write [[placement]] above each"),
    ("[placement]\nid = 'till'", "placement", "write [[placement]] above each"),
    ("[[placement]]\nid = 'till'", "placement[0].name", "is missing"),
    ("[[placement]]\nid = 'Till'\nname = 'T'", "placement[0].id", "a-z 0-9"),
    (TILL + TILL, "placement[1].id", "also the id of placement[0]"),
    (TILL + "slot = 3", "placement[0].slot", "did you mean `slots`?"),
    (TILL + "slots = 0", "placement[0].slots", "from 1 to 100"),
    (TILL + "channel = 'tilll'", "placement[0].channel", "use one of web"),
    (TILL + "reward = 'clicks'", "placement[0].reward", "did you mean `click`?"),
    (TILL + "reward = 3", "placement[0].reward", "view, click, visit, order, margin"),
    (TILL + "outbound = 'yes'", "placement[0].outbound", "true or false"),
    (TILL + "explore = 1", "placement[0].explore", "true or false"),
    (TILL + "window_hours = 0", "placement[0].window_hours", "from 1"),
    (TILL + "holdout = 1.5", "placement[0].holdout", "from 0 to 1"),
    (TILL + "needs = [3]", "placement[0].needs", "a list of names"),
    ("[[cap]]\nlimit = 1\ndays = 1", "cap[0].id", "is missing"),
    ("[[cap]]\nid = 'c'\ndays = 1", "cap[0].limit", "is missing"),
    (CAP, "cap[0].days", "`days = 1` (of the calendar) or `hours = 24`"),
    (CAP + "days = 1\nhours = 24", "cap[0].hours", "beside `days`"),
    (CAP + "days = 367", "cap[0].days", "from 1 to 366"),
    (CAP + "days = 1\neach = 'person'", "cap[0].each", "offer, family, channel"),
    (CAP + "days = 1\nchannels = ['emial']", "cap[0].channels[0]", "did you mean `email`?"),
    (CAP + "days = 1\n" + CAP + "days = 2", "cap[1].id", "also the id of cap[0]"),
    ("[[cap]]\nid = 'c'\nlimit = 0\ndays = 1", "cap[0].limit", "from 1"),
    ("quiet = true", "quiet", "write [quiet] above its keys"),
    ("[quiet]\nstart = '21:00'", "quiet.end", "is missing"),
    ("[quiet]\nstart = '21'\nend = '08:00'", "quiet.start", 'such as "21:00"'),
    ("[quiet]\nstart = '24:00'\nend = '08:00'", "quiet.start", "time of day"),
    ("[quiet]\nstart = 21:00:30\nend = '08:00'", "quiet.start", "time of day"),
    ("[quiet]\nstart = '08:00'\nend = '08:00'", "quiet.end", "the same as `start`"),
    ("[scoring]\nformula = ''", "scoring.formula", "not empty"),
    (f"[scoring]\nformula = '{'value+' * 200}1'", "scoring.formula", "at most 500"),
    ("[scoring]\nformula = 'propensity * worth'", "scoring.formula", "unknown name `worth`"),
    ("[scoring]\nformula = '__import__(1)'", "scoring.formula", "unknown function"),
    ("[scoring]\nnothing = nan", "scoring.nothing", "not nan"),
    ("[scoring]\nweights = []", "scoring.weights", "did you mean `weight`?"),
    ("[[scoring.weight]]", "scoring.weight[0].factor", "is missing"),
    ("[[scoring.weight]]\nfactor = -1", "scoring.weight[0].factor", "from 0 to 100"),
    (WEIGHT + "conditions = [{field = 'traits.city', op = 'exists'}]", "scoring.weight[0].conditions[0].field", "the ask alone"),
    ("[[scoring]]\nnothing = 1", "scoring", "write [scoring]"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "path", "words"), FAULTS, ids=lambda x: repr(x)[-40:])
def test_faults_are_named_by_path(text: str, path: str, words: str) -> None:
    _, faults = read(text)
    assert [one for one in faults if one.path == path and words in one.problem], faults


@pytest.mark.parametrize(
    ("text", "key", "limit"),
    [
        ("".join(TILL.replace("till", f"p{n}") for n in range(MAX_PLACEMENTS + 1)), "placement", MAX_PLACEMENTS),
        ("".join(f"[[cap]]\nid = 'c{n}'\nlimit = 1\ndays = 1\n" for n in range(MAX_CAPS + 1)), "cap", MAX_CAPS),
        (TEA + "[[offer.variant]]\ncontent = {a = 1}\nlanguages = ['it']\n" * (MAX_VARIANTS + 1), "offer[0].variant", MAX_VARIANTS),
        (WEIGHT * (MAX_WEIGHTS + 1), "scoring.weight", MAX_WEIGHTS),
    ],
)  # fmt: skip
def test_no_list_is_without_end(text: str, key: str, limit: int) -> None:
    fault = next(one for one in read(text)[1] if one.path == key)
    assert fault.problem == f"at most {limit} are held, these are {limit + 1}"


BROKEN = [
    (TEA + "placements = ['till', 'tlil']\n" + TILL, "offer[0].placements[1]", "did you mean `till`?"),
    (TEA + "placements = ['x']\n" + TILL, "offer[0].placements[0]", "there is till"),
    (TEA + "[[offer.variant]]\ncontent = {a = 1}\nplacements = ['kiosk']\n" + TILL, "offer[0].variant[0].placements[0]", "there is no placement"),
    (TEA + "placements = ['till']\n[[offer.variant]]\ncontent = {a = 1}\nplacements = ['web']\n" + TILL + TILL.replace("till", "web"), "offer[0].variant[0].placements[0]", "no placement of this offer"),
    (TEA + "placements = ['till']\n" + TILL + "families = ['cold']", "placement[0].families[0]", "family of any offer"),
    (TEA + "placements = ['till']\n" + TEA.replace("tea", "ice").replace("hot", "cold") + TILL + "families = ['cold']", "offer[0].placements[0]", "shows only the families cold"),
    (TEA + "placements = ['till']\n" + TILL + "needs = ['image']", "offer[0].content.image", "`till` cannot show this offer without it"),
    (TEA + "placements = ['till']\n[[offer.variant]]\nlanguages = ['it']\ncontent = {say = ' '}\n" + TILL + "needs = ['say']", "offer[0].variant[0].content.say", "is missing"),
    (TEA + "[[offer.variant]]\ncontent = {a = 1}\n[[offer.variant]]\nlanguages = ['it']\ncontent = {b = 1}\n", "offer[0].variant[1]", "variant[0] fits wherever"),
    (TEA + "[[offer.variant]]\nlanguages = ['it']\ncontent = {a = 1}\n[[offer.variant]]\nlanguages = ['it-CH']\ncontent = {b = 1}\n", "offer[0].variant[1]", "narrower one first"),
    (TEA + CAP + "days = 1\nfamilies = ['hto']", "cap[0].families[0]", "did you mean `hot`?"),
    (TEA + WEIGHT + "offers = ['teas']", "scoring.weight[0].offers[0]", "did you mean `tea`?"),
    (TEA + WEIGHT + "families = ['cold']", "scoring.weight[0].families[0]", "there is hot"),
    (WEIGHT + "offers = ['tea']", "scoring.weight[0].offers[0]", "there is no offer `tea`"),
    (TEA + TILL + "fallback = 'tae'", "placement[0].fallback", "did you mean `tea`?"),
    (TEA + "placements = ['web']\n" + TILL.replace("till", "web") + TILL + "fallback = 'tea'", "placement[1].fallback", "may not be shown here"),
    (TEA + "segments = ['vpi']", "offer[0].segments[0]", "did you mean `vip`?"),
    (TEA + "not_segments = ['staff']", "offer[0].not_segments[0]", "there is no segment `staff`; there is vip"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "path", "words"), BROKEN, ids=lambda x: repr(x)[-40:])
def test_broken_references_are_refused(text: str, path: str, words: str) -> None:
    _, faults = read(text, ["vip"])
    assert [one for one in faults if one.path == path and words in one.problem], faults


def test_names_are_free_while_nothing_is_declared_and_segments_while_nobody_knows_them() -> None:
    text = TEA + "placements = ['anywhere']\nsegments = ['vip']"
    assert read(text)[1] == ()
    assert read(text, [])[1] != ()


def test_an_offer_for_every_placement_may_lack_what_some_need() -> None:
    assert read(TEA + TILL + "needs = ['image']")[1] == ()


def test_narrow_variants_before_wide_ones_are_good() -> None:
    text = (
        TEA
        + "[[offer.variant]]\nlanguages = ['it']\nplacements = ['till']\ncontent = {a = 1}\n"
        + "[[offer.variant]]\nlanguages = ['it']\ncontent = {b = 1}\n[[offer.variant]]\ncontent = {c = 1}\n"
    )
    assert read(text)[1] == ()


def test_one_mistake_is_told_once() -> None:
    """An offer whose id cannot be read is not told again as an unknown offer of each weight that names it."""
    _, faults = read(TEA.replace('"tea"', '"Tea!"') + WEIGHT + "offers = ['tea']")
    assert [one.path for one in faults] == ["offer[0].id"]


def test_an_empty_text_says_nothing() -> None:
    assert parse("# nobody home\n") == Catalogue()
