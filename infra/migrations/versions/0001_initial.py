"""initial"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

import market.kit.columns

revision: str = "0001"
down_revision: str | None = None
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:

    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=True),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.String(length=300), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('done', 'refused', 'failed')", name=op.f("ck_audit_outcome_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index("ix_audit_at", ["at"], unique=False)

    op.create_table(
        "change",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("subject_kind", sa.String(length=32), nullable=False),
        sa.Column(
            "subject_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("actor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint(
            "subject_kind IN ('listing', 'organisation')", name=op.f("ck_change_subject_kind_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change")),
        sa.UniqueConstraint("seq", name=op.f("uq_change_seq")),
    )
    with op.batch_alter_table("change", schema=None) as batch_op:
        batch_op.create_index("ix_change_subject", ["subject_kind", "subject_id"], unique=False)
        batch_op.create_index(
            "ix_change_unstamped",
            ["id"],
            unique=False,
            sqlite_where=sa.text("seq IS NULL"),
            postgresql_where=sa.text("seq IS NULL"),
        )

    op.create_table(
        "change_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change_head")),
    )
    op.create_table(
        "holiday",
        sa.Column("falls_on", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.CheckConstraint("kind IN ('rest', 'work')", name=op.f("ck_holiday_kind_known")),
        sa.PrimaryKeyConstraint("falls_on", name=op.f("pk_holiday")),
    )
    with op.batch_alter_table("holiday", schema=None) as batch_op:
        batch_op.create_index("ix_holiday_year", ["year"], unique=False)

    op.create_table(
        "job",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("cursor", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("owner", sa.String(length=20), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("available_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("created_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("finished_at", market.kit.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'failed')", name=op.f("ck_job_state_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sa.UniqueConstraint("key", name=op.f("uq_job_key")),
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index("ix_job_open", ["state", "available_at"], unique=False)

    op.create_table(
        "ledger_head",
        sa.Column("book", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint("book IN ('statistics')", name=op.f("ck_ledger_head_book_known")),
        sa.PrimaryKeyConstraint("book", name=op.f("pk_ledger_head")),
    )
    op.create_table(
        "ledger_transaction",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("book", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("idempotency_key", sa.String(length=120), nullable=False),
        sa.Column("subject_key", sa.String(length=80), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("original_on", sa.Date(), nullable=True),
        sa.Column("posted_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column(
            "reverses_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("keyed_hash", sa.String(length=64), nullable=True),
        sa.Column("contract_type", sa.String(length=8), nullable=False),
        sa.Column("sub_type", sa.String(length=40), nullable=False),
        sa.Column("field", sa.Integer(), nullable=False),
        sa.Column("project_name", sa.String(length=200), nullable=False),
        sa.Column("seller_name", sa.String(length=120), nullable=False),
        sa.Column("buyer_name", sa.String(length=120), nullable=False),
        sa.Column(
            "seller_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("seller_region", sa.String(length=6), nullable=False),
        sa.Column("buyer_region", sa.String(length=6), nullable=False),
        sa.Column(
            "total_fen", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "technical_fen", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.CheckConstraint(
            "(kind = 'reverse') = (reverses_id IS NOT NULL)",
            name=op.f("ck_ledger_transaction_reversal_names_original"),
        ),
        sa.CheckConstraint("book IN ('statistics')", name=op.f("ck_ledger_transaction_book_known")),
        sa.CheckConstraint(
            "kind IN ('register', 'reverse')", name=op.f("ck_ledger_transaction_kind_known")
        ),
        sa.CheckConstraint(
            "field BETWEEN 1 AND 11", name=op.f("ck_ledger_transaction_field_known")
        ),
        sa.CheckConstraint("seq > 0", name=op.f("ck_ledger_transaction_seq_positive")),
        sa.CheckConstraint(
            "technical_fen > 0 AND technical_fen <= total_fen",
            name=op.f("ck_ledger_transaction_amounts"),
        ),
        sa.ForeignKeyConstraint(
            ["reverses_id"],
            ["ledger_transaction.id"],
            name=op.f("fk_ledger_transaction_reverses_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_transaction")),
        sa.UniqueConstraint("book", "seq", name=op.f("uq_ledger_transaction_book_seq")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_ledger_transaction_idempotency_key")),
        sa.UniqueConstraint("reverses_id", name=op.f("uq_ledger_transaction_reverses_id")),
    )
    with op.batch_alter_table("ledger_transaction", schema=None) as batch_op:
        batch_op.create_index(
            "ix_ledger_transaction_effective", ["book", "effective_on"], unique=False
        )
        batch_op.create_index(
            "uq_ledger_transaction_subject",
            ["book", "subject_key", "generation"],
            unique=True,
            sqlite_where=sa.text("kind = 'register'"),
            postgresql_where=sa.text("kind = 'register'"),
        )

    op.create_table(
        "numbering",
        sa.Column("series", sa.String(length=20), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("series", name=op.f("pk_numbering")),
    )
    op.create_table(
        "organisation",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("credit_code", sa.String(length=18), nullable=True),
        sa.Column("region", sa.String(length=6), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("state_founded", sa.Boolean(), nullable=False),
        sa.Column("self_publish", sa.Boolean(), nullable=False),
        sa.Column("verification", sa.String(length=32), nullable=False),
        sa.Column("verification_note", sa.String(length=300), nullable=False),
        sa.Column("verified_at", market.kit.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("created_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('university', 'company', 'agency', 'bureau', 'platform')",
            name=op.f("ck_organisation_kind_known"),
        ),
        sa.CheckConstraint(
            "verification IN ('pending', 'verified', 'refused')",
            name=op.f("ck_organisation_verification_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
        sa.UniqueConstraint("credit_code", name=op.f("uq_organisation_credit_code")),
        sa.UniqueConstraint("public_id", name=op.f("uq_organisation_public_id")),
    )
    with op.batch_alter_table("organisation", schema=None) as batch_op:
        batch_op.create_index("ix_organisation_name", ["name"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_organisation_verification"), ["verification"], unique=False
        )

    op.create_table(
        "person",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("email", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("phone", sa.String(length=30), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("created_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('active', 'disabled')", name=op.f("ck_person_state_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("email", name=op.f("uq_person_email")),
        sa.UniqueConstraint("public_id", name=op.f("uq_person_public_id")),
    )
    op.create_table(
        "sign_in_failure",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(key) = 64", name=op.f("ck_sign_in_failure_key_length")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_failure")),
    )
    with op.batch_alter_table("sign_in_failure", schema=None) as batch_op:
        batch_op.create_index("ix_sign_in_failure_key", ["key", "at"], unique=False)

    op.create_table(
        "stored_file",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column(
            "organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stored_file")),
        sa.UniqueConstraint("public_id", name=op.f("uq_stored_file_public_id")),
    )
    op.create_table(
        "subject_version",
        sa.Column("subject_kind", sa.String(length=32), nullable=False),
        sa.Column(
            "subject_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint(
            "subject_kind IN ('listing', 'organisation')",
            name=op.f("ck_subject_version_subject_kind_known"),
        ),
        sa.PrimaryKeyConstraint("subject_kind", "subject_id", name=op.f("pk_subject_version")),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "change_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("consumer", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("available_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.Column("done_at", market.kit.columns.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "consumer IN ('index', 'match')", name=op.f("ck_delivery_consumer_known")
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'claimed', 'done', 'aside')", name=op.f("ck_delivery_state_known")
        ),
        sa.ForeignKeyConstraint(["change_id"], ["change.id"], name=op.f("fk_delivery_change_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("change_id", "consumer", name=op.f("uq_delivery_change_id_consumer")),
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_delivery_change_id"), ["change_id"], unique=False)
        batch_op.create_index("ix_delivery_open", ["consumer", "state", "change_id"], unique=False)

    op.create_table(
        "import_run",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column(
            "organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("file_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("publish", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("created", sa.Integer(), nullable=False),
        sa.Column("updated", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.JSON(), nullable=False),
        sa.Column(
            "created_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("created_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("finished_at", market.kit.columns.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('achievement', 'demand')", name=op.f("ck_import_run_kind_known")
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'failed')",
            name=op.f("ck_import_run_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["file_id"], ["stored_file.id"], name=op.f("fk_import_run_file_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_import_run_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_run")),
        sa.UniqueConstraint("public_id", name=op.f("uq_import_run_public_id")),
    )
    with op.batch_alter_table("import_run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_import_run_file_id"), ["file_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_import_run_organisation_id"), ["organisation_id"], unique=False
        )

    op.create_table(
        "ledger_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "transaction_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("account", sa.String(length=40), nullable=False),
        sa.Column(
            "amount_fen", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.CheckConstraint("amount_fen <> 0", name=op.f("ck_ledger_entry_moves_something")),
        sa.ForeignKeyConstraint(
            ["transaction_id"],
            ["ledger_transaction.id"],
            name=op.f("fk_ledger_entry_transaction_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entry")),
        sa.UniqueConstraint(
            "transaction_id", "account", name=op.f("uq_ledger_entry_transaction_id_account")
        ),
    )
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.create_index(
            "ix_ledger_entry_account", ["account", "transaction_id"], unique=False
        )

    op.create_table(
        "listing",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column(
            "organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("own_number", sa.String(length=80), nullable=True),
        sa.Column("masked", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("review_state", sa.String(length=32), nullable=False),
        sa.Column(
            "public_revision_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
        ),
        sa.Column(
            "working_revision_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
        ),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column(
            "import_run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "created_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("created_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("published_at", market.kit.columns.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('achievement', 'demand')", name=op.f("ck_listing_kind_known")),
        sa.CheckConstraint(
            "review_state IN ('draft', 'submitted', 'refused', 'approved')",
            name=op.f("ck_listing_review_state_known"),
        ),
        sa.CheckConstraint(
            "state IN ('private', 'published', 'withdrawn')", name=op.f("ck_listing_state_known")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_listing_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listing")),
        sa.UniqueConstraint("number", name=op.f("uq_listing_number")),
        sa.UniqueConstraint(
            "organisation_id",
            "kind",
            "own_number",
            name=op.f("uq_listing_organisation_id_kind_own_number"),
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_listing_public_id")),
    )
    with op.batch_alter_table("listing", schema=None) as batch_op:
        batch_op.create_index(
            "ix_listing_import", ["organisation_id", "content_hash"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_listing_organisation_id"), ["organisation_id"], unique=False
        )
        batch_op.create_index("ix_listing_public", ["state", "kind", "published_at"], unique=False)

    op.create_table(
        "mandate",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column(
            "agency_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "principal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("as_seller", sa.Boolean(), nullable=False),
        sa.Column("as_buyer", sa.Boolean(), nullable=False),
        sa.Column("scope", sa.String(length=1000), nullable=False),
        sa.Column("fee", sa.String(length=500), nullable=False),
        sa.Column("exclusive", sa.Boolean(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("refuse_reason", sa.String(length=500), nullable=False),
        sa.Column(
            "ended_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "created_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("created_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("decided_at", market.kit.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("ended_at", market.kit.columns.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('offered', 'live', 'refused', 'ended')", name=op.f("ck_mandate_state_known")
        ),
        sa.CheckConstraint("agency_id <> principal_id", name=op.f("ck_mandate_two_organisations")),
        sa.CheckConstraint("as_seller OR as_buyer", name=op.f("ck_mandate_covers_a_side")),
        sa.CheckConstraint("valid_from <= valid_until", name=op.f("ck_mandate_term_ordered")),
        sa.ForeignKeyConstraint(
            ["agency_id"], ["organisation.id"], name=op.f("fk_mandate_agency_id")
        ),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name=op.f("fk_mandate_created_by")),
        sa.ForeignKeyConstraint(
            ["ended_by_id"], ["organisation.id"], name=op.f("fk_mandate_ended_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["principal_id"], ["organisation.id"], name=op.f("fk_mandate_principal_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mandate")),
        sa.UniqueConstraint("public_id", name=op.f("uq_mandate_public_id")),
    )
    with op.batch_alter_table("mandate", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mandate_agency_id"), ["agency_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_mandate_principal_id"), ["principal_id"], unique=False)
        batch_op.create_index(
            "uq_mandate_open",
            ["principal_id", "agency_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('offered', 'live')"),
            postgresql_where=sa.text("state IN ('offered', 'live')"),
        )

    op.create_table(
        "membership",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column(
            "person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("created_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("decided_at", market.kit.columns.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "role IN ('anonymous', 'person', 'viewer', 'editor', 'manager', 'officer', 'operator', 'auditor')",
            name=op.f("ck_membership_role_known"),
        ),
        sa.CheckConstraint(
            "state IN ('requested', 'active', 'refused', 'left')",
            name=op.f("ck_membership_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_membership_organisation_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_membership_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership")),
        sa.UniqueConstraint(
            "person_id", "organisation_id", name=op.f("uq_membership_person_id_organisation_id")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_membership_public_id")),
    )
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_membership_organisation_id"), ["organisation_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_membership_person_id"), ["person_id"], unique=False)

    op.create_table(
        "one_time_link",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column(
            "person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("created_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("used_at", market.kit.columns.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_one_time_link_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_one_time_link_token_hash")),
    )
    with op.batch_alter_table("one_time_link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_one_time_link_person_id"), ["person_id"], unique=False)

    op.create_table(
        "plan",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("region", sa.String(length=6), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=False),
        sa.Column(
            "baseline_fen", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("baseline_year", sa.Integer(), nullable=False),
        sa.Column(
            "target_fen", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column(
            "created_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("created_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("archived_at", market.kit.columns.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('current', 'archived')", name=op.f("ck_plan_state_known")),
        sa.CheckConstraint("baseline_fen >= 0", name=op.f("ck_plan_baseline_not_negative")),
        sa.CheckConstraint("from_on < to_on", name=op.f("ck_plan_period_ordered")),
        sa.CheckConstraint("target_fen > 0", name=op.f("ck_plan_target_positive")),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name=op.f("fk_plan_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
        sa.UniqueConstraint("public_id", name=op.f("uq_plan_public_id")),
    )
    with op.batch_alter_table("plan", schema=None) as batch_op:
        batch_op.create_index(
            "uq_plan_current",
            ["region"],
            unique=True,
            sqlite_where=sa.text("state = 'current'"),
            postgresql_where=sa.text("state = 'current'"),
        )

    op.create_table(
        "api_token",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column(
            "person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "membership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("created_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", market.kit.columns.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["membership.id"], name=op.f("fk_api_token_membership_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_api_token_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("public_id", name=op.f("uq_api_token_public_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_token_token_hash")),
    )
    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_api_token_membership_id"), ["membership_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_api_token_person_id"), ["person_id"], unique=False)

    op.create_table(
        "deal",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column(
            "seller_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "achievement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("demand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("terms_version", sa.Integer(), nullable=False),
        sa.Column("seller_confirmed", sa.Integer(), nullable=False),
        sa.Column("buyer_confirmed", sa.Integer(), nullable=False),
        sa.Column("agreed_at", market.kit.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("concluded_at", market.kit.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("lost_reason", sa.String(length=32), nullable=True),
        sa.Column("lost_note", sa.String(length=500), nullable=False),
        sa.Column("lost_by", sa.String(length=32), nullable=True),
        sa.Column("created_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(state = 'lost') = (lost_reason IS NOT NULL)", name=op.f("ck_deal_lost_has_reason")
        ),
        sa.CheckConstraint(
            "lost_by IN ('seller', 'buyer') OR lost_by IS NULL", name=op.f("ck_deal_lost_by_known")
        ),
        sa.CheckConstraint(
            "lost_reason IN ('price', 'conditions', 'technical', 'funds', 'silent', 'elsewhere', 'other') OR lost_reason IS NULL",
            name=op.f("ck_deal_lost_reason_known"),
        ),
        sa.CheckConstraint(
            "state IN ('negotiation', 'agreed', 'lost')", name=op.f("ck_deal_state_known")
        ),
        sa.CheckConstraint(
            "achievement_id IS NOT NULL OR demand_id IS NOT NULL",
            name=op.f("ck_deal_about_something"),
        ),
        sa.CheckConstraint("seller_id <> buyer_id", name=op.f("ck_deal_two_sides")),
        sa.ForeignKeyConstraint(
            ["achievement_id"], ["listing.id"], name=op.f("fk_deal_achievement_id")
        ),
        sa.ForeignKeyConstraint(["buyer_id"], ["organisation.id"], name=op.f("fk_deal_buyer_id")),
        sa.ForeignKeyConstraint(["demand_id"], ["listing.id"], name=op.f("fk_deal_demand_id")),
        sa.ForeignKeyConstraint(["seller_id"], ["organisation.id"], name=op.f("fk_deal_seller_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deal")),
        sa.UniqueConstraint("number", name=op.f("uq_deal_number")),
        sa.UniqueConstraint("public_id", name=op.f("uq_deal_public_id")),
    )
    with op.batch_alter_table("deal", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_deal_achievement_id"), ["achievement_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_deal_buyer_id"), ["buyer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_deal_demand_id"), ["demand_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_deal_seller_id"), ["seller_id"], unique=False)
        batch_op.create_index(
            "uq_deal_open_achievement",
            ["achievement_id", "buyer_id"],
            unique=True,
            sqlite_where=sa.text(
                "state <> 'lost' AND concluded_at IS NULL AND achievement_id IS NOT NULL"
            ),
            postgresql_where=sa.text(
                "state <> 'lost' AND concluded_at IS NULL AND achievement_id IS NOT NULL"
            ),
        )
        batch_op.create_index(
            "uq_deal_open_demand",
            ["demand_id", "seller_id"],
            unique=True,
            sqlite_where=sa.text(
                "state <> 'lost' AND concluded_at IS NULL AND achievement_id IS NULL"
            ),
            postgresql_where=sa.text(
                "state <> 'lost' AND concluded_at IS NULL AND achievement_id IS NULL"
            ),
        )

    op.create_table(
        "import_problem",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("column", sa.String(length=60), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["import_run.id"], name=op.f("fk_import_problem_run_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_problem")),
    )
    with op.batch_alter_table("import_problem", schema=None) as batch_op:
        batch_op.create_index("ix_import_problem_run", ["run_id", "row"], unique=False)

    op.create_table(
        "listing_revision",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("summary", sa.String(length=500), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("keywords", sa.JSON(), nullable=False),
        sa.Column("field", sa.Integer(), nullable=True),
        sa.Column("region", sa.String(length=6), nullable=False),
        sa.Column("modes", sa.JSON(), nullable=False),
        sa.Column("price_form", sa.String(length=32), nullable=False),
        sa.Column("price_basis", sa.String(length=32), nullable=False),
        sa.Column(
            "price_low_fen", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "price_high_fen", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "created_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("created_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "price_basis IN ('total', 'year', 'unit')",
            name=op.f("ck_listing_revision_price_basis_known"),
        ),
        sa.CheckConstraint(
            "price_form IN ('none', 'fixed', 'from', 'up_to', 'range')",
            name=op.f("ck_listing_revision_price_form_known"),
        ),
        sa.CheckConstraint(
            "field IS NULL OR (field BETWEEN 1 AND 11)",
            name=op.f("ck_listing_revision_field_known"),
        ),
        sa.CheckConstraint(
            "price_high_fen IS NULL OR price_high_fen >= 0",
            name=op.f("ck_listing_revision_price_high_positive"),
        ),
        sa.CheckConstraint(
            "price_low_fen IS NULL OR price_high_fen IS NULL OR price_low_fen <= price_high_fen",
            name=op.f("ck_listing_revision_price_ordered"),
        ),
        sa.CheckConstraint(
            "price_low_fen IS NULL OR price_low_fen >= 0",
            name=op.f("ck_listing_revision_price_low_positive"),
        ),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name=op.f("fk_listing_revision_listing_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listing_revision")),
        sa.UniqueConstraint("listing_id", "seq", name=op.f("uq_listing_revision_listing_id_seq")),
    )
    op.create_table(
        "match",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column(
            "demand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "achievement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("explanation", sa.JSON(), nullable=False),
        sa.Column(
            "demand_version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "achievement_version",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column(
            "decided_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("decided_at", market.kit.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("found_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "reason IN ('route', 'immature', 'price', 'solved', 'other') OR reason IS NULL",
            name=op.f("ck_match_reason_known"),
        ),
        sa.CheckConstraint(
            "state IN ('new', 'suitable', 'unsuitable', 'asked')", name=op.f("ck_match_state_known")
        ),
        sa.ForeignKeyConstraint(
            ["achievement_id"], ["listing.id"], name=op.f("fk_match_achievement_id")
        ),
        sa.ForeignKeyConstraint(["decided_by"], ["person.id"], name=op.f("fk_match_decided_by")),
        sa.ForeignKeyConstraint(["demand_id"], ["listing.id"], name=op.f("fk_match_demand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_match")),
        sa.UniqueConstraint(
            "demand_id", "achievement_id", name=op.f("uq_match_demand_id_achievement_id")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_match_public_id")),
    )
    with op.batch_alter_table("match", schema=None) as batch_op:
        batch_op.create_index("ix_match_achievement", ["achievement_id", "state"], unique=False)

    op.create_table(
        "match_state",
        sa.Column(
            "demand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("compared", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("bar", sa.Float(), nullable=False),
        sa.Column("nearest", sa.JSON(), nullable=False),
        sa.Column("matched_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["demand_id"], ["listing.id"], name=op.f("fk_match_state_demand_id")
        ),
        sa.PrimaryKeyConstraint("demand_id", name=op.f("pk_match_state")),
    )
    op.create_table(
        "name_disclosure",
        sa.Column(
            "listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name=op.f("fk_name_disclosure_listing_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_name_disclosure_organisation_id"),
        ),
        sa.PrimaryKeyConstraint("listing_id", "organisation_id", name=op.f("pk_name_disclosure")),
    )
    op.create_table(
        "proof",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("file_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_proof_file_id")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_proof_listing_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proof")),
        sa.UniqueConstraint("listing_id", "file_id", name=op.f("uq_proof_listing_id_file_id")),
    )
    with op.batch_alter_table("proof", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_proof_file_id"), ["file_id"], unique=False)

    op.create_table(
        "sign_in",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column(
            "person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "membership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("csrf", sa.String(length=60), nullable=False),
        sa.Column("agent", sa.String(length=120), nullable=False),
        sa.Column("created_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", market.kit.columns.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["membership.id"], name=op.f("fk_sign_in_membership_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_sign_in_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in")),
        sa.UniqueConstraint("public_id", name=op.f("uq_sign_in_public_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sign_in_token_hash")),
    )
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_person_id"), ["person_id"], unique=False)

    op.create_table(
        "achievement_facts",
        sa.Column(
            "revision_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("maturity_scale", sa.String(length=4), nullable=False),
        sa.Column("maturity_level", sa.Integer(), nullable=True),
        sa.Column("application", sa.String(length=1000), nullable=False),
        sa.Column("advantage", sa.String(length=1000), nullable=False),
        sa.Column("ip_status", sa.String(length=60), nullable=False),
        sa.Column("ip_numbers", sa.String(length=500), nullable=False),
        sa.Column("completers", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["listing_revision.id"], name=op.f("fk_achievement_facts_revision_id")
        ),
        sa.PrimaryKeyConstraint("revision_id", name=op.f("pk_achievement_facts")),
    )
    op.create_table(
        "contract",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("deal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=60), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("sub_type", sa.String(length=40), nullable=False),
        sa.Column("project_name", sa.String(length=200), nullable=False),
        sa.Column("field", sa.Integer(), nullable=False),
        sa.Column(
            "seller_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("seller_name", sa.String(length=120), nullable=False),
        sa.Column("buyer_name", sa.String(length=120), nullable=False),
        sa.Column("seller_region", sa.String(length=6), nullable=False),
        sa.Column("buyer_region", sa.String(length=6), nullable=False),
        sa.Column("seller_credit_code", sa.String(length=18), nullable=False),
        sa.Column("buyer_credit_code", sa.String(length=18), nullable=False),
        sa.Column(
            "total_fen", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "technical_fen", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("pay_method", sa.String(length=32), nullable=False),
        sa.Column("begins_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column(
            "seller_confirmed_at", market.kit.columns.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "buyer_confirmed_at", market.kit.columns.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("signed_on", sa.Date(), nullable=True),
        sa.Column("seller_agrees_public", sa.Boolean(), nullable=False),
        sa.Column("buyer_agrees_public", sa.Boolean(), nullable=False),
        sa.Column(
            "drafted_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("created_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(state = 'signed') = (signed_on IS NOT NULL)", name=op.f("ck_contract_signed_has_day")
        ),
        sa.CheckConstraint(
            "pay_method IN ('lump', 'instalments', 'royalty', 'royalty_entry')",
            name=op.f("ck_contract_pay_method_known"),
        ),
        sa.CheckConstraint(
            "state IN ('drafted', 'signed', 'dropped')", name=op.f("ck_contract_state_known")
        ),
        sa.CheckConstraint(
            "type IN ('DEV', 'TRF', 'LIC', 'CON', 'SRV')", name=op.f("ck_contract_type_known")
        ),
        sa.CheckConstraint("begins_on <= ends_on", name=op.f("ck_contract_term_ordered")),
        sa.CheckConstraint("field BETWEEN 1 AND 11", name=op.f("ck_contract_field_known")),
        sa.CheckConstraint(
            "technical_fen > 0 AND technical_fen <= total_fen", name=op.f("ck_contract_amounts")
        ),
        sa.ForeignKeyConstraint(
            ["buyer_id"], ["organisation.id"], name=op.f("fk_contract_buyer_id")
        ),
        sa.ForeignKeyConstraint(["deal_id"], ["deal.id"], name=op.f("fk_contract_deal_id")),
        sa.ForeignKeyConstraint(["drafted_by"], ["person.id"], name=op.f("fk_contract_drafted_by")),
        sa.ForeignKeyConstraint(
            ["seller_id"], ["organisation.id"], name=op.f("fk_contract_seller_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract")),
        sa.UniqueConstraint("public_id", name=op.f("uq_contract_public_id")),
    )
    with op.batch_alter_table("contract", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contract_buyer_id"), ["buyer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_contract_deal_id"), ["deal_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_contract_seller_id"), ["seller_id"], unique=False)
        batch_op.create_index("ix_contract_signed", ["state", "signed_on"], unique=False)
        batch_op.create_index(
            "uq_contract_live",
            ["deal_id"],
            unique=True,
            sqlite_where=sa.text("state <> 'dropped'"),
            postgresql_where=sa.text("state <> 'dropped'"),
        )

    op.create_table(
        "deal_event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("deal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("text", sa.String(length=500), nullable=False),
        sa.Column(
            "organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["deal_id"], ["deal.id"], name=op.f("fk_deal_event_deal_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_deal_event_organisation_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_deal_event_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deal_event")),
    )
    with op.batch_alter_table("deal_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_deal_event_deal_id"), ["deal_id"], unique=False)

    op.create_table(
        "deal_note",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("deal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("audience", sa.String(length=32), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("audience IN ('own', 'all')", name=op.f("ck_deal_note_audience_known")),
        sa.ForeignKeyConstraint(["deal_id"], ["deal.id"], name=op.f("fk_deal_note_deal_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_deal_note_organisation_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_deal_note_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deal_note")),
    )
    with op.batch_alter_table("deal_note", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_deal_note_deal_id"), ["deal_id"], unique=False)

    op.create_table(
        "demand_facts",
        sa.Column(
            "revision_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("key_technology", sa.Text(), nullable=False),
        sa.Column("expected_goal", sa.Text(), nullable=False),
        sa.Column("deadline", sa.Date(), nullable=True),
        sa.Column("need_maturity", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["listing_revision.id"], name=op.f("fk_demand_facts_revision_id")
        ),
        sa.PrimaryKeyConstraint("revision_id", name=op.f("pk_demand_facts")),
    )
    op.create_table(
        "inquiry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column(
            "listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "own_listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("asker_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("show_name", sa.Boolean(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("contact_name", sa.String(length=60), nullable=False),
        sa.Column("contact_phone", sa.String(length=60), nullable=False),
        sa.Column("contact_email", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("owner_contact_name", sa.String(length=60), nullable=False),
        sa.Column("owner_contact_phone", sa.String(length=60), nullable=False),
        sa.Column("owner_contact_email", sa.String(length=200), nullable=False),
        sa.Column("close_reason", sa.String(length=500), nullable=False),
        sa.Column(
            "closed_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("deal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "created_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("created_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("answered_at", market.kit.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("closed_at", market.kit.columns.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'answered', 'closed')", name=op.f("ck_inquiry_state_known")
        ),
        sa.CheckConstraint("asker_id <> owner_id", name=op.f("ck_inquiry_not_own")),
        sa.ForeignKeyConstraint(
            ["asker_id"], ["organisation.id"], name=op.f("fk_inquiry_asker_id")
        ),
        sa.ForeignKeyConstraint(
            ["closed_by_id"], ["organisation.id"], name=op.f("fk_inquiry_closed_by_id")
        ),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name=op.f("fk_inquiry_created_by")),
        sa.ForeignKeyConstraint(["deal_id"], ["deal.id"], name=op.f("fk_inquiry_deal_id")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_inquiry_listing_id")),
        sa.ForeignKeyConstraint(
            ["own_listing_id"], ["listing.id"], name=op.f("fk_inquiry_own_listing_id")
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["organisation.id"], name=op.f("fk_inquiry_owner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inquiry")),
        sa.UniqueConstraint("public_id", name=op.f("uq_inquiry_public_id")),
    )
    with op.batch_alter_table("inquiry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_inquiry_asker_id"), ["asker_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_inquiry_deal_id"), ["deal_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_inquiry_listing_id"), ["listing_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_inquiry_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(
            "uq_inquiry_open",
            ["listing_id", "asker_id"],
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )

    op.create_table(
        "introduction",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column(
            "broker_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "mandate_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "seller_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("buyer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "achievement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "demand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("decline_reason", sa.String(length=500), nullable=False),
        sa.Column(
            "declined_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("deal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "created_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("created_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("decided_at", market.kit.columns.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('proposed', 'accepted_seller', 'accepted_buyer', 'accepted', 'declined')",
            name=op.f("ck_introduction_state_known"),
        ),
        sa.CheckConstraint("seller_id <> buyer_id", name=op.f("ck_introduction_two_sides")),
        sa.ForeignKeyConstraint(
            ["achievement_id"], ["listing.id"], name=op.f("fk_introduction_achievement_id")
        ),
        sa.ForeignKeyConstraint(
            ["broker_id"], ["organisation.id"], name=op.f("fk_introduction_broker_id")
        ),
        sa.ForeignKeyConstraint(
            ["buyer_id"], ["organisation.id"], name=op.f("fk_introduction_buyer_id")
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["person.id"], name=op.f("fk_introduction_created_by")
        ),
        sa.ForeignKeyConstraint(["deal_id"], ["deal.id"], name=op.f("fk_introduction_deal_id")),
        sa.ForeignKeyConstraint(
            ["declined_by_id"], ["organisation.id"], name=op.f("fk_introduction_declined_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["demand_id"], ["listing.id"], name=op.f("fk_introduction_demand_id")
        ),
        sa.ForeignKeyConstraint(
            ["mandate_id"], ["mandate.id"], name=op.f("fk_introduction_mandate_id")
        ),
        sa.ForeignKeyConstraint(
            ["seller_id"], ["organisation.id"], name=op.f("fk_introduction_seller_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_introduction")),
        sa.UniqueConstraint("public_id", name=op.f("uq_introduction_public_id")),
    )
    with op.batch_alter_table("introduction", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_introduction_achievement_id"), ["achievement_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_introduction_broker_id"), ["broker_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_introduction_buyer_id"), ["buyer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_introduction_deal_id"), ["deal_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_introduction_demand_id"), ["demand_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_introduction_seller_id"), ["seller_id"], unique=False)
        batch_op.create_index(
            "uq_introduction_open",
            ["broker_id", "achievement_id", "demand_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('proposed', 'accepted_seller', 'accepted_buyer')"),
            postgresql_where=sa.text("state IN ('proposed', 'accepted_seller', 'accepted_buyer')"),
        )

    op.create_table(
        "pricing_path",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column("deal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("path", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("summary", sa.String(length=1000), nullable=False),
        sa.Column("mode", sa.String(length=20), nullable=False),
        sa.Column(
            "price_fen", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("interested", sa.Boolean(), nullable=False),
        sa.Column("interest_note", sa.String(length=300), nullable=False),
        sa.Column("published_on", sa.Date(), nullable=True),
        sa.Column("days", sa.Integer(), nullable=True),
        sa.Column("exchange", sa.String(length=120), nullable=False),
        sa.Column("dealt_on", sa.Date(), nullable=True),
        sa.Column("dealt_fen", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("stop_reason", sa.String(length=32), nullable=True),
        sa.Column("stop_note", sa.String(length=500), nullable=False),
        sa.Column("stopped_on", sa.Date(), nullable=True),
        sa.Column(
            "created_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("created_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(state = 'stopped') = (stop_reason IS NOT NULL)",
            name=op.f("ck_pricing_path_stopped_has_reason"),
        ),
        sa.CheckConstraint(
            "path <> 'agreement' OR published_on IS NOT NULL",
            name=op.f("ck_pricing_path_publicised_has_day"),
        ),
        sa.CheckConstraint(
            "path IN ('agreement', 'listing', 'auction')", name=op.f("ck_pricing_path_path_known")
        ),
        sa.CheckConstraint(
            "state IN ('publicised', 'listed', 'dealt', 'stopped')",
            name=op.f("ck_pricing_path_state_known"),
        ),
        sa.CheckConstraint(
            "stop_reason IN ('objection', 'price', 'left', 'other') OR stop_reason IS NULL",
            name=op.f("ck_pricing_path_stop_reason_known"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["person.id"], name=op.f("fk_pricing_path_created_by")
        ),
        sa.ForeignKeyConstraint(["deal_id"], ["deal.id"], name=op.f("fk_pricing_path_deal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pricing_path")),
        sa.UniqueConstraint("public_id", name=op.f("uq_pricing_path_public_id")),
    )
    with op.batch_alter_table("pricing_path", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_pricing_path_deal_id"), ["deal_id"], unique=False)
        batch_op.create_index(
            "uq_pricing_path_live",
            ["deal_id"],
            unique=True,
            sqlite_where=sa.text("state <> 'stopped'"),
            postgresql_where=sa.text("state <> 'stopped'"),
        )

    op.create_table(
        "review",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "revision_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column(
            "submitted_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("submitted_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column(
            "decided_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("decided_at", market.kit.columns.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'refused', 'approved')",
            name=op.f("ck_review_state_known"),
        ),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_review_listing_id")),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["listing_revision.id"], name=op.f("fk_review_revision_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
    )
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.create_index("ix_review_listing", ["listing_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_review_revision_id"), ["revision_id"], unique=False)
        batch_op.create_index("ix_review_state", ["state", "id"], unique=False)
        batch_op.create_index(
            "uq_review_open",
            ["listing_id"],
            unique=True,
            sqlite_where=sa.text("state = 'submitted'"),
            postgresql_where=sa.text("state = 'submitted'"),
        )

    op.create_table(
        "terms",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("deal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("side", sa.String(length=32), nullable=False),
        sa.Column("mode", sa.String(length=20), nullable=False),
        sa.Column(
            "amount_fen", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "proposed_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("proposed_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("side IN ('seller', 'buyer')", name=op.f("ck_terms_side_known")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_terms_amount_positive")),
        sa.ForeignKeyConstraint(["deal_id"], ["deal.id"], name=op.f("fk_terms_deal_id")),
        sa.ForeignKeyConstraint(["proposed_by"], ["person.id"], name=op.f("fk_terms_proposed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_terms")),
        sa.UniqueConstraint("deal_id", "version", name=op.f("uq_terms_deal_id_version")),
    )
    op.create_table(
        "contract_line",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "contract_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column(
            "amount_fen", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("reasonable_quantity", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('technical', 'non_technical')", name=op.f("ck_contract_line_kind_known")
        ),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_contract_line_amount_positive")),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contract.id"], name=op.f("fk_contract_line_contract_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_line")),
        sa.UniqueConstraint(
            "contract_id", "position", name=op.f("uq_contract_line_contract_id_position")
        ),
    )
    op.create_table(
        "registration",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.String(length=20), nullable=False),
        sa.Column(
            "contract_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("registry_name", sa.String(length=40), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column(
            "submitted_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("submitted_at", market.kit.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=True),
        sa.Column("total_fen", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "technical_fen", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("difference_reason", sa.String(length=300), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column(
            "supersedes_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "transaction_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("refusal_reason", sa.String(length=40), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column(
            "decided_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("decided_at", market.kit.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "reversal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("withdraw_reason", sa.String(length=300), nullable=False),
        sa.Column(
            "withdrawn_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("withdrawn_at", market.kit.columns.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "reversal_id IS NULL OR state = 'withdrawn'",
            name=op.f("ck_registration_reversed_is_withdrawn"),
        ),
        sa.CheckConstraint(
            "state <> 'registered' OR (number IS NOT NULL AND total_fen IS NOT NULL AND technical_fen IS NOT NULL AND decided_on IS NOT NULL AND transaction_id IS NOT NULL)",
            name=op.f("ck_registration_registered_is_whole"),
        ),
        sa.CheckConstraint(
            "state IN ('submitted', 'registered', 'not_registered', 'withdrawn')",
            name=op.f("ck_registration_state_known"),
        ),
        sa.CheckConstraint(
            "total_fen IS NULL OR (technical_fen > 0 AND technical_fen <= total_fen)",
            name=op.f("ck_registration_amounts"),
        ),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contract.id"], name=op.f("fk_registration_contract_id")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["person.id"], name=op.f("fk_registration_decided_by")
        ),
        sa.ForeignKeyConstraint(
            ["reversal_id"], ["ledger_transaction.id"], name=op.f("fk_registration_reversal_id")
        ),
        sa.ForeignKeyConstraint(
            ["submitted_by"], ["person.id"], name=op.f("fk_registration_submitted_by")
        ),
        sa.ForeignKeyConstraint(
            ["supersedes_id"], ["registration.id"], name=op.f("fk_registration_supersedes_id")
        ),
        sa.ForeignKeyConstraint(
            ["transaction_id"],
            ["ledger_transaction.id"],
            name=op.f("fk_registration_transaction_id"),
        ),
        sa.ForeignKeyConstraint(
            ["withdrawn_by"], ["person.id"], name=op.f("fk_registration_withdrawn_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registration")),
        sa.UniqueConstraint("public_id", name=op.f("uq_registration_public_id")),
        sa.UniqueConstraint("reversal_id", name=op.f("uq_registration_reversal_id")),
        sa.UniqueConstraint("supersedes_id", name=op.f("uq_registration_supersedes_id")),
        sa.UniqueConstraint("transaction_id", name=op.f("uq_registration_transaction_id")),
    )
    with op.batch_alter_table("registration", schema=None) as batch_op:
        batch_op.create_index("ix_registration_contract_all", ["contract_id"], unique=False)
        batch_op.create_index("ix_registration_queue", ["state", "submitted_at"], unique=False)
        batch_op.create_index(
            "uq_registration_contract",
            ["contract_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('submitted', 'registered')"),
            postgresql_where=sa.text("state IN ('submitted', 'registered')"),
        )
        batch_op.create_index(
            "uq_registration_fingerprint",
            ["fingerprint"],
            unique=True,
            sqlite_where=sa.text("state IN ('submitted', 'registered')"),
            postgresql_where=sa.text("state IN ('submitted', 'registered')"),
        )
        batch_op.create_index(
            "uq_registration_number",
            ["registry_name", "number"],
            unique=True,
            sqlite_where=sa.text("state = 'registered'"),
            postgresql_where=sa.text("state = 'registered'"),
        )


def downgrade() -> None:

    with op.batch_alter_table("registration", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_registration_number",
            sqlite_where=sa.text("state = 'registered'"),
            postgresql_where=sa.text("state = 'registered'"),
        )
        batch_op.drop_index(
            "uq_registration_fingerprint",
            sqlite_where=sa.text("state IN ('submitted', 'registered')"),
            postgresql_where=sa.text("state IN ('submitted', 'registered')"),
        )
        batch_op.drop_index(
            "uq_registration_contract",
            sqlite_where=sa.text("state IN ('submitted', 'registered')"),
            postgresql_where=sa.text("state IN ('submitted', 'registered')"),
        )
        batch_op.drop_index("ix_registration_queue")
        batch_op.drop_index("ix_registration_contract_all")

    op.drop_table("registration")
    op.drop_table("contract_line")
    op.drop_table("terms")
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_review_open",
            sqlite_where=sa.text("state = 'submitted'"),
            postgresql_where=sa.text("state = 'submitted'"),
        )
        batch_op.drop_index("ix_review_state")
        batch_op.drop_index(batch_op.f("ix_review_revision_id"))
        batch_op.drop_index("ix_review_listing")

    op.drop_table("review")
    with op.batch_alter_table("pricing_path", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_pricing_path_live",
            sqlite_where=sa.text("state <> 'stopped'"),
            postgresql_where=sa.text("state <> 'stopped'"),
        )
        batch_op.drop_index(batch_op.f("ix_pricing_path_deal_id"))

    op.drop_table("pricing_path")
    with op.batch_alter_table("introduction", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_introduction_open",
            sqlite_where=sa.text("state IN ('proposed', 'accepted_seller', 'accepted_buyer')"),
            postgresql_where=sa.text("state IN ('proposed', 'accepted_seller', 'accepted_buyer')"),
        )
        batch_op.drop_index(batch_op.f("ix_introduction_seller_id"))
        batch_op.drop_index(batch_op.f("ix_introduction_demand_id"))
        batch_op.drop_index(batch_op.f("ix_introduction_deal_id"))
        batch_op.drop_index(batch_op.f("ix_introduction_buyer_id"))
        batch_op.drop_index(batch_op.f("ix_introduction_broker_id"))
        batch_op.drop_index(batch_op.f("ix_introduction_achievement_id"))

    op.drop_table("introduction")
    with op.batch_alter_table("inquiry", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_inquiry_open",
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )
        batch_op.drop_index(batch_op.f("ix_inquiry_owner_id"))
        batch_op.drop_index(batch_op.f("ix_inquiry_listing_id"))
        batch_op.drop_index(batch_op.f("ix_inquiry_deal_id"))
        batch_op.drop_index(batch_op.f("ix_inquiry_asker_id"))

    op.drop_table("inquiry")
    op.drop_table("demand_facts")
    with op.batch_alter_table("deal_note", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_deal_note_deal_id"))

    op.drop_table("deal_note")
    with op.batch_alter_table("deal_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_deal_event_deal_id"))

    op.drop_table("deal_event")
    with op.batch_alter_table("contract", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_contract_live",
            sqlite_where=sa.text("state <> 'dropped'"),
            postgresql_where=sa.text("state <> 'dropped'"),
        )
        batch_op.drop_index("ix_contract_signed")
        batch_op.drop_index(batch_op.f("ix_contract_seller_id"))
        batch_op.drop_index(batch_op.f("ix_contract_deal_id"))
        batch_op.drop_index(batch_op.f("ix_contract_buyer_id"))

    op.drop_table("contract")
    op.drop_table("achievement_facts")
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sign_in_person_id"))

    op.drop_table("sign_in")
    with op.batch_alter_table("proof", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_proof_file_id"))

    op.drop_table("proof")
    op.drop_table("name_disclosure")
    op.drop_table("match_state")
    with op.batch_alter_table("match", schema=None) as batch_op:
        batch_op.drop_index("ix_match_achievement")

    op.drop_table("match")
    op.drop_table("listing_revision")
    with op.batch_alter_table("import_problem", schema=None) as batch_op:
        batch_op.drop_index("ix_import_problem_run")

    op.drop_table("import_problem")
    with op.batch_alter_table("deal", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_deal_open_demand",
            sqlite_where=sa.text(
                "state <> 'lost' AND concluded_at IS NULL AND achievement_id IS NULL"
            ),
            postgresql_where=sa.text(
                "state <> 'lost' AND concluded_at IS NULL AND achievement_id IS NULL"
            ),
        )
        batch_op.drop_index(
            "uq_deal_open_achievement",
            sqlite_where=sa.text(
                "state <> 'lost' AND concluded_at IS NULL AND achievement_id IS NOT NULL"
            ),
            postgresql_where=sa.text(
                "state <> 'lost' AND concluded_at IS NULL AND achievement_id IS NOT NULL"
            ),
        )
        batch_op.drop_index(batch_op.f("ix_deal_seller_id"))
        batch_op.drop_index(batch_op.f("ix_deal_demand_id"))
        batch_op.drop_index(batch_op.f("ix_deal_buyer_id"))
        batch_op.drop_index(batch_op.f("ix_deal_achievement_id"))

    op.drop_table("deal")
    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_api_token_person_id"))
        batch_op.drop_index(batch_op.f("ix_api_token_membership_id"))

    op.drop_table("api_token")
    with op.batch_alter_table("plan", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_plan_current",
            sqlite_where=sa.text("state = 'current'"),
            postgresql_where=sa.text("state = 'current'"),
        )

    op.drop_table("plan")
    with op.batch_alter_table("one_time_link", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_one_time_link_person_id"))

    op.drop_table("one_time_link")
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_membership_person_id"))
        batch_op.drop_index(batch_op.f("ix_membership_organisation_id"))

    op.drop_table("membership")
    with op.batch_alter_table("mandate", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_mandate_open",
            sqlite_where=sa.text("state IN ('offered', 'live')"),
            postgresql_where=sa.text("state IN ('offered', 'live')"),
        )
        batch_op.drop_index(batch_op.f("ix_mandate_principal_id"))
        batch_op.drop_index(batch_op.f("ix_mandate_agency_id"))

    op.drop_table("mandate")
    with op.batch_alter_table("listing", schema=None) as batch_op:
        batch_op.drop_index("ix_listing_public")
        batch_op.drop_index(batch_op.f("ix_listing_organisation_id"))
        batch_op.drop_index("ix_listing_import")

    op.drop_table("listing")
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_ledger_entry_account")

    op.drop_table("ledger_entry")
    with op.batch_alter_table("import_run", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_import_run_organisation_id"))
        batch_op.drop_index(batch_op.f("ix_import_run_file_id"))

    op.drop_table("import_run")
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index("ix_delivery_open")
        batch_op.drop_index(batch_op.f("ix_delivery_change_id"))

    op.drop_table("delivery")
    op.drop_table("subject_version")
    op.drop_table("stored_file")
    with op.batch_alter_table("sign_in_failure", schema=None) as batch_op:
        batch_op.drop_index("ix_sign_in_failure_key")

    op.drop_table("sign_in_failure")
    op.drop_table("person")
    with op.batch_alter_table("organisation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_organisation_verification"))
        batch_op.drop_index("ix_organisation_name")

    op.drop_table("organisation")
    op.drop_table("numbering")
    with op.batch_alter_table("ledger_transaction", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_ledger_transaction_subject",
            sqlite_where=sa.text("kind = 'register'"),
            postgresql_where=sa.text("kind = 'register'"),
        )
        batch_op.drop_index("ix_ledger_transaction_effective")

    op.drop_table("ledger_transaction")
    op.drop_table("ledger_head")
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_index("ix_job_open")

    op.drop_table("job")
    with op.batch_alter_table("holiday", schema=None) as batch_op:
        batch_op.drop_index("ix_holiday_year")

    op.drop_table("holiday")
    op.drop_table("change_head")
    with op.batch_alter_table("change", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_change_unstamped",
            sqlite_where=sa.text("seq IS NULL"),
            postgresql_where=sa.text("seq IS NULL"),
        )
        batch_op.drop_index("ix_change_subject")

    op.drop_table("change")
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_at")

    op.drop_table("audit")
