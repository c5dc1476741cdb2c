"""SQL of periods."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlmodel import Session, col

from market.kit.db import must_change
from market.ledger.models import Book, Period, PeriodState


def closed_through(session: Session, book: Book) -> date | None:
    """Return the last day on which nothing takes effect any more."""
    query = select(func.max(col(Period.ends_on))).where(
        col(Period.book) == book, col(Period.state) != PeriodState.OPEN
    )
    return session.scalar(query)


def months(session: Session, book: Book, wanted: Collection[str]) -> set[str]:
    """Return those of these months that are periods already."""
    query = select(col(Period.month)).where(col(Period.book) == book, col(Period.month).in_(wanted))
    return set(session.scalars(query))


def span(session: Session, book: Book) -> tuple[str, str] | None:
    """Return the first and the last month that is a period; None where none is."""
    query = select(func.min(col(Period.month)), func.max(col(Period.month))).where(
        col(Period.book) == book
    )
    first, last = session.execute(query).one()
    return None if first is None else (first, last)


def all_of(session: Session, book: Book) -> list[Period]:
    """Return the periods of a book, the newest first."""
    query = select(Period).where(col(Period.book) == book).order_by(col(Period.month).desc())
    return list(session.scalars(query))


def get(session: Session, book: Book, month: str) -> Period | None:
    return session.scalars(
        select(Period).where(col(Period.book) == book, col(Period.month) == month)
    ).first()


def open_until(session: Session, book: Book, last: date) -> list[Period]:
    """Return the open periods that end by a day, the oldest first."""
    query = (
        select(Period)
        .where(
            col(Period.book) == book,
            col(Period.state) == PeriodState.OPEN,
            col(Period.ends_on) <= last,
        )
        .order_by(col(Period.month))
    )
    return list(session.scalars(query))


def closing(session: Session, book: Book) -> list[Period]:
    """Return the periods that wait for their figures to stand outside, the oldest first."""
    query = (
        select(Period)
        .where(col(Period.book) == book, col(Period.state) == PeriodState.CLOSING)
        .order_by(col(Period.month))
    )
    return list(session.scalars(query))


def add(session: Session, rows: Sequence[Period]) -> None:
    session.add_all(rows)
    session.flush()


def move(
    session: Session, row: Period, expected: PeriodState, to: PeriodState, **values: Any
) -> None:
    """Raises Conflict where the period has moved on."""
    must_change(
        session,
        update(Period)
        .where(col(Period.id) == row.id, col(Period.state) == expected)
        .values(state=to, **values),
        "这个账期已由别人关账，请刷新后查看",
    )
    session.refresh(row)


def ever_closed(session: Session, book: Book) -> datetime | None:
    """Return when a period of the book was closed first by a person."""
    query = select(func.min(col(Period.closing_at))).where(
        col(Period.book) == book, col(Period.closed_by).is_not(None)
    )
    return session.scalar(query)
