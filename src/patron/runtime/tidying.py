"""What is done once an hour: retention, a thinner log where one is wished for, erasures that were interrupted."""

import asyncio
import logging

from patron.model.clock import DAY
from patron.model.errors import PatronError
from patron.runtime import upkeep
from patron.runtime.app import App
from patron.runtime.lake.pruning import prune
from patron.runtime.privacy import erasures

EVERY = 3600
"""Seconds."""
_log = logging.getLogger("patron")


async def keep(app: App) -> None:
    """Keep a workspace tidy for as long as it is open; a fault is logged and tried again."""
    while True:
        await asyncio.sleep(EVERY)
        try:
            await upkeep.retain(app)
            days = app.workspace.settings.storage.log_days
            if days and app.jobs is not None:
                await prune(app, app.workspace.clock.now() - days * DAY)
            await erasures.resume(app)
        except (PatronError, OSError):
            _log.exception("retention could not be applied")
