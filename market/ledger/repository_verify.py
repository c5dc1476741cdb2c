"""SQL of what must agree within the books, and the links of a chain in their order."""

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, extract, func, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from market.kit.db import streamed, table_of
from market.ledger.models import Book, Entry, Kind, Period, Seal, Transaction
from market.ledger.schemas import COUNTED


def links(session: Session, book: Book) -> Iterator[Any]:
    """Yield the transactions of a book in their order, as rows."""
    query = (
        select(table_of(Transaction))
        .where(col(Transaction.book) == book)
        .order_by(col(Transaction.seq), col(Transaction.id))
    )
    yield from streamed(session, query)


def sides(session: Session, book: Book) -> Iterator[Any]:
    """Yield (transaction's id, account, fen, snapshot's id) of all entries of a book's
    transactions, in the order of `links`.
    """
    query = (
        select(
            col(Entry.transaction_id),
            col(Entry.account),
            col(Entry.amount_fen),
            col(Entry.snapshot_id),
        )
        .join(Transaction, col(Transaction.id) == col(Entry.transaction_id))
        .where(col(Transaction.book) == book)
        .order_by(col(Transaction.seq), col(Transaction.id), col(Entry.id))
    )
    yield from streamed(session, query)


def unbalanced(session: Session) -> list[tuple[int, int, int]]:
    """Return (seq, number of entries, sum) of transactions whose entries do not balance."""
    amount = func.coalesce(func.sum(col(Entry.amount_fen)), 0)
    number = func.count(col(Entry.id))
    query = (
        select(col(Transaction.seq), number, amount)
        .outerjoin(Entry, col(Entry.transaction_id) == col(Transaction.id))
        .group_by(col(Transaction.id), col(Transaction.seq))
        .having(or_(amount != 0, number < 2))
        .order_by(col(Transaction.seq))
    )
    return [(int(seq), int(n), int(total)) for seq, n, total in session.execute(query)]


def entries_without_transaction(session: Session) -> list[int]:
    """Return the entries whose transaction is not there, or in another book."""
    own = and_(
        col(Entry.transaction_id) == col(Transaction.id), col(Entry.book) == col(Transaction.book)
    )
    query = select(col(Entry.id)).outerjoin(Transaction, own).where(col(Transaction.id).is_(None))
    return list(session.scalars(query))


def sequence(session: Session, book: Book) -> tuple[int, int, int]:
    """Return (number of transactions, smallest seq, largest seq)."""
    query = select(
        func.count(),
        func.coalesce(func.min(col(Transaction.seq)), 0),
        func.coalesce(func.max(col(Transaction.seq)), 0),
    ).where(col(Transaction.book) == book)
    n, low, high = session.execute(query).one()
    return int(n), int(low), int(high)


class Sides:
    """The entries of one transaction after another, read alongside."""

    def __init__(self, session: Session, book: Book) -> None:
        self._groups = groupby(sides(session, book), key=itemgetter(0))
        self._next: tuple[int, list[Any]] | None = None
        self._go_on()

    def _go_on(self) -> None:
        found = next(self._groups, None)
        self._next = None if found is None else (found[0], list(found[1]))

    def of(self, transaction: int) -> list[Any]:
        if self._next is None or self._next[0] != transaction:
            return []
        found = self._next[1]
        self._go_on()
        return found


def months(session: Session, book: Book) -> list[str]:
    """Return the months in which anything takes effect and that are no period yet."""
    day = col(Transaction.effective_on)
    year, month = extract("year", day), extract("month", day)
    query = select(year, month).where(col(Transaction.book) == book).distinct()
    found = {f"{int(row[0])}-{int(row[1]):02d}" for row in session.execute(query)}
    known = select(col(Period.month)).where(col(Period.book) == book)
    return sorted(found - set(session.scalars(known)))


def _sign() -> ColumnElement[int]:
    return case(
        (col(Transaction.kind) == Kind.REGISTER, 1),
        (col(Transaction.kind) == Kind.REVERSE, -1),
        else_=0,
    )


def miscounted(session: Session) -> list[tuple[int, int, int]]:
    """Return (seq, what its snapshot says, entry) where an entry counts another amount, or for
    another region.
    """
    snapshot = aliased(Transaction)
    expected = case(
        (
            col(Entry.snapshot_id) == col(Transaction.id),
            case((col(Transaction.kind) == Kind.REVERSE, -1), else_=1)
            * col(snapshot.technical_fen),
        ),
        (
            and_(
                col(Transaction.kind) == Kind.CHANGE,
                col(Entry.snapshot_id) == col(Transaction.previous_id),
            ),
            -col(snapshot.technical_fen),
        ),
        else_=0,
    )
    query = (
        select(col(Transaction.seq), expected, col(Entry.amount_fen))
        .join(Entry, col(Entry.transaction_id) == col(Transaction.id))
        .join(snapshot, col(snapshot.id) == col(Entry.snapshot_id))
        .where(
            col(Entry.account).startswith(COUNTED),
            or_(
                col(Entry.amount_fen) != expected,
                col(Entry.account) != COUNTED + col(snapshot.seller_region),
            ),
        )
    )
    return [(int(a), int(b), int(c)) for a, b, c in session.execute(query)]


_KEPT: Final = {
    "账册": "book",
    "登记编号": "subject_key",
    "次数": "generation",
    "合同类别": "contract_type",
    "合同小类": "sub_type",
    "技术领域": "field",
    "项目名称": "project_name",
    "卖方名称": "seller_name",
    "买方名称": "buyer_name",
    "卖方机构号": "seller_id",
    "买方机构号": "buyer_id",
    "卖方地区": "seller_region",
    "买方地区": "buyer_region",
    "成交额": "total_fen",
    "技术交易额": "technical_fen",
}
"""What a reversal repeats of what was said last, with the words for it."""
_OF_SUBJECT: Final = ("账册", "登记编号", "次数")
"""What a change repeats, too."""


def reversed_otherwise(session: Session) -> list[tuple[int, int, list[str]]]:
    """Return (seq, seq of what it follows, what differs) of changes and reversals unlike that."""
    before, register = aliased(Transaction), aliased(Transaction)
    reverses = col(Transaction.kind) == Kind.REVERSE
    differs = {}
    for words, name in _KEPT.items():
        other = getattr(Transaction, name).is_distinct_from(getattr(before, name))
        differs[words] = other if words in _OF_SUBJECT else and_(reverses, other)
    differs["原登记日期"] = col(Transaction.original_on).is_distinct_from(register.effective_on)
    query = (
        select(col(Transaction.seq), col(before.seq), *differs.values())
        .join(before, col(before.id) == col(Transaction.previous_id))
        .join(register, col(register.id) == col(Transaction.register_id))
        .where(or_(*differs.values()))
        .order_by(col(Transaction.seq))
    )
    return [
        (
            int(row[0]),
            int(row[1]),
            [one for one, is_so in zip(differs, row[2:], strict=True) if is_so],
        )
        for row in session.execute(query)
    ]


def counted_twice(session: Session) -> list[str]:
    """Return the keys that count more than once at present."""
    query = (
        select(col(Transaction.subject_key))
        .group_by(col(Transaction.book), col(Transaction.subject_key))
        .having(func.sum(_sign()).not_in([0, 1]))
    )
    return list(session.scalars(query))


def seals(session: Session) -> list[Seal]:
    """Return what was signed, in its order."""
    return list(session.scalars(select(Seal).order_by(col(Seal.number))))


def begun(session: Session) -> datetime | None:
    """Return when the first transaction was posted; None where there is none."""
    return session.scalar(select(col(Transaction.posted_at)).order_by(col(Transaction.id)).limit(1))


def late_in_closed(session: Session) -> list[tuple[int, str]]:
    """Return (seq, month) of what was posted into a month after it was closed."""
    query = (
        select(col(Transaction.seq), col(Period.month))
        .join(
            Period,
            and_(
                col(Period.book) == col(Transaction.book),
                col(Transaction.effective_on).between(col(Period.begins_on), col(Period.ends_on)),
            ),
        )
        .where(col(Period.head_seq).is_not(None), col(Transaction.seq) > col(Period.head_seq))
        .order_by(col(Transaction.seq))
    )
    return [(row[0], row[1]) for row in session.execute(query)]
