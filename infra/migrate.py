"""Brings a database to the present schema, with the reference data that rules need."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlmodel import Session

from market.kit import triggers
from market.kit.db import Database
from market.rules import service as rules

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
    try:
        with database.writer.begin() as connection:
            command.upgrade(configuration(connection), "head")
            triggers.install(connection)
            with Session(connection, join_transaction_mode="create_savepoint") as session:
                rules.seed(session)
                session.commit()
    finally:
        database.close()


def revise(url: str, message: str) -> None:
    """Write a new revision from the difference between a migrated database and the tables."""
    database = Database(url)
    try:
        with database.writer.begin() as connection:
            command.revision(configuration(connection), message, autogenerate=True)
    finally:
        database.close()
