"""Marks of routine work: whoever does it writes when it was done and how it ended.

with parts.database.write() as session:
    marks.put(session, marks.BACKUP, at=now, good=True, detail="412 MB")
"""

from datetime import datetime
from typing import Final

from sqlmodel import Session

from market.operations import repository
from market.operations.models import OperationMark

BACKUP: Final = "backup"
AUDIT: Final = "audit"
RETENTION: Final = "retention"
REBUILD: Final = "rebuild"
REBUILD_ASKED: Final = "rebuild.asked"
"""Someone wants the index built anew; done when REBUILD has the same moment or a later one."""
FILLING: Final = "index.filling"
"""An index was lost and is being filled; dropped once it is whole again."""
COMPARED: Final = "matches.compared"
"""Every demand stands compared with all achievements there were then; `detail` is their number."""
PAYMENTS: Final = "payments.sweep"
"""What Stripe had not delivered was asked for."""
DETAIL: Final = 300


def put(session: Session, name: str, *, at: datetime, good: bool, detail: str = "") -> None:
    """Write when a routine work ended; `detail` is shown to operators and names nobody."""
    row = {"name": name, "at": at, "good": good, "detail": detail[:DETAIL]}
    repository.put_mark(session, row)


def get(session: Session, name: str) -> OperationMark | None:
    return repository.mark(session, name)


def drop(session: Session, name: str) -> None:
    repository.drop_mark(session, name)


def newest(session: Session) -> dict[str, OperationMark]:
    """Return the last mark of every routine work that was ever done."""
    return {mark.name: mark for mark in repository.marks(session)}
