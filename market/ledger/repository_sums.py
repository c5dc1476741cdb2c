"""What stands on the board: sums of entries, and the transactions behind a figure.

Each entry counts on the day of its transaction, by the type, field and parties of its snapshot.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Subquery, and_, case, distinct, extract, func, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from market.kit.db import streamed
from market.kit.ids import TransactionId
from market.ledger.models import Book, Entry, Transaction
from market.ledger.schemas import COUNTED, OUTSIDE, By, Slice, Sum, region_prefix

_Snapshot = aliased(Transaction, name="snapshot")


def _sign() -> ColumnElement[int]:
    return case((col(Entry.amount_fen) > 0, 1), else_=-1)


def _counted(query: Any, book: Book, part: Slice) -> Any:
    """Join a query over transactions to the entries that count in a part of the book."""
    return (
        query.join(
            Entry,
            and_(
                col(Entry.transaction_id) == col(Transaction.id),
                col(Entry.account).startswith(COUNTED),
            ),
        )
        .join(_Snapshot, col(_Snapshot.id) == col(Entry.snapshot_id))
        .where(_within(book, part))
    )


def _within(book: Book, part: Slice) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = [col(Transaction.book) == book]
    if part.since is not None:
        conditions.append(col(Transaction.effective_on) >= part.since)
    if part.until is not None:
        conditions.append(col(Transaction.effective_on) <= part.until)
    if part.seller_region is not None:
        prefix = region_prefix(part.seller_region)
        conditions.append(col(_Snapshot.seller_region).startswith(prefix, autoescape=True))
    if part.buyer_region is not None:
        prefix = region_prefix(part.buyer_region)
        conditions.append(col(_Snapshot.buyer_region).startswith(prefix, autoescape=True))
    conditions += [
        col(column) == value
        for column, value in (
            (_Snapshot.contract_type, part.contract_type),
            (_Snapshot.field, part.field),
            (_Snapshot.seller_id, part.seller_id),
            (_Snapshot.buyer_id, part.buyer_id),
        )
        if value is not None
    ]
    conditions += _outside(_Snapshot.seller_id, _Snapshot.seller_name, part.outside_seller)
    conditions += _outside(_Snapshot.buyer_id, _Snapshot.buyer_name, part.outside_buyer)
    if part.registrations is not None:
        # Not the number: undone, it may be taken up by another contract.
        counted_first = func.coalesce(col(Transaction.register_id), col(Transaction.id))
        conditions.append(counted_first.in_(part.registrations))
    if part.party_id is not None:
        conditions.append(
            or_(
                col(_Snapshot.seller_id) == part.party_id,
                col(_Snapshot.buyer_id) == part.party_id,
            )
        )
    return and_(*conditions)


def _outside(organisation: Any, name: Any, named: str | None) -> list[ColumnElement[bool]]:
    """Return what holds for a side that is no organisation of the market, by its name."""
    return [] if named is None else [col(organisation) == OUTSIDE, col(name) == named]


def _figures() -> tuple[ColumnElement[int], ColumnElement[int], ColumnElement[int]]:
    return (
        func.coalesce(func.sum(_sign()), 0),
        # What is counted is what the entries say; the snapshot only tells what of.
        func.coalesce(func.sum(col(Entry.amount_fen)), 0),
        func.coalesce(func.sum(_sign() * col(_Snapshot.total_fen)), 0),
    )


def total(session: Session, book: Book, part: Slice) -> Sum:
    query = _counted(select(*_figures()).select_from(Transaction), book, part)
    count, technical, whole = session.execute(query).one()
    return Sum("", "", int(count), int(technical), int(whole))


def totals_of(session: Session, book: Book, part: Slice, groups: Subquery) -> dict[int, Sum]:
    """Return what each group of registrations comes to in a part of the book: `groups` has pairs of
    a group and the transaction that counted a registration first, each pair once.
    """
    group, counted = groups.c
    # The registration itself, or what follows it: by either's index, few groups read little.
    own = or_(col(Transaction.id) == counted, col(Transaction.register_id) == counted)
    query = select(group, *_figures()).select_from(groups).join(Transaction, own)
    return {
        int(key): Sum(str(key), "", int(count), int(technical), int(whole))
        for key, count, technical, whole in session.execute(
            _counted(query, book, part).group_by(group)
        )
    }


def sums(session: Session, book: Book, by: By, part: Slice) -> list[Sum]:
    """Return sums by a dimension: years and months in order, the rest with the largest first."""
    year = extract("year", col(Transaction.effective_on))
    keys: dict[By, tuple[Any, ...]] = {
        By.YEAR: (year,),
        By.MONTH: (year, extract("month", col(Transaction.effective_on))),
        By.TYPE: (col(_Snapshot.contract_type),),
        By.FIELD: (col(_Snapshot.field),),
        By.SELLER: _party(_Snapshot.seller_id, _Snapshot.seller_name),
        By.BUYER: _party(_Snapshot.buyer_id, _Snapshot.buyer_name),
    }
    chosen = keys[by]
    label = func.max(col(_Snapshot.buyer_name if by is By.BUYER else _Snapshot.seller_name))
    query = (
        _counted(select(*chosen, label, *_figures()).select_from(Transaction), book, part)
        .group_by(*chosen)
        .order_by(*chosen)
    )
    rows = [
        Sum(
            key=_key(by, row[: len(chosen)]),
            label=row[-4] if by in (By.SELLER, By.BUYER) else "",
            count=int(row[-3]),
            technical_fen=int(row[-2]),
            total_fen=int(row[-1]),
        )
        for row in session.execute(query)
    ]
    if by in (By.YEAR, By.MONTH):
        return rows
    return sorted(rows, key=lambda row: -row.technical_fen)


class Counted(NamedTuple):
    """One entry that counts: `sign` is 1 where it counts a contract and -1 where it takes one out,
    `amount_fen` what it moves, the rest what it goes by.
    """

    day: date
    sign: int
    amount_fen: int
    total_fen: int
    contract_type: str
    field: int
    seller_id: int
    seller_name: str
    seller_region: str
    buyer_id: int
    buyer_name: str
    buyer_region: str


def counted_between(session: Session, book: Book, after: int, until: int) -> Iterator[Counted]:
    """Yield what counts of the transactions with numbers above one and up to another."""
    query = _counted(
        select(
            col(Transaction.effective_on),
            _sign(),
            col(Entry.amount_fen),
            col(_Snapshot.total_fen),
            col(_Snapshot.contract_type),
            col(_Snapshot.field),
            col(_Snapshot.seller_id),
            col(_Snapshot.seller_name),
            col(_Snapshot.seller_region),
            col(_Snapshot.buyer_id),
            col(_Snapshot.buyer_name),
            col(_Snapshot.buyer_region),
        ).select_from(Transaction),
        book,
        Slice(),
    ).where(col(Transaction.seq) > after, col(Transaction.seq) <= until)
    for row in streamed(session, query):
        yield Counted(*row)


def _party(organisation: Any, name: Any) -> tuple[Any, ...]:
    """Return what tells a side apart: outside parties share one id, there the name does."""
    return col(organisation), case((col(organisation) == OUTSIDE, col(name)), else_="")


def _key(by: By, values: Sequence[Any]) -> str:
    if by is By.MONTH:
        return f"{int(values[0])}-{int(values[1]):02d}"
    if by in (By.SELLER, By.BUYER):
        return "" if values[0] == OUTSIDE else str(values[0])
    return str(values[0])


def lines(
    session: Session, book: Book, part: Slice, *, limit: int, offset: int
) -> list[Transaction]:
    """Return the transactions of a part, newest first; changes and reversals are lines of their
    own.
    """
    # Looked for line by line in the order of the page, so that a page reads what it shows.
    inside = (
        select(col(Entry.id))
        .join(_Snapshot, col(_Snapshot.id) == col(Entry.snapshot_id))
        .where(
            col(Entry.transaction_id) == col(Transaction.id),
            col(Entry.account).startswith(COUNTED),
            _within(book, part),
        )
        .correlate(Transaction)
    )
    return list(
        session.scalars(
            select(Transaction)
            .where(col(Transaction.book) == book, inside.exists())
            .order_by(col(Transaction.effective_on).desc(), col(Transaction.seq).desc())
            .limit(limit)
            .offset(offset)
        )
    )


def count_lines(session: Session, book: Book, part: Slice) -> int:
    query = select(func.count(distinct(col(Transaction.id)))).select_from(Transaction)
    return int(session.execute(_counted(query, book, part)).scalar_one())


def moved(
    session: Session, book: Book, part: Slice, ids: Collection[TransactionId]
) -> dict[TransactionId, Sum]:
    """Return what each of these transactions moves within a part."""
    query = (
        _counted(select(col(Transaction.id), *_figures()).select_from(Transaction), book, part)
        .where(col(Transaction.id).in_(ids))
        .group_by(col(Transaction.id))
    )
    return {
        TransactionId(row[0]): Sum("", "", int(row[1]), int(row[2]), int(row[3]))
        for row in session.execute(query)
    }
