"""The SQL by which imports of long ago go."""

from datetime import datetime

from sqlalchemy import delete, func, select
from sqlmodel import Session, col

from market.imports.models import ImportRun, RunProblem, RunRow, RunState
from market.kit.db import changed

MOVING = (RunState.WAITING, RunState.CHECKING, RunState.RUNNING, RunState.UNDOING)


def oldest_before(session: Session, before: datetime) -> ImportRun | None:
    """Return the oldest run that ended, or was left lying, before a moment."""
    return session.scalars(
        select(ImportRun)
        .where(
            col(ImportRun.state).not_in(MOVING),
            func.coalesce(col(ImportRun.finished_at), col(ImportRun.created_at)) < before,
        )
        .order_by(col(ImportRun.id))
        .limit(1)
    ).first()


def drop_rows(session: Session, run: ImportRun, limit: int) -> int:
    """Delete at most `limit` of what is kept of a run's rows. Return how many."""
    for table in (RunRow, RunProblem):
        some = select(col(table.id)).where(col(table.run_id) == run.id).limit(limit)
        if count := changed(session, delete(table).where(col(table.id).in_(some))):
            return count
    return 0


def drop(session: Session, run: ImportRun) -> int:
    return changed(session, delete(ImportRun).where(col(ImportRun.id) == run.id))
