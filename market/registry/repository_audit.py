"""What registrations say against what the ledger counted."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, and_, inspect, or_, select
from sqlalchemy.orm import Bundle, aliased
from sqlmodel import Session, col

from market.deals.models import Contract
from market.kit.db import table_of
from market.ledger.models import Kind, Transaction
from market.registry.models import PastRegistration, PastState, Registration, RegistrationState
from market.registry.repository import LIVE

Either = type[Registration] | type[PastRegistration]
_COUNTS: dict[Either, str] = {
    Registration: RegistrationState.REGISTERED,
    PastRegistration: PastState.COUNTED,
}
_AT_ONCE = 2000


def registrations(session: Session) -> Iterator[Any]:
    """Yield (registration, contract, what was counted, what took it out) of all that waits or was
    counted, in one pass. Each tells its columns by their names, all None where there is no row.
    """
    undo = aliased(Transaction)
    table = Registration
    query = (
        select(_whole(table), _whole(Contract), _whole(Transaction), _whole(undo))
        .join(Contract, col(Contract.id) == col(table.contract_id))
        .outerjoin(Transaction, col(Transaction.id) == col(table.transaction_id))
        .outerjoin(undo, col(undo.id) == col(table.reversal_id))
        .where(or_(col(table.transaction_id).is_not(None), col(table.state).in_(LIVE)))
        .order_by(col(table.id))
    )
    yield from session.execute(query, execution_options={"yield_per": _AT_ONCE})


def past_registrations(session: Session) -> Iterator[Any]:
    """Yield (past registration, what was counted, what took it out) as `registrations` does."""
    undo = aliased(Transaction)
    table = PastRegistration
    query = (
        select(_whole(table), _whole(Transaction), _whole(undo))
        .outerjoin(Transaction, col(Transaction.id) == col(table.transaction_id))
        .outerjoin(undo, col(undo.id) == col(table.reversal_id))
        .order_by(col(table.id))
    )
    yield from session.execute(query, execution_options={"yield_per": _AT_ONCE})


def rows(session: Session, table: Either) -> Iterator[Any]:
    """Yield all rows of a table, each a mapping of its columns."""
    query = select(table_of(table)).order_by(col(table.id))
    for row in session.execute(query, execution_options={"yield_per": _AT_ONCE}):
        yield row._mapping  # noqa: SLF001  SQLAlchemy's own name for it


def _whole(entity: Any) -> Bundle[Any]:
    """Return all columns of a table as one value: lighter than an object of the session."""
    names = [one.key for one in inspect(entity).mapper.column_attrs]
    return Bundle("whole", *(getattr(entity, name) for name in names))


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
