"""The places of the console that the palette leads to: title, icon, address, keys, and further words to find it by."""

Place = tuple[str, str, str, str, str]

PLACES: tuple[Place, ...] = (
    ("Home", "home", "/console", "G H", "today figures needs"),
    ("People", "people", "/console/people", "G P", "find search customer"),
    ("Segments", "people", "/console/people/segments", "G M", "audience group builder overlap members"),
    ("Computed traits", "people", "/console/people/traits", "", "measure sum average rfm builder"),
    ("Conditions", "people", "/console/people/conditions", "", "named reusable parts rules segments"),
    ("Identity rules", "people", "/console/people/rules", "", "dry run merge split limits try"),
    ("Decisions", "decisions", "/console/decisions", "G D", "log why offers"),
    (
        "Catalogue",
        "decisions",
        "/console/decisions/catalogue",
        "",
        "offers variants value stock edit versions",
    ),
    (
        "Placements",
        "decisions",
        "/console/decisions/placements",
        "",
        "slots caps quiet hours ranking formula",
    ),
    (
        "Policies",
        "decisions",
        "/console/decisions/policies",
        "",
        "learn greedy uniform what if off-policy arms exploration launch shadow guards roll back",
    ),
    (
        "Sends",
        "decisions",
        "/console/decisions/sends",
        "",
        "campaign batch newsletter dry run holdout distinct",
    ),
    ("Health", "data", "/console/data", "G A", "data checks status clock"),
    ("Sources", "data", "/console/data/sources", "G S", "write keys add source channel"),
    ("Feeds", "data", "/console/data/feeds", "", "stock weather prices stores calendar rejects"),
    (
        "Exports",
        "data",
        "/console/data/exports",
        "",
        "files webhook postgres crm diffs reverse sync segments",
    ),
    ("Quarantine", "quarantine", "/console/data/quarantine", "G Q", "dead letters replay map"),
    ("Keys", "key", "/console/data/keys", "G K", "api secret scopes"),
    ("Privacy", "privacy", "/console/privacy", "G R", "erase erasure receipts export"),
    ("Account", "people", "/console/account", "", "password sign out theme"),
)
SHOP = ("Be the customer", "shop", "/console/shop", "G B", "demo shop kiosk till act")
STORIES = ("Stories", "stories", "/console/stories", "G T", "planted demo look for guided")
PRACTICE = ("Practice", "practice", "/console/practice", "G E", "questions answers training exercise")

RESULTS: tuple[Place, ...] = (
    ("Funnel", "results", "/console/results", "G F", "results steps conversion channel"),
    ("Retention", "results", "/console/results/retention", "", "results cohorts come back"),
    ("Paths", "results", "/console/results/paths", "", "results sessions ways journeys"),
    (
        "Bought together",
        "results",
        "/console/results/baskets",
        "",
        "results baskets pairs products cross-sell co-purchase",
    ),
    ("RFM", "results", "/console/results/rfm", "", "results recency frequency money buyers"),
)
LAKE = ("Lake", "data", "/console/data/lake", "", "delta tables files flushed compaction")


def places(
    *,
    with_shop: bool,
    with_stories: bool = False,
    with_practice: bool = False,
    with_lake: bool = False,
    with_results: bool = False,
) -> list[Place]:
    """All places; the lake, the shop, the stories and the practice only where there are such.

    >>> [place[0] for place in places(with_shop=True, with_stories=True)][-2:]
    ['Be the customer', 'Stories']
    """
    here = ((SHOP, with_shop), (STORIES, with_stories), (PRACTICE, with_practice))
    lake = (*(RESULTS if with_results else ()), *((LAKE,) if with_lake else ()))
    return [*PLACES, *lake, *(place for place, there in here if there)]
