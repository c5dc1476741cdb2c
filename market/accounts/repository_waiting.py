"""The SQL of what waits in accounts, and of the bureau's decision on it."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, func, update
from sqlmodel import Session, col, select

from market.accounts.models import Membership, MembershipState, Organisation, Verification
from market.accounts.policy import Action, OrganisationKind, Relation, Role, allows
from market.kit.db import changed
from market.kit.ids import OrganisationId, PersonId

_PENDING = col(Organisation.verification) == Verification.PENDING


def requests(session: Session) -> Sequence[Membership]:
    """Return all requests to join that nobody has decided."""
    return session.exec(
        select(Membership).where(col(Membership.state) == MembershipState.REQUESTED)
    ).all()


def unverified(session: Session) -> Sequence[Organisation]:
    """Return what waits for the bureau: not entries of a directory that nobody belongs to."""
    return session.exec(select(Organisation).where(_PENDING, ~_entry())).all()


def pending_count(session: Session) -> int:
    """Return how many organisations wait for the bureau."""
    query = select(func.count()).select_from(Organisation).where(_PENDING, ~_entry())
    count: int = session.exec(query).one()
    return count


def organisations_by_verification(session: Session, state: Verification) -> list[Organisation]:
    """Return the newest 500 that stand so; entries of a directory are left out."""
    return _newest(session, col(Organisation.verification) == state, ~_entry())


def directory_entries(session: Session) -> list[Organisation]:
    """Return the newest 500 entries of directories (`intake`)."""
    return _newest(session, _entry())


def _entry() -> ColumnElement[bool]:
    """Unverified, and nobody belongs to it or ever has."""
    members = exists().where(col(Membership.organisation_id) == col(Organisation.id))
    return and_(_PENDING, ~members)


def _newest(session: Session, *conditions: ColumnElement[bool]) -> list[Organisation]:
    return list(
        session.exec(
            select(Organisation)
            .where(*conditions)
            .order_by(col(Organisation.created_at).desc(), col(Organisation.id).desc())
            .limit(500)
        )
    )


def decide_verification(
    session: Session,
    organisation_id: OrganisationId,
    *,
    state: Verification,
    name: str,
    note: str,
    self_publish: bool,
    at: datetime,
    edits: int,
) -> int:
    """Set the bureau's decision; a decision may be revised. Return the rows touched: 0 where the
    organisation was edited since it had `edits`.
    """
    return changed(
        session,
        update(Organisation)
        .where(col(Organisation.id) == organisation_id, col(Organisation.edits) == edits)
        .values(
            edits=edits + 1,
            verification=state,
            name=name,
            verification_note=note,
            self_publish=self_publish,
            verified_at=at if state is Verification.VERIFIED else None,
        ),
    )


def members_who_may(
    session: Session, people: Iterable[PersonId], action: Action
) -> set[tuple[PersonId, OrganisationId]]:
    """Return of these people those who belong to an organisation in a role that may do an action
    on what is its own, once it is verified; each with the organisation.
    """
    rows = session.exec(
        select(Membership, Organisation.kind)
        .join(Organisation, col(Organisation.id) == col(Membership.organisation_id))
        .where(
            col(Membership.person_id).in_(set(people)),
            col(Membership.state) == MembershipState.ACTIVE,
        )
    )
    return {
        (PersonId(row.person_id), OrganisationId(row.organisation_id))
        for row, kind in rows
        if allows(
            action,
            Relation.OWN,
            role=Role(row.role),
            kind=OrganisationKind(kind),
            verified=True,
        )
    }
