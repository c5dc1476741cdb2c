"""What waits in brokerage: contested flags for the bureau; and who is told of what is owed."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from sqlmodel import Session

from market.accounts.policy import Action, Role
from market.brokerage import repository
from market.brokerage.models import Bypass, BypassState, Commission
from market.brokerage.rule import Claim
from market.kit import notify
from market.kit.ids import OrganisationId
from market.kit.money import yuan_in_words
from market.kit.notify import Subject, Task, To

DECIDE: Final = "bypass.contested"
KINDS: Final = (DECIDE,)
OWED, FLAGGED, DECIDED = "commission.owed", "bypass.flagged", "bypass.decided"


def tasks(session: Session) -> Iterator[Task]:
    """Yield all that waits in brokerage, as its own rows say."""
    for row in repository.contested(session):
        yield _decide(row)


def _decide(row: Bypass) -> Task:
    return Task(
        To(role=Role.OFFICER),
        DECIDE,
        _subject(row),
        f"处理跳单异议：{row.evidence['project_name']}",
        detail=row.contest_reason,
        asked_by_id=row.contested_by_id,
    )


def _subject(row: Bypass) -> Subject:
    return Subject("bypass", row.public_id)


def moved(session: Session, row: Bypass, at: datetime) -> None:
    """Let the bureau's task stand while a flag is contested."""
    waits = [_decide(row)] if row.state == BypassState.CONTESTED else []
    notify.hold(session, _subject(row), KINDS, waits, at=at)


def owed(session: Session, row: Commission, claim: Claim, at: datetime) -> None:
    """Tell those who pay and those who get that something is owed."""
    said = "数额待双方协商" if claim.amount_fen is None else yuan_in_words(claim.amount_fen)
    sides = ((claim.payers, "应付经理人报酬"), (claim.brokers, "应收报酬"))
    for parts, what in sides:
        for reader, _ in parts:
            notify.tell(
                session,
                To(organisation_id=reader, action=Action.COMMISSION_VIEW),
                OWED,
                Subject("commission", row.public_id),
                f"{what}：{said}",
                key=f"{OWED}:{row.public_id}:{reader}",
                at=at,
            )


def flagged(session: Session, row: Bypass, title: str, at: datetime) -> None:
    """Tell the broker, both sides and the bureau that a deal went around an introduction."""
    readers = [
        To(organisation_id=one, action=Action.BYPASS_VIEW)
        for one in (row.broker_id, row.seller_id, row.buyer_id)
    ]
    for to in (*readers, To(role=Role.OFFICER)):
        notify.tell(
            session,
            to,
            FLAGGED,
            _subject(row),
            f"标记为跳单：{title}",
            key=f"{FLAGGED}:{row.public_id}:{to.organisation_id or to.role}",
            at=at,
            detail="有异议的，请在记录里说明理由，由科技局处理。",
        )


def decided(session: Session, row: Bypass, at: datetime) -> None:
    what = "维持" if row.state == BypassState.UPHELD else "撤销"
    for reader in (row.broker_id, row.seller_id, row.buyer_id):
        _tell(session, row, OrganisationId(reader), f"跳单异议已处理：{what}标记", at)


def _tell(session: Session, row: Bypass, reader: OrganisationId, title: str, at: datetime) -> None:
    notify.tell(
        session,
        To(organisation_id=reader, action=Action.BYPASS_VIEW),
        DECIDED,
        _subject(row),
        title,
        key=f"{DECIDED}:{row.public_id}:{reader}",
        at=at,
        detail=row.decision_note,
    )
