"""The SQL of inquiries and introductions."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, or_, update
from sqlmodel import Session, col, select

from market.deals.models import Inquiry, Introduction
from market.deals.vocabulary import Box, InquiryState, IntroductionState
from market.kit.db import changed, must_change
from market.kit.ids import (
    DealId,
    InquiryId,
    IntroductionId,
    ListingId,
    OrganisationId,
    PublicId,
)

Q, N = InquiryState, IntroductionState
INQUIRY_EDGES: dict[InquiryState, frozenset[InquiryState]] = {
    Q.OPEN: frozenset({Q.ANSWERED, Q.CLOSED}),
    Q.ANSWERED: frozenset({Q.CLOSED}),
    Q.CLOSED: frozenset(),
}
INTRODUCTION_EDGES: dict[IntroductionState, frozenset[IntroductionState]] = {
    N.PROPOSED: frozenset({N.ACCEPTED_SELLER, N.ACCEPTED_BUYER, N.DECLINED}),
    N.ACCEPTED_SELLER: frozenset({N.ACCEPTED, N.DECLINED}),
    N.ACCEPTED_BUYER: frozenset({N.ACCEPTED, N.DECLINED}),
    N.ACCEPTED: frozenset(),
    N.DECLINED: frozenset(),
}


# Inquiries


def inquiry_by_public_id(session: Session, public_id: PublicId) -> Inquiry | None:
    return session.exec(select(Inquiry).where(col(Inquiry.public_id) == public_id)).first()


def open_inquiry(
    session: Session, listing_id: ListingId, asker_id: OrganisationId
) -> Inquiry | None:
    return session.exec(
        select(Inquiry).where(
            col(Inquiry.listing_id) == listing_id,
            col(Inquiry.asker_id) == asker_id,
            col(Inquiry.state) == Q.OPEN,
        )
    ).first()


def _inquiries_of(organisation_id: OrganisationId, box: Box | None) -> ColumnElement[bool]:
    received = col(Inquiry.owner_id) == organisation_id
    sent = col(Inquiry.asker_id) == organisation_id
    return or_(received, sent) if box is None else received if box is Box.RECEIVED else sent


def inquiries_of(
    session: Session, organisation_id: OrganisationId, box: Box | None, *, offset: int, limit: int
) -> Sequence[Inquiry]:
    """Return a page of what an organisation was asked, asked itself, or both, newest first."""
    return session.exec(
        select(Inquiry)
        .where(_inquiries_of(organisation_id, box))
        .order_by(col(Inquiry.id).desc())
        .offset(offset)
        .limit(limit)
    ).all()


def inquiry_count(session: Session, organisation_id: OrganisationId, box: Box | None) -> int:
    query = select(func.count()).select_from(Inquiry)
    return int(session.exec(query.where(_inquiries_of(organisation_id, box))).one())


def inquiries_of_deal(session: Session, deal_id: DealId) -> Sequence[Inquiry]:
    return session.exec(
        select(Inquiry).where(col(Inquiry.deal_id) == deal_id).order_by(col(Inquiry.id))
    ).all()


def askers(session: Session, listing_ids: Collection[ListingId]) -> dict[ListingId, int]:
    """Return how many organisations have asked about each listing."""
    rows = session.exec(
        select(col(Inquiry.listing_id), func.count(func.distinct(col(Inquiry.asker_id))))
        .where(col(Inquiry.listing_id).in_(listing_ids))
        .group_by(col(Inquiry.listing_id))
    )
    return dict(rows.all())


def move_inquiry(
    session: Session, inquiry_id: InquiryId, expected: InquiryState, to: InquiryState, **values: Any
) -> None:
    """Move an inquiry along one of its edges. Raises Conflict where it stands elsewhere by now."""
    assert to in INQUIRY_EDGES[expected]
    must_change(
        session,
        update(Inquiry)
        .where(col(Inquiry.id) == inquiry_id, col(Inquiry.state) == expected)
        .values(state=to, **values),
        "这条询问的状态已经变了，请刷新后再看",
    )


def link_inquiry(session: Session, inquiry_id: InquiryId, deal_id: DealId) -> None:
    changed(session, update(Inquiry).where(col(Inquiry.id) == inquiry_id).values(deal_id=deal_id))


# Introductions


def introduction_by_public_id(session: Session, public_id: PublicId) -> Introduction | None:
    return session.exec(
        select(Introduction).where(col(Introduction.public_id) == public_id)
    ).first()


def introductions_of(
    session: Session, organisation_id: OrganisationId, *, offset: int, limit: int
) -> tuple[int, Sequence[Introduction]]:
    """Return (how many, a page of) the introductions an organisation proposed or got, newest
    first.
    """
    own = or_(
        col(Introduction.broker_id) == organisation_id,
        col(Introduction.seller_id) == organisation_id,
        col(Introduction.buyer_id) == organisation_id,
    )
    count = session.exec(select(func.count()).select_from(Introduction).where(own)).one()
    rows = session.exec(
        select(Introduction)
        .where(own)
        .order_by(col(Introduction.id).desc())
        .offset(offset)
        .limit(limit)
    ).all()
    return int(count), rows


def move_introduction(
    session: Session,
    introduction_id: IntroductionId,
    expected: IntroductionState,
    to: IntroductionState,
    **values: Any,
) -> None:
    """Move an introduction along one of its edges. Raises Conflict where it stands elsewhere."""
    assert to in INTRODUCTION_EDGES[expected]
    must_change(
        session,
        update(Introduction)
        .where(col(Introduction.id) == introduction_id, col(Introduction.state) == expected)
        .values(state=to, **values),
        "这次引荐的状态已经变了，请刷新后再看",
    )


def link_introduction(session: Session, introduction_id: IntroductionId, deal_id: DealId) -> None:
    changed(
        session,
        update(Introduction).where(col(Introduction.id) == introduction_id).values(deal_id=deal_id),
    )


def contact_of(
    session: Session, deal_id: DealId, organisation_id: OrganisationId
) -> tuple[str, str] | None:
    """Return the (name, phone) that an organisation gave in the inquiry a deal came from."""
    row = session.exec(
        select(Inquiry)
        .where(col(Inquiry.deal_id) == deal_id, col(Inquiry.state) == Q.ANSWERED)
        .order_by(col(Inquiry.id).desc())
    ).first()
    if row is None:
        return None
    if row.asker_id == organisation_id:
        return row.contact_name, row.contact_phone
    return row.owner_contact_name, row.owner_contact_phone


def introductions_of_deal(session: Session, deal_id: DealId) -> Sequence[Introduction]:
    """Return the introductions, accepted by both sides, that led to a deal or joined it."""
    return session.exec(
        select(Introduction)
        .where(
            col(Introduction.deal_id) == deal_id,
            col(Introduction.state) == IntroductionState.ACCEPTED,
        )
        .order_by(col(Introduction.id))
    ).all()
