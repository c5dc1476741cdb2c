"""matching: bands, deals, what is due, what was shown"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

import market.kit.columns

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("match", sa.Column("band", sa.String(20), nullable=False, server_default=""))
    op.add_column("match", sa.Column("dealt_at", market.kit.columns.UtcDateTime(timezone=True)))
    op.create_table(
        "match_due",
        sa.Column("demand_id", _BIG, nullable=False),
        sa.Column("judged", sa.Boolean(), nullable=False),
        sa.Column("since", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["demand_id"], ["listing.id"], name=op.f("fk_match_due_demand_id")),
        sa.PrimaryKeyConstraint("demand_id", name=op.f("pk_match_due")),
    )
    op.create_table(
        "match_shown",
        sa.Column("demand_id", _BIG, nullable=False),
        sa.Column("achievement_id", _BIG, nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("band", sa.String(20), nullable=False),
        sa.Column("shown_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["achievement_id"], ["listing.id"], name=op.f("fk_match_shown_achievement_id")
        ),
        sa.ForeignKeyConstraint(
            ["demand_id"], ["listing.id"], name=op.f("fk_match_shown_demand_id")
        ),
        sa.PrimaryKeyConstraint("demand_id", "achievement_id", name=op.f("pk_match_shown")),
    )
    op.create_index(op.f("ix_match_shown_shown_at"), "match_shown", ["shown_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_match_shown_shown_at"), table_name="match_shown")
    op.drop_table("match_shown")
    op.drop_table("match_due")
    op.drop_column("match", "dealt_at")
    op.drop_column("match", "band")
