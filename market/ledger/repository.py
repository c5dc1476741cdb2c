"""SQL of posting. It inserts and selects; nothing here updates but the head.

`repository_sums` reads what stands on the board, `repository_verify` what must agree.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, exists, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from market.kit.db import is_sqlite, table_of
from market.kit.ids import TransactionId
from market.ledger.models import Book, Chain, Entry, Kind, LedgerHead, Seal, Transaction
from market.ledger.schemas import COUNTED


@dataclass(frozen=True, slots=True)
class Head:
    """The last link of a chain: its number, its hash, and whose key it is."""

    seq: int
    hash: str
    key_id: str


def lock_head(session: Session, chain: Chain) -> Head:
    """Lock the chain against other writers until this transaction ends; return its last link."""
    lock = (
        update(LedgerHead)
        .where(col(LedgerHead.book) == chain)
        .values(seq=col(LedgerHead.seq))
        .returning(col(LedgerHead.seq), col(LedgerHead.hash), col(LedgerHead.key_id))
    )
    row = session.execute(lock).one_or_none()
    if row is None:
        dialect_insert = sqlite.insert if is_sqlite(session) else postgresql.insert
        session.execute(
            dialect_insert(LedgerHead)
            .values(book=chain, seq=0, hash="", key_id="")
            .on_conflict_do_nothing()
        )
        row = session.execute(lock).one()
    return Head(*row)


def advance_head(session: Session, chain: Chain, head: Head) -> None:
    session.execute(
        update(LedgerHead)
        .where(col(LedgerHead.book) == chain)
        .values(seq=head.seq, hash=head.hash, key_id=head.key_id)
    )


def head(session: Session, chain: Chain) -> Head:
    query = select(col(LedgerHead.seq), col(LedgerHead.hash), col(LedgerHead.key_id)).where(
        col(LedgerHead.book) == chain
    )
    row = session.execute(query).one_or_none()
    return Head(0, "", "") if row is None else Head(*row)


def chained(session: Session) -> bool:
    """Tell whether any chain has been begun with a key, or a head signed."""
    begun = select(col(LedgerHead.book)).where(col(LedgerHead.key_id) != "").limit(1)
    signed = select(col(Seal.number)).limit(1)
    return session.scalar(begun) is not None or session.scalar(signed) is not None


def by_key(session: Session, key: str) -> Transaction | None:
    return session.scalars(
        select(Transaction).where(col(Transaction.idempotency_key) == key)
    ).first()


def last_register(session: Session, book: Book, subject_key: str) -> Transaction | None:
    return session.scalars(
        select(Transaction)
        .where(
            col(Transaction.book) == book,
            col(Transaction.subject_key) == subject_key,
            col(Transaction.kind) == Kind.REGISTER,
        )
        .order_by(col(Transaction.generation).desc())
        .limit(1)
    ).first()


def reversal_of(session: Session, transaction: TransactionId) -> Transaction | None:
    return session.scalars(
        select(Transaction).where(col(Transaction.reverses_id) == transaction)
    ).first()


def get(session: Session, transaction: TransactionId) -> Transaction:
    return session.get_one(Transaction, transaction)


def by_ids(session: Session, ids: Collection[TransactionId]) -> dict[TransactionId, Transaction]:
    query = select(Transaction).where(col(Transaction.id).in_(ids))
    return {row.id: row for row in session.scalars(query)}


def head_transaction(session: Session, book: Book) -> Transaction | None:
    """Return what was posted last."""
    return session.scalars(
        select(Transaction)
        .where(col(Transaction.book) == book)
        .order_by(col(Transaction.seq).desc())
        .limit(1)
    ).first()


def key_at(session: Session, book: Book, seq: int) -> str | None:
    """Return the key of the transaction with a number."""
    query = select(col(Transaction.idempotency_key)).where(
        col(Transaction.book) == book, col(Transaction.seq) == seq
    )
    return session.scalars(query).first()


def newest(session: Session, register: TransactionId) -> Transaction:
    """Return what was said last of a registered subject: its registration, a change, or its
    reversal.
    """
    return session.scalars(
        select(Transaction)
        .where((col(Transaction.id) == register) | (col(Transaction.register_id) == register))
        .order_by(col(Transaction.seq).desc())
        .limit(1)
    ).one()


def generations(
    session: Session, book: Book, subject_keys: Collection[str]
) -> dict[str, tuple[int, bool]]:
    """Return (generation, whether it counts) of the last registration of each key that has one."""
    reversal = aliased(Transaction)
    query = (
        select(
            col(Transaction.subject_key), col(Transaction.generation), col(reversal.id).is_(None)
        )
        .outerjoin(reversal, col(reversal.reverses_id) == col(Transaction.id))
        .where(
            col(Transaction.book) == book,
            col(Transaction.subject_key).in_(subject_keys),
            col(Transaction.kind) == Kind.REGISTER,
        )
        .order_by(col(Transaction.generation))
    )
    return {row[0]: (int(row[1]), bool(row[2])) for row in session.execute(query)}


def newest_of(
    session: Session, registers: Collection[TransactionId]
) -> dict[TransactionId, Transaction]:
    """Return what was said last of registered subjects, by the registration."""
    following = aliased(Transaction)
    root = func.coalesce(col(Transaction.register_id), col(Transaction.id))
    query = select(root, Transaction).where(
        (col(Transaction.id).in_(registers)) | (col(Transaction.register_id).in_(registers)),
        ~exists().where(col(following.previous_id) == col(Transaction.id)),
    )
    return {TransactionId(row[0]): row[1] for row in session.execute(query)}


def insert_transactions(
    session: Session, rows: Sequence[dict[str, Any]]
) -> dict[str, TransactionId]:
    """Write transactions in one statement. Return their ids by idempotency key."""
    write = insert(Transaction).returning(col(Transaction.id), col(Transaction.idempotency_key))
    return {row[1]: TransactionId(row[0]) for row in session.execute(write, list(rows))}


def insert_entries(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Write the entries of several transactions in one statement."""
    session.execute(insert(Entry), list(rows))


def fill_links(session: Session, made: Sequence[dict[str, Any]]) -> None:
    """Write links (`row`, `made`) where there is none yet."""
    session.connection().execute(
        update(table_of(Transaction))
        .where(col(Transaction.id) == bindparam("row"), col(Transaction.keyed_hash).is_(None))
        .values(keyed_hash=bindparam("made")),
        list(made),
    )


def counted_entry() -> ColumnElement[bool]:
    """Join each transaction to the one of its entries that counts what it says for a region; what
    a change takes back is another entry.
    """
    return and_(
        col(Entry.transaction_id) == col(Transaction.id),
        col(Entry.snapshot_id) == col(Transaction.id),
        col(Entry.account).startswith(COUNTED),
    )
