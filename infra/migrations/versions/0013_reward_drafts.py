"""a year of a contract's use is rewarded once: drafts do not count"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_COLUMNS = ["contract_id", "way", "profit_year"]
_CONFIRMED = sa.text("state = 'confirmed'")


def upgrade() -> None:
    with op.batch_alter_table("reward") as batch_op:
        batch_op.drop_constraint(op.f("uq_reward_contract_id_way_profit_year"), type_="unique")
    op.create_index(
        "uq_reward_confirmed",
        "reward",
        _COLUMNS,
        unique=True,
        sqlite_where=_CONFIRMED,
        postgresql_where=_CONFIRMED,
    )


def downgrade() -> None:
    """Fails where a year has two drafts."""
    op.drop_index("uq_reward_confirmed", "reward")
    with op.batch_alter_table("reward") as batch_op:
        batch_op.create_unique_constraint(op.f("uq_reward_contract_id_way_profit_year"), _COLUMNS)
