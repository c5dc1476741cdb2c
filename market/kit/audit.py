"""Who did what, when, and with what outcome: one row for every change and every refusal.

A change's row stands in the change's own transaction. A refusal's row is written after the
rollback, in a transaction of its own, or it would vanish with what it tells of. Rows are
append-only: triggers refuse every update on both databases, and to delete a row before the time
is over for which the law wants logs kept.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import ColumnElement, Index, delete, func
from sqlmodel import Session, col, select

from market.kit.columns import Table, big, choice, moment, one_of, pk, words
from market.kit.db import changed

LEAST_DAYS: Final = 183
"""Six months, the least for which 网络安全法 21 wants logs kept; the triggers hold it."""


class Outcome(StrEnum):
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


class AuditRow(Table, table=True):
    __tablename__ = "audit"
    __table_args__ = (
        one_of("outcome", Outcome),
        Index("ix_audit_at", "at"),
        Index("ix_audit_person", "person_id", "id"),
    )

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


def count_since(session: Session, action: str, outcome: Outcome, since: datetime) -> int:
    """Return how many rows of an action ended so since then."""
    query = select(func.count()).where(
        col(AuditRow.at) >= since, col(AuditRow.action) == action, col(AuditRow.outcome) == outcome
    )
    return session.exec(query).one()


@dataclass(frozen=True, slots=True)
class Only:
    """Which rows; "" and None ask for no limit. `until` is the first moment that is too late."""

    action: str = ""
    outcome: str = ""
    organisation_ids: Collection[int] | None = None
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        if self.action:
            yield col(AuditRow.action) == self.action
        if self.outcome:
            yield col(AuditRow.outcome) == self.outcome
        if self.organisation_ids is not None:
            yield col(AuditRow.organisation_id).in_(self.organisation_ids)
        if self.since is not None:
            yield col(AuditRow.at) >= self.since
        if self.until is not None:
            yield col(AuditRow.at) < self.until


ALL: Final = Only()


def newest(
    session: Session, *, limit: int, before_id: int | None = None, only: Only = ALL
) -> list[AuditRow]:
    """Return rows newest first, `limit` at most, those before `before_id`."""
    query = select(AuditRow).where(*only.conditions()).order_by(col(AuditRow.id).desc())
    query = query.limit(limit)
    if before_id is not None:
        query = query.where(col(AuditRow.id) < before_id)
    return list(session.exec(query))


def expire(session: Session, now: datetime, limit: int, *, keep: timedelta) -> int:
    """Delete at most `limit` rows older than `keep`, the oldest first. Return how many."""
    old = select(AuditRow.id).where(col(AuditRow.at) < now - keep).order_by(col(AuditRow.id))
    return changed(session, delete(AuditRow).where(col(AuditRow.id).in_(old.limit(limit))))
