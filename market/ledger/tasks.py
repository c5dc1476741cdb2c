"""Writing the heads out: each night, and whenever a month closes.

First the seal is a row, then a file, then what closes is closed: cut short anywhere, the job goes
on where it stood. Several workers write each what its own folder lacks.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final

from sqlmodel import Session

from market.kit import jobs
from market.kit.clock import Clock, local_date
from market.kit.db import Database
from market.kit.ids import PersonId
from market.kit.jobs import Chunk, Handler, Job, Steps
from market.ledger import heads, periods, repository, repository_periods
from market.ledger.models import Book, Cause, Chain, Period

KIND: Final = "ledger.heads"


def close(
    session: Session, month: str, *, by: PersonId | None, at: datetime, book: Book = Book.STATISTICS
) -> list[Period]:
    """Close a month and all before it, and owe the file. Raises what `periods.close` raises."""
    rows = periods.close(session, book, month, by=by, at=at)
    payload = {"book": str(book), "month": month}
    jobs.enqueue(session, KIND, f"{KIND}:{book}:{month}", payload, at=at)
    return rows


def owe_night(session: Session, day: date, *, at: datetime) -> None:
    """Owe the heads of a night."""
    jobs.enqueue(session, KIND, f"{KIND}:{day}", {}, at=at)


def handlers(database: Database, clock: Clock) -> Mapping[str, Handler]:
    def prepare(job: Job) -> None:
        if job.cursor.get("sealed"):
            with database.read() as session:
                heads.write_files(session)

    def commit(session: Session, job: Job, _prepared: None) -> Chunk:
        now = clock.now()
        if not job.cursor.get("sealed"):
            return Chunk({"sealed": _seal(session, job, now)})
        if job.payload:
            periods.finish(session, Book(job.payload["book"]), until=job.payload["month"], at=now)
        else:
            _close_due(session, now)
        return Chunk(None)

    return {KIND: Steps(prepare, commit, lambda _session, _job: None)}


def _seal(session: Session, job: Job, now: datetime) -> bool:
    if not job.payload:
        if any(repository.head(session, one).seq for one in Chain):
            heads.seal(session, Cause.NIGHT, at=now)
        return True
    book, month = Book(job.payload["book"]), job.payload["month"]
    closing = [one for one in repository_periods.closing(session, book) if one.month <= month]
    came = {one.month: [one.count, one.technical_fen, one.total_fen] for one in closing}
    heads.seal(session, Cause.CLOSE, at=now, month=month, figures=came)
    return True


def _close_due(session: Session, now: datetime) -> None:
    over = local_date(now).replace(day=1) - timedelta(days=1)
    for book in Book:
        repository.lock_head(session, Chain(book))
        periods.reach(session, book, f"{over:%Y-%m}", now)
        month = periods.due(session, book, now)
        if month is not None:
            close(session, month, by=None, at=now, book=book)
