"""Alembic's hook: the connection comes from infra.migrate, the tables from the market."""

from typing import Any, Literal

from alembic import context
from sqlmodel.sql.sqltypes import AutoString

from market.tables import metadata


def plain_types(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write SQLModel's own string type as SQLAlchemy's: a revision should outlive the library."""
    if kind == "type" and isinstance(item, AutoString):
        return f"sa.String(length={item.length})"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata(),
    render_as_batch=True,
    compare_type=True,
    render_item=plain_types,
)
with context.begin_transaction():
    context.run_migrations()
