"""The SQL of what waits in accounts."""

from collections.abc import Sequence

from sqlalchemy import func
from sqlmodel import Session, col, select

from market.accounts.models import Membership, MembershipState, Organisation, Verification


def requests(session: Session) -> Sequence[Membership]:
    """Return all requests to join that nobody has decided."""
    return session.exec(
        select(Membership).where(col(Membership.state) == MembershipState.REQUESTED)
    ).all()


def unverified(session: Session) -> Sequence[Organisation]:
    return session.exec(
        select(Organisation).where(col(Organisation.verification) == Verification.PENDING)
    ).all()


def pending_count(session: Session) -> int:
    """Return how many organisations wait for the bureau."""
    query = (
        select(func.count())
        .select_from(Organisation)
        .where(col(Organisation.verification) == Verification.PENDING)
    )
    count: int = session.exec(query).one()
    return count
