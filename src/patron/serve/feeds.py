"""Reference feeds over HTTP: load rows, see how fresh each kind is, and what held when, as known then."""

from patron.model.feeds import FeedPage, FeedReport, FeedRequest, FeedStatuses
from patron.serve.port import Backend
from patron.serve.router import Query, Reply, Request, Route

_TIMES = (
    Query("at", about="When it holds: ISO 8601 or ms; now when left out."),
    Query("known", about="As it was known then: ISO 8601 or ms; now when left out."),
)


def routes(backend: Backend) -> list[Route]:
    """`/v1/feeds`: everything needs the scope `feeds`."""

    async def statuses(_: Request) -> Reply:
        return Reply(FeedStatuses(backend.feeds()))

    async def load(request: Request) -> Reply:
        report = await backend.load_feed(
            request.path["kind"], request.body, request.query, by=request.who.name
        )
        return Reply(report)

    async def show(request: Request) -> Reply:
        query, kind = request.query, request.path["kind"]
        at, known = query.get("at", ""), query.get("known", "")
        if "key" in query:
            return Reply(backend.feed_key(kind, query["key"], at, known))
        limit = request.number("limit", 50, 1, 1000)
        return Reply(backend.feed_page(kind, query.get("cursor", ""), limit, at, known))

    return [
        Route(
            "GET",
            "/v1/feeds",
            "feeds",
            "Every kind of feed, and how fresh it is.",
            statuses,
            returns=FeedStatuses,
        ),
        Route(
            "POST",
            "/v1/feeds/{kind}",
            "feeds",
            "Load rows: JSON, or CSV or JSON lines as the body. Loading the same again changes nothing.",
            load,
            (
                Query(
                    "format",
                    about="What the body is; Patron looks when left out.",
                    choices=("json", "csv", "jsonl"),
                ),
                Query("dry_run", about="`true`: say what it would do, of CSV and JSON lines."),
                Query("known_at", about="Since when rows that do not say were known, of CSV and JSON lines."),
                Query(
                    "mapping",
                    about="name=column,... where the names of columns differ, of CSV and JSON lines.",
                ),
                Query("file", about="What people call it, of CSV and JSON lines."),
            ),
            FeedRequest,
            FeedReport,
        ),
        Route(
            "GET",
            "/v1/feeds/{kind}",
            "feeds",
            "What holds for a key and its history, or a page of keys.",
            show,
            (
                Query("key", about="Of one thing, for example S01/P0101."),
                *_TIMES,
                Query("limit", "integer", "Keys a page.", low=1, high=1000),
                Query("cursor", about="The `cursor` of the page before."),
            ),
            returns=FeedPage,
        ),
    ]
