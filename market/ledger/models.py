"""Books, transactions, entries: append-only, double entry. Triggers refuse update and delete.

The ledger knows keys, not nouns: it refers to no registration and no contract, only to the key
of what was counted and to the digest of its document.
"""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlmodel import Field

from market.kit.columns import (
    BIG,
    Table,
    big,
    check,
    choice,
    day,
    fen,
    fk,
    moment,
    one_of,
    pk,
    words,
)
from market.kit.ids import OrganisationId, TransactionId


class Book(StrEnum):
    """Statistics and money never share a transaction."""

    STATISTICS = "statistics"


class Kind(StrEnum):
    REGISTER = "register"
    REVERSE = "reverse"


_REGISTERS = text("kind = 'register'")


class LedgerHead(Table, table=True):
    """The last sequence number of a book. New transactions lock its row, so numbers have no gap."""

    __tablename__ = "ledger_head"
    __table_args__ = (one_of("book", Book),)

    book: str = Field(primary_key=True, max_length=32)
    seq: int = big()


class Transaction(Table, table=True):
    """One balanced movement. 技术交易额 stands in the entries; 成交额 beside it, for information.

    `effective_on` is the day by which years and months count. A reversal takes effect on the day
    of the undo, `original_on` is the day of what it takes out. `generation` counts how often a
    number was registered anew. Type, field and parties are a snapshot of the day of counting.
    `keyed_hash` stays empty until the book is chained.
    """

    __tablename__ = "ledger_transaction"
    __table_args__ = (
        one_of("book", Book),
        one_of("kind", Kind),
        check("reversal_names_original", "(kind = 'reverse') = (reverses_id IS NOT NULL)"),
        check("amounts", "technical_fen > 0 AND technical_fen <= total_fen"),
        check("field_known", "field BETWEEN 1 AND 11"),
        check("seq_positive", "seq > 0"),
        UniqueConstraint("book", "seq"),
        Index(
            "uq_ledger_transaction_subject",
            "book",
            "subject_key",
            "generation",
            unique=True,
            sqlite_where=_REGISTERS,
            postgresql_where=_REGISTERS,
        ),
        Index("ix_ledger_transaction_effective", "book", "effective_on"),
    )

    id: TransactionId = pk()
    book: str = choice()
    seq: int = big()
    kind: str = choice()
    idempotency_key: str = Field(max_length=120, unique=True)
    subject_key: str = words(80)
    generation: int
    digest: str = words(64)
    effective_on: date = day()
    original_on: date | None = day(nullable=True)
    posted_at: datetime = moment()
    reverses_id: TransactionId | None = Field(
        default=None,
        sa_type=BIG,
        sa_column_args=(ForeignKey("ledger_transaction.id"),),
        nullable=True,
        unique=True,
    )
    keyed_hash: str | None = words(64, nullable=True)
    contract_type: str = words(8)
    sub_type: str = words(40)
    field: int
    project_name: str = words(200)
    seller_name: str = words(120)
    buyer_name: str = words(120)
    seller_id: OrganisationId = big()
    buyer_id: OrganisationId = big()
    seller_region: str = words(6)
    buyer_region: str = words(6)
    total_fen: int = fen()
    technical_fen: int = fen()


class Entry(Table, table=True):
    """One side of a transaction; the sides of one transaction sum to 0."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        check("moves_something", "amount_fen <> 0"),
        UniqueConstraint("transaction_id", "account"),
        Index("ix_ledger_entry_account", "account", "transaction_id"),
    )

    id: int = pk()
    transaction_id: TransactionId = fk("ledger_transaction.id", index=False)
    account: str = words(40)
    amount_fen: int = fen()
