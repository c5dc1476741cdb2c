"""many machines: terms of locks, bytes of files in the database"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

import market.kit.columns

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "held_term",
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("term", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_held_term")),
    )
    op.create_table(
        "stored_bytes",
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size", _BIG, nullable=False),
        sa.Column("large_object", _BIG, nullable=False),
        sa.Column("saved_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_stored_bytes")),
    )


def downgrade() -> None:
    op.drop_table("stored_bytes")
    op.drop_table("held_term")
