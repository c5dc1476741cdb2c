"""The only SQL of insight. It reads every noun and writes nothing."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, extract, func, not_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from market.deals.models import Contract
from market.kit.ids import TransactionId
from market.ledger.models import Book, Entry, Kind, Transaction
from market.ledger.repository import counted_entry
from market.ledger.schemas import region_prefix
from market.registry.models import Registration


@dataclass(frozen=True, slots=True)
class Alike:
    """Counted contracts alike in month, type, field, sides in the region, and publicity.

    `public`: both sides agreed that names and sums are shown. Amounts in fen.
    """

    year: int
    month: int
    contract_type: str
    field: int
    seller_here: bool
    buyer_here: bool
    public: bool
    count: int
    technical_fen: int
    total_fen: int


def _standing() -> ColumnElement[bool]:
    """Return the condition for what counts at present: registered and not taken out."""
    reversal = aliased(Transaction)
    taken_out = select(col(reversal.id)).where(col(reversal.reverses_id) == col(Transaction.id))
    return and_(
        col(Transaction.book) == Book.STATISTICS,
        col(Transaction.kind) == Kind.REGISTER,
        not_(taken_out.exists()),
    )


def _agreed() -> ColumnElement[bool]:
    return and_(col(Contract.seller_agrees_public), col(Contract.buyer_agrees_public))


def _here(column: Any, region: str) -> ColumnElement[bool]:
    return col(column).startswith(region_prefix(region), autoescape=True)


def alike(session: Session, *, region: str, since: date, until: date) -> list[Alike]:
    """Return the contracts that count at present and touch the region, by what is public of them.

    Days are those of registration, both included.
    """
    year = extract("year", col(Transaction.effective_on))
    month = extract("month", col(Transaction.effective_on))
    seller = _here(Transaction.seller_region, region)
    buyer = _here(Transaction.buyer_region, region)
    keys = (
        year,
        month,
        col(Transaction.contract_type),
        col(Transaction.field),
        seller.label("seller_here"),
        buyer.label("buyer_here"),
        _agreed().label("public"),
    )
    query = (
        select(
            *keys,
            func.count(),
            func.sum(col(Entry.amount_fen)),
            func.sum(col(Transaction.total_fen)),
        )
        .select_from(Transaction)
        .join(Entry, counted_entry())
        .join(Registration, col(Registration.transaction_id) == col(Transaction.id))
        .join(Contract, col(Contract.id) == col(Registration.contract_id))
        .where(
            _standing(),
            col(Transaction.effective_on).between(since, until),
            seller | buyer,
        )
        .group_by(*keys)
    )
    return [
        Alike(int(y), int(m), kind, field, bool(s), bool(b), bool(p), int(n), int(t), int(w))
        for y, m, kind, field, s, b, p, n, t, w in session.execute(query)
    ]


def standing(session: Session, *, limit: int, offset: int) -> list[tuple[Transaction, bool]]:
    """Return what counts at present, newest first, each with whether both sides agreed to show
    names and sums.
    """
    query = (
        select(Transaction, _agreed())
        .join(Registration, col(Registration.transaction_id) == col(Transaction.id))
        .join(Contract, col(Contract.id) == col(Registration.contract_id))
        .where(_standing())
        .order_by(col(Transaction.effective_on).desc(), col(Transaction.seq).desc())
        .limit(limit)
        .offset(offset)
    )
    return [(row[0], bool(row[1])) for row in session.execute(query)]


def count_standing(session: Session, *, since: date | None = None) -> int:
    query = select(func.count()).select_from(Transaction).where(_standing())
    if since is not None:
        query = query.where(col(Transaction.effective_on) >= since)
    return int(session.execute(query).scalar_one())


def registrations(
    session: Session, transactions: Sequence[Transaction]
) -> dict[TransactionId, Registration]:
    """Return the registration behind each transaction, be it the counting or the taking out."""
    originals: Collection[TransactionId] = {row.reverses_id or row.id for row in transactions}
    rows = session.scalars(
        select(Registration).where(col(Registration.transaction_id).in_(originals))
    )
    by_original = {row.transaction_id: row for row in rows}
    return {
        row.id: by_original[original]
        for row in transactions
        if (original := row.reverses_id or row.id) in by_original
    }
