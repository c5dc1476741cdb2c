"""The SQL of the fee schedule."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Date, delete, func, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from market.kit.db import changed, is_sqlite
from market.kit.ids import FeeId
from market.payments.models import CardLimit, Fee, Payment


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the schedule, and the day from which the next of its code follows."""

    fee: Fee
    next_from: date | None

    @property
    def until(self) -> date | None:
        """Return the first day on which it is in force no more."""
        ends = [day for day in (self.fee.ends_on, self.next_from) if day is not None]
        return min(ends, default=None)

    def holds(self, on: date) -> bool:
        return self.fee.effective_from <= on and (self.until is None or on < self.until)


def lines(session: Session) -> list[Line]:
    """Return the schedule of all days, by code and the newest first."""
    follows = func.lead(col(Fee.effective_from), type_=Date).over(
        partition_by=col(Fee.code), order_by=col(Fee.effective_from)
    )
    query = select(Fee, follows).order_by(col(Fee.code), col(Fee.effective_from).desc())
    found = session.execute(query, execution_options={"populate_existing": True})
    return [Line(fee, next_from) for fee, next_from in found]


def write(session: Session, values: dict[str, Any]) -> bool:
    """Write a line; return False where its code has one of that day."""
    dialect = sqlite if is_sqlite(session) else postgresql
    session.flush()
    new = dialect.insert(Fee).on_conflict_do_nothing().values(**values)
    return session.scalars(new.returning(col(Fee.id))).first() is not None


def stands(session: Session, fee_id: FeeId) -> bool:
    return session.exec(select(Fee.id).where(col(Fee.id) == fee_id)).first() is not None


def end(session: Session, seen: Fee, on: date) -> bool:
    """End a line as it was seen; return False where it is another by now."""
    where = (col(Fee.id) == seen.id, col(Fee.ends_on).is_not_distinct_from(seen.ends_on))
    return changed(session, update(Fee).where(*where).values(ends_on=on)) == 1


def withdraw(session: Session, fee_id: FeeId, today: date) -> bool:
    """Take out a line from today or later that no payment refers to; return whether."""
    unused = ~select(Payment.id).where(col(Payment.fee_id) == fee_id).exists()
    return _taken_out(session, Fee, col(Fee.id) == fee_id, col(Fee.effective_from) >= today, unused)


def withdraw_limit(session: Session, of: date, today: date) -> bool:
    """Take out the limits from today or later; return whether."""
    day = col(CardLimit.effective_from)
    return _taken_out(session, CardLimit, day == of, day >= today)


def _taken_out(session: Session, table: type[Fee | CardLimit], *where: ColumnElement[bool]) -> bool:
    try:
        with session.begin_nested():
            return changed(session, delete(table).where(*where)) == 1
    except IntegrityError:  # a payment was made by it meanwhile
        return False
