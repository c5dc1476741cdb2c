"""Who did what, when, and with what outcome: one row for every change and every refusal.

A change's row stands in the change's own transaction. A refusal's row is written after the
rollback, in a transaction of its own, or it would vanish with what it tells of. Rows are
append-only: triggers refuse update and delete on both databases.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index
from sqlmodel import Session, col, select

from market.kit.columns import Table, big, choice, moment, one_of, pk, words


class Outcome(StrEnum):
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


class AuditRow(Table, table=True):
    __tablename__ = "audit"
    __table_args__ = (one_of("outcome", Outcome), Index("ix_audit_at", "at"))

    id: int = pk()
    at: datetime = moment()
    person_id: int | None = big(nullable=True)
    organisation_id: int | None = big(nullable=True)
    role: str = words(20)
    action: str = words(60)
    subject: str | None = words(120, nullable=True)
    outcome: str = choice()
    detail: str | None = words(300, nullable=True)


def write(
    session: Session,
    *,
    at: datetime,
    person_id: int | None,
    organisation_id: int | None,
    role: str,
    action: str,
    subject: str | None,
    outcome: Outcome,
    detail: str | None = None,
) -> None:
    session.add(
        AuditRow(
            at=at,
            person_id=person_id,
            organisation_id=organisation_id,
            role=role,
            action=action,
            subject=subject[:120] if subject else None,
            outcome=outcome,
            detail=detail[:300] if detail else None,
        )
    )


def newest(session: Session, *, limit: int, before_id: int | None = None) -> list[AuditRow]:
    """Return rows newest first, `limit` at most, those before `before_id`."""
    query = select(AuditRow).order_by(col(AuditRow.id).desc()).limit(limit)
    if before_id is not None:
        query = query.where(col(AuditRow.id) < before_id)
    return list(session.exec(query))
