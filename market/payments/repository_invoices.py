"""The SQL of invoices."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from market.kit.db import changed, is_sqlite
from market.kit.ids import PaymentId
from market.payments.models import Invoice


def invoices(session: Session, payment_id: PaymentId) -> Sequence[Invoice]:
    """Return all of a payment, those that were voided too, the oldest first."""
    query = select(Invoice).where(col(Invoice.payment_id) == payment_id)
    return session.exec(query.order_by(col(Invoice.id))).all()


def standing(session: Session, number: str) -> Invoice | None:
    """Return the invoice of a number that was not voided."""
    return session.exec(
        select(Invoice).where(col(Invoice.number) == number, col(Invoice.voided_at).is_(None))
    ).first()


def invoiced(session: Session, payment_id: PaymentId) -> int:
    """Return what the invoices of a payment come to, in fen; a voided one counts no more."""
    query = select(func.coalesce(func.sum(col(Invoice.amount_fen)), 0)).where(
        col(Invoice.payment_id) == payment_id, col(Invoice.voided_at).is_(None)
    )
    return int(session.exec(query).one())


def write(session: Session, values: dict[str, Any]) -> bool:
    """Write an invoice; return False where one of its number stands."""
    dialect = sqlite if is_sqlite(session) else postgresql
    session.flush()
    new = dialect.insert(Invoice).on_conflict_do_nothing().values(**values)
    return session.scalars(new.returning(col(Invoice.id))).first() is not None


def void(session: Session, payment_id: PaymentId, number: str, **to_be: Any) -> bool:
    """Void the standing invoice of a number; return False where there is none."""
    where = (
        col(Invoice.payment_id) == payment_id,
        col(Invoice.number) == number,
        col(Invoice.voided_at).is_(None),
    )
    return changed(session, update(Invoice).where(*where).values(**to_be)) == 1
