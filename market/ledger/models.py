"""Books, transactions, entries: append-only, double entry. Triggers refuse update and delete; each
book is a keyed chain (`chain.py`). Beside them what is kept of periods, of what rows said, and of
the heads that stand outside the database.

The ledger knows keys, not nouns: it refers to no registration and no contract, only to the key
of what was counted and to the digest of its document.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
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
from market.kit.ids import OrganisationId, PersonId, TransactionId


class Book(StrEnum):
    """Statistics and money never share a transaction."""

    STATISTICS = "statistics"
    MONEY = "money"


class Chain(StrEnum):
    """What is linked hash by hash: each book, and the records of what other tables' rows said."""

    STATISTICS = "statistics"
    MONEY = "money"
    RECORDS = "records"


class Kind(StrEnum):
    """A subject is registered once a generation, changed any number of times, reversed once.

    `MOVE` is all there is in the money book: what went from accounts to accounts.
    """

    REGISTER = "register"
    CHANGE = "change"
    REVERSE = "reverse"
    MOVE = "move"


class PeriodState(StrEnum):
    """Closing: nothing more falls into it, its figures wait to stand in a file outside."""

    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


class Cause(StrEnum):
    """Why the heads were written out."""

    CHAINED = "chained"
    NIGHT = "night"
    CLOSE = "close"
    RESTORED = "restored"


_REGISTERS = text("kind = 'register'")
_MONEY = text("book = 'money'")


class LedgerHead(Table, table=True):
    """The last link of a chain. What is new locks its row, so numbers have no gap.

    `key_id` tells which key the chain is of; both texts are empty until it is chained.
    """

    __tablename__ = "ledger_head"
    __table_args__ = (one_of("book", Chain),)

    book: str = Field(primary_key=True, max_length=32)
    seq: int = big()
    hash: str = words(64, default="")
    key_id: str = words(16, default="")


class Transaction(Table, table=True):
    """One balanced movement. 技术交易额 stands in the entries; 成交额 beside it, for information.

    `effective_on` is the day by which years and months count. A change or reversal takes effect on
    its own day, `original_on` is the day of the registration; so it is for what falls in a closed
    period. `generation` counts how often a number was registered anew. Type, field and parties are
    a snapshot: of a registration as counted, of a change as it is from then on, of a reversal as it
    was last. `register_id` is the registration that is changed or reversed, `previous_id` what was
    said of it last, which nothing else follows. `keyed_hash` is empty until the book is chained.

    A movement of money is of no contract: it has no type and field 0, `buyer_id` is the
    organisation whose money it is, `subject_key` what it is for, both amounts what moved in all.
    """

    __tablename__ = "ledger_transaction"
    __table_args__ = (
        one_of("book", Book),
        one_of("kind", Kind),
        check("reversal_names_original", "(kind = 'reverse') = (reverses_id IS NOT NULL)"),
        check(
            "follows_what_it_moves",
            "(kind IN ('register', 'move')) = (register_id IS NULL)"
            " AND (kind IN ('register', 'move')) = (previous_id IS NULL)",
        ),
        check("money_moves", "(book = 'money') = (kind = 'move')"),
        check("amounts", "technical_fen > 0 AND technical_fen <= total_fen"),
        check(
            "field_known",
            "(kind = 'move' AND field = 0) OR (kind <> 'move' AND field BETWEEN 1 AND 11)",
        ),
        check("seq_positive", "seq > 0"),
        UniqueConstraint("book", "seq"),
        UniqueConstraint("id", "book"),
        ForeignKeyConstraint(
            ["register_id", "book"], ["ledger_transaction.id", "ledger_transaction.book"]
        ),
        ForeignKeyConstraint(
            ["previous_id", "book"], ["ledger_transaction.id", "ledger_transaction.book"]
        ),
        Index("ix_ledger_transaction_register", "register_id"),
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
        Index(
            "ix_ledger_transaction_money",
            "buyer_id",
            "seq",
            sqlite_where=_MONEY,
            postgresql_where=_MONEY,
        ),
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
    register_id: TransactionId | None = big(nullable=True)
    previous_id: TransactionId | None = Field(default=None, sa_type=BIG, nullable=True, unique=True)
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
    """One side of a transaction; the sides of one transaction sum to 0 and stand in its book.

    `snapshot_id` is the transaction whose type, field and parties the amount goes by: its own, or
    for what a change takes back, the one that said so before.
    """

    __tablename__ = "ledger_entry"
    __table_args__ = (
        check("moves_something", "amount_fen <> 0"),
        check(
            "account_of_book",
            "(book = 'statistics' AND (account = 'contracts'"
            " OR substr(account, 1, 8) = 'counted:'))"
            " OR (book = 'money' AND substr(account, 1, 6) = 'money:')",
        ),
        UniqueConstraint("transaction_id", "account", "snapshot_id"),
        ForeignKeyConstraint(
            ["transaction_id", "book"], ["ledger_transaction.id", "ledger_transaction.book"]
        ),
        ForeignKeyConstraint(
            ["snapshot_id", "book"], ["ledger_transaction.id", "ledger_transaction.book"]
        ),
        Index("ix_ledger_entry_account", "account", "transaction_id"),
        Index("ix_ledger_entry_snapshot", "snapshot_id"),
    )

    id: int = pk()
    book: str = choice()
    transaction_id: TransactionId = big()
    snapshot_id: TransactionId = big()
    account: str = words(40)
    amount_fen: int = fen()


class Period(Table, table=True):
    """A month of a book. Once closing, nothing takes effect in it or before it any more, and once
    closed its row stays as it is: what it came to, and the book's head at that moment.

    Amounts in fen: the month's own, registrations less reversals.
    """

    __tablename__ = "ledger_period"
    __table_args__ = (
        one_of("book", Book),
        one_of("state", PeriodState),
        check(
            "closed_is_whole",
            "(state = 'open') = (closing_at IS NULL)"
            " AND (state = 'closed') = (closed_at IS NOT NULL)"
            " AND (state = 'open') = (head_seq IS NULL)",
        ),
        check("days_ordered", "begins_on < ends_on"),
        UniqueConstraint("book", "month"),
    )

    id: int = pk()
    book: str = choice()
    month: str = words(7)
    begins_on: date = day()
    ends_on: date = day()
    state: str = choice(default=PeriodState.OPEN)
    opened_at: datetime = moment()
    closing_at: datetime | None = moment(nullable=True)
    closed_at: datetime | None = moment(nullable=True)
    closed_by: PersonId | None = fk("person.id", nullable=True, index=False)
    count: int | None = big(nullable=True)
    technical_fen: int | None = fen(nullable=True)
    total_fen: int | None = fen(nullable=True)
    head_seq: int | None = big(nullable=True)
    head_hash: str | None = words(64, nullable=True)


class Record(Table, table=True):
    """What a row of another table said from a moment on, by its digest: a chain of its own.

    The newest record of a subject is what its row says now. Append-only.
    """

    __tablename__ = "ledger_record"
    __table_args__ = (
        UniqueConstraint("seq"),
        Index("ix_ledger_record_subject", "subject_kind", "subject_key", "seq"),
    )

    id: int = pk()
    seq: int = big()
    subject_kind: str = words(32)
    subject_key: str = words(80)
    digest: str = words(64)
    at: datetime = moment()
    keyed_hash: str = words(64)


class Seal(Table, table=True):
    """The heads of all chains at a moment, signed; the same stands in a file outside the database.

    `heads` is {chain: [seq, hash]}; `figures` what a month came to, for the cause `close`.
    `previous` is the signature of the one before. `resumes` is, after a restoration, the last one
    that goes on to hold. Append-only.
    """

    __tablename__ = "ledger_seal"
    __table_args__ = (
        one_of("cause", Cause),
        check("closing_names_month", "(cause = 'close') = (month IS NOT NULL)"),
        UniqueConstraint("number"),
    )

    id: int = pk()
    number: int = big()
    cause: str = choice()
    month: str | None = words(7, nullable=True)
    at: datetime = moment()
    heads: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    figures: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    resumes: int | None = big(nullable=True)
    reason: str = words(300, default="")
    key_id: str = words(16)
    previous: str = words(64)
    signature: str = words(64)
