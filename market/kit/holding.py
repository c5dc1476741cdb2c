"""One process at a time over all machines: a session's advisory lock of PostgreSQL, and the number
of the term that it began.

PostgreSQL frees the lock at the moment the holder's session ends: with the process, with its
machine's connection. The holder may learn that later than its successor. So whoever takes the lock
raises the term, and each of a holder's writes holds the term's row (`Fenced`): a write under an
earlier term is refused, and a new term begins after those that were under way have ended. What a
holder writes elsewhere, to the index, must bear being late by itself.

The lock belongs to a session: a pooler between must not hand sessions around by transaction.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, Protocol

import psycopg
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import URL
from sqlmodel import Field, Session, col

from market.kit.columns import Table, big
from market.kit.db import Database

_QUIET: Final = 1
"""Seconds without a packet after which either side asks whether the other is still there."""
_ASKED: Final = 2
_PATIENCE: Final = 3
"""Seconds until an answer that does not come counts as a connection that is gone."""
_OPTIONS: Final = " ".join(
    f"-c {name}={value}"
    for name, value in {
        "tcp_keepalives_idle": _QUIET,
        "tcp_keepalives_interval": _QUIET,
        "tcp_keepalives_count": _ASKED,
        "statement_timeout": f"{_PATIENCE}s",
        "idle_session_timeout": 0,
    }.items()
)


class HeldTerm(Table, table=True):
    """How often a lock was taken; `term` is its holder's number."""

    __tablename__ = "held_term"

    name: str = Field(primary_key=True, max_length=60)
    term: int = big()


class Lost(Exception):
    """The lock, and with it the right to write, is another's by now."""


class Lock(Protocol):
    """What one process at a time may have."""

    def take(self) -> bool:
        """Take the lock unless another has it; return whether this process has it now.

        Raises Lost where it had it and no longer has.
        """
        ...

    def is_free(self, name: str) -> bool:
        """Tell whether nobody has another lock. This one must be held."""
        ...

    def release(self) -> None: ...


class TermLock(Lock, Protocol):
    """A lock under which the database is written by `Fenced`."""

    def confirm(self, session: Session) -> None:
        """Let a transaction end under this lock only. Raises Lost."""
        ...


class SessionLock:
    """A lock in a PostgreSQL database. For one thread."""

    def __init__(self, url: URL, name: str) -> None:
        self.name = name
        self._url = url
        self._connection: psycopg.Connection[Any] | None = None
        self._held = False

    def take(self) -> bool:
        """As Lock has it. Raises psycopg.Error where there is no connection to be had."""
        if self._held:
            self._ask_whether_it_is_there()
            return True
        try:
            if self._connection is None:
                self._connection = self._connect()
            if self._tried(self._connection, self.name):
                self.begin()
                self._held = True
        except BaseException:
            self.release()
            raise
        return self._held

    def begin(self) -> None:
        """Called when the lock was had and before it is used."""

    def is_free(self, name: str) -> bool:
        """As Lock has it."""
        assert self._connection is not None
        free = self._tried(self._connection, name)
        if free:
            self._connection.execute("SELECT pg_advisory_unlock(%s)", [_number(name)])
        return free

    def release(self) -> None:
        connection, self._connection, self._held = self._connection, None, False
        if connection is not None:
            with suppress(psycopg.Error):
                connection.close()

    def _ask_whether_it_is_there(self) -> None:
        """The session has the lock as long as it is there: nothing takes it away."""
        assert self._connection is not None
        try:
            self._connection.execute("SELECT 1")
        except psycopg.Error as error:
            self.release()
            raise Lost(self.name) from error

    @staticmethod
    def _tried(connection: psycopg.Connection[Any], name: str) -> bool:
        cursor = connection.execute("SELECT pg_try_advisory_lock(%s)", [_number(name)])
        return cursor.fetchone() == (True,)

    def _connect(self) -> psycopg.Connection[Any]:
        url = self._url.set(drivername="postgresql")
        return psycopg.connect(
            url.render_as_string(hide_password=False),
            autocommit=True,
            application_name=f"zhihe {self.name} {os.getpid()}"[:63],  # as pg_stat_activity shows
            connect_timeout=_PATIENCE,
            keepalives_idle=_QUIET,
            keepalives_interval=_QUIET,
            keepalives_count=_ASKED,
            tcp_user_timeout=_PATIENCE * 1000,
            options=_OPTIONS,
        )


class NumberedLock(SessionLock):
    """A session's lock that begins a term each time it is taken."""

    def __init__(self, database: Database, name: str) -> None:
        super().__init__(database.url, name)
        self._database = database
        self._term = 0

    def begin(self) -> None:
        """Waits for the writes of the term before that are under way."""
        write = insert(HeldTerm).values(name=self.name, term=1)
        raised = write.on_conflict_do_update(
            index_elements=["name"], set_={"term": col(HeldTerm.term) + 1}
        )
        with self._database.write() as session:
            self._term = session.execute(raised.returning(col(HeldTerm.term))).scalar_one()

    def confirm(self, session: Session) -> None:
        mine = select(col(HeldTerm.term)).where(col(HeldTerm.name) == self.name)
        # Shared, so that the writes of a term do not wait for one another.
        if session.execute(mine.with_for_update(read=True)).scalar_one() != self._term:
            raise Lost(self.name)


class Fenced(Database):
    """The same database, for writing under a lock only."""

    def __init__(self, database: Database, lock: TermLock) -> None:
        self.url, self.sqlite = database.url, database.sqlite
        self.writer, self.reader = database.writer, database.reader
        self.info = database.info
        self._inner = database
        self._lock = lock

    @contextmanager
    def read(self) -> Iterator[Session]:
        with self._inner.read() as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """As Database has it. Raises Lost where the lock is another's by now."""
        with self._inner.write() as session:
            self._lock.confirm(session)
            yield session


def _number(name: str) -> int:
    """A lock's number: 64 bits of its name's digest."""
    digest = hashlib.sha256(f"zhihe {name}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)
