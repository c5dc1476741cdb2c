"""search words"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

import market.kit.columns

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "past_query",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("folded", sa.String(length=40), nullable=False),
        sa.Column("text", sa.String(length=40), nullable=False),
        sa.Column("syllables", sa.String(length=240), nullable=False),
        sa.Column("initials", sa.String(length=40), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("used_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_past_query")),
        sa.UniqueConstraint("folded", name=op.f("uq_past_query_folded")),
    )
    with op.batch_alter_table("past_query", schema=None) as batch_op:
        batch_op.create_index("ix_past_query_used", ["used_at"], unique=False)

    op.create_table(
        "query_sighting",
        sa.Column("text_digest", sa.String(length=32), nullable=False),
        sa.Column("visitor_digest", sa.String(length=32), nullable=False),
        sa.Column("seen_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("text_digest", "visitor_digest", name=op.f("pk_query_sighting")),
    )
    with op.batch_alter_table("query_sighting", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_query_sighting_seen_at"), ["seen_at"], unique=False)

    op.create_table(
        "synonym_group",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("edits", sa.Integer(), nullable=False),
        sa.Column("changed_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_synonym_group")),
        sa.UniqueConstraint("public_id", name=op.f("uq_synonym_group_public_id")),
    )


def downgrade() -> None:
    op.drop_table("synonym_group")
    with op.batch_alter_table("query_sighting", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_query_sighting_seen_at"))

    op.drop_table("query_sighting")
    with op.batch_alter_table("past_query", schema=None) as batch_op:
        batch_op.drop_index("ix_past_query_used")

    op.drop_table("past_query")
