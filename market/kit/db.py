"""The database, SQLite or PostgreSQL, and its two kinds of session.

`read()` begins plainly and cannot write; `write()` takes SQLite's write lock at once
(`BEGIN IMMEDIATE`), because a transaction that starts reading and then writes loses updates or
fails half way. Each `with` block is one transaction: it commits when the block ends and rolls
back when it raises. Services flush, they never commit.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from sqlalchemy import Engine, Table, create_engine, event, inspect, text
from sqlalchemy.engine import URL, Connection, CursorResult, make_url
from sqlalchemy.sql import Executable
from sqlmodel import Session, SQLModel

from market.kit.errors import Conflict

BUSY_SECONDS = 10
POOL_SIZE = 48  # threads of the web process (40) and some; a smaller pool can deadlock


class Database:
    """One database; thread-safe, shared by a whole process."""

    def __init__(self, url: str) -> None:
        self.url: URL = make_url(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        self.writer = (
            _sqlite_engine(self.url, "BEGIN IMMEDIATE", query_only=False)
            if self.sqlite
            else create_engine(
                self.url,
                pool_size=POOL_SIZE,
                max_overflow=8,
                pool_pre_ping=True,
                hide_parameters=True,
                connect_args={"connect_timeout": BUSY_SECONDS},
            )
        )
        self.reader = (
            _sqlite_engine(self.url, "BEGIN", query_only=True)
            if self.sqlite
            else self.writer.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        )

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Yield a session that sees one state of the data and cannot change it."""
        with Session(self.reader, autoflush=False, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Yield a session whose work is committed when the block ends, or not at all."""
        with Session(self.writer, expire_on_commit=False) as session:
            try:
                yield session
                session.commit()
            except BaseException:
                session.rollback()
                raise

    def revision(self) -> str | None:
        """Return the revision of the schema that stands in the database, None before the first."""
        with self.reader.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            found = connection.execute(text("SELECT version_num FROM alembic_version"))
            return found.scalar_one_or_none()

    def close(self) -> None:
        self.reader.dispose()
        self.writer.dispose()


def _sqlite_engine(url: URL, begin: str, *, query_only: bool) -> Engine:
    engine = create_engine(
        url,
        pool_size=POOL_SIZE,
        max_overflow=8,
        hide_parameters=True,  # what people entered stays out of messages and logs
        connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        # The driver's own transaction handling begins too late and loses updates.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
        cursor.execute(f"PRAGMA query_only={'ON' if query_only else 'OFF'}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def table_of(model: type[SQLModel]) -> Table:
    """Return the table of a model, to insert many rows as they are.

    Through the model, rows are sorted into statements by which of their columns are None: of two
    hundred listings nearly each got one of its own. JSON columns must not be None here.
    """
    table: Table = inspect(model).local_table
    return table


def changed(session: Session, statement: Executable) -> int:
    """Execute an INSERT, UPDATE or DELETE and return the number of rows it touched."""
    session.flush()
    result = cast("CursorResult[Any]", session.execute(statement))
    return result.rowcount


def must_change(session: Session, statement: Executable, message: str | None = None) -> None:
    """Execute a conditional UPDATE that has to touch exactly one row.

    Raises Conflict with `message` where the state has moved on meanwhile.
    """
    if changed(session, statement) != 1:
        raise Conflict(message)
