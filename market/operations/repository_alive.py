"""The newest sign of life, read by the bare driver: a health check asks every few seconds, and to
load the tables and all that they need would cost it two seconds of a processor.
"""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

ALIVE: Final = timedelta(seconds=45)
"""A process writes a sign of life every 10 seconds; silent for longer than this it is not there."""
_SECONDS: Final = 10
_QUERY: Final = (
    "SELECT max(seen_at) FROM process_seen WHERE kind = {0} AND substr(place, 1, {0}) = {0}"
)


class Unasked(Exception):
    """The database does not answer; the message is the driver's first line."""


def newest(url: str, kind: str, host: str) -> datetime | None:
    """Return when a process of this kind on this host was last seen, None for never.

    `url` is the database's as SQLAlchemy writes it. Raises Unasked.
    """
    place = f"{host}:"
    given = (kind, len(place), place)
    scheme, _, rest = url.partition("://")
    if scheme.partition("+")[0] == "sqlite":
        return _of_sqlite(rest.removeprefix("/").partition("?")[0], given)
    return _of_postgres(f"postgresql://{rest}", given)


def _of_sqlite(path: str, given: tuple[Any, ...]) -> datetime | None:
    try:
        with closing(
            sqlite3.connect(f"file:{quote(path)}?mode=ro", timeout=_SECONDS, uri=True)
        ) as connection:
            (found,) = connection.execute(_QUERY.format("?"), given).fetchone()
    except sqlite3.Error as error:
        raise Unasked(str(error)) from None
    return datetime.fromisoformat(found).replace(tzinfo=UTC) if found else None


def _of_postgres(url: str, given: tuple[Any, ...]) -> datetime | None:
    import psycopg  # noqa: PLC0415  an installation on SQLite goes without its 0.2 seconds

    try:
        with psycopg.connect(url, connect_timeout=_SECONDS) as connection:
            row = connection.execute(_QUERY.format("%s").encode(), given).fetchone()
    except psycopg.Error as error:
        raise Unasked(str(error).partition("\n")[0]) from None
    found: datetime | None = row[0] if row else None
    return found
