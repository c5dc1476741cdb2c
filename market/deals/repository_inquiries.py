"""The SQL of inquiries and introductions."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import func, or_, update
from sqlmodel import Session, col, select

from market.deals.models import Inquiry, Introduction
from market.deals.vocabulary import InquiryState, IntroductionState
from market.kit.db import changed, must_change
from market.kit.ids import (
    DealId,
    InquiryId,
    IntroductionId,
    ListingId,
    OrganisationId,
    PublicId,
)

LIMIT = 500  # rows of a list; a person looks at no more

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


def inquiries_of(session: Session, organisation_id: OrganisationId) -> Sequence[Inquiry]:
    """Return what an organisation was asked or asked itself, newest first."""
    return session.exec(
        select(Inquiry)
        .where(
            or_(
                col(Inquiry.asker_id) == organisation_id,
                col(Inquiry.owner_id) == organisation_id,
            )
        )
        .order_by(col(Inquiry.id).desc())
        .limit(LIMIT)
    ).all()


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


def introductions_of(session: Session, organisation_id: OrganisationId) -> Sequence[Introduction]:
    """Return the introductions an organisation proposed or got, newest first."""
    return session.exec(
        select(Introduction)
        .where(
            or_(
                col(Introduction.broker_id) == organisation_id,
                col(Introduction.seller_id) == organisation_id,
                col(Introduction.buyer_id) == organisation_id,
            )
        )
        .order_by(col(Introduction.id).desc())
        .limit(LIMIT)
    ).all()


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
