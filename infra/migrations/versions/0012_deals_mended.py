"""a paid cost counts towards the fee that a later contract earns; the days of a 公示 are data"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_CREDITED = "credited_to_id IS NULL OR (ground = 'cost' AND state = 'paid')"


def upgrade() -> None:
    with op.batch_alter_table("commission") as batch_op:
        batch_op.add_column(sa.Column("credited_to_id", BIG, nullable=True))
        batch_op.create_foreign_key(
            op.f("fk_commission_credited_to_id"),
            "commission",
            ["credited_to_id"],
            ["id"],
        )
        batch_op.create_check_constraint(op.f("ck_commission_cost_credited"), _CREDITED)
    op.execute(
        "ALTER TABLE transfer_rule ADD COLUMN publicity_days INTEGER NOT NULL DEFAULT 15"
        " CONSTRAINT ck_transfer_rule_publicity_positive CHECK (publicity_days > 0)"
    )
    op.create_index(op.f("ix_commission_credited_to_id"), "commission", ["credited_to_id"])


def downgrade() -> None:
    with op.batch_alter_table("transfer_rule") as batch_op:
        batch_op.drop_constraint(op.f("ck_transfer_rule_publicity_positive"), type_="check")
        batch_op.drop_column("publicity_days")
    op.drop_index(op.f("ix_commission_credited_to_id"), "commission")
    with op.batch_alter_table("commission") as batch_op:
        batch_op.drop_constraint(op.f("ck_commission_cost_credited"), type_="check")
        batch_op.drop_constraint(op.f("fk_commission_credited_to_id"), type_="foreignkey")
        batch_op.drop_column("credited_to_id")
