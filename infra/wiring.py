"""Builds what a process needs from the settings. Nothing else chooses a database or an engine."""

from infra.settings import Settings, secret_of
from market import tables
from market.accounts.work import Parts
from market.kit.clock import Clock, SystemClock
from market.kit.db import Database
from market.kit.files import LocalFiles
from market.kit.journal import Journal

__all__ = ["build_parts", "tables"]


def build_parts(settings: Settings, clock: Clock | None = None) -> Parts:
    """Open the database and the file store. Close the parts with `close_parts`."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database)
    return Parts(
        database=database,
        clock=clock or SystemClock(),
        files=LocalFiles(settings.files_dir),
        journal=Journal(database),
        secret=secret_of(settings),
        demo=settings.demo,
    )


def close_parts(parts: Parts) -> None:
    parts.journal.close()
    parts.database.close()
