"""The SQL of comparable deals."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Integer, and_, case, func, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from market.deals.models import Contract
from market.kit.ids import TransactionId
from market.ledger.models import Book, Kind, Transaction
from market.registry.models import PastRegistration, Registration
from market.registry.models_comparables import ComparableGroup, ComparableMember

if TYPE_CHECKING:
    from market.registry.comparables import Band


@dataclass(frozen=True, slots=True)
class Candidate:
    """A counted contract whose sum is not public, and which is in no group yet."""

    transaction_id: TransactionId
    project_name: str
    total_fen: int


@dataclass(frozen=True, slots=True)
class Told:
    """A contract that counts at present, as it is since its last change, and the day on which it
    was registered.
    """

    transaction: Transaction
    registered_on: date


_Register = aliased(Transaction, name="register")


def _standing() -> ColumnElement[bool]:
    """Return the condition for what was said last of a contract that counts."""
    later = aliased(Transaction)
    followed = select(col(later.id)).where(col(later.previous_id) == col(Transaction.id))
    return and_(
        col(Transaction.book) == Book.STATISTICS,
        col(Transaction.kind) != Kind.REVERSE,
        ~followed.exists(),
    )


def _registration() -> ColumnElement[int]:
    """Return the registration that a transaction is or changes."""
    return func.coalesce(col(Transaction.register_id), col(Transaction.id))


def _public() -> ColumnElement[bool]:
    """Return the condition for a contract whose sides agreed that its sum is public."""
    agreed = (
        select(col(Registration.id))
        .join(Contract, col(Contract.id) == col(Registration.contract_id))
        .where(
            col(Registration.transaction_id) == _registration(),
            col(Contract.seller_agrees_public),
            col(Contract.buyer_agrees_public),
        )
    )
    past = select(col(PastRegistration.id)).where(
        col(PastRegistration.transaction_id) == _registration(), col(PastRegistration.public)
    )
    return or_(agreed.exists(), past.exists())


def _waiting(before: datetime) -> ColumnElement[bool]:
    """Return the condition for what stands since before a moment and was never in a group, not as
    it was before a change either.
    """
    member = aliased(Transaction)
    grouped = (
        select(col(ComparableMember.transaction_id))
        .join(member, col(member.id) == col(ComparableMember.transaction_id))
        .where(
            or_(
                col(member.id) == _registration(),
                col(member.register_id) == _registration(),
            )
        )
    )
    return and_(_standing(), col(Transaction.posted_at) < before, ~grouped.exists(), ~_public())


def kinds_waiting(session: Session, before: datetime, least: int) -> list[tuple[str, int]]:
    """Return the types and fields of which at least so many contracts wait for a group."""
    rows = session.execute(
        select(col(Transaction.contract_type), col(Transaction.field))
        .where(_waiting(before))
        .group_by(col(Transaction.contract_type), col(Transaction.field))
        .having(func.count() >= least)
        .order_by(col(Transaction.contract_type), col(Transaction.field))
    )
    return [(row[0], row[1]) for row in rows]


def waiting(
    session: Session, contract_type: str, field: int, before: datetime, limit: int
) -> list[Candidate]:
    """Return contracts of a kind that wait for a group, in the order they were counted."""
    rows = session.execute(
        select(col(Transaction.id), col(Transaction.project_name), col(Transaction.total_fen))
        .where(
            _waiting(before),
            col(Transaction.contract_type) == contract_type,
            col(Transaction.field) == field,
        )
        .order_by(col(Transaction.seq))
        .limit(limit)
    )
    return [Candidate(*row) for row in rows]


def add_group(
    session: Session,
    contract_type: str,
    field: int,
    until: date,
    bands: "Sequence[Band]",
    members: Sequence[Candidate],
) -> None:
    """Write a group with its members, each with the place of its band."""
    group = ComparableGroup(
        field=field,
        contract_type=contract_type,
        until=until,
        size=len(members),
        bands=[[band.low, band.high, band.count] for band in bands],
    )
    session.add(group)
    session.flush()
    for one in members:
        place = next(
            place
            for place, band in enumerate(bands)
            if band.high is None or one.total_fen < band.high
        )
        session.add(
            ComparableMember(transaction_id=one.transaction_id, group_id=group.id, band=place)
        )
    session.flush()


def groups(
    session: Session, field: int | None, types: Collection[str], limit: int
) -> Sequence[ComparableGroup]:
    """Return the newest groups of these types and the field, of all fields for None."""
    query = select(ComparableGroup).where(col(ComparableGroup.contract_type).in_(types))
    if field is not None:
        query = query.where(col(ComparableGroup.field) == field)
    return session.scalars(query.order_by(col(ComparableGroup.id).desc()).limit(limit)).all()


def names_in(session: Session, group_ids: Collection[int]) -> dict[int, list[str]]:
    """Return what the contracts of these groups are called."""
    rows = session.execute(
        select(col(ComparableMember.group_id), col(Transaction.project_name))
        .join(Transaction, col(Transaction.id) == col(ComparableMember.transaction_id))
        .where(col(ComparableMember.group_id).in_(group_ids))
        .order_by(col(Transaction.id))
    )
    found: dict[int, list[str]] = {}
    for group_id, name in rows:
        found.setdefault(group_id, []).append(name)
    return found


def private_counts(session: Session, group_ids: Collection[int]) -> dict[tuple[int, int], int]:
    """Return by group and band how many contracts have a sum that is not public."""
    private = func.sum(case((_public(), 0), else_=1)).cast(Integer)
    rows = session.execute(
        select(col(ComparableMember.group_id), col(ComparableMember.band), private)
        .join(Transaction, col(Transaction.id) == col(ComparableMember.transaction_id))
        .where(col(ComparableMember.group_id).in_(group_ids))
        .group_by(col(ComparableMember.group_id), col(ComparableMember.band))
    )
    return {(row[0], row[1]): int(row[2]) for row in rows}


def moved_on(session: Session, group_ids: Collection[int]) -> set[int]:
    """Return the groups of which a contract was changed or taken out of the ledger since."""
    later = aliased(Transaction)
    rows = session.scalars(
        select(col(ComparableMember.group_id))
        .join(later, col(later.previous_id) == col(ComparableMember.transaction_id))
        .where(col(ComparableMember.group_id).in_(group_ids))
    )
    return set(rows)


def public_contracts(
    session: Session, field: int | None, types: Collection[str], limit: int
) -> list[Told]:
    """Return the newest counted contracts whose sides agreed that names and sum are public."""
    # What fell into a closed month counts from the day it was posted; it was registered earlier.
    day = func.coalesce(col(_Register.original_on), col(_Register.effective_on))
    query = (
        select(Transaction, day)
        .join(_Register, col(_Register.id) == _registration())
        .where(_standing(), _public(), col(Transaction.contract_type).in_(types))
    )
    if field is not None:
        query = query.where(col(Transaction.field) == field)
    rows = session.execute(query.order_by(col(Transaction.seq).desc()).limit(limit))
    return [Told(row[0], row[1]) for row in rows]
