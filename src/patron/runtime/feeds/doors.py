"""Reference feeds as the doors ask for them: how fresh each is, loading, and what holds."""

from collections.abc import Mapping

from patron.model.feeds import FeedPage, FeedReport, FeedStatus
from patron.runtime.app import App
from patron.runtime.feeds import loads as feed_loads
from patron.runtime.feeds import views as feed_views
from patron.runtime.workspace import Workspace


class FeedDoors:
    """The part of a backend that is about feeds."""

    app: App
    workspace: Workspace

    def feeds(self) -> list[FeedStatus]:
        """Every kind of feed, and how fresh it is."""
        return feed_views.statuses(self.workspace.feeds)

    async def load_feed(self, kind: str, body: bytes, options: Mapping[str, str], by: str) -> FeedReport:
        """Load rows of a feed; in force when this returns."""
        feed_loads.kind_of(kind)
        return await feed_loads.load(self.app, kind, feed_loads.handed(body, options), by)

    def feed_key(self, kind: str, key: str, at: str, known: str) -> FeedPage:
        """What holds for a key at a moment, as known at another."""
        return feed_views.key(self.workspace.feeds, kind, key, at, known, self.workspace.clock.now())

    def feed_page(self, kind: str, cursor: str, limit: int, at: str, known: str) -> FeedPage:
        """A page of keys."""
        now = self.workspace.clock.now()
        return feed_views.page(self.workspace.feeds, kind, cursor, limit, at, known, now)
