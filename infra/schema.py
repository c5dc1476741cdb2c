"""Whether a database has the schema that this program was written for."""

from functools import cache

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from infra.migrate import MIGRATIONS
from market.kit.db import Database


@cache
def head() -> str | None:
    """Return the newest revision that this program knows."""
    return ScriptDirectory(str(MIGRATIONS)).get_current_head()


def at_head(database: Database) -> bool:
    with database.reader.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == head()
