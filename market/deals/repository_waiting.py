"""The SQL of what waits in deals."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from market.deals.models import Deal, Inquiry, Introduction
from market.deals.vocabulary import DealState, InquiryState, IntroductionState

_OVER = (IntroductionState.ACCEPTED, IntroductionState.DECLINED)


def open_inquiries(session: Session) -> Sequence[Inquiry]:
    return session.exec(select(Inquiry).where(col(Inquiry.state) == InquiryState.OPEN)).all()


def open_introductions(session: Session) -> Sequence[Introduction]:
    return session.exec(select(Introduction).where(col(Introduction.state).not_in(_OVER))).all()


def open_deals(session: Session) -> Sequence[Deal]:
    """Return deals that are neither lost nor concluded by a signed contract."""
    return session.exec(
        select(Deal).where(col(Deal.state) != DealState.LOST, col(Deal.concluded_at).is_(None))
    ).all()
