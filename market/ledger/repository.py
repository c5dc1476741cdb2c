"""The only SQL of the ledger. It inserts and selects; nothing here updates but the head."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, case, extract, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from market.kit.db import is_sqlite
from market.kit.ids import TransactionId
from market.ledger.models import Book, Entry, Kind, LedgerHead, Transaction
from market.ledger.schemas import OUTSIDE, By, Slice, Sum, region_prefix

COUNTED = "counted:"


def lock_head(session: Session, book: Book) -> int:
    """Lock the book against other writers until this transaction ends; return its last seq."""
    lock = (
        update(LedgerHead)
        .where(col(LedgerHead.book) == book)
        .values(seq=col(LedgerHead.seq))
        .returning(col(LedgerHead.seq))
    )
    seq = session.execute(lock).scalar_one_or_none()
    if seq is None:
        dialect_insert = sqlite.insert if is_sqlite(session) else postgresql.insert
        session.execute(
            dialect_insert(LedgerHead).values(book=book, seq=0).on_conflict_do_nothing()
        )
        seq = session.execute(lock).scalar_one()
    return int(seq)


def advance_head(session: Session, book: Book, seq: int) -> None:
    session.execute(update(LedgerHead).where(col(LedgerHead.book) == book).values(seq=seq))


def head(session: Session, book: Book) -> int:
    query = select(col(LedgerHead.seq)).where(col(LedgerHead.book) == book)
    return session.execute(query).scalar_one_or_none() or 0


def by_key(session: Session, key: str) -> Transaction | None:
    return session.scalars(
        select(Transaction).where(col(Transaction.idempotency_key) == key)
    ).first()


def last_register(session: Session, book: Book, subject_key: str) -> Transaction | None:
    return session.scalars(
        select(Transaction)
        .where(
            col(Transaction.book) == book,
            col(Transaction.subject_key) == subject_key,
            col(Transaction.kind) == Kind.REGISTER,
        )
        .order_by(col(Transaction.generation).desc())
        .limit(1)
    ).first()


def reversal_of(session: Session, transaction: TransactionId) -> Transaction | None:
    return session.scalars(
        select(Transaction).where(col(Transaction.reverses_id) == transaction)
    ).first()


def get(session: Session, transaction: TransactionId) -> Transaction:
    return session.get_one(Transaction, transaction)


def head_transaction(session: Session, book: Book) -> Transaction | None:
    """Return what was posted last."""
    return session.scalars(
        select(Transaction)
        .where(col(Transaction.book) == book)
        .order_by(col(Transaction.seq).desc())
        .limit(1)
    ).first()


def generations(
    session: Session, book: Book, subject_keys: Collection[str]
) -> dict[str, tuple[int, bool]]:
    """Return (generation, whether it counts) of the last registration of each key that has one."""
    reversal = aliased(Transaction)
    query = (
        select(
            col(Transaction.subject_key), col(Transaction.generation), col(reversal.id).is_(None)
        )
        .outerjoin(reversal, col(reversal.reverses_id) == col(Transaction.id))
        .where(
            col(Transaction.book) == book,
            col(Transaction.subject_key).in_(subject_keys),
            col(Transaction.kind) == Kind.REGISTER,
        )
        .order_by(col(Transaction.generation))
    )
    return {row[0]: (int(row[1]), bool(row[2])) for row in session.execute(query)}


def originals(
    session: Session, ids: Collection[TransactionId]
) -> dict[TransactionId, tuple[Transaction, bool]]:
    """Return transactions by id, each with whether it has been reversed."""
    reversal = aliased(Transaction)
    query = (
        select(Transaction, col(reversal.id).is_not(None))
        .outerjoin(reversal, col(reversal.reverses_id) == col(Transaction.id))
        .where(col(Transaction.id).in_(ids))
    )
    return {row[0].id: (row[0], bool(row[1])) for row in session.execute(query)}


def insert_transactions(
    session: Session, rows: Sequence[dict[str, Any]]
) -> dict[str, TransactionId]:
    """Write transactions in one statement. Return their ids by idempotency key."""
    write = insert(Transaction).returning(col(Transaction.id), col(Transaction.idempotency_key))
    return {row[1]: TransactionId(row[0]) for row in session.execute(write, list(rows))}


def insert_entries(
    session: Session, sides: Sequence[tuple[TransactionId, Sequence[tuple[str, int]]]]
) -> None:
    """Write the entries of several transactions in one statement."""
    session.execute(
        insert(Entry),
        [
            {"transaction_id": transaction, "account": account, "amount_fen": amount}
            for transaction, amounts in sides
            for account, amount in amounts
        ],
    )


def _sign() -> ColumnElement[int]:
    return case((col(Transaction.kind) == Kind.REGISTER, 1), else_=-1)


def _within(book: Book, part: Slice) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = [col(Transaction.book) == book]
    if part.since is not None:
        conditions.append(col(Transaction.effective_on) >= part.since)
    if part.until is not None:
        conditions.append(col(Transaction.effective_on) <= part.until)
    if part.seller_region is not None:
        prefix = region_prefix(part.seller_region)
        conditions.append(col(Transaction.seller_region).startswith(prefix, autoescape=True))
    if part.buyer_region is not None:
        prefix = region_prefix(part.buyer_region)
        conditions.append(col(Transaction.buyer_region).startswith(prefix, autoescape=True))
    if part.contract_type is not None:
        conditions.append(col(Transaction.contract_type) == part.contract_type)
    if part.field is not None:
        conditions.append(col(Transaction.field) == part.field)
    if part.seller_id is not None:
        conditions.append(col(Transaction.seller_id) == part.seller_id)
    if part.outside_seller is not None:
        conditions += [
            col(Transaction.seller_id) == OUTSIDE,
            col(Transaction.seller_name) == part.outside_seller,
        ]
    if part.party_id is not None:
        conditions.append(
            or_(
                col(Transaction.seller_id) == part.party_id,
                col(Transaction.buyer_id) == part.party_id,
            )
        )
    return and_(*conditions)


def _figures() -> tuple[ColumnElement[int], ColumnElement[int], ColumnElement[int]]:
    return (
        func.coalesce(func.sum(_sign()), 0),
        # What is counted is what the entries say; the snapshot only tells what of.
        func.coalesce(func.sum(col(Entry.amount_fen)), 0),
        func.coalesce(func.sum(_sign() * col(Transaction.total_fen)), 0),
    )


def counted_entry() -> ColumnElement[bool]:
    """Join each transaction to the one of its entries that counts for a region."""
    return and_(
        col(Entry.transaction_id) == col(Transaction.id), col(Entry.account).startswith(COUNTED)
    )


def total(session: Session, book: Book, part: Slice) -> Sum:
    query = (
        select(*_figures())
        .select_from(Transaction)
        .join(Entry, counted_entry())
        .where(_within(book, part))
    )
    count, technical, whole = session.execute(query).one()
    return Sum("", "", int(count), int(technical), int(whole))


def sums(session: Session, book: Book, by: By, part: Slice) -> list[Sum]:
    """Return sums by a dimension: years and months in order, the rest with the largest first."""
    year = extract("year", col(Transaction.effective_on))
    keys: dict[By, tuple[Any, ...]] = {
        By.YEAR: (year,),
        By.MONTH: (year, extract("month", col(Transaction.effective_on))),
        By.TYPE: (col(Transaction.contract_type),),
        By.FIELD: (col(Transaction.field),),
        By.SELLER: (
            col(Transaction.seller_id),
            # Outside parties share one id: there the name tells them apart.
            case((col(Transaction.seller_id) == OUTSIDE, col(Transaction.seller_name)), else_=""),
        ),
    }
    chosen = keys[by]
    label = func.max(col(Transaction.seller_name))
    query = (
        select(*chosen, label, *_figures())
        .select_from(Transaction)
        .join(Entry, counted_entry())
        .where(_within(book, part))
        .group_by(*chosen)
        .order_by(*chosen)
    )
    rows = [
        Sum(
            key=_key(by, row[: len(chosen)]),
            label=row[-4] if by is By.SELLER else "",
            count=int(row[-3]),
            technical_fen=int(row[-2]),
            total_fen=int(row[-1]),
        )
        for row in session.execute(query)
    ]
    if by in (By.YEAR, By.MONTH):
        return rows
    return sorted(rows, key=lambda row: -row.technical_fen)


def _key(by: By, values: Sequence[Any]) -> str:
    if by is By.MONTH:
        return f"{int(values[0])}-{int(values[1]):02d}"
    if by is By.SELLER:
        return "" if values[0] == OUTSIDE else str(values[0])
    return str(values[0])


def lines(
    session: Session, book: Book, part: Slice, *, limit: int, offset: int
) -> list[Transaction]:
    """Return the transactions of a part, newest first; reversals are lines of their own."""
    return list(
        session.scalars(
            select(Transaction)
            .where(_within(book, part))
            .order_by(col(Transaction.effective_on).desc(), col(Transaction.seq).desc())
            .limit(limit)
            .offset(offset)
        )
    )


def count_lines(session: Session, book: Book, part: Slice) -> int:
    query = select(func.count()).select_from(Transaction).where(_within(book, part))
    return int(session.execute(query).scalar_one())


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
    query = (
        select(col(Entry.id))
        .outerjoin(Transaction, col(Entry.transaction_id) == col(Transaction.id))
        .where(col(Transaction.id).is_(None))
    )
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


def miscounted(session: Session) -> list[tuple[int, int, int]]:
    """Return (seq, snapshot, entry) where the counted entry is not the decided amount."""
    expected = _sign() * col(Transaction.technical_fen)
    query = (
        select(col(Transaction.seq), expected, col(Entry.amount_fen))
        .join(Entry, counted_entry())
        .where(
            or_(
                col(Entry.amount_fen) != expected,
                col(Entry.account) != COUNTED + col(Transaction.seller_region),
            )
        )
    )
    return [(int(a), int(b), int(c)) for a, b, c in session.execute(query)]


_KEPT = {
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
"""What a reversal repeats of its original, with the words for it."""


def reversed_otherwise(session: Session) -> list[tuple[int, int, list[str]]]:
    """Return (seq, seq of the original, what differs) of reversals unlike their original."""
    original = aliased(Transaction)
    differs = {
        words: getattr(Transaction, name).is_distinct_from(getattr(original, name))
        for words, name in _KEPT.items()
    }
    differs["原登记日期"] = col(Transaction.original_on).is_distinct_from(original.effective_on)
    query = (
        select(col(Transaction.seq), col(original.seq), *differs.values())
        .join(original, col(original.id) == col(Transaction.reverses_id))
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
