"""Periods as the bureau sees them: what each month came to, its head, and closing one."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from market.accounts.policy import Action, Relation
from market.accounts.work import Work
from market.ledger import periods, repository_sums, repository_verify, tasks
from market.ledger.models import Book, Cause, Period
from market.ledger.schemas import By, Slice, Sum

BOOK: Final = Book.STATISTICS


@dataclass(frozen=True, slots=True)
class Month:
    """A period with its figures: as they were closed, or of an open one, as they are.

    `seal` is the number of the file outside the database in which a closed one stands.
    """

    row: Period
    count: int
    technical_fen: int
    total_fen: int
    seal: int | None
    may_close: bool


def listed(work: Work) -> list[Month]:
    """Return the months, the newest first, also those that are over and in which nothing has been
    written yet. For the bureau and the auditors.
    """
    work.require(Action.PERIOD_VIEW, Relation.OTHER)
    rows = [*periods.ahead(work.session, BOOK, work.now), *periods.listed(work.session)]
    # What is closed says itself what it came to: only what is open is summed.
    first = min((row.month for row in rows if row.head_seq is None), default=f"{work.today:%Y-%m}")
    part = Slice(since=date.fromisoformat(f"{first}-01"))
    now = {row.key: row for row in repository_sums.sums(work.session, BOOK, By.MONTH, part)}
    seals = _seals(work)
    may = work.may(Action.PERIOD_CLOSE, Relation.OTHER)
    return [_month(work, row, now.get(row.month), seals, may=may) for row in rows]


def _month(work: Work, row: Period, now: Sum | None, seals: dict[str, int], *, may: bool) -> Month:
    came = now or Sum(row.month, "", 0, 0, 0)
    closed = row.head_seq is not None
    return Month(
        row,
        (row.count if closed else came.count) or 0,
        (row.technical_fen if closed else came.technical_fen) or 0,
        (row.total_fen if closed else came.total_fen) or 0,
        seals.get(row.month),
        may and periods.closable(row, work.today),
    )


def _seals(work: Work) -> dict[str, int]:
    """Return the file in which each closed month stands."""
    found: dict[str, int] = {}
    for one in repository_verify.seals(work.session):
        if one.cause == Cause.CLOSE:
            found |= dict.fromkeys(one.figures, one.number)
    return found


def close(work: Work, month: str) -> list[Period]:
    """Close a month and all before it, by the bureau. Raises NotFound, Conflict."""
    work.require(Action.PERIOD_CLOSE, Relation.OTHER)
    work.subject = f"period:{month}"
    return tasks.close(work.session, month, by=work.actor.person, at=work.now, book=BOOK)
