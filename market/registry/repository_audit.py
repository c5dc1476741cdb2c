"""What registrations say against what the ledger counted."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, and_, inspect, or_, select
from sqlalchemy.orm import Bundle, aliased
from sqlmodel import Session, col

from market.deals.models import Contract
from market.kit.db import streamed, table_of
from market.kit.files import StoredFile
from market.ledger.models import Kind, Transaction
from market.registry.models import (
    PastRegistration,
    PastState,
    Registration,
    RegistrationEvent,
)
from market.registry.states import COUNTING, HANDED_IN

Either = type[Registration] | type[PastRegistration]
_COUNTS: dict[Either, frozenset[str]] = {
    Registration: COUNTING,
    PastRegistration: frozenset({PastState.COUNTED}),
}


def registrations(session: Session) -> Iterator[Any]:
    """Yield (registration, contract, what was counted, what took it out, the event of counting) of
    all that waits or was counted, in one pass. Each tells its columns by their names, all None
    where there is no row.
    """
    undo = aliased(Transaction)
    table = Registration
    query = (
        select(
            _whole(table),
            _whole(Contract),
            _whole(Transaction),
            _whole(undo),
            _whole(RegistrationEvent),
        )
        .join(Contract, col(Contract.id) == col(table.contract_id))
        .outerjoin(Transaction, col(Transaction.id) == col(table.transaction_id))
        .outerjoin(undo, col(undo.id) == col(table.reversal_id))
        .outerjoin(
            RegistrationEvent,
            and_(
                col(RegistrationEvent.registration_id) == col(table.id),
                col(RegistrationEvent.transaction_id) == col(table.transaction_id),
            ),
        )
        .where(or_(col(table.transaction_id).is_not(None), col(table.state).in_(HANDED_IN)))
        .order_by(col(table.id))
    )
    yield from streamed(session, query)


def steps(session: Session) -> Iterator[Any]:
    """Yield (registration, event, what the ledger wrote for it, the contract) of every step, each
    registration's together and in their order.
    """
    query = (
        select(
            _whole(Registration), _whole(RegistrationEvent), _whole(Transaction), _whole(Contract)
        )
        .join(Registration, col(Registration.id) == col(RegistrationEvent.registration_id))
        .join(Contract, col(Contract.id) == col(Registration.contract_id))
        .outerjoin(Transaction, col(Transaction.id) == col(RegistrationEvent.transaction_id))
        .order_by(col(RegistrationEvent.registration_id), col(RegistrationEvent.place))
    )
    yield from streamed(session, query)


def without_steps(session: Session) -> Iterator[str]:
    """Yield the public ids of registrations that were handed in and have no step."""
    its = select(col(RegistrationEvent.id)).where(
        col(RegistrationEvent.registration_id) == col(Registration.id)
    )
    query = select(col(Registration.public_id)).where(
        col(Registration.handed_in_on).is_not(None), ~its.exists()
    )
    yield from session.scalars(query)


def other_files(session: Session) -> Iterator[str]:
    """Yield the public ids of registrations whose file is not the one whose hash they hold."""
    query = (
        select(col(Registration.public_id))
        .join(StoredFile, col(StoredFile.id) == col(Registration.file_id))
        .where(col(StoredFile.sha256) != col(Registration.file_sha256))
    )
    yield from session.scalars(query)


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
    yield from streamed(session, query)


def rows(session: Session, table: Either) -> Iterator[Any]:
    """Yield all rows of a table, each a mapping of its columns."""
    query = select(table_of(table)).order_by(col(table.id))
    for row in streamed(session, query):
        yield row._mapping  # noqa: SLF001  SQLAlchemy's own name for it


def _whole(entity: Any) -> Bundle[Any]:
    """Return all columns of a table as one value: lighter than an object of the session."""
    names = [one.key for one in inspect(entity).mapper.column_attrs]
    return Bundle("whole", *(getattr(entity, name) for name in names))


def reversed_otherwise(session: Session, table: Either) -> Iterator[tuple[str, str]]:
    """Yield (public id, number) where what counts was taken out, or what is out still counts."""
    undo = aliased(Transaction)
    counts: ColumnElement[bool] = col(table.state).in_(_COUNTS[table])
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
