"""dictionary words"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

import market.kit.columns

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "dictionary_word",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("word", sa.String(length=12), nullable=False),
        sa.Column("created_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("in_force_at", market.kit.columns.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dictionary_word")),
        sa.UniqueConstraint("public_id", name=op.f("uq_dictionary_word_public_id")),
        sa.UniqueConstraint("word", name=op.f("uq_dictionary_word_word")),
    )


def downgrade() -> None:
    op.drop_table("dictionary_word")
