"""The SQL by which imports of long ago go."""

from datetime import datetime

from sqlalchemy import delete, func, select
from sqlmodel import Session, col

from market.imports.models import ImportRun, RunProblem, RunRow, RunState
from market.kit.db import changed

MOVING = (RunState.WAITING, RunState.CHECKING, RunState.RUNNING, RunState.UNDOING)


def drop_before(session: Session, before: datetime, limit: int) -> int:
    """Delete at most `limit` rows of the oldest run that ended, or was left lying, before a
    moment, and last the run itself. Return how many.
    """
    old = session.scalar(
        select(col(ImportRun.id))
        .where(
            col(ImportRun.state).not_in(MOVING),
            func.coalesce(col(ImportRun.finished_at), col(ImportRun.created_at)) < before,
        )
        .order_by(col(ImportRun.id))
        .limit(1)
    )
    if old is None:
        return 0
    for table in (RunRow, RunProblem):
        some = select(col(table.id)).where(col(table.run_id) == old).limit(limit)
        if count := changed(session, delete(table).where(col(table.id).in_(some))):
            return count
    return changed(session, delete(ImportRun).where(col(ImportRun.id) == old))
