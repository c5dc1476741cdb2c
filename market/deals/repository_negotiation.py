"""The SQL of what stands beside a deal: further parties and listings, files, next steps."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, or_, update
from sqlmodel import Session, col, delete, select

from market.accounts.models import Organisation
from market.deals.models import Deal, DealNote
from market.deals.models_negotiation import (
    DealFile,
    DealListing,
    DealParty,
    NextStep,
    TermsInstalment,
)
from market.deals.vocabulary import Audience, DealState, Side
from market.kit.db import changed, must_change
from market.kit.files import StoredFile
from market.kit.ids import DealId, ListingId, OrganisationId, PersonId, PublicId


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads what was shared in a deal: a party, or else a broker of some of its parties."""

    organisation_id: OrganisationId
    party: bool
    principals: frozenset[OrganisationId]


def may_read(table: type[DealNote] | type[DealFile], reader: Reader) -> ColumnElement[bool]:
    """Return the WHERE clause of what a reader may read: its own, and what was shared with it."""
    shared = [Audience.ALL, Audience.PARTIES] if reader.party else [Audience.ALL]
    visible = or_(
        col(table.organisation_id) == reader.organisation_id, col(table.audience).in_(shared)
    )
    if reader.party:
        return visible
    from_principal = and_(
        col(table.audience) == Audience.BROKERS, col(table.organisation_id).in_(reader.principals)
    )
    return or_(visible, from_principal)


def notes(session: Session, deal_id: DealId, reader: Reader) -> Sequence[DealNote]:
    query = select(DealNote).where(col(DealNote.deal_id) == deal_id, may_read(DealNote, reader))
    return session.exec(query.order_by(col(DealNote.id))).all()


def files(
    session: Session, deal_id: DealId, reader: Reader
) -> Sequence[tuple[DealFile, StoredFile]]:
    """Return the files of a deal that a reader may read, the newest first."""
    query = (
        select(DealFile, StoredFile)
        .join(StoredFile, col(StoredFile.id) == col(DealFile.file_id))
        .where(col(DealFile.deal_id) == deal_id, may_read(DealFile, reader))
        .order_by(col(DealFile.id).desc())
    )
    return session.exec(query).all()


def share_file(session: Session, row: DealFile, seen: Audience, to: Audience) -> None:
    """Show a file to more readers. Raises Conflict where it was shared or removed meanwhile."""
    must_change(
        session,
        update(DealFile)
        .where(col(DealFile.id) == row.id, col(DealFile.audience) == seen)
        .values(audience=to),
        "这份文件刚被改过，请刷新后再操作",
    )


def remove_file(session: Session, row: DealFile) -> None:
    """Take a file that nobody else could read out of a deal. Raises Conflict where it was shared
    meanwhile.
    """
    must_change(
        session,
        delete(DealFile).where(col(DealFile.id) == row.id, col(DealFile.audience) == Audience.OWN),
        "这份文件已经给别人看，不能再移除",
    )


def further_sides(
    session: Session, organisation_id: OrganisationId, deal_ids: Collection[DealId]
) -> dict[DealId, Side]:
    """Return on which side an organisation is a further party of these deals."""
    rows = session.exec(
        select(DealParty).where(
            col(DealParty.organisation_id) == organisation_id, col(DealParty.deal_id).in_(deal_ids)
        )
    )
    return {row.deal_id: Side(row.side) for row in rows}


def further_parties(session: Session, deal_id: DealId) -> Sequence[DealParty]:
    query = select(DealParty).where(col(DealParty.deal_id) == deal_id)
    return session.exec(query.order_by(col(DealParty.id))).all()


def state_founded(session: Session, deal_ids: Collection[DealId]) -> set[DealId]:
    """Return those of these deals in which a seller, the leading one or a further, was founded by
    the state.
    """
    further = exists().where(
        col(DealParty.deal_id) == col(Deal.id),
        col(DealParty.side) == Side.SELLER,
        col(DealParty.organisation_id) == col(Organisation.id),
    )
    query = (
        select(col(Deal.id))
        .join(Organisation, or_(col(Organisation.id) == col(Deal.seller_id), further))
        .where(col(Deal.id).in_(deal_ids), col(Organisation.state_founded))
    )
    return set(session.exec(query))


def further_in(organisations: Collection[OrganisationId]) -> ColumnElement[bool]:
    """Return the WHERE clause of deals in which one of these is a further party."""
    own = select(col(DealParty.deal_id)).where(col(DealParty.organisation_id).in_(organisations))
    return col(Deal.id).in_(own)


def confirm_share(session: Session, row: DealParty, version: int) -> int:
    """Note that a further party agrees to its share in a version of the terms; 0 where it did."""
    return changed(
        session,
        update(DealParty)
        .where(col(DealParty.id) == row.id, col(DealParty.confirmed_version) != version)
        .values(confirmed_version=version),
    )


def remove_party(session: Session, row: DealParty) -> None:
    changed(session, delete(DealParty).where(col(DealParty.id) == row.id))


def further_listings(session: Session, deal_id: DealId) -> Sequence[DealListing]:
    query = select(DealListing).where(col(DealListing.deal_id) == deal_id)
    return session.exec(query.order_by(col(DealListing.id))).all()


def remove_listing(session: Session, deal_id: DealId, listing_id: ListingId) -> int:
    return changed(
        session,
        delete(DealListing).where(
            col(DealListing.deal_id) == deal_id, col(DealListing.listing_id) == listing_id
        ),
    )


def instalments(
    session: Session, terms_ids: Collection[int]
) -> Mapping[int, list[TermsInstalment]]:
    """Return the payments of these proposals, each in order."""
    rows = session.exec(
        select(TermsInstalment)
        .where(col(TermsInstalment.terms_id).in_(terms_ids))
        .order_by(col(TermsInstalment.position))
    )
    found: dict[int, list[TermsInstalment]] = {}
    for row in rows:
        found.setdefault(row.terms_id, []).append(row)
    return found


def next_steps(
    session: Session, organisation_id: OrganisationId, deal_ids: Collection[DealId]
) -> dict[DealId, NextStep]:
    """Return what an organisation means to do next in each of these deals."""
    rows = session.exec(
        select(NextStep).where(
            col(NextStep.organisation_id) == organisation_id,
            col(NextStep.deal_id).in_(deal_ids),
            col(NextStep.ended_at).is_(None),
        )
    )
    return {row.deal_id: row for row in rows}


def waiting_steps(
    session: Session,
    deal_ids: Iterable[DealId] | None = None,
    *,
    person_id: PersonId | None = None,
    organisation_id: OrganisationId | None = None,
) -> Sequence[tuple[NextStep, Deal]]:
    """Return the next steps that wait in deals under way: all, of some deals, or of a person."""
    query = (
        select(NextStep, Deal)
        .join(Deal, col(Deal.id) == col(NextStep.deal_id))
        .where(
            col(NextStep.ended_at).is_(None),
            col(Deal.state) != DealState.LOST,
            col(Deal.concluded_at).is_(None),
        )
        .order_by(col(NextStep.id))
    )
    if deal_ids is not None:
        query = query.where(col(NextStep.deal_id).in_(list(deal_ids)))
    if person_id is not None:
        query = query.where(
            col(NextStep.person_id) == person_id, col(NextStep.organisation_id) == organisation_id
        )
    return session.exec(query).all()


def end_step(
    session: Session,
    deal_id: DealId,
    organisation_id: OrganisationId,
    at: datetime,
    *,
    done: bool,
) -> int:
    """End the waiting step of an organisation in a deal. Return 0 where there is none."""
    return changed(
        session,
        update(NextStep)
        .where(
            col(NextStep.deal_id) == deal_id,
            col(NextStep.organisation_id) == organisation_id,
            col(NextStep.ended_at).is_(None),
        )
        .values(ended_at=at, done=done),
    )


def attached(
    session: Session, deal_id: DealId, organisation_id: OrganisationId
) -> Sequence[StoredFile]:
    """Return the files that one organisation put to a deal."""
    return session.exec(
        select(StoredFile)
        .join(DealFile, col(StoredFile.id) == col(DealFile.file_id))
        .where(col(DealFile.deal_id) == deal_id, col(DealFile.organisation_id) == organisation_id)
    ).all()


def file_of(
    session: Session, deal_id: DealId, file_id: PublicId, reader: Reader
) -> tuple[DealFile, StoredFile] | None:
    """Return a file of a deal to those who may read it."""
    return session.exec(
        select(DealFile, StoredFile)
        .join(StoredFile, col(StoredFile.id) == col(DealFile.file_id))
        .where(
            col(DealFile.deal_id) == deal_id,
            col(StoredFile.public_id) == file_id,
            may_read(DealFile, reader),
        )
    ).first()
