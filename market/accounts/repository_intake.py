"""The SQL of organisations brought in by file."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import delete, exists, insert, update
from sqlmodel import Session, col, select

from market.accounts.models import Membership, Organisation, Verification
from market.kit.db import changed
from market.kit.ids import OrganisationId

_STEP = 500


def by_codes(session: Session, codes: Collection[str]) -> dict[str, Organisation]:
    """Return organisations by their credit code."""
    query = select(Organisation).where(col(Organisation.credit_code).in_(codes))
    return {str(row.credit_code): row for row in session.exec(query)}


def with_members(session: Session, ids: Collection[OrganisationId]) -> set[OrganisationId]:
    """Return those that anybody belongs to, has belonged to, or asks to."""
    query = select(col(Membership.organisation_id)).where(col(Membership.organisation_id).in_(ids))
    return set(session.exec(query.distinct()))


def insert_all(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    session.connection().execute(insert(Organisation), rows)


def change(
    session: Session, organisation_id: int, edits: int, values: dict[str, Any], to: int
) -> bool:
    """Set columns of an entry that nobody belongs to and nobody has edited since it had `edits`."""
    return (
        changed(
            session,
            update(Organisation)
            .where(*_untouched(organisation_id, edits))
            .values(**values, edits=to),
        )
        == 1
    )


def remove(session: Session, organisation_id: int, edits: int) -> bool:
    """Delete an entry, under the same conditions."""
    return changed(session, delete(Organisation).where(*_untouched(organisation_id, edits))) == 1


def name_of(session: Session, organisation_id: int) -> str | None:
    query = select(col(Organisation.name)).where(col(Organisation.id) == organisation_id)
    return session.exec(query).first()


def _untouched(organisation_id: int, edits: int) -> tuple[Any, ...]:
    members = exists().where(col(Membership.organisation_id) == col(Organisation.id))
    return (
        col(Organisation.id) == organisation_id,
        col(Organisation.edits) == edits,
        col(Organisation.verification) == Verification.PENDING,
        ~members,
    )


def directory(session: Session, kinds: Collection[str]) -> Iterator[Organisation]:
    """Yield all organisations of these kinds that have a credit code, in steps."""
    last = 0
    while True:
        query = (
            select(Organisation)
            .where(
                col(Organisation.id) > last,
                col(Organisation.kind).in_(kinds),
                col(Organisation.credit_code).is_not(None),
            )
            .order_by(col(Organisation.id))
            .limit(_STEP)
        )
        rows = session.exec(query).all()
        yield from rows
        if len(rows) < _STEP:
            return
        last = rows[-1].id
