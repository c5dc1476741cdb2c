"""brokers' fees, introductions gone around, rewards to completers, and the rules of both"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

import market.kit.columns

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MANDATE_CHECKS = {
    "fee_kind_known": "fee_kind IN ('none', 'rate', 'fixed')",
    "fee_base_known": "fee_base IN ('total', 'technical')",
    "fee_payer_known": "fee_payer IN ('unsaid', 'principal', 'counterpart', 'both')",
    "fee_has_figure": (
        "(fee_kind = 'rate') = (fee_rate_bp IS NOT NULL)"
        " AND (fee_kind = 'fixed') = (fee_fixed_fen IS NOT NULL)"
        " AND (fee_rate_bp IS NULL OR fee_rate_bp BETWEEN 1 AND 10000)"
        " AND (fee_fixed_fen IS NULL OR fee_fixed_fen > 0)"
    ),
    "cost_not_negative": "cost_fen >= 0",
}


def upgrade() -> None:
    op.create_table(
        "transfer_rule",
        sa.Column("id", BIG, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("transfer_bp", sa.Integer(), nullable=False),
        sa.Column("equity_bp", sa.Integer(), nullable=False),
        sa.Column("own_bp", sa.Integer(), nullable=False),
        sa.Column("own_years_least", sa.Integer(), nullable=False),
        sa.Column("own_years_most", sa.Integer(), nullable=False),
        sa.Column("bypass_days", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.Column("checked_on", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("created_by", BIG, nullable=True),
        sa.Column("created_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("archived_at", market.kit.columns.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('current', 'archived')", name=op.f("ck_transfer_rule_state_known")
        ),
        sa.CheckConstraint(
            "1 <= own_years_least AND own_years_least <= own_years_most",
            name=op.f("ck_transfer_rule_years_ordered"),
        ),
        sa.CheckConstraint("bypass_days > 0", name=op.f("ck_transfer_rule_bypass_positive")),
        sa.CheckConstraint(
            "transfer_bp BETWEEN 0 AND 10000 AND equity_bp BETWEEN 0 AND 10000 AND own_bp BETWEEN 0 AND 10000",
            name=op.f("ck_transfer_rule_shares_possible"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["person.id"], name=op.f("fk_transfer_rule_created_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer_rule")),
        sa.UniqueConstraint("public_id", name=op.f("uq_transfer_rule_public_id")),
    )
    with op.batch_alter_table("transfer_rule", schema=None) as batch_op:
        batch_op.create_index(
            "uq_transfer_rule_current",
            ["effective_from"],
            unique=True,
            sqlite_where=sa.text("state = 'current'"),
            postgresql_where=sa.text("state = 'current'"),
        )

    op.create_table(
        "broker_clause",
        sa.Column("id", BIG, nullable=False),
        sa.Column("contract_id", BIG, nullable=False),
        sa.Column("brokers", sa.JSON(), nullable=False),
        sa.Column("fee_kind", sa.String(length=32), nullable=False),
        sa.Column("fee_rate_bp", sa.Integer(), nullable=True),
        sa.Column("fee_fixed_fen", BIG, nullable=True),
        sa.Column("fee_base", sa.String(length=32), nullable=False),
        sa.Column("fee_payer", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("seller_agreed", sa.Integer(), nullable=False),
        sa.Column("buyer_agreed", sa.Integer(), nullable=False),
        sa.Column("written_by", BIG, nullable=False),
        sa.Column("written_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(fee_kind = 'rate') = (fee_rate_bp IS NOT NULL) AND (fee_kind = 'fixed') = (fee_fixed_fen IS NOT NULL) AND (fee_rate_bp IS NULL OR fee_rate_bp BETWEEN 1 AND 10000) AND (fee_fixed_fen IS NULL OR fee_fixed_fen > 0)",
            name=op.f("ck_broker_clause_fee_has_figure"),
        ),
        sa.CheckConstraint(
            "fee_base IN ('total', 'technical')", name=op.f("ck_broker_clause_fee_base_known")
        ),
        sa.CheckConstraint(
            "fee_kind IN ('none', 'rate', 'fixed')", name=op.f("ck_broker_clause_fee_kind_known")
        ),
        sa.CheckConstraint(
            "fee_payer IN ('unsaid', 'principal', 'counterpart', 'both')",
            name=op.f("ck_broker_clause_fee_payer_known"),
        ),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contract.id"], name=op.f("fk_broker_clause_contract_id")
        ),
        sa.ForeignKeyConstraint(
            ["written_by"], ["person.id"], name=op.f("fk_broker_clause_written_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broker_clause")),
        sa.UniqueConstraint("contract_id", name=op.f("uq_broker_clause_contract_id")),
    )
    with op.batch_alter_table("broker_clause", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_broker_clause_written_by"), ["written_by"], unique=False
        )

    op.create_table(
        "commission",
        sa.Column("id", BIG, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("ground", sa.String(length=32), nullable=False),
        sa.Column("contract_id", BIG, nullable=True),
        sa.Column("introduction_id", BIG, nullable=True),
        sa.Column("mandate_id", BIG, nullable=True),
        sa.Column("amount_fen", BIG, nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("settled_at", market.kit.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("settled_by", BIG, nullable=True),
        sa.Column("created_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(state = 'paid') = (settled_at IS NOT NULL)", name=op.f("ck_commission_paid_has_day")
        ),
        sa.CheckConstraint(
            "ground IN ('success', 'clause', 'bypass', 'overtaken', 'known', 'late', 'other_subject', 'unmandated', 'cost')",
            name=op.f("ck_commission_ground_known"),
        ),
        sa.CheckConstraint(
            "state IN ('due', 'paid', 'void')", name=op.f("ck_commission_state_known")
        ),
        sa.CheckConstraint(
            "amount_fen IS NULL OR amount_fen >= 0", name=op.f("ck_commission_amount_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contract.id"], name=op.f("fk_commission_contract_id")
        ),
        sa.ForeignKeyConstraint(
            ["introduction_id"], ["introduction.id"], name=op.f("fk_commission_introduction_id")
        ),
        sa.ForeignKeyConstraint(
            ["mandate_id"], ["mandate.id"], name=op.f("fk_commission_mandate_id")
        ),
        sa.ForeignKeyConstraint(
            ["settled_by"], ["person.id"], name=op.f("fk_commission_settled_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commission")),
        sa.UniqueConstraint("key", name=op.f("uq_commission_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_commission_public_id")),
    )
    with op.batch_alter_table("commission", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_commission_contract_id"), ["contract_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_commission_introduction_id"), ["introduction_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_commission_mandate_id"), ["mandate_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_commission_settled_by"), ["settled_by"], unique=False)

    op.create_table(
        "reward",
        sa.Column("id", BIG, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("contract_id", BIG, nullable=True),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("way", sa.String(length=32), nullable=False),
        sa.Column("profit_year", sa.Integer(), nullable=True),
        sa.Column("income", BIG, nullable=False),
        sa.Column("cost", BIG, nullable=False),
        sa.Column("base", BIG, nullable=False),
        sa.Column("rate_bp", sa.Integer(), nullable=False),
        sa.Column("amount", BIG, nullable=False),
        sa.Column("floor_bp", sa.Integer(), nullable=False),
        sa.Column("floor_binding", sa.Boolean(), nullable=False),
        sa.Column("rule_id", BIG, nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("created_by", BIG, nullable=False),
        sa.Column("created_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", market.kit.columns.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'confirmed') = (confirmed_at IS NOT NULL)",
            name=op.f("ck_reward_confirmed_has_moment"),
        ),
        sa.CheckConstraint(
            "(way = 'own') = (profit_year IS NOT NULL)", name=op.f("ck_reward_year_of_own_use")
        ),
        sa.CheckConstraint("state IN ('drafted', 'confirmed')", name=op.f("ck_reward_state_known")),
        sa.CheckConstraint(
            "way IN ('transfer', 'equity', 'own')", name=op.f("ck_reward_way_known")
        ),
        sa.CheckConstraint(
            "NOT floor_binding OR rate_bp >= floor_bp", name=op.f("ck_reward_floor_held")
        ),
        sa.CheckConstraint("amount >= 0 AND amount <= base", name=op.f("ck_reward_amount_within")),
        sa.CheckConstraint("base > 0", name=op.f("ck_reward_base_positive")),
        sa.CheckConstraint(
            "income >= 0 AND cost >= 0 AND base = income - cost", name=op.f("ck_reward_net_of_cost")
        ),
        sa.CheckConstraint(
            "rate_bp BETWEEN 0 AND 10000 AND floor_bp BETWEEN 0 AND 10000",
            name=op.f("ck_reward_share_possible"),
        ),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contract.id"], name=op.f("fk_reward_contract_id")
        ),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name=op.f("fk_reward_created_by")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_reward_organisation_id")
        ),
        sa.ForeignKeyConstraint(["rule_id"], ["transfer_rule.id"], name=op.f("fk_reward_rule_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reward")),
        sa.UniqueConstraint(
            "contract_id", "way", "profit_year", name=op.f("uq_reward_contract_id_way_profit_year")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_reward_public_id")),
    )
    with op.batch_alter_table("reward", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_reward_contract_id"), ["contract_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_reward_created_by"), ["created_by"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_reward_organisation_id"), ["organisation_id"], unique=False
        )

    op.create_table(
        "bypass",
        sa.Column("id", BIG, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("commission_id", BIG, nullable=False),
        sa.Column("contract_id", BIG, nullable=False),
        sa.Column("introduction_id", BIG, nullable=False),
        sa.Column("broker_id", BIG, nullable=False),
        sa.Column("seller_id", BIG, nullable=False),
        sa.Column("buyer_id", BIG, nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("contest_reason", sa.Text(), nullable=False),
        sa.Column("contested_by_id", BIG, nullable=True),
        sa.Column("contested_at", market.kit.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("decision_note", sa.String(length=500), nullable=False),
        sa.Column("decided_by", BIG, nullable=True),
        sa.Column("decided_at", market.kit.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(state IN ('upheld', 'dismissed')) = (decided_at IS NOT NULL)",
            name=op.f("ck_bypass_decided_has_moment"),
        ),
        sa.CheckConstraint(
            "state IN ('flagged', 'contested', 'upheld', 'dismissed')",
            name=op.f("ck_bypass_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["broker_id"], ["organisation.id"], name=op.f("fk_bypass_broker_id")
        ),
        sa.ForeignKeyConstraint(["buyer_id"], ["organisation.id"], name=op.f("fk_bypass_buyer_id")),
        sa.ForeignKeyConstraint(
            ["commission_id"], ["commission.id"], name=op.f("fk_bypass_commission_id")
        ),
        sa.ForeignKeyConstraint(
            ["contested_by_id"], ["organisation.id"], name=op.f("fk_bypass_contested_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contract.id"], name=op.f("fk_bypass_contract_id")
        ),
        sa.ForeignKeyConstraint(["decided_by"], ["person.id"], name=op.f("fk_bypass_decided_by")),
        sa.ForeignKeyConstraint(
            ["introduction_id"], ["introduction.id"], name=op.f("fk_bypass_introduction_id")
        ),
        sa.ForeignKeyConstraint(
            ["seller_id"], ["organisation.id"], name=op.f("fk_bypass_seller_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bypass")),
        sa.UniqueConstraint("commission_id", name=op.f("uq_bypass_commission_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_bypass_public_id")),
    )
    with op.batch_alter_table("bypass", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_bypass_broker_id"), ["broker_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_bypass_buyer_id"), ["buyer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_bypass_contract_id"), ["contract_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_bypass_decided_by"), ["decided_by"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_bypass_introduction_id"), ["introduction_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_bypass_seller_id"), ["seller_id"], unique=False)

    op.create_table(
        "commission_part",
        sa.Column("id", BIG, nullable=False),
        sa.Column("commission_id", BIG, nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("amount_fen", BIG, nullable=False),
        sa.CheckConstraint(
            "role IN ('payer', 'broker')", name=op.f("ck_commission_part_role_known")
        ),
        sa.CheckConstraint("amount_fen >= 0", name=op.f("ck_commission_part_amount_not_negative")),
        sa.CheckConstraint("weight > 0", name=op.f("ck_commission_part_weight_positive")),
        sa.ForeignKeyConstraint(
            ["commission_id"], ["commission.id"], name=op.f("fk_commission_part_commission_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_commission_part_organisation_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commission_part")),
        sa.UniqueConstraint(
            "commission_id",
            "role",
            "organisation_id",
            name=op.f("uq_commission_part_commission_id_role_organisation_id"),
        ),
    )
    with op.batch_alter_table("commission_part", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_commission_part_organisation_id"), ["organisation_id"], unique=False
        )

    op.create_table(
        "reward_share",
        sa.Column("id", BIG, nullable=False),
        sa.Column("reward_id", BIG, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("part", sa.String(length=200), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("amount", BIG, nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_reward_share_amount_not_negative")),
        sa.CheckConstraint("weight > 0", name=op.f("ck_reward_share_weight_positive")),
        sa.ForeignKeyConstraint(
            ["reward_id"], ["reward.id"], name=op.f("fk_reward_share_reward_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reward_share")),
        sa.UniqueConstraint(
            "reward_id", "position", name=op.f("uq_reward_share_reward_id_position")
        ),
    )
    _consents()
    _fees()


def _consents() -> None:
    for side in ("seller", "buyer"):
        op.add_column(
            "introduction",
            sa.Column(
                f"{side}_accepted_at", market.kit.columns.UtcDateTime(timezone=True), nullable=True
            ),
        )
        _reference("introduction", f"{side}_accepted_by", "person")


def _fees() -> None:
    """Add the columns where they stand: a table made anew would be dropped under the rows that
    refer to it, which SQLite refuses.
    """
    for name, type_, given in (
        ("fee_kind", sa.String(length=32), "none"),
        ("fee_base", sa.String(length=32), "total"),
        ("fee_payer", sa.String(length=32), "unsaid"),
        ("cost_fen", BIG, "0"),
    ):
        op.add_column("mandate", sa.Column(name, type_, nullable=False, server_default=given))
    op.add_column("mandate", sa.Column("fee_rate_bp", sa.Integer(), nullable=True))
    _reference("mandate", "evidence_file_id", "stored_file")
    checks = {op.f(f"ck_mandate_{name}"): condition for name, condition in MANDATE_CHECKS.items()}
    if op.get_context().dialect.name == "sqlite":
        held = " ".join(f"CONSTRAINT {name} CHECK ({what})" for name, what in checks.items())
        op.execute(f"ALTER TABLE mandate ADD COLUMN fee_fixed_fen INTEGER {held}")
        return
    op.add_column("mandate", sa.Column("fee_fixed_fen", BIG, nullable=True))
    for name, condition in checks.items():
        op.create_check_constraint(name, "mandate", condition)


def _reference(table: str, column: str, target: str) -> None:
    """Add a reference that may be empty."""
    name = op.f(f"fk_{table}_{column}")
    if op.get_context().dialect.name == "sqlite":
        op.execute(
            f"ALTER TABLE {table} ADD COLUMN {column} INTEGER "
            f"CONSTRAINT {name} REFERENCES {target} (id)"
        )
        return
    op.add_column(table, sa.Column(column, BIG, nullable=True))
    op.create_foreign_key(name, table, target, [column], ["id"])


def downgrade() -> None:
    with op.batch_alter_table("mandate", schema=None) as batch_op:
        for name in MANDATE_CHECKS:
            batch_op.drop_constraint(batch_op.f(f"ck_mandate_{name}"), type_="check")
        batch_op.drop_constraint(batch_op.f("fk_mandate_evidence_file_id"), type_="foreignkey")
        batch_op.drop_column("evidence_file_id")
        batch_op.drop_column("cost_fen")
        batch_op.drop_column("fee_payer")
        batch_op.drop_column("fee_base")
        batch_op.drop_column("fee_fixed_fen")
        batch_op.drop_column("fee_rate_bp")
        batch_op.drop_column("fee_kind")

    with op.batch_alter_table("introduction", schema=None) as batch_op:
        batch_op.drop_constraint(
            batch_op.f("fk_introduction_seller_accepted_by"), type_="foreignkey"
        )
        batch_op.drop_constraint(
            batch_op.f("fk_introduction_buyer_accepted_by"), type_="foreignkey"
        )
        batch_op.drop_column("buyer_accepted_by")
        batch_op.drop_column("buyer_accepted_at")
        batch_op.drop_column("seller_accepted_by")
        batch_op.drop_column("seller_accepted_at")

    op.drop_table("reward_share")
    with op.batch_alter_table("commission_part", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_commission_part_organisation_id"))

    op.drop_table("commission_part")
    with op.batch_alter_table("bypass", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_bypass_seller_id"))
        batch_op.drop_index(batch_op.f("ix_bypass_introduction_id"))
        batch_op.drop_index(batch_op.f("ix_bypass_decided_by"))
        batch_op.drop_index(batch_op.f("ix_bypass_contract_id"))
        batch_op.drop_index(batch_op.f("ix_bypass_buyer_id"))
        batch_op.drop_index(batch_op.f("ix_bypass_broker_id"))

    op.drop_table("bypass")
    with op.batch_alter_table("reward", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_reward_organisation_id"))
        batch_op.drop_index(batch_op.f("ix_reward_created_by"))
        batch_op.drop_index(batch_op.f("ix_reward_contract_id"))

    op.drop_table("reward")
    with op.batch_alter_table("commission", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_commission_settled_by"))
        batch_op.drop_index(batch_op.f("ix_commission_mandate_id"))
        batch_op.drop_index(batch_op.f("ix_commission_introduction_id"))
        batch_op.drop_index(batch_op.f("ix_commission_contract_id"))

    op.drop_table("commission")
    with op.batch_alter_table("broker_clause", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_broker_clause_written_by"))

    op.drop_table("broker_clause")
    with op.batch_alter_table("transfer_rule", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_transfer_rule_current",
            sqlite_where=sa.text("state = 'current'"),
            postgresql_where=sa.text("state = 'current'"),
        )

    op.drop_table("transfer_rule")
