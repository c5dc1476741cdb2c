"""The only SQL of access, and the SQL form of who sees which listing."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from market.access.models import MANDATE_EDGES, Mandate, MandateState, NameDisclosure
from market.accounts.models import Organisation, Verification
from market.accounts.policy import Action, Relation
from market.accounts.work import Actor
from market.catalog.models import Listing, ListingState
from market.kit.db import changed, is_sqlite, must_change
from market.kit.files import StoredFile
from market.kit.ids import ListingId, MandateId, OrganisationId, PublicId


def public_listings() -> ColumnElement[bool]:
    """Return the WHERE clause of what everyone may see: published, by a verified organisation."""
    verified = select(col(Organisation.id)).where(
        col(Organisation.verification) == Verification.VERIFIED
    )
    return and_(
        col(Listing.state) == ListingState.PUBLISHED,
        col(Listing.organisation_id).in_(verified),
    )


def visible_listings(actor: Actor) -> ColumnElement[bool]:
    """Return the WHERE clause on `listing` of what this actor may see; `visible` in SQL."""
    own = (
        col(Listing.organisation_id) == actor.organisation
        if actor.may(Action.LISTING_VIEW_OWN, Relation.OWN)
        else false()
    )
    return or_(own, public_listings())


def listing_by_number(session: Session, number: str) -> Listing | None:
    return session.exec(select(Listing).where(col(Listing.number) == number)).first()


def disclosed(
    session: Session, organisation_id: OrganisationId, listing_ids: Iterable[ListingId]
) -> set[ListingId]:
    """Return those of the listings whose masked name the organisation has learnt."""
    return set(
        session.exec(
            select(col(NameDisclosure.listing_id)).where(
                col(NameDisclosure.organisation_id) == organisation_id,
                col(NameDisclosure.listing_id).in_(set(listing_ids)),
            )
        )
    )


def disclose(
    session: Session, listing_id: ListingId, organisation_id: OrganisationId, at: datetime
) -> None:
    insert = sqlite.insert if is_sqlite(session) else postgresql.insert
    session.flush()
    session.execute(
        insert(NameDisclosure)
        .values(listing_id=listing_id, organisation_id=organisation_id, at=at)
        .on_conflict_do_nothing()
    )


def _in_force(today: date) -> ColumnElement[bool]:
    return and_(
        col(Mandate.state) == MandateState.LIVE,
        col(Mandate.valid_from) <= today,
        col(Mandate.valid_until) >= today,
    )


def mandates_in_force(
    session: Session, agency_id: OrganisationId, today: date
) -> Sequence[Mandate]:
    """Return the agency's mandates that are live today, newest first."""
    return session.exec(
        select(Mandate)
        .where(col(Mandate.agency_id) == agency_id, _in_force(today))
        .order_by(col(Mandate.id).desc())
    ).all()


def agencies_in_force(
    session: Session, principal_ids: Iterable[OrganisationId], today: date
) -> Sequence[Mandate]:
    """Return the mandates of these principals that are live today."""
    return session.exec(
        select(Mandate)
        .where(col(Mandate.principal_id).in_(set(principal_ids)), _in_force(today))
        .order_by(col(Mandate.id))
    ).all()


def mandate_by_public_id(session: Session, public_id: PublicId) -> Mandate | None:
    return session.exec(select(Mandate).where(col(Mandate.public_id) == public_id)).first()


def mandates_of(
    session: Session, organisation_id: OrganisationId, *, offset: int, limit: int
) -> tuple[int, Sequence[Mandate]]:
    """Return (how many, a page of) the mandates an organisation gave or got, newest first."""
    own = or_(
        col(Mandate.principal_id) == organisation_id, col(Mandate.agency_id) == organisation_id
    )
    count = session.exec(select(func.count()).select_from(Mandate).where(own)).one()
    query = select(Mandate).where(own).order_by(col(Mandate.id).desc())
    return int(count), session.exec(query.offset(offset).limit(limit)).all()


def any_mandate(session: Session, organisation_id: OrganisationId) -> bool:
    query = select(col(Mandate.id)).where(
        or_(col(Mandate.principal_id) == organisation_id, col(Mandate.agency_id) == organisation_id)
    )
    return session.exec(query.limit(1)).first() is not None


def open_mandates_of_principal(session: Session, principal_id: OrganisationId) -> Sequence[Mandate]:
    return session.exec(
        select(Mandate).where(
            col(Mandate.principal_id) == principal_id,
            col(Mandate.state).in_([MandateState.OFFERED, MandateState.LIVE]),
        )
    ).all()


def offered(session: Session) -> Sequence[Mandate]:
    """Return all mandates that wait for their agency's answer."""
    return session.exec(select(Mandate).where(col(Mandate.state) == MandateState.OFFERED)).all()


def end_expired(
    session: Session, principal_id: OrganisationId, today: date, at: datetime
) -> Sequence[Mandate]:
    """End the principal's open mandates whose term is over, so that new ones can be given.

    Return those that were ended.
    """
    over = session.exec(
        select(Mandate).where(
            col(Mandate.principal_id) == principal_id,
            col(Mandate.state).in_([MandateState.OFFERED, MandateState.LIVE]),
            col(Mandate.valid_until) < today,
        )
    ).all()
    changed(
        session,
        update(Mandate)
        .where(
            col(Mandate.id).in_([row.id for row in over]),
            col(Mandate.state).in_([MandateState.OFFERED, MandateState.LIVE]),
        )
        .values(state=MandateState.ENDED, ended_at=at),
    )
    for row in over:
        session.refresh(row)
    return over


def move_mandate(
    session: Session, mandate_id: MandateId, expected: MandateState, to: MandateState, **values: Any
) -> None:
    """Move a mandate along one of its edges. Raises Conflict where it stands elsewhere by now."""
    assert to in MANDATE_EDGES[expected]
    must_change(
        session,
        update(Mandate)
        .where(col(Mandate.id) == mandate_id, col(Mandate.state) == expected)
        .values(state=to, **values),
        "这份委托的状态已经变了，请刷新后再看",
    )


def set_evidence(session: Session, mandate_id: MandateId, file_id: int) -> None:
    """Let a mandate that is open refer to its paper. Raises Conflict where it is no longer."""
    must_change(
        session,
        update(Mandate)
        .where(
            col(Mandate.id) == mandate_id,
            col(Mandate.state).in_([MandateState.OFFERED, MandateState.LIVE]),
        )
        .values(evidence_file_id=file_id),
        "这份委托的状态已经变了，请刷新后再看",
    )


def evidence_ids(session: Session, ids: Sequence[MandateId]) -> dict[MandateId, PublicId]:
    query = (
        select(col(Mandate.id), col(StoredFile.public_id))
        .join(StoredFile, col(StoredFile.id) == col(Mandate.evidence_file_id))
        .where(col(Mandate.id).in_(ids))
    )
    return {row[0]: PublicId(row[1]) for row in session.exec(query)}


def evidence_of(session: Session, mandate_id: MandateId) -> StoredFile | None:
    return session.exec(
        select(StoredFile)
        .join(Mandate, col(StoredFile.id) == col(Mandate.evidence_file_id))
        .where(col(Mandate.id) == mandate_id)
    ).first()


def mandates(session: Session, ids: Iterable[MandateId]) -> dict[MandateId, Mandate]:
    rows = session.exec(select(Mandate).where(col(Mandate.id).in_(set(ids))))
    return {row.id: row for row in rows}
