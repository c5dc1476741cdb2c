"""Months of a book. What is closed never changes: a later correction falls in the open period and
says by its `original_on` what it corrects.

To close a month closes all before it. A month can be closed once it is over; it closes by itself
`close_days` after its end, but only after the bureau has closed one by hand: until then history
may be brought in for its own days (docs/decisions/0005).
"""

from calendar import monthrange
from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Final

from sqlmodel import Session

from market.kit.clock import local_date
from market.kit.errors import Conflict, NotFound
from market.kit.ids import PersonId
from market.ledger import chain, records, repository, repository_periods, repository_sums
from market.ledger.models import Book, Chain, Period, PeriodState
from market.ledger.schemas import Slice, Sum

KIND: Final = "period"
S = PeriodState


def place(session: Session, book: Book, wanted: date, at: datetime) -> date:
    """Return the day on which something takes effect that is of a day: that day, or today where it
    lies in what is closed. The caller has locked the book.
    """
    return place_many(session, book, [wanted], at)[0]


def place_many(session: Session, book: Book, wanted: Collection[date], at: datetime) -> list[date]:
    """As `place` for several days; their months are periods from then on."""
    last = repository_periods.closed_through(session, book)
    today = local_date(at)
    placed = [today if last is not None and day <= last else day for day in wanted]
    months = {f"{day:%Y-%m}" for day in placed}
    if months - repository_periods.months(session, book, months):
        open_months(session, book, _missing(session, book, months), at)
    return placed


def reach(session: Session, book: Book, last: str, at: datetime) -> None:
    """Make periods of all months up to one, from the first in which anything took effect: a month
    in which nothing did can be closed as well. The caller has locked the book.
    """
    span = repository_periods.span(session, book)
    if span is not None and span[0] < last:
        open_months(session, book, _missing(session, book, {last}), at)


def ahead(session: Session, book: Book, at: datetime) -> list[Period]:
    """Return the months that are over and no periods yet, the newest first, as they will be: to
    close one makes it a period, and a page that only reads cannot. They are in no session.
    """
    over = f"{local_date(at).replace(day=1) - timedelta(days=1):%Y-%m}"
    span = repository_periods.span(session, book)
    if span is None or span[1] >= over:
        return []
    return [
        Period(book=book, month=month, begins_on=first, ends_on=last, opened_at=at, state=S.OPEN)
        for month, (first, last) in (
            (month, bounds(month)) for month in reversed(_missing(session, book, {over}))
        )
    ]


def _missing(session: Session, book: Book, wanted: Collection[str]) -> list[str]:
    """Return these months and those that lie between them and the periods, where they are none yet
    and are not closed along with a later one.
    """
    first, last = repository_periods.span(session, book) or (min(wanted), max(wanted))
    closed = repository_periods.closed_through(session, book)
    month, end = min(first, *wanted), max(last, *wanted)
    found = []
    while month <= end:
        _, until = bounds(month)
        if closed is None or until > closed:
            found.append(month)
        month = f"{until + timedelta(days=1):%Y-%m}"
    known = repository_periods.months(session, book, found)
    return [one for one in found if one not in known]


def open_months(session: Session, book: Book, months: Collection[str], at: datetime) -> None:
    """Make months periods, which none of them is yet."""
    rows = [
        Period(book=book, month=month, begins_on=first, ends_on=last, opened_at=at)
        for month, (first, last) in ((month, bounds(month)) for month in months)
    ]
    if rows:
        repository_periods.add(session, rows)
        _keep(session, rows, at)


def _keep(session: Session, rows: Collection[Period], at: datetime) -> None:
    given = [(f"{row.book}:{row.month}", records.said(row)) for row in rows]
    records.keep_many(session, KIND, given, at=at)


def bounds(month: str) -> tuple[date, date]:
    """Return the first and the last day of "2026-11". Raises NotFound for what is no month."""
    try:
        first = date.fromisoformat(f"{month}-01")
    except ValueError:
        raise NotFound from None
    return first, first.replace(day=monthrange(first.year, first.month)[1])


def closable(period: Period, today: date) -> bool:
    return period.state == S.OPEN and period.ends_on < today


def close(
    session: Session, book: Book, month: str, *, by: PersonId | None, at: datetime
) -> list[Period]:
    """Let nothing fall into a month and those before it any more; return these, the oldest first.

    They are `closing` until `finish`, called when their figures stand outside the database. Raises
    NotFound for a month before the first in which anything took effect; Conflict where it is not
    over, or closed already.
    """
    _, last = bounds(month)
    repository.lock_head(session, Chain(book))
    over = last < local_date(at)
    if over:
        reach(session, book, month, at)
    found = repository_periods.get(session, book, month)
    if found is None:
        raise NotFound
    if not over:
        raise Conflict(f"{month}还没有结束，到{last + timedelta(days=1)}才能关账")
    if found.state != S.OPEN:
        raise Conflict("这个账期已经关账")
    head = repository.head(session, Chain(book))
    rows = repository_periods.open_until(session, book, last)
    for row in rows:
        came = figures(session, row)
        repository_periods.move(
            session,
            row,
            S.OPEN,
            S.CLOSING,
            closing_at=at,
            closed_by=by,
            count=came.count,
            technical_fen=came.technical_fen,
            total_fen=came.total_fen,
            head_seq=head.seq,
            head_hash=head.hash,
        )
    _keep(session, rows, at)
    return rows


def finish(session: Session, book: Book, *, until: str, at: datetime) -> list[Period]:
    """Call closed what is closing up to a month, now that it stands outside the database."""
    repository.lock_head(session, Chain(book))
    rows = [one for one in repository_periods.closing(session, book) if one.month <= until]
    for row in rows:
        repository_periods.move(session, row, S.CLOSING, S.CLOSED, closed_at=at)
    _keep(session, rows, at)
    return rows


def due(session: Session, book: Book, at: datetime) -> str | None:
    """Return the newest month that has to close by itself now."""
    days = chain.keeping(session).close_days
    if not days or repository_periods.ever_closed(session, book) is None:
        return None
    last = local_date(at) - timedelta(days=days)
    rows = repository_periods.open_until(session, book, last)
    return rows[-1].month if rows else None


def figures(session: Session, period: Period) -> Sum:
    """Return what a month comes to by its entries."""
    part = Slice(since=period.begins_on, until=period.ends_on)
    return repository_sums.total(session, Book(period.book), part)


def listed(session: Session, book: Book = Book.STATISTICS) -> list[Period]:
    """Return the months of a book, the newest first."""
    return repository_periods.all_of(session, book)


def get(session: Session, month: str, book: Book = Book.STATISTICS) -> Period:
    """Raises NotFound."""
    found = repository_periods.get(session, book, month)
    if found is None:
        raise NotFound
    return found


def closed_through(session: Session, book: Book = Book.STATISTICS) -> date | None:
    """Return the last day of what is closed or closing; None where nothing is."""
    return repository_periods.closed_through(session, book)
