"""The SQL of what waits in accounts."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import exists, func
from sqlmodel import Session, col, select

from market.accounts.models import Membership, MembershipState, Organisation, Verification


def requests(session: Session) -> Sequence[Membership]:
    """Return all requests to join that nobody has decided."""
    return session.exec(
        select(Membership).where(col(Membership.state) == MembershipState.REQUESTED)
    ).all()


def unverified(session: Session) -> Sequence[Organisation]:
    """Return what waits for the bureau: not entries of a directory that nobody belongs to."""
    return session.exec(select(Organisation).where(*_waits())).all()


def _waits() -> tuple[Any, ...]:
    members = exists().where(col(Membership.organisation_id) == col(Organisation.id))
    return col(Organisation.verification) == Verification.PENDING, members


def pending_count(session: Session) -> int:
    """Return how many organisations wait for the bureau."""
    query = select(func.count()).select_from(Organisation).where(*_waits())
    count: int = session.exec(query).one()
    return count
