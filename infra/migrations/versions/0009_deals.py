"""negotiation: parties, stages, structured offers, files, next steps, objections, comparables"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

import market.kit.columns

revision: str = "0009"
down_revision: str | None = "0007"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PRICING_CHECKS = {
    "state_known": "state IN ('publicised', 'cleared', 'listed', 'dealt', 'stopped')",
    "cleared_has_day": "state <> 'cleared' OR cleared_on IS NOT NULL",
    "dealt_whole": "state <> 'dealt' OR (dealt_on IS NOT NULL AND dealt_fen > 0)",
    "listed_ordered": "listed_until IS NULL OR listed_until >= listed_on",
}
TERMS_CHECKS = {
    "pay_method_known": "pay_method IN ('lump', 'instalments', 'royalty', 'royalty_entry')",
    "royalty_base_known": (
        "royalty_base IN ('price', 'new_output', 'profit', 'sales') OR royalty_base IS NULL"
    ),
    "royalty_trend_known": (
        "royalty_trend IN ('fixed', 'rising', 'falling') OR royalty_trend IS NULL"
    ),
    "entry_within": "entry_fen IS NULL OR (entry_fen > 0 AND entry_fen <= amount_fen)",
    "entry_with_royalty": "(pay_method = 'royalty_entry') = (entry_fen IS NOT NULL)",
    "royalty_whole": (
        "(pay_method IN ('royalty', 'royalty_entry')) = (royalty_base IS NOT NULL)"
        " AND (royalty_base IS NULL) = (royalty_rate IS NULL)"
        " AND (royalty_base IS NULL) = (royalty_trend IS NULL)"
    ),
    "rate_possible": "royalty_rate IS NULL OR royalty_rate BETWEEN 1 AND 10000",
    "term_positive": "term_months IS NULL OR term_months > 0",
}


def upgrade() -> None:
    op.create_table(
        "deal_file",
        sa.Column("id", BIG, nullable=False),
        sa.Column("deal_id", BIG, nullable=False),
        sa.Column("file_id", BIG, nullable=False),
        sa.Column("audience", sa.String(length=32), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("person_id", BIG, nullable=False),
        sa.Column("at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "audience IN ('own', 'brokers', 'parties', 'all')",
            name=op.f("ck_deal_file_audience_known"),
        ),
        sa.ForeignKeyConstraint(["deal_id"], ["deal.id"], name=op.f("fk_deal_file_deal_id")),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_deal_file_file_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_deal_file_organisation_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_deal_file_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deal_file")),
        sa.UniqueConstraint("file_id", name=op.f("uq_deal_file_file_id")),
    )
    with op.batch_alter_table("deal_file", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_deal_file_deal_id"), ["deal_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_deal_file_person_id"), ["person_id"], unique=False)

    op.create_table(
        "deal_listing",
        sa.Column("id", BIG, nullable=False),
        sa.Column("deal_id", BIG, nullable=False),
        sa.Column("listing_id", BIG, nullable=False),
        sa.Column("added_by", BIG, nullable=False),
        sa.Column("created_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["added_by"], ["person.id"], name=op.f("fk_deal_listing_added_by")),
        sa.ForeignKeyConstraint(["deal_id"], ["deal.id"], name=op.f("fk_deal_listing_deal_id")),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name=op.f("fk_deal_listing_listing_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deal_listing")),
        sa.UniqueConstraint(
            "deal_id", "listing_id", name=op.f("uq_deal_listing_deal_id_listing_id")
        ),
    )
    with op.batch_alter_table("deal_listing", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_deal_listing_listing_id"), ["listing_id"], unique=False
        )

    op.create_table(
        "deal_party",
        sa.Column("id", BIG, nullable=False),
        sa.Column("deal_id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("side", sa.String(length=32), nullable=False),
        sa.Column("share", sa.Integer(), nullable=True),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("confirmed_version", sa.Integer(), nullable=False),
        sa.Column("added_by", BIG, nullable=False),
        sa.Column("created_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("side IN ('seller', 'buyer')", name=op.f("ck_deal_party_side_known")),
        sa.CheckConstraint(
            "share IS NULL OR share BETWEEN 1 AND 10000", name=op.f("ck_deal_party_share_possible")
        ),
        sa.ForeignKeyConstraint(["added_by"], ["person.id"], name=op.f("fk_deal_party_added_by")),
        sa.ForeignKeyConstraint(["deal_id"], ["deal.id"], name=op.f("fk_deal_party_deal_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_deal_party_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deal_party")),
        sa.UniqueConstraint(
            "deal_id", "organisation_id", name=op.f("uq_deal_party_deal_id_organisation_id")
        ),
    )
    with op.batch_alter_table("deal_party", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_deal_party_organisation_id"), ["organisation_id"], unique=False
        )

    op.create_table(
        "deal_stage",
        sa.Column("id", BIG, nullable=False),
        sa.Column("deal_id", BIG, nullable=False),
        sa.Column("stage", sa.String(length=32), nullable=False),
        sa.Column("entered_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "stage IN ('contact', 'assessment', 'bargaining', 'agreed', 'pricing', 'signed', 'lost')",
            name=op.f("ck_deal_stage_stage_known"),
        ),
        sa.ForeignKeyConstraint(["deal_id"], ["deal.id"], name=op.f("fk_deal_stage_deal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deal_stage")),
    )
    with op.batch_alter_table("deal_stage", schema=None) as batch_op:
        batch_op.create_index("ix_deal_stage_deal", ["deal_id", "id"], unique=False)
        batch_op.create_index("ix_deal_stage_stage", ["stage", "entered_at"], unique=False)

    op.create_table(
        "next_step",
        sa.Column("id", BIG, nullable=False),
        sa.Column("deal_id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("text", sa.String(length=200), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("person_id", BIG, nullable=False),
        sa.Column("set_by", BIG, nullable=False),
        sa.Column("set_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("ended_at", market.kit.columns.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "NOT done OR ended_at IS NOT NULL", name=op.f("ck_next_step_done_has_ended")
        ),
        sa.ForeignKeyConstraint(["deal_id"], ["deal.id"], name=op.f("fk_next_step_deal_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_next_step_organisation_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_next_step_person_id")),
        sa.ForeignKeyConstraint(["set_by"], ["person.id"], name=op.f("fk_next_step_set_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_next_step")),
    )
    with op.batch_alter_table("next_step", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_next_step_deal_id"), ["deal_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_next_step_person_id"), ["person_id"], unique=False)
        batch_op.create_index(
            "uq_next_step_waiting",
            ["deal_id", "organisation_id"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    op.create_table(
        "objection",
        sa.Column("id", BIG, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("pricing_path_id", BIG, nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("contact", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("handling", sa.String(length=1000), nullable=False),
        sa.Column("evidence_id", BIG, nullable=True),
        sa.Column("created_by", BIG, nullable=True),
        sa.Column("created_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("handled_by", BIG, nullable=True),
        sa.Column("handled_at", market.kit.columns.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'open') = (handled_at IS NULL)", name=op.f("ck_objection_handled_whole")
        ),
        sa.CheckConstraint(
            "state IN ('open', 'cleared', 'upheld')", name=op.f("ck_objection_state_known")
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["person.id"], name=op.f("fk_objection_created_by")
        ),
        sa.ForeignKeyConstraint(
            ["evidence_id"], ["stored_file.id"], name=op.f("fk_objection_evidence_id")
        ),
        sa.ForeignKeyConstraint(
            ["handled_by"], ["person.id"], name=op.f("fk_objection_handled_by")
        ),
        sa.ForeignKeyConstraint(
            ["pricing_path_id"], ["pricing_path.id"], name=op.f("fk_objection_pricing_path_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_objection")),
        sa.UniqueConstraint("public_id", name=op.f("uq_objection_public_id")),
    )
    with op.batch_alter_table("objection", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_objection_created_by"), ["created_by"], unique=False)
        batch_op.create_index(batch_op.f("ix_objection_evidence_id"), ["evidence_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_objection_pricing_path_id"), ["pricing_path_id"], unique=False
        )

    op.create_table(
        "terms_instalment",
        sa.Column("id", BIG, nullable=False),
        sa.Column("terms_id", BIG, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("amount_fen", BIG, nullable=False),
        sa.Column("due", sa.String(length=120), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_terms_instalment_amount_positive")),
        sa.ForeignKeyConstraint(
            ["terms_id"], ["terms.id"], name=op.f("fk_terms_instalment_terms_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_terms_instalment")),
        sa.UniqueConstraint(
            "terms_id", "position", name=op.f("uq_terms_instalment_terms_id_position")
        ),
    )
    _comparables()
    _changed_tables()
    _history()


def _comparables() -> None:
    op.create_table(
        "comparable_group",
        sa.Column("id", BIG, nullable=False),
        sa.Column("field", sa.Integer(), nullable=False),
        sa.Column("contract_type", sa.String(length=8), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("bands", sa.JSON(), nullable=False),
        sa.CheckConstraint("field BETWEEN 1 AND 11", name=op.f("ck_comparable_group_field_known")),
        sa.CheckConstraint("size > 0", name=op.f("ck_comparable_group_size_positive")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comparable_group")),
    )
    op.create_index("ix_comparable_group_kind", "comparable_group", ["contract_type", "field"])
    op.create_table(
        "comparable_member",
        sa.Column("transaction_id", BIG, nullable=False),
        sa.Column("group_id", BIG, nullable=False),
        sa.Column("band", sa.Integer(), nullable=False),
        sa.CheckConstraint("band >= 0", name=op.f("ck_comparable_member_band_known")),
        sa.ForeignKeyConstraint(
            ["transaction_id"],
            ["ledger_transaction.id"],
            name=op.f("fk_comparable_member_transaction_id"),
        ),
        sa.ForeignKeyConstraint(
            ["group_id"], ["comparable_group.id"], name=op.f("fk_comparable_member_group_id")
        ),
        sa.PrimaryKeyConstraint("transaction_id", name=op.f("pk_comparable_member")),
    )
    op.create_index(op.f("ix_comparable_member_group_id"), "comparable_member", ["group_id"])


def _checks(batch: Any, table: str, checks: dict[str, str]) -> None:
    for name, condition in checks.items():
        batch.create_check_constraint(op.f(f"ck_{table}_{name}"), condition)


def _changed_tables() -> None:
    with op.batch_alter_table("deal", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("phase", sa.String(length=32), nullable=False, server_default="contact")
        )
        _checks(
            batch_op,
            "deal",
            {"phase_known": "phase IN ('contact', 'assessment', 'bargaining')"},
        )
    with op.batch_alter_table("deal_note", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_deal_note_audience_known"), type_="check")
        _checks(
            batch_op,
            "deal_note",
            {"audience_known": "audience IN ('own', 'brokers', 'parties', 'all')"},
        )
    with op.batch_alter_table("pricing_path", schema=None) as batch_op:
        batch_op.add_column(sa.Column("cleared_on", sa.Date(), nullable=True))
        batch_op.add_column(_text("exchange_number", 60))
        batch_op.add_column(sa.Column("listed_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("listed_until", sa.Date(), nullable=True))
        batch_op.add_column(_text("dealt_number", 60))
        batch_op.add_column(sa.Column("bidders", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("evidence_id", BIG, nullable=True))
        batch_op.create_index(op.f("ix_pricing_path_evidence_id"), ["evidence_id"], unique=False)
        batch_op.create_foreign_key(
            op.f("fk_pricing_path_evidence_id"), "stored_file", ["evidence_id"], ["id"]
        )
        batch_op.drop_constraint(op.f("ck_pricing_path_state_known"), type_="check")
        _checks(batch_op, "pricing_path", PRICING_CHECKS)
    with op.batch_alter_table("terms", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("pay_method", sa.String(length=32), nullable=False, server_default="lump")
        )
        batch_op.add_column(sa.Column("entry_fen", BIG, nullable=True))
        batch_op.add_column(sa.Column("royalty_base", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("royalty_rate", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("royalty_trend", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("term_months", sa.Integer(), nullable=True))
        batch_op.add_column(_text("territory", 120))
        _checks(batch_op, "terms", TERMS_CHECKS)


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=length), nullable=False, server_default="")


def _history() -> None:
    """Write what is known of when earlier deals entered their stages."""
    for stage, at, where in (
        ("contact", "created_at", "1 = 1"),
        (
            "bargaining",
            "(SELECT MIN(proposed_at) FROM terms WHERE deal_id = deal.id)",
            "terms_version > 0",
        ),
        ("agreed", "agreed_at", "agreed_at IS NOT NULL"),
        ("signed", "concluded_at", "concluded_at IS NOT NULL"),
        ("lost", "updated_at", "state = 'lost'"),
    ):
        op.execute(
            "INSERT INTO deal_stage (deal_id, stage, entered_at) "  # noqa: S608  constants above
            f"SELECT id, '{stage}', {at} FROM deal WHERE {where} ORDER BY id"
        )
    op.execute("UPDATE deal SET phase = 'bargaining' WHERE terms_version > 0")


def downgrade() -> None:
    op.drop_table("comparable_member")
    op.drop_table("comparable_group")
    with op.batch_alter_table("deal_note", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_deal_note_audience_known"), type_="check")
        _checks(batch_op, "deal_note", {"audience_known": "audience IN ('own', 'all')"})
    with op.batch_alter_table("terms", schema=None) as batch_op:
        for name in TERMS_CHECKS:
            batch_op.drop_constraint(op.f(f"ck_terms_{name}"), type_="check")
        batch_op.drop_column("territory")
        batch_op.drop_column("term_months")
        batch_op.drop_column("royalty_trend")
        batch_op.drop_column("royalty_rate")
        batch_op.drop_column("royalty_base")
        batch_op.drop_column("entry_fen")
        batch_op.drop_column("pay_method")

    with op.batch_alter_table("pricing_path", schema=None) as batch_op:
        for name in PRICING_CHECKS:
            batch_op.drop_constraint(op.f(f"ck_pricing_path_{name}"), type_="check")
        _checks(
            batch_op,
            "pricing_path",
            {"state_known": "state IN ('publicised', 'listed', 'dealt', 'stopped')"},
        )
        batch_op.drop_constraint(batch_op.f("fk_pricing_path_evidence_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_pricing_path_evidence_id"))
        batch_op.drop_column("evidence_id")
        batch_op.drop_column("bidders")
        batch_op.drop_column("dealt_number")
        batch_op.drop_column("listed_until")
        batch_op.drop_column("listed_on")
        batch_op.drop_column("exchange_number")
        batch_op.drop_column("cleared_on")

    with op.batch_alter_table("deal", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_deal_phase_known"), type_="check")
        batch_op.drop_column("phase")

    op.drop_table("terms_instalment")
    with op.batch_alter_table("objection", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_objection_pricing_path_id"))
        batch_op.drop_index(batch_op.f("ix_objection_evidence_id"))
        batch_op.drop_index(batch_op.f("ix_objection_created_by"))

    op.drop_table("objection")
    with op.batch_alter_table("next_step", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_next_step_waiting",
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_next_step_person_id"))
        batch_op.drop_index(batch_op.f("ix_next_step_deal_id"))

    op.drop_table("next_step")
    with op.batch_alter_table("deal_stage", schema=None) as batch_op:
        batch_op.drop_index("ix_deal_stage_stage")
        batch_op.drop_index("ix_deal_stage_deal")

    op.drop_table("deal_stage")
    with op.batch_alter_table("deal_party", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_deal_party_organisation_id"))

    op.drop_table("deal_party")
    with op.batch_alter_table("deal_listing", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_deal_listing_listing_id"))

    op.drop_table("deal_listing")
    with op.batch_alter_table("deal_file", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_deal_file_person_id"))
        batch_op.drop_index(batch_op.f("ix_deal_file_deal_id"))

    op.drop_table("deal_file")
