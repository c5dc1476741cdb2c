"""a keyed chain, changes, periods, records and heads of the ledger

Links of what was posted before are made afterwards, with the key that no database has
(`market.chaining`).
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

import market.kit.columns

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = market.kit.columns.UtcDateTime(timezone=True)
_T, _E = "ledger_transaction", "ledger_entry"
_BOOKS = "book IN ('statistics', 'money')"
_CHAINS = "book IN ('statistics', 'money', 'records')"
_KINDS = "kind IN ('register', 'change', 'reverse')"
_FOLLOWS = (
    "(kind = 'register') = (register_id IS NULL) AND (kind = 'register') = (previous_id IS NULL)"
)
_ACCOUNTS = (
    "(book = 'statistics' AND (account = 'contracts' OR substr(account, 1, 8) = 'counted:'))"
    " OR (book = 'money' AND substr(account, 1, 6) = 'money:')"
)
_OWN = sa.text("kind = 'register'")


def upgrade() -> None:
    with op.batch_alter_table("ledger_head") as batch_op:
        batch_op.drop_constraint(op.f("ck_ledger_head_book_known"), type_="check")
        batch_op.create_check_constraint(op.f("ck_ledger_head_book_known"), _CHAINS)
        batch_op.add_column(
            sa.Column("hash", sa.String(length=64), nullable=False, server_default="")
        )
        batch_op.add_column(
            sa.Column("key_id", sa.String(length=16), nullable=False, server_default="")
        )
    if op.get_bind().dialect.name == "sqlite":
        _rebuild()
    else:
        _alter()
    _new_tables()


def _rebuild() -> None:
    """SQLite alters no constraint, and rows elsewhere refer to these: they go out and come back in
    one transaction, at whose end every reference is held again.
    """
    op.execute("PRAGMA defer_foreign_keys=ON")
    for table in (_T, _E):
        op.execute(f"CREATE TEMP TABLE old_{table} AS SELECT * FROM {table}")  # noqa: S608
    op.drop_table(_E)
    op.drop_table(_T)
    _create_transactions()
    _create_entries()
    kept = (
        "id, book, seq, kind, idempotency_key, subject_key, generation, digest, effective_on,"
        " original_on, posted_at, reverses_id, keyed_hash, contract_type, sub_type, field,"
        " project_name, seller_name, buyer_name, seller_id, buyer_id, seller_region, buyer_region,"
        " total_fen, technical_fen"
    )
    op.execute(
        f"INSERT INTO {_T} ({kept}, register_id, previous_id)"  # noqa: S608  names of our own
        f" SELECT {kept}, reverses_id, reverses_id FROM old_{_T} ORDER BY id"
    )
    op.execute(
        f"INSERT INTO {_E} (id, book, transaction_id, snapshot_id, account, amount_fen)"  # noqa: S608
        f" SELECT e.id, t.book, e.transaction_id, e.transaction_id, e.account, e.amount_fen"
        f" FROM old_{_E} e JOIN old_{_T} t ON t.id = e.transaction_id ORDER BY e.id"
    )
    for table in (_T, _E):
        op.execute(f"DROP TABLE old_{table}")


def _create_transactions() -> None:
    op.create_table(
        _T,
        sa.Column("id", BIG, nullable=False),
        sa.Column("book", sa.String(length=32), nullable=False),
        sa.Column("seq", BIG, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("idempotency_key", sa.String(length=120), nullable=False),
        sa.Column("subject_key", sa.String(length=80), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("original_on", sa.Date(), nullable=True),
        sa.Column("posted_at", MOMENT, nullable=False),
        sa.Column("reverses_id", BIG, nullable=True),
        sa.Column("register_id", BIG, nullable=True),
        sa.Column("previous_id", BIG, nullable=True),
        sa.Column("keyed_hash", sa.String(length=64), nullable=True),
        sa.Column("contract_type", sa.String(length=8), nullable=False),
        sa.Column("sub_type", sa.String(length=40), nullable=False),
        sa.Column("field", sa.Integer(), nullable=False),
        sa.Column("project_name", sa.String(length=200), nullable=False),
        sa.Column("seller_name", sa.String(length=120), nullable=False),
        sa.Column("buyer_name", sa.String(length=120), nullable=False),
        sa.Column("seller_id", BIG, nullable=False),
        sa.Column("buyer_id", BIG, nullable=False),
        sa.Column("seller_region", sa.String(length=6), nullable=False),
        sa.Column("buyer_region", sa.String(length=6), nullable=False),
        sa.Column("total_fen", BIG, nullable=False),
        sa.Column("technical_fen", BIG, nullable=False),
        sa.CheckConstraint(
            "(kind = 'reverse') = (reverses_id IS NOT NULL)",
            name=op.f("ck_ledger_transaction_reversal_names_original"),
        ),
        sa.CheckConstraint(_FOLLOWS, name=op.f("ck_ledger_transaction_follows_what_it_moves")),
        sa.CheckConstraint(_BOOKS, name=op.f("ck_ledger_transaction_book_known")),
        sa.CheckConstraint(_KINDS, name=op.f("ck_ledger_transaction_kind_known")),
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
        sa.ForeignKeyConstraint(
            ["register_id", "book"],
            ["ledger_transaction.id", "ledger_transaction.book"],
            name=op.f("fk_ledger_transaction_register_id"),
        ),
        sa.ForeignKeyConstraint(
            ["previous_id", "book"],
            ["ledger_transaction.id", "ledger_transaction.book"],
            name=op.f("fk_ledger_transaction_previous_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_transaction")),
        sa.UniqueConstraint("book", "seq", name=op.f("uq_ledger_transaction_book_seq")),
        sa.UniqueConstraint("id", "book", name=op.f("uq_ledger_transaction_id_book")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_ledger_transaction_idempotency_key")),
        sa.UniqueConstraint("reverses_id", name=op.f("uq_ledger_transaction_reverses_id")),
        sa.UniqueConstraint("previous_id", name=op.f("uq_ledger_transaction_previous_id")),
    )
    op.create_index("ix_ledger_transaction_effective", _T, ["book", "effective_on"])
    op.create_index("ix_ledger_transaction_register", _T, ["register_id"])
    op.create_index(
        "uq_ledger_transaction_subject",
        _T,
        ["book", "subject_key", "generation"],
        unique=True,
        sqlite_where=_OWN,
        postgresql_where=_OWN,
    )


def _create_entries() -> None:
    op.create_table(
        _E,
        sa.Column("id", BIG, nullable=False),
        sa.Column("book", sa.String(length=32), nullable=False),
        sa.Column("transaction_id", BIG, nullable=False),
        sa.Column("snapshot_id", BIG, nullable=False),
        sa.Column("account", sa.String(length=40), nullable=False),
        sa.Column("amount_fen", BIG, nullable=False),
        sa.CheckConstraint("amount_fen <> 0", name=op.f("ck_ledger_entry_moves_something")),
        sa.CheckConstraint(_ACCOUNTS, name=op.f("ck_ledger_entry_account_of_book")),
        sa.ForeignKeyConstraint(
            ["transaction_id", "book"],
            ["ledger_transaction.id", "ledger_transaction.book"],
            name=op.f("fk_ledger_entry_transaction_id"),
        ),
        sa.ForeignKeyConstraint(
            ["snapshot_id", "book"],
            ["ledger_transaction.id", "ledger_transaction.book"],
            name=op.f("fk_ledger_entry_snapshot_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entry")),
        sa.UniqueConstraint(
            "transaction_id",
            "account",
            "snapshot_id",
            name=op.f("uq_ledger_entry_transaction_id_account_snapshot_id"),
        ),
    )
    op.create_index("ix_ledger_entry_account", _E, ["account", "transaction_id"])
    op.create_index("ix_ledger_entry_snapshot", _E, ["snapshot_id"])


def _alter() -> None:
    op.add_column(_T, sa.Column("register_id", BIG, nullable=True))
    op.add_column(_T, sa.Column("previous_id", BIG, nullable=True))
    op.add_column(_E, sa.Column("book", sa.String(length=32), nullable=True))
    op.add_column(_E, sa.Column("snapshot_id", BIG, nullable=True))
    for table in (_T, _E):
        op.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    op.execute(
        f"UPDATE {_T} SET register_id = reverses_id, previous_id = reverses_id"  # noqa: S608
        " WHERE reverses_id IS NOT NULL"
    )
    op.execute(
        f"UPDATE {_E} SET snapshot_id = transaction_id,"  # noqa: S608
        f" book = (SELECT book FROM {_T} t WHERE t.id = transaction_id)"
    )
    for table in (_T, _E):
        op.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    for column in ("book", "snapshot_id"):
        op.alter_column(_E, column, nullable=False)
    for name, check in (("book_known", _BOOKS), ("kind_known", _KINDS)):
        op.drop_constraint(op.f(f"ck_ledger_transaction_{name}"), _T, type_="check")
        op.create_check_constraint(op.f(f"ck_ledger_transaction_{name}"), _T, check)
    op.create_check_constraint(op.f("ck_ledger_transaction_follows_what_it_moves"), _T, _FOLLOWS)
    op.create_unique_constraint(op.f("uq_ledger_transaction_id_book"), _T, ["id", "book"])
    op.create_unique_constraint(op.f("uq_ledger_transaction_previous_id"), _T, ["previous_id"])
    op.drop_constraint(op.f("fk_ledger_entry_transaction_id"), _E, type_="foreignkey")
    op.drop_constraint(op.f("uq_ledger_entry_transaction_id_account"), _E, type_="unique")
    op.create_unique_constraint(
        op.f("uq_ledger_entry_transaction_id_account_snapshot_id"),
        _E,
        ["transaction_id", "account", "snapshot_id"],
    )
    op.create_check_constraint(op.f("ck_ledger_entry_account_of_book"), _E, _ACCOUNTS)
    for table, column in (
        (_T, "register_id"),
        (_T, "previous_id"),
        (_E, "transaction_id"),
        (_E, "snapshot_id"),
    ):
        op.create_foreign_key(
            op.f(f"fk_{table}_{column}"), table, _T, [column, "book"], ["id", "book"]
        )
    op.create_index("ix_ledger_transaction_register", _T, ["register_id"])
    op.create_index("ix_ledger_entry_snapshot", _E, ["snapshot_id"])


def _new_tables() -> None:
    op.create_table(
        "ledger_period",
        sa.Column("id", BIG, nullable=False),
        sa.Column("book", sa.String(length=32), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("begins_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("closing_at", MOMENT, nullable=True),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.Column("closed_by", BIG, nullable=True),
        sa.Column("count", BIG, nullable=True),
        sa.Column("technical_fen", BIG, nullable=True),
        sa.Column("total_fen", BIG, nullable=True),
        sa.Column("head_seq", BIG, nullable=True),
        sa.Column("head_hash", sa.String(length=64), nullable=True),
        sa.CheckConstraint(_BOOKS, name=op.f("ck_ledger_period_book_known")),
        sa.CheckConstraint(
            "state IN ('open', 'closing', 'closed')", name=op.f("ck_ledger_period_state_known")
        ),
        sa.CheckConstraint(
            "(state = 'open') = (closing_at IS NULL)"
            " AND (state = 'closed') = (closed_at IS NOT NULL)"
            " AND (state = 'open') = (head_seq IS NULL)",
            name=op.f("ck_ledger_period_closed_is_whole"),
        ),
        sa.CheckConstraint("begins_on < ends_on", name=op.f("ck_ledger_period_days_ordered")),
        sa.ForeignKeyConstraint(
            ["closed_by"], ["person.id"], name=op.f("fk_ledger_period_closed_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_period")),
        sa.UniqueConstraint("book", "month", name=op.f("uq_ledger_period_book_month")),
    )
    op.create_table(
        "ledger_record",
        sa.Column("id", BIG, nullable=False),
        sa.Column("seq", BIG, nullable=False),
        sa.Column("subject_kind", sa.String(length=32), nullable=False),
        sa.Column("subject_key", sa.String(length=80), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("keyed_hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_record")),
        sa.UniqueConstraint("seq", name=op.f("uq_ledger_record_seq")),
    )
    op.create_index(
        "ix_ledger_record_subject", "ledger_record", ["subject_kind", "subject_key", "seq"]
    )
    op.create_table(
        "ledger_seal",
        sa.Column("id", BIG, nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("cause", sa.String(length=32), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("heads", sa.JSON(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("resumes", BIG, nullable=True),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("signature", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "cause IN ('chained', 'night', 'close', 'restored')",
            name=op.f("ck_ledger_seal_cause_known"),
        ),
        sa.CheckConstraint(
            "(cause = 'close') = (month IS NOT NULL)",
            name=op.f("ck_ledger_seal_closing_names_month"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_seal")),
        sa.UniqueConstraint("number", name=op.f("uq_ledger_seal_number")),
    )


def downgrade() -> None:
    """There is no way back: a chain that is taken apart could be made anew by anyone."""
    raise NotImplementedError
