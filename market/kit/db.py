"""The database, SQLite or PostgreSQL, and its two kinds of session.

`read()` begins plainly and cannot write; `write()` takes SQLite's write lock at once
(`BEGIN IMMEDIATE`), because a transaction that starts reading and then writes loses updates or
fails half way. Each `with` block is one transaction: it commits when the block ends and rolls
back when it raises. Services flush, they never commit.

`limited()` ends a reading that takes too long, and the transaction goes on.
"""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, cast

from sqlalchemy import Engine, Table, create_engine, event, inspect, text
from sqlalchemy.engine import URL, Connection, CursorResult, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import Executable
from sqlmodel import Session, SQLModel

from market.kit.errors import Conflict

BUSY_SECONDS = 10
_STREAMED = 2_000  # rows of a long answer that are fetched at once
_LOOK = 2_000  # steps of SQLite's machine between two looks at the clock, some 50 µs
_CANCELLED = ("57014", "SQLITE_INTERRUPT")  # query_canceled of PostgreSQL
POOL_SIZE = 48  # threads of the web process (40) and some; a smaller pool can deadlock


class Database:
    """One database; thread-safe, shared by a whole process.

    `info` is what every session carries as its own: what is needed beside the rows (`ledger`).
    """

    def __init__(self, url: str) -> None:
        self.url: URL = make_url(url)
        self.info: dict[str, Any] = {}
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
        with Session(
            self.reader, autoflush=False, expire_on_commit=False, info=self.info
        ) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Yield a session whose work is committed when the block ends, or not at all."""
        with Session(self.writer, expire_on_commit=False, info=self.info) as session:
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


class OutOfTime(Exception):
    """A statement was ended because it had its time."""


def streamed(session: Session, query: Executable) -> Iterator[Any]:
    """Yield the rows of a long answer, some at a time; its cursor goes with the iterator, read to
    the end or not.
    """
    with closing(session.execute(query, execution_options={"yield_per": _STREAMED})) as rows:
        yield from rows


@contextmanager
def limited(session: Session, seconds: float) -> Iterator[None]:
    """Let each statement of the block read for so long at most. Raises OutOfTime.

    The transaction stands as before the block, and whatever state it sees.
    """
    bound = _limited_sqlite if is_sqlite(session) else _limited_postgres
    try:
        with bound(session, seconds):
            yield
    except DBAPIError as error:
        told = (getattr(error.orig, name, None) for name in ("sqlstate", "sqlite_errorname"))
        if any(one in _CANCELLED for one in told):
            raise OutOfTime from error
        raise


@contextmanager
def _limited_sqlite(session: Session, seconds: float) -> Iterator[None]:
    connection: Any = session.connection().connection.driver_connection
    until = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > until, _LOOK)
    try:
        yield
    finally:
        connection.set_progress_handler(None, 0)


@contextmanager
def _limited_postgres(session: Session, seconds: float) -> Iterator[None]:
    """What fails would end the transaction, and its limit with it, but for the savepoint."""
    with session.begin_nested():
        milliseconds = str(max(1, round(seconds * 1000)))
        limit = text("SELECT set_config('statement_timeout', :limit, true)")
        session.execute(limit, {"limit": milliseconds})
        yield
        session.execute(text("SET LOCAL statement_timeout TO DEFAULT"))


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
