"""SQL of the money book: what is read of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlmodel import Session, col

from market.ledger.models import Book, Entry, Transaction


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of a movement: its number and day, what it is for, and what it moved in fen."""

    seq: int
    on: date
    subject: str
    memo: str
    account: str
    amount_fen: int


def lines(session: Session, accounts: Sequence[str], since: date, until: date) -> list[Line]:
    query = (
        select(
            col(Transaction.seq),
            col(Transaction.effective_on),
            col(Transaction.subject_key),
            col(Transaction.project_name),
            col(Entry.account),
            col(Entry.amount_fen),
        )
        .join(Entry, col(Entry.transaction_id) == col(Transaction.id))
        .where(
            col(Entry.account).in_(accounts),
            col(Transaction.effective_on).between(since, until),
        )
        .order_by(col(Transaction.seq), col(Entry.id))
    )
    return [Line(*row) for row in session.execute(query)]


def balances(session: Session, accounts: Sequence[str], before: date | None) -> dict[str, int]:
    query = (
        select(col(Entry.account), func.sum(col(Entry.amount_fen)))
        .join(Transaction, col(Entry.transaction_id) == col(Transaction.id))
        .where(col(Entry.account).in_(accounts))
        .group_by(col(Entry.account))
    )
    if before is not None:
        query = query.where(col(Transaction.effective_on) < before)
    return {account: int(amount) for account, amount in session.execute(query)}


def moved(session: Session, subjects: Sequence[str]) -> dict[tuple[str, str], int]:
    query = (
        select(col(Transaction.subject_key), col(Entry.account), func.sum(col(Entry.amount_fen)))
        .join(Entry, col(Entry.transaction_id) == col(Transaction.id))
        .where(col(Transaction.book) == Book.MONEY, col(Transaction.subject_key).in_(subjects))
        .group_by(col(Transaction.subject_key), col(Entry.account))
    )
    return {(subject, account): int(amount) for subject, account, amount in session.execute(query)}
