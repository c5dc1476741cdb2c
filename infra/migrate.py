"""Brings a database to the present schema, with the reference data that rules need."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from market.kit import dump, triggers, triggers_pricing
from market.kit.db import Database
from market.payments import limits
from market.rules import service as rules
from market.rules import transfer

MIGRATIONS = Path(__file__).parent / "migrations"


def configuration(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def migrate(url: str) -> None:
    """Create or upgrade the schema, its triggers and its reference data, in one transaction.

    Safe to run again; what was interrupted left nothing behind.
    """
    database = Database(url)
    if database.sqlite and database.url.database:
        Path(database.url.database).parent.mkdir(parents=True, exist_ok=True)
        _close_to_others(Path(database.url.database))
    try:
        with _changing(database) as connection:
            _bring_up(connection)
    finally:
        database.close()


@contextlib.contextmanager
def _changing(database: Database) -> Iterator[Connection]:
    """Yield a transaction in which tables may be made anew.

    On SQLite that drops a table to which rows of others refer: with foreign keys on, their count of
    broken references never comes back to nothing. They are off meanwhile, and all are looked at
    before the end. The pragma does nothing inside a transaction, so it comes before it.
    """
    with database.writer.connect() as connection:
        if not database.sqlite:
            with connection.begin():
                yield connection
            return
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                yield connection
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
                if broken:
                    raise IntegrityError("foreign_key_check", None, ValueError(str(broken[:5])))
        finally:
            driver.execute("PRAGMA foreign_keys=ON")


def _close_to_others(file: Path) -> None:
    """Take from others what an earlier version, or a copy by hand, left them of a database's files;
    a file of another owner stays as it is.
    """
    for one in (file, *(file.with_name(f"{file.name}{end}") for end in ("-wal", "-shm"))):
        with contextlib.suppress(FileNotFoundError, PermissionError):
            one.chmod(0o600)


def _bring_up(connection: Connection) -> None:
    triggers_pricing.lift(connection)
    command.upgrade(configuration(connection), "head")
    triggers.install(connection)
    with Session(connection, join_transaction_mode="create_savepoint") as session:
        rules.seed(session)
        transfer.seed(session)
        limits.seed(session)
        session.commit()


def fill(
    url: str,
    revision: str,
    load: Callable[[Connection], None],
    complete: Callable[[Session], None],
) -> None:
    """Make the schema of a revision in an empty database, let `load` write its rows, bring it to
    the present, and let `complete` write what only the present knows, all in one transaction.
    """
    database = Database(url)
    try:
        with _changing(database) as connection:
            command.upgrade(configuration(connection), revision)
            dump.clear(connection)  # a revision may bring rows of its own
            load(connection)
            dump.go_on_counting(connection)
            _bring_up(connection)
            with Session(connection, join_transaction_mode="create_savepoint") as session:
                complete(session)
                session.commit()
    finally:
        database.close()


def revisions() -> list[str]:
    """Return the revisions that this program knows, the newest first."""
    scripts = ScriptDirectory(str(MIGRATIONS))
    return [one.revision for one in scripts.walk_revisions()]


def revise(url: str, message: str) -> None:
    """Write a new revision from the difference between a migrated database and the tables."""
    database = Database(url)
    try:
        with database.writer.begin() as connection:
            command.revision(configuration(connection), message, autogenerate=True)
    finally:
        database.close()
