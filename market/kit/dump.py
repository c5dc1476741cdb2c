"""The rows of every table as lines of text that SQLite and PostgreSQL read back alike.

A line is a JSON list in the order of the columns. What the tables are is read from the database
itself, so that a database of any revision can be written out. Kinds of columns:

number, real, flag, text    as JSON has them
moment                      "2026-11-22 16:10:00.000000", in UTC
day                         "2026-11-22"
json                        the stored JSON, as a text
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any, Final

import psycopg
from psycopg import sql
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    cast,
    column,
    func,
    select,
    table,
    text,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

from market.kit.db import Database

REVISIONS: Final = "alembic_version"
ELSEWHERE: Final = frozenset({REVISIONS, "held_term", "stored_bytes"})
"""Tables that speak of this database alone: its schema, its locks, its large objects."""
_CHUNK: Final = 1_000
_KINDS: Final[tuple[tuple[type[TypeEngine[Any]], str], ...]] = (
    (JSON, "json"),
    (DateTime, "moment"),
    (Date, "day"),
    (Boolean, "flag"),
    (Integer, "number"),
    (Float, "real"),
    (String, "text"),
)

Row = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """A table's name and its columns with their kinds, in the order of a line."""

    table: str
    columns: tuple[tuple[str, str], ...]


@contextmanager
def snapshot(database: Database) -> Iterator[Connection]:
    """Yield a connection that sees one state of the whole database and holds up no writer."""
    with database.reader.connect() as connection:
        # SQLite and PostgreSQL both choose the state with the first thing that is read.
        connection.execute(select(1))
        yield connection


def tables(connection: Connection) -> list[Table]:
    """Return the tables that stand in the database, those that are referred to first."""
    metadata = MetaData()
    metadata.reflect(connection)
    return [one for one in metadata.sorted_tables if one.name not in ELSEWHERE]


def count(connection: Connection, one: Table) -> int:
    query = select(func.count()).select_from(one)
    number: int = connection.execute(query).scalar_one()
    return number


def shape(one: Table) -> Shape:
    return Shape(one.name, tuple((each.name, _kind(each)) for each in one.columns))


def _kind(one: Column[Any]) -> str:
    for base, kind in _KINDS:
        if isinstance(one.type, base):
            return kind
    raise TypeError(f"{one.table.name}.{one.name}: {one.type!r}")


def lines(connection: Connection, one: Table) -> Iterator[bytes]:
    """Yield the rows of a table in the order of its key, a line each."""
    kinds = [kind for _, kind in shape(one).columns]
    written: list[Callable[[Any], Any] | None] = [_WRITTEN.get(kind) for kind in kinds]
    chosen = [
        cast(each, Text) if kind == "json" else each
        for each, kind in zip(one.columns, kinds, strict=True)
    ]
    query = select(*chosen).order_by(*one.primary_key.columns)
    result = connection.execute(query, execution_options={"yield_per": _CHUNK})
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    for row in result:
        values = [
            value if write is None or value is None else write(value)
            for write, value in zip(written, row, strict=True)
        ]
        yield f"{encode(values)}\n".encode()


def _moment(value: datetime) -> str:
    """A naive moment is SQLite's, which is kept in UTC."""
    utc = value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat(" ", "microseconds")


_WRITTEN: Final[dict[str, Callable[[Any], Any]]] = {"moment": _moment, "day": date.isoformat}


def clear(connection: Connection) -> None:
    """Empty all tables, which no trigger may guard yet."""
    for one in reversed(tables(connection)):
        connection.execute(one.delete())


def load(connection: Connection, what: Shape, given: Iterable[bytes]) -> int:
    """Write lines into an empty table; return how many there were.

    References are held to at the end of the transaction on SQLite, at the end of the table on
    PostgreSQL. Raises DBAPIError where the table is another one.
    """
    rows = (json.loads(line) for line in given)
    if connection.dialect.name == "sqlite":
        return _insert(connection, what, rows)
    return _copy(connection, what, rows)


def _insert(connection: Connection, what: Shape, rows: Iterator[Row]) -> int:
    connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
    quote = connection.dialect.identifier_preparer.quote
    names = ", ".join(quote(name) for name, _ in what.columns)
    places = ", ".join("?" for _ in what.columns)
    statement = f"INSERT INTO {quote(what.table)} ({names}) VALUES ({places})"  # noqa: S608  quoted
    count = 0
    while some := [tuple(row) for row in islice(rows, _CHUNK)]:
        connection.exec_driver_sql(statement, some)
        count += len(some)
    return count


def _copy(connection: Connection, what: Shape, rows: Iterator[Row]) -> int:
    moments = [n for n, (_, kind) in enumerate(what.columns) if kind == "moment"]
    count = 0
    # SQLAlchemy has no word for COPY: the driver's connection is asked, its errors are translated.
    driver: psycopg.Connection[Any] = connection.connection.dbapi_connection  # type: ignore[assignment]
    quoted = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(what.table), sql.SQL(", ").join(sql.Identifier(n) for n, _ in what.columns)
    )
    try:
        with driver.cursor() as cursor, cursor.copy(quoted) as copy:
            for row in rows:
                values = list(row)
                for n in moments:
                    if values[n] is not None:
                        values[n] += "+00"
                copy.write_row(values)
                count += 1
    except psycopg.Error as error:
        raise DBAPIError.instance(
            "COPY", None, error, psycopg.Error, dialect=connection.dialect
        ) from error
    return count


def go_on_counting(connection: Connection) -> None:
    """Let keys that the database gives go on after those that were loaded."""
    if connection.dialect.name == "sqlite":  # which looks at the rows themselves
        return
    sequence = text("SELECT pg_get_serial_sequence(:name, :key)")
    for one in tables(connection):
        for key in one.primary_key.columns:
            name = connection.execute(sequence, {"name": f'"{one.name}"', "key": key.name}).scalar()
            last = connection.execute(select(func.max(key))).scalar() if name else None
            if last:
                connection.execute(select(func.setval(name, last)))


def revision(connection: Connection) -> str | None:
    """Return the revision of the schema, None where there is none yet."""
    if not connection.dialect.has_table(connection, REVISIONS):
        return None
    version = column("version_num", String)
    return connection.execute(select(version).select_from(table(REVISIONS))).scalar_one_or_none()
