"""SQL of the rules of rewards and brokers."""

from datetime import date, datetime

from sqlalchemy import update
from sqlmodel import Session, col, select

from market.kit.db import must_change
from market.kit.ids import PublicId
from market.rules.models_transfer import TransferRule, TransferRuleState


def rules(session: Session) -> list[TransferRule]:
    """Return all, those in force first, the newest day first."""
    return list(
        session.exec(
            select(TransferRule)
            .order_by(
                col(TransferRule.state).desc(),
                col(TransferRule.effective_from).desc(),
                col(TransferRule.id).desc(),
            )
            .limit(500)
        )
    )


def at(session: Session, day: date) -> TransferRule | None:
    return session.exec(
        select(TransferRule)
        .where(
            col(TransferRule.state) == TransferRuleState.CURRENT,
            col(TransferRule.effective_from) <= day,
        )
        .order_by(col(TransferRule.effective_from).desc())
    ).first()


def first(session: Session) -> TransferRule | None:
    return session.exec(
        select(TransferRule)
        .where(col(TransferRule.state) == TransferRuleState.CURRENT)
        .order_by(col(TransferRule.effective_from))
    ).first()


def current_from(session: Session, day: date) -> TransferRule | None:
    return session.exec(
        select(TransferRule).where(
            col(TransferRule.state) == TransferRuleState.CURRENT,
            col(TransferRule.effective_from) == day,
        )
    ).first()


def get(session: Session, rule_id: int) -> TransferRule:
    return session.get_one(TransferRule, rule_id)


def archive(session: Session, rule: PublicId, *, at: datetime) -> None:
    must_change(
        session,
        update(TransferRule)
        .where(
            col(TransferRule.public_id) == rule,
            col(TransferRule.state) == TransferRuleState.CURRENT,
        )
        .values(state=TransferRuleState.ARCHIVED, archived_at=at),
        "这条规则刚被别人改过，请刷新后再改",
    )
