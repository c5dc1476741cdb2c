"""Brings a database to the present schema, with the reference data that rules need."""

from sqlalchemy import create_engine

from market.kit import triggers
from market.tables import metadata


def migrate(url: str) -> None:
    """Create or upgrade the schema, its triggers and its reference data. Safe to run again."""
    engine = create_engine(url)
    with engine.begin() as connection:
        metadata().create_all(connection)
        triggers.install(connection)
    engine.dispose()
