"""The only SQL of contracts registered elsewhere."""

from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, extract, func, insert, or_, select, update
from sqlmodel import Session, col

from market.accounts.models import Organisation, Verification
from market.kit.db import must_change
from market.kit.ids import OrganisationId, PastRegistrationId, PersonId, PublicId, TransactionId
from market.registry.models import (
    Cause,
    PastRegistration,
    PastState,
    Registration,
)
from market.registry.states import COUNTING, ENDED, HANDED_IN

_EXPORTED_AT_ONCE = 500


def counted_numbers(
    session: Session, registry: str, numbers: Collection[str]
) -> dict[str, PastRegistration]:
    """Return what counts of these numbers, by number."""
    rows = session.scalars(
        select(PastRegistration).where(
            col(PastRegistration.registry_name) == registry,
            col(PastRegistration.number).in_(numbers),
            col(PastRegistration.state) == PastState.COUNTED,
        )
    )
    return {row.number: row for row in rows}


def counted_marks(session: Session, marks: Collection[str]) -> dict[str, str]:
    """Return the numbers of what counts with these fingerprints, by fingerprint."""
    query = select(col(PastRegistration.fingerprint), col(PastRegistration.number)).where(
        col(PastRegistration.fingerprint).in_(marks),
        col(PastRegistration.state) == PastState.COUNTED,
    )
    return {row[0]: row[1] for row in session.execute(query)}


def native_numbers(session: Session, registry: str, numbers: Collection[str]) -> set[str]:
    """Return those of these numbers that were registered through this market: they count, or
    their contracts were ended, and no other may have them.
    """
    query = select(col(Registration.number)).where(
        col(Registration.registry_name) == registry,
        col(Registration.number).in_(numbers),
        col(Registration.state).in_(COUNTING | ENDED),
    )
    return {one for one in session.scalars(query) if one is not None}


def cancelled_numbers(session: Session, registry: str, numbers: Collection[str]) -> set[str]:
    """Return those of these numbers whose contracts a registry cancelled or revoked: no other may
    have them. One taken out as a mistake of the import was never the contract's.
    """
    query = select(col(PastRegistration.number)).where(
        col(PastRegistration.registry_name) == registry,
        col(PastRegistration.number).in_(numbers),
        col(PastRegistration.cause) == Cause.CANCELLED,
    )
    return set(session.scalars(query))


def native_marks(session: Session, marks: Collection[str]) -> set[str]:
    """Return those of these fingerprints whose contract is handed in or registered here."""
    query = select(col(Registration.fingerprint)).where(
        col(Registration.fingerprint).in_(marks), col(Registration.state).in_(HANDED_IN)
    )
    return set(session.scalars(query))


def known_parties(
    session: Session, codes: Collection[str], names: Collection[str]
) -> list[Organisation]:
    """Return the verified organisations with one of these credit codes or names."""
    return list(
        session.scalars(
            select(Organisation).where(
                col(Organisation.verification) == Verification.VERIFIED,
                or_(col(Organisation.credit_code).in_(codes), col(Organisation.name).in_(names)),
            )
        )
    )


def add_many(session: Session, rows: Sequence[dict[str, Any]]) -> dict[str, PastRegistrationId]:
    """Write rows in one statement. Return their ids by number. Raises IntegrityError."""
    write = insert(PastRegistration).returning(
        col(PastRegistration.id), col(PastRegistration.number)
    )
    return {row[1]: PastRegistrationId(row[0]) for row in session.execute(write, list(rows))}


def by_ids(session: Session, ids: Collection[int]) -> list[PastRegistration]:
    """Return rows as they are now, what was written in bulk included."""
    return list(
        session.scalars(
            select(PastRegistration)
            .where(col(PastRegistration.id).in_(ids))
            .order_by(col(PastRegistration.id)),
            execution_options={"populate_existing": True},
        )
    )


def by_public_id(session: Session, public_id: PublicId) -> PastRegistration | None:
    return session.scalars(
        select(PastRegistration).where(col(PastRegistration.public_id) == public_id)
    ).first()


def take_out(
    session: Session,
    row: PastRegistration,
    *,
    reversal: TransactionId,
    cause: Cause,
    reason: str,
    by: PersonId | None,
    at: datetime,
) -> None:
    """Mark a row as taken out. Raises Conflict where it no longer counts."""
    must_change(
        session,
        update(PastRegistration)
        .where(col(PastRegistration.id) == row.id, col(PastRegistration.state) == PastState.COUNTED)
        .values(
            state=PastState.TAKEN_OUT,
            reversal_id=reversal,
            cause=cause,
            reason=reason,
            taken_out_by=by,
            taken_out_at=at,
        ),
        "这份登记刚被别人冲回，请刷新后查看",
    )
    session.refresh(row)


def take_out_many(
    session: Session,
    reversals: Sequence[tuple[PastRegistrationId, TransactionId]],
    *,
    cause: Cause,
    reason: str,
    by: PersonId | None,
    at: datetime,
) -> None:
    """Mark rows as taken out in one statement. The caller has locked the book and seen that they
    count: nobody else can take them out meanwhile.
    """
    session.execute(
        update(PastRegistration),
        [
            {
                "id": row,
                "state": PastState.TAKEN_OUT,
                "reversal_id": reversal,
                "cause": cause,
                "reason": reason,
                "taken_out_by": by,
                "taken_out_at": at,
            }
            for row, reversal in reversals
        ],
    )


def items_of_organisation(
    session: Session, organisation_id: OrganisationId
) -> Iterator[dict[str, str]]:
    """Yield the items of what an organisation brought in and what counts, in order."""
    after = 0
    while True:
        query = (
            select(col(PastRegistration.id), col(PastRegistration.items))
            .where(
                col(PastRegistration.organisation_id) == organisation_id,
                col(PastRegistration.state) == PastState.COUNTED,
                col(PastRegistration.id) > after,
            )
            .order_by(col(PastRegistration.id))
            .limit(_EXPORTED_AT_ONCE)
        )
        rows = session.execute(query).all()
        for serial, items in rows:
            after = serial
            yield items
        if len(rows) < _EXPORTED_AT_ONCE:
            return


def _chosen(party: OrganisationId | None, text: str, year: int | None) -> ColumnElement[bool]:
    row = PastRegistration
    conditions: list[ColumnElement[bool]] = []
    if party is not None:
        conditions.append(or_(col(row.seller_id) == party, col(row.buyer_id) == party))
    if text:
        conditions.append(
            or_(
                *(
                    col(one).contains(text, autoescape=True)
                    for one in (row.number, row.project_name, row.seller_name, row.buyer_name)
                )
            )
        )
    if year is not None:
        conditions.append(col(row.registered_on).between(date(year, 1, 1), date(year, 12, 31)))
    return and_(True, *conditions)


def page(
    session: Session,
    *,
    party: OrganisationId | None,
    text: str,
    year: int | None,
    limit: int,
    offset: int,
) -> tuple[list[PastRegistration], int]:
    """Return past registrations, newest first, and their number; `party` None stands for all."""
    condition = _chosen(party, text, year)
    rows = session.scalars(
        select(PastRegistration)
        .where(condition)
        .order_by(col(PastRegistration.registered_on).desc(), col(PastRegistration.id).desc())
        .limit(limit)
        .offset(offset)
    )
    count = select(func.count()).select_from(PastRegistration).where(condition)
    return list(rows), int(session.execute(count).scalar_one())


def taken_out(
    session: Session, *, party: OrganisationId | None, text: str, year: int | None
) -> int:
    """Return how many of those of `page` do not count any more."""
    condition = and_(_chosen(party, text, year), col(PastRegistration.state) == PastState.TAKEN_OUT)
    count = select(func.count()).select_from(PastRegistration).where(condition)
    return int(session.execute(count).scalar_one())


def years(session: Session, party: OrganisationId | None) -> list[int]:
    """Return the years in which something was registered, newest first."""
    year = extract("year", col(PastRegistration.registered_on))
    query = select(year).where(_chosen(party, "", None)).distinct()
    return sorted((int(one) for one in session.scalars(query)), reverse=True)
