"""Whether a database has the schema that this program was written for.

A web process asks without Alembic, which would take a twentieth of its memory.
"""

from typing import Final

from market.kit.db import Database

HEAD: Final = "0014"
"""The newest revision in infra/migrations; a test holds it."""


def at_head(database: Database) -> bool:
    return database.revision() == HEAD
