"""what a registry changed of a registration beside its amounts"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    for table in ("registration", "registration_event"):
        op.add_column(table, sa.Column("in_force", sa.JSON(), nullable=False, server_default="{}"))
