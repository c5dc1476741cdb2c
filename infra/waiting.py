"""Commands that wait until what they wrote can be found and has been compared."""

import time
from collections.abc import Callable
from contextlib import closing

from infra.indexer import indexing
from infra.loops import IDLE
from infra.settings import Settings
from infra.worker import Working, working
from market.accounts.work import Parts
from market.discovery.drain import left_to_do
from search.errors import SearchUnavailable


def work_until_done(
    settings: Settings, parts: Parts, *, progress: Callable[[int], None] | None = None
) -> None:
    """Return when all jobs are done and all changes of then are indexed and compared.

    By the running processes; where one is not running, or ends, this process takes its place, and
    looks through an index to the end that it has begun with.
    `progress` hears how much is left, about every second. What was set aside is not waited for.
    """
    with closing(indexing(settings, parts)) as indexer, closing(working(settings, parts)) as worker:
        newest: int | None = None
        while True:
            left = left_to_do(parts, newest)
            if newest is None and left.jobs == 0:
                newest = left.newest_change
            elif newest is not None and left.total == 0 and not indexer.looking:
                return
            if progress is not None:
                progress(left.total)
            worked = indexer.step()
            if not (_step(worker, filling=indexer.looking) or worked):
                time.sleep(IDLE)


def _step(worker: Working, *, filling: bool) -> bool:
    """Take a step of the worker; what asks an index being filled waits until it is whole."""
    try:
        return worker.step()
    except SearchUnavailable:
        if not filling:
            raise
        return False
