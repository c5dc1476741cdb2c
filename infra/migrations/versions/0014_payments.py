"""payments, and movements of money in the ledger"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

import market.kit.columns

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = market.kit.columns.UtcDateTime(timezone=True)
_T, _E = "ledger_transaction", "ledger_entry"
_CHECKS = {
    # name: (as it was, as it is); no check of that name before where it was ""
    "follows_what_it_moves": (
        "(kind = 'register') = (register_id IS NULL) AND (kind = 'register') = (previous_id IS NULL)",
        "(kind IN ('register', 'move')) = (register_id IS NULL) AND (kind IN ('register', 'move')) = (previous_id IS NULL)",
    ),
    "kind_known": (
        "kind IN ('register', 'change', 'reverse')",
        "kind IN ('register', 'change', 'reverse', 'move')",
    ),
    "field_known": (
        "field BETWEEN 1 AND 11",
        "(kind = 'move' AND field = 0) OR (kind <> 'move' AND field BETWEEN 1 AND 11)",
    ),
    "money_moves": ("", "(book = 'money') = (kind = 'move')"),
}


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _rebuild()
    else:
        _alter()
    _new_tables()


def _alter() -> None:
    for name, (before, now) in _CHECKS.items():
        full = op.f(f"ck_{_T}_{name}")
        if before:
            op.drop_constraint(full, _T, type_="check")
        op.create_check_constraint(full, _T, now)


def _rebuild() -> None:
    """SQLite alters no constraint, and rows elsewhere refer to these: they go out and come back in
    one transaction, at whose end `infra.migrate` looks at every reference.
    """
    bind = op.get_bind()
    made = bind.execute(
        sa.text(
            "SELECT name, sql FROM sqlite_master WHERE tbl_name IN (:t, :e) AND sql IS NOT NULL"
            " AND type IN ('table', 'index') ORDER BY type DESC, name DESC"
        ),
        {"t": _T, "e": _E},
    ).all()
    for table in (_T, _E):
        op.execute(f"CREATE TEMP TABLE old_{table} AS SELECT * FROM {table}")  # noqa: S608
    op.drop_table(_E)
    op.drop_table(_T)
    for name, sql in made:
        bind.exec_driver_sql(_with_checks(sql) if name == _T else sql)
    for table in (_T, _E):
        op.execute(f"INSERT INTO {table} SELECT * FROM old_{table} ORDER BY id")  # noqa: S608
        op.execute(f"DROP TABLE old_{table}")


def _with_checks(sql: str) -> str:
    known = f"ck_{_T}_seq_positive CHECK (seq > 0)"
    for name, (before, now) in _CHECKS.items():
        there = f"ck_{_T}_{name} CHECK ({before})" if before else known
        assert there in sql, name
        here = f"ck_{_T}_{name} CHECK ({now})"
        sql = sql.replace(there, here if before else f"{known}, CONSTRAINT {here}")
    return sql


def _new_tables() -> None:
    op.create_table(
        "stripe_event",
        sa.Column("id", BIG, nullable=False),
        sa.Column("event", sa.String(length=255), nullable=False),
        sa.Column("type", sa.String(length=100), nullable=False),
        sa.Column("object_id", sa.String(length=255), nullable=False),
        sa.Column("by_sweep", sa.Boolean(), nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("handled_at", MOMENT, nullable=True),
        sa.Column("outcome", sa.String(length=100), nullable=False),
        sa.CheckConstraint(
            "(handled_at IS NULL) = (outcome = '')",
            name=op.f("ck_stripe_event_handled_has_outcome"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stripe_event")),
        sa.UniqueConstraint("event", name=op.f("uq_stripe_event_event")),
    )
    with op.batch_alter_table("stripe_event", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_stripe_event_received_at"), ["received_at"], unique=False
        )

    op.create_table(
        "card_limit",
        sa.Column("id", BIG, nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("least_fen", BIG, nullable=False),
        sa.Column("most_fen", BIG, nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.Column("checked_on", sa.Date(), nullable=True),
        sa.Column("created_by", BIG, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "least_fen > 0 AND most_fen >= least_fen", name=op.f("ck_card_limit_bounds_ordered")
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["person.id"], name=op.f("fk_card_limit_created_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_limit")),
        sa.UniqueConstraint("effective_from", name=op.f("uq_card_limit_effective_from")),
    )
    op.create_table(
        "connected_account",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("account", sa.String(length=60), nullable=False),
        sa.Column("entered_by", BIG, nullable=False),
        sa.Column("entered_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["entered_by"], ["person.id"], name=op.f("fk_connected_account_entered_by")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_connected_account_organisation_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connected_account")),
        sa.UniqueConstraint("account", name=op.f("uq_connected_account_account")),
        sa.UniqueConstraint("organisation_id", name=op.f("uq_connected_account_organisation_id")),
    )
    op.create_table(
        "fee",
        sa.Column("id", BIG, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("amount_fen", BIG, nullable=True),
        sa.Column("rate_bp", sa.Integer(), nullable=True),
        sa.Column("least_fen", BIG, nullable=False),
        sa.Column("most_fen", BIG, nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.Column("created_by", BIG, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "purpose IN ('service_fee', 'earnest')", name=op.f("ck_fee_purpose_of_schedule")
        ),
        sa.CheckConstraint(
            "purpose IN ('service_fee', 'earnest', 'commission')", name=op.f("ck_fee_purpose_known")
        ),
        sa.CheckConstraint(
            "rate_bp IS NULL OR purpose = 'earnest'", name=op.f("ck_fee_rate_is_earnest")
        ),
        sa.CheckConstraint(
            "(amount_fen IS NULL) = (rate_bp IS NOT NULL)", name=op.f("ck_fee_fixed_or_rate")
        ),
        sa.CheckConstraint(
            "amount_fen IS NULL OR amount_fen > 0", name=op.f("ck_fee_amount_positive")
        ),
        sa.CheckConstraint(
            "least_fen > 0 AND most_fen >= least_fen", name=op.f("ck_fee_bounds_ordered")
        ),
        sa.CheckConstraint(
            "rate_bp IS NULL OR rate_bp BETWEEN 1 AND 10000", name=op.f("ck_fee_rate_possible")
        ),
        sa.CheckConstraint(
            "ends_on IS NULL OR ends_on > effective_from", name=op.f("ck_fee_ends_later")
        ),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name=op.f("fk_fee_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fee")),
        sa.UniqueConstraint("code", "effective_from", name=op.f("uq_fee_code_effective_from")),
        sa.UniqueConstraint("public_id", name=op.f("uq_fee_public_id")),
    )
    op.create_table(
        "payment",
        sa.Column("id", BIG, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("reference", sa.String(length=12), nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("fee_id", BIG, nullable=True),
        sa.Column("deal_id", BIG, nullable=True),
        sa.Column("commission_id", BIG, nullable=True),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("amount_fen", BIG, nullable=False),
        sa.Column("paid_fen", BIG, nullable=False),
        sa.Column("refunded_fen", BIG, nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("created_by", BIG, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "(purpose = 'service_fee') = (deal_id IS NULL AND commission_id IS NULL) AND (purpose = 'earnest') = (deal_id IS NOT NULL) AND (purpose = 'commission') = (commission_id IS NOT NULL) AND (purpose <> 'commission') = (fee_id IS NOT NULL)",
            name=op.f("ck_payment_one_purpose"),
        ),
        sa.CheckConstraint(
            "(state IN ('due', 'cancelled')) = (paid_fen = 0) AND (state NOT IN ('part_refunded', 'refunded') OR refunded_fen > 0) AND (state <> 'refunded' OR refunded_fen = paid_fen) AND (state <> 'paid' OR paid_fen = amount_fen)",
            name=op.f("ck_payment_state_by_sums"),
        ),
        sa.CheckConstraint(
            "purpose IN ('service_fee', 'earnest', 'commission')",
            name=op.f("ck_payment_purpose_known"),
        ),
        sa.CheckConstraint(
            "state IN ('due', 'part_paid', 'paid', 'part_refunded', 'refunded', 'cancelled')",
            name=op.f("ck_payment_state_known"),
        ),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_payment_amount_positive")),
        sa.CheckConstraint(
            "paid_fen BETWEEN 0 AND amount_fen", name=op.f("ck_payment_paid_within")
        ),
        sa.CheckConstraint(
            "refunded_fen BETWEEN 0 AND paid_fen", name=op.f("ck_payment_refunded_within")
        ),
        sa.ForeignKeyConstraint(
            ["commission_id"], ["commission.id"], name=op.f("fk_payment_commission_id")
        ),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name=op.f("fk_payment_created_by")),
        sa.ForeignKeyConstraint(["deal_id"], ["deal.id"], name=op.f("fk_payment_deal_id")),
        sa.ForeignKeyConstraint(["fee_id"], ["fee.id"], name=op.f("fk_payment_fee_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_payment_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
        sa.UniqueConstraint("public_id", name=op.f("uq_payment_public_id")),
        sa.UniqueConstraint("reference", name=op.f("uq_payment_reference")),
    )
    with op.batch_alter_table("payment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_payment_created_by"), ["created_by"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_payment_commission_id"), ["commission_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_payment_deal_id"), ["deal_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_payment_fee_id"), ["fee_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_payment_organisation_id"), ["organisation_id"], unique=False
        )
        batch_op.create_index(
            "uq_payment_commission",
            ["commission_id", "organisation_id"],
            unique=True,
            sqlite_where=sa.text(
                "commission_id IS NOT NULL AND state NOT IN ('cancelled', 'refunded')"
            ),
            postgresql_where=sa.text(
                "commission_id IS NOT NULL AND state NOT IN ('cancelled', 'refunded')"
            ),
        )
        batch_op.create_index(
            "uq_payment_earnest",
            ["deal_id", "organisation_id"],
            unique=True,
            sqlite_where=sa.text("deal_id IS NOT NULL AND state NOT IN ('cancelled', 'refunded')"),
            postgresql_where=sa.text(
                "deal_id IS NOT NULL AND state NOT IN ('cancelled', 'refunded')"
            ),
        )

    op.create_table(
        "bank_credit",
        sa.Column("id", BIG, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("payment_id", BIG, nullable=False),
        sa.Column("statement", sa.String(length=60), nullable=False),
        sa.Column("payer_name", sa.String(length=120), nullable=False),
        sa.Column("amount_fen", BIG, nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("recorded_by", BIG, nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("decided_by", BIG, nullable=True),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.CheckConstraint(
            "(state = 'recorded') = (decided_by IS NULL)",
            name=op.f("ck_bank_credit_decided_has_person"),
        ),
        sa.CheckConstraint(
            "state IN ('recorded', 'confirmed', 'rejected')",
            name=op.f("ck_bank_credit_state_known"),
        ),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_bank_credit_amount_positive")),
        sa.CheckConstraint(
            "decided_by IS NULL OR decided_by <> recorded_by", name=op.f("ck_bank_credit_four_eyes")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["person.id"], name=op.f("fk_bank_credit_decided_by")
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payment.id"], name=op.f("fk_bank_credit_payment_id")
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by"], ["person.id"], name=op.f("fk_bank_credit_recorded_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_credit")),
        sa.UniqueConstraint("public_id", name=op.f("uq_bank_credit_public_id")),
    )
    with op.batch_alter_table("bank_credit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_bank_credit_payment_id"), ["payment_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_bank_credit_state"), ["state"], unique=False)
        batch_op.create_index(
            "uq_bank_credit_statement",
            ["statement"],
            unique=True,
            sqlite_where=sa.text("state <> 'rejected'"),
            postgresql_where=sa.text("state <> 'rejected'"),
        )

    op.create_table(
        "bank_slip",
        sa.Column("id", BIG, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("payment_id", BIG, nullable=False),
        sa.Column("file_id", BIG, nullable=False),
        sa.Column("amount_fen", BIG, nullable=False),
        sa.Column("sent_on", sa.Date(), nullable=False),
        sa.Column("person_id", BIG, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_bank_slip_file_id")),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payment.id"], name=op.f("fk_bank_slip_payment_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_bank_slip_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_slip")),
        sa.UniqueConstraint("file_id", name=op.f("uq_bank_slip_file_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_bank_slip_public_id")),
    )
    with op.batch_alter_table("bank_slip", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_bank_slip_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_bank_slip_payment_id"), ["payment_id"], unique=False)

    op.create_table(
        "card_attempt",
        sa.Column("id", BIG, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("payment_id", BIG, nullable=False),
        sa.Column("amount_fen", BIG, nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("unanswered", sa.Integer(), nullable=False),
        sa.Column("session", sa.String(length=255), nullable=False),
        sa.Column("intent", sa.String(length=255), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("back", sa.String(length=300), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("created_by", BIG, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "state IN ('wanted', 'open', 'processing', 'paid', 'expired', 'failed')",
            name=op.f("ck_card_attempt_state_known"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('open', 'processing', 'paid') OR session <> ''",
            name=op.f("ck_card_attempt_open_has_session"),
        ),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_card_attempt_amount_positive")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["person.id"], name=op.f("fk_card_attempt_created_by")
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payment.id"], name=op.f("fk_card_attempt_payment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_attempt")),
        sa.UniqueConstraint("public_id", name=op.f("uq_card_attempt_public_id")),
    )
    with op.batch_alter_table("card_attempt", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_card_attempt_created_by"), ["created_by"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_card_attempt_payment_id"), ["payment_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_card_attempt_state"), ["state"], unique=False)
        batch_op.create_index(
            "uq_card_attempt_live",
            ["payment_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('open', 'processing', 'wanted')"),
            postgresql_where=sa.text("state IN ('open', 'processing', 'wanted')"),
        )
        batch_op.create_index(
            "uq_card_attempt_session",
            ["session"],
            unique=True,
            sqlite_where=sa.text("session <> ''"),
            postgresql_where=sa.text("session <> ''"),
        )

    op.create_table(
        "invoice",
        sa.Column("id", BIG, nullable=False),
        sa.Column("payment_id", BIG, nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("amount_fen", BIG, nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("entered_by", BIG, nullable=False),
        sa.Column("entered_at", MOMENT, nullable=False),
        sa.Column("voided_by", BIG, nullable=True),
        sa.Column("voided_at", MOMENT, nullable=True),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_invoice_amount_positive")),
        sa.CheckConstraint(
            "(voided_at IS NULL) = (voided_by IS NULL)",
            name=op.f("ck_invoice_voided_has_person"),
        ),
        sa.ForeignKeyConstraint(["entered_by"], ["person.id"], name=op.f("fk_invoice_entered_by")),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_invoice_payment_id")),
        sa.ForeignKeyConstraint(["voided_by"], ["person.id"], name=op.f("fk_invoice_voided_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice")),
    )
    with op.batch_alter_table("invoice", schema=None) as batch_op:
        batch_op.create_index(
            "uq_invoice_number",
            ["number"],
            unique=True,
            sqlite_where=sa.text("voided_at IS NULL"),
            postgresql_where=sa.text("voided_at IS NULL"),
        )
        batch_op.create_index(batch_op.f("ix_invoice_payment_id"), ["payment_id"], unique=False)

    op.create_table(
        "capture",
        sa.Column("id", BIG, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("payment_id", BIG, nullable=False),
        sa.Column("way", sa.String(length=32), nullable=False),
        sa.Column("attempt_id", BIG, nullable=True),
        sa.Column("bank_credit_id", BIG, nullable=True),
        sa.Column("applied_fen", BIG, nullable=False),
        sa.Column("surplus_fen", BIG, nullable=False),
        sa.Column("reserved_fen", BIG, nullable=False),
        sa.Column("refunded_fen", BIG, nullable=False),
        sa.Column("returning_fen", BIG, nullable=False),
        sa.Column("returned_fen", BIG, nullable=False),
        sa.Column("sent_on_fen", BIG, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "(way = 'card') = (attempt_id IS NOT NULL) AND (way = 'bank') = (bank_credit_id IS NOT NULL)",
            name=op.f("ck_capture_one_source"),
        ),
        sa.CheckConstraint("way IN ('card', 'bank')", name=op.f("ck_capture_way_known")),
        sa.CheckConstraint(
            "0 <= refunded_fen AND refunded_fen <= reserved_fen",
            name=op.f("ck_capture_refund_within"),
        ),
        sa.CheckConstraint(
            "0 <= returned_fen AND returned_fen <= returning_fen AND returning_fen <= surplus_fen",
            name=op.f("ck_capture_returned_within"),
        ),
        sa.CheckConstraint(
            "applied_fen + surplus_fen > 0", name=op.f("ck_capture_amount_positive")
        ),
        sa.CheckConstraint(
            "applied_fen >= 0 AND surplus_fen >= 0", name=op.f("ck_capture_parts_not_negative")
        ),
        sa.CheckConstraint(
            "sent_on_fen >= 0 AND reserved_fen + sent_on_fen <= applied_fen",
            name=op.f("ck_capture_sent_on_within"),
        ),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["card_attempt.id"], name=op.f("fk_capture_attempt_id")
        ),
        sa.ForeignKeyConstraint(
            ["bank_credit_id"], ["bank_credit.id"], name=op.f("fk_capture_bank_credit_id")
        ),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_capture_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_capture")),
        sa.UniqueConstraint("attempt_id", name=op.f("uq_capture_attempt_id")),
        sa.UniqueConstraint("bank_credit_id", name=op.f("uq_capture_bank_credit_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_capture_public_id")),
    )
    with op.batch_alter_table("capture", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_capture_payment_id"), ["payment_id"], unique=False)

    op.create_table(
        "refund",
        sa.Column("id", BIG, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("payment_id", BIG, nullable=False),
        sa.Column("capture_id", BIG, nullable=False),
        sa.Column("way", sa.String(length=32), nullable=False),
        sa.Column("surplus", sa.Boolean(), nullable=False),
        sa.Column("uncovered", sa.Boolean(), nullable=False),
        sa.Column("amount_fen", BIG, nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("stripe_id", sa.String(length=255), nullable=False),
        sa.Column("bank_text", sa.String(length=100), nullable=False),
        sa.Column("wanted_by", BIG, nullable=True),
        sa.Column("wanted_at", MOMENT, nullable=False),
        sa.Column("confirmed_by", BIG, nullable=True),
        sa.Column("done_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "state IN ('wanted', 'sent', 'done', 'failed')", name=op.f("ck_refund_state_known")
        ),
        sa.CheckConstraint(
            "way <> 'bank' OR state <> 'done' OR (confirmed_by IS NOT NULL AND bank_text <> '')",
            name=op.f("ck_refund_bank_needs_second"),
        ),
        sa.CheckConstraint("way IN ('card', 'bank')", name=op.f("ck_refund_way_known")),
        sa.CheckConstraint("NOT (surplus AND uncovered)", name=op.f("ck_refund_one_pocket")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_refund_amount_positive")),
        sa.CheckConstraint(
            "confirmed_by IS NULL OR confirmed_by <> wanted_by", name=op.f("ck_refund_four_eyes")
        ),
        sa.ForeignKeyConstraint(["capture_id"], ["capture.id"], name=op.f("fk_refund_capture_id")),
        sa.ForeignKeyConstraint(
            ["confirmed_by"], ["person.id"], name=op.f("fk_refund_confirmed_by")
        ),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_refund_payment_id")),
        sa.ForeignKeyConstraint(["wanted_by"], ["person.id"], name=op.f("fk_refund_wanted_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund")),
        sa.UniqueConstraint("public_id", name=op.f("uq_refund_public_id")),
    )
    with op.batch_alter_table("refund", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_refund_capture_id"), ["capture_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_refund_payment_id"), ["payment_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_refund_state"), ["state"], unique=False)
        batch_op.create_index(
            "uq_refund_stripe",
            ["stripe_id", "surplus", "uncovered"],
            unique=True,
            sqlite_where=sa.text("stripe_id <> ''"),
            postgresql_where=sa.text("stripe_id <> ''"),
        )
        batch_op.create_index(
            "uq_refund_bank",
            ["bank_text"],
            unique=True,
            sqlite_where=sa.text("bank_text <> ''"),
            postgresql_where=sa.text("bank_text <> ''"),
        )

    op.create_table(
        "transfer",
        sa.Column("id", BIG, nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("payment_id", BIG, nullable=False),
        sa.Column("capture_id", BIG, nullable=False),
        sa.Column("organisation_id", BIG, nullable=False),
        sa.Column("way", sa.String(length=32), nullable=False),
        sa.Column("account", sa.String(length=60), nullable=False),
        sa.Column("amount_fen", BIG, nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("stripe_id", sa.String(length=255), nullable=False),
        sa.Column("bank_text", sa.String(length=100), nullable=False),
        sa.Column("wanted_by", BIG, nullable=False),
        sa.Column("wanted_at", MOMENT, nullable=False),
        sa.Column("confirmed_by", BIG, nullable=True),
        sa.Column("done_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "(state = 'done') = (stripe_id <> '' OR bank_text <> '')",
            name=op.f("ck_transfer_done_has_id"),
        ),
        sa.CheckConstraint(
            "confirmed_by IS NULL OR confirmed_by <> wanted_by", name=op.f("ck_transfer_four_eyes")
        ),
        sa.CheckConstraint(
            "state = 'wanted' OR confirmed_by IS NOT NULL", name=op.f("ck_transfer_needs_second")
        ),
        sa.CheckConstraint(
            "state <> 'sent' OR way = 'card'", name=op.f("ck_transfer_sent_by_card")
        ),
        sa.CheckConstraint("way IN ('card', 'bank')", name=op.f("ck_transfer_way_known")),
        sa.CheckConstraint(
            "state IN ('wanted', 'sent', 'done', 'failed')", name=op.f("ck_transfer_state_known")
        ),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_transfer_amount_positive")),
        sa.ForeignKeyConstraint(
            ["capture_id"], ["capture.id"], name=op.f("fk_transfer_capture_id")
        ),
        sa.ForeignKeyConstraint(
            ["confirmed_by"], ["person.id"], name=op.f("fk_transfer_confirmed_by")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_transfer_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payment.id"], name=op.f("fk_transfer_payment_id")
        ),
        sa.ForeignKeyConstraint(["wanted_by"], ["person.id"], name=op.f("fk_transfer_wanted_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer")),
        sa.UniqueConstraint("public_id", name=op.f("uq_transfer_public_id")),
    )
    with op.batch_alter_table("transfer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_transfer_capture_id"), ["capture_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_transfer_organisation_id"), ["organisation_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_transfer_payment_id"), ["payment_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_transfer_state"), ["state"], unique=False)
        batch_op.create_index(
            "uq_transfer_bank",
            ["bank_text"],
            unique=True,
            sqlite_where=sa.text("bank_text <> ''"),
            postgresql_where=sa.text("bank_text <> ''"),
        )

    with op.batch_alter_table("contract_receipt", schema=None) as batch_op:
        batch_op.add_column(sa.Column("file_id", BIG, nullable=True))
        batch_op.create_foreign_key(
            op.f("fk_contract_receipt_file_id"), "stored_file", ["file_id"], ["id"]
        )

    with op.batch_alter_table("ledger_transaction", schema=None) as batch_op:
        batch_op.create_index(
            "ix_ledger_transaction_money",
            ["buyer_id", "seq"],
            unique=False,
            sqlite_where=sa.text("book = 'money'"),
            postgresql_where=sa.text("book = 'money'"),
        )


def downgrade() -> None:
    """There is no way back: what was paid would be forgotten."""
    raise NotImplementedError
