"""What registrations say against what the ledger counted."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from market.ledger.models import Kind, Transaction
from market.registry.models import PastRegistration, PastState, Registration, RegistrationState

Either = type[Registration] | type[PastRegistration]
_COUNTS: dict[Either, str] = {
    Registration: RegistrationState.REGISTERED,
    PastRegistration: PastState.COUNTED,
}


def miscounted(session: Session, table: Either) -> Iterator[tuple[str, str]]:
    """Yield (public id, number) where the counted transaction is missing or another one's."""
    counted = aliased(Transaction)
    key = col(table.registry_name) + ":" + col(table.number)
    same = and_(
        col(counted.kind) == Kind.REGISTER,
        col(counted.subject_key) == key,
        col(counted.technical_fen) == col(table.technical_fen),
        col(counted.total_fen) == col(table.total_fen),
    )
    yield from _numbers(
        session,
        select(col(table.public_id), col(table.number))
        .outerjoin(counted, col(counted.id) == col(table.transaction_id))
        .where(
            or_(col(table.state) == _COUNTS[table], col(table.transaction_id).is_not(None)),
            or_(col(counted.id).is_(None), ~same),
        ),
    )


def reversed_otherwise(session: Session, table: Either) -> Iterator[tuple[str, str]]:
    """Yield (public id, number) where what counts was taken out, or what is out still counts."""
    undo = aliased(Transaction)
    counts: ColumnElement[bool] = col(table.state) == _COUNTS[table]
    yield from _numbers(
        session,
        select(col(table.public_id), col(table.number))
        .outerjoin(undo, col(undo.reverses_id) == col(table.transaction_id))
        .where(
            col(table.transaction_id).is_not(None),
            or_(
                and_(counts, col(undo.id).is_not(None)),
                and_(~counts, col(undo.id).is_(None)),
                and_(~counts, col(undo.id) != col(table.reversal_id)),
            ),
        ),
    )


def counted_without_registration(session: Session) -> Iterator[int]:
    """Yield the sequence numbers of what was counted for no registration."""
    native = select(col(Registration.transaction_id)).where(
        col(Registration.transaction_id) == col(Transaction.id)
    )
    past = select(col(PastRegistration.transaction_id)).where(
        col(PastRegistration.transaction_id) == col(Transaction.id)
    )
    query = select(col(Transaction.seq)).where(
        col(Transaction.kind) == Kind.REGISTER, ~native.exists(), ~past.exists()
    )
    yield from session.scalars(query.order_by(col(Transaction.seq)))


def _numbers(session: Session, query: Any) -> Iterator[tuple[str, str]]:
    yield from ((row[0], row[1]) for row in session.execute(query))
