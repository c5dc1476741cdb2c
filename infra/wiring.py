"""Builds what a process needs from the settings. Nothing else chooses a database or an engine."""

from infra.settings import Settings, secret_of
from market import tables  # noqa: F401  the metadata must be whole before a session opens
from market.accounts.work import Parts
from market.discovery.documents import SCHEMA
from market.kit.clock import Clock, SystemClock
from market.kit.db import Database
from market.kit.files import LocalFiles
from market.kit.journal import Journal
from search.engines.tantivy import TantivyEngine
from search.port import SearchEngine


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


def open_reader(settings: Settings) -> SearchEngine:
    """Open the index for searching; it may be there later."""
    return TantivyEngine(settings.index_dir, SCHEMA, read_only=True)


def open_writer(settings: Settings) -> SearchEngine:
    """Open the index for writing. Raises WriterBusy where another process writes."""
    return TantivyEngine(settings.index_dir, SCHEMA, read_only=False)
