"""What the file store holds against what rows name, and the removal of what none names."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, select
from sqlmodel import col

from market.kit.db import Database
from market.kit.files import FileStore, StoredFile

YOUNG: Final = timedelta(days=1)
"""Bytes are saved before the row that names them is committed: young ones may get theirs."""


def contents(connection: Connection) -> dict[str, int]:
    """Return the size of all bytes that rows name, by sha256."""
    query = select(col(StoredFile.sha256), col(StoredFile.size)).distinct()
    return {row[0]: row[1] for row in connection.execute(query)}


def unnamed(database: Database, store: FileStore) -> Iterator[str]:
    """Yield what is kept and no row names, that of uploads under way included."""
    kept = set(store.stored())
    with database.reader.connect() as connection:
        yield from sorted(kept.difference(contents(connection)))


def sweep(database: Database, store: FileStore, now: datetime) -> int:
    """Remove what no row names, but what was saved in the last day. Return how many pieces."""
    before = now - YOUNG
    gone = sum(store.discard(one, before=before) for one in unnamed(database, store))
    return gone + store.tidy(before=before)
