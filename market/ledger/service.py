"""Posting to the ledger, and the sums that stand on the board.

A posting is idempotent by its key: the same key with the same document answers with the same
transaction. All postings of a book pass one after another through its head row.
"""

from datetime import date, datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from market.kit.errors import Conflict
from market.kit.ids import TransactionId
from market.ledger import repository
from market.ledger.models import Book, Kind, Transaction
from market.ledger.schemas import CONTRACTS, By, Slice, Subject, Sum, counted

OTHER_DOCUMENT = "这笔登记已经入账，内容与这次不同，请刷新后核对"
COUNTED_ALREADY = "这个登记编号已经计入，一个编号只计一次"
REVERSED_ALREADY = "这笔登记已经冲回"


def post_register(
    session: Session,
    subject: Subject,
    *,
    key: str,
    effective_on: date,
    at: datetime,
    original_on: date | None = None,
    book: Book = Book.STATISTICS,
) -> Transaction:
    """Count a subject once.

    `original_on` is for history brought in for a closed period. Raises Conflict where the key
    stands for another document, or the subject counts already.
    """
    seq = repository.lock_head(session, book)
    if (posted := _posted(session, key, subject.digest)) is not None:
        return posted
    last = repository.last_register(session, book, subject.key)
    if last is not None and repository.reversal_of(session, last.id) is None:
        raise Conflict(COUNTED_ALREADY)
    transaction = Transaction(
        book=book,
        seq=seq + 1,
        kind=Kind.REGISTER,
        idempotency_key=key,
        subject_key=subject.key,
        generation=0 if last is None else last.generation + 1,
        digest=subject.digest,
        effective_on=effective_on,
        original_on=original_on,
        posted_at=at,
        contract_type=subject.contract_type,
        sub_type=subject.sub_type,
        field=subject.field,
        project_name=subject.project_name,
        seller_name=subject.seller_name,
        buyer_name=subject.buyer_name,
        seller_id=subject.seller_id,
        buyer_id=subject.buyer_id,
        seller_region=subject.seller_region,
        buyer_region=subject.buyer_region,
        total_fen=subject.total_fen,
        technical_fen=subject.technical_fen,
    )
    return _post(session, transaction, COUNTED_ALREADY)


def post_reversal(
    session: Session,
    original: TransactionId,
    *,
    key: str,
    digest: str,
    effective_on: date,
    at: datetime,
) -> Transaction:
    """Take a counted subject out again, effective on the day of the undo.

    `digest` is that of the document that tells why. Raises Conflict where it is out already.
    """
    register = repository.get(session, original)
    seq = repository.lock_head(session, Book(register.book))
    if (posted := _posted(session, key, digest)) is not None:
        return posted
    if register.kind != Kind.REGISTER or repository.reversal_of(session, original) is not None:
        raise Conflict(REVERSED_ALREADY)
    copied = register.model_dump(exclude={"id", "keyed_hash"})
    copied |= {
        "seq": seq + 1,
        "kind": Kind.REVERSE,
        "idempotency_key": key,
        "digest": digest,
        "effective_on": effective_on,
        "original_on": register.effective_on,
        "posted_at": at,
        "reverses_id": original,
    }
    return _post(session, Transaction(**copied), REVERSED_ALREADY)


def _posted(session: Session, key: str, digest: str) -> Transaction | None:
    posted = repository.by_key(session, key)
    if posted is not None and posted.digest != digest:
        raise Conflict(OTHER_DOCUMENT)
    return posted


def _post(session: Session, transaction: Transaction, taken: str) -> Transaction:
    """Write a transaction with its entries as the head's next one."""
    moved = transaction.technical_fen
    if transaction.kind == Kind.REVERSE:
        moved = -moved
    amounts = [(counted(transaction.seller_region), moved), (CONTRACTS, -moved)]
    assert sum(amount for _, amount in amounts) == 0
    session.add(transaction)
    try:
        session.flush()
    except IntegrityError:  # the UNIQUE constraints decide, the checks before only explain
        raise Conflict(taken) from None
    repository.insert_entries(session, transaction.id, amounts)
    repository.advance_head(session, Book(transaction.book), transaction.seq)
    return transaction


def get(session: Session, transaction: TransactionId) -> Transaction:
    return repository.get(session, transaction)


def total(session: Session, part: Slice, book: Book = Book.STATISTICS) -> Sum:
    """Return what a part of the book comes to."""
    return repository.total(session, book, part)


def sums(session: Session, by: By, part: Slice, book: Book = Book.STATISTICS) -> list[Sum]:
    """Return a part of the book by one dimension; the rows add up to `total` of the same part."""
    return repository.sums(session, book, by, part)


def lines(
    session: Session, part: Slice, *, limit: int, offset: int = 0, book: Book = Book.STATISTICS
) -> tuple[list[Transaction], int]:
    """Return the transactions of a part, newest first, and how many there are in all.

    Reversals are lines of their own, so that the lines of a figure add up to it.
    """
    found = repository.lines(session, book, part, limit=limit, offset=offset)
    return found, repository.count_lines(session, book, part)


def verify(session: Session) -> list[str]:
    """Return what is wrong in the ledger, one sentence a finding; an empty list is a sound one."""
    found = [
        f"第{seq}号：{number}条分录，合计{amount}分，应至少两条且合计为0"
        for seq, number, amount in repository.unbalanced(session)
    ]
    found += [
        f"分录{entry}：没有所属的账务" for entry in repository.entries_without_transaction(session)
    ]
    found += [
        f"第{seq}号：应计入{expected}分，分录是{entry}分，或记在别的地区"
        for seq, expected, entry in repository.miscounted(session)
    ]
    found += [f"登记编号{key}：计入次数应为0或1" for key in repository.counted_twice(session)]
    for book in Book:
        number, low, high = repository.sequence(session, book)
        head = repository.head(session, book)
        if (low, high) != (min(number, 1), number) or head != number:
            found.append(f"账册{book}：{number}笔，序号从{low}到{high}，账头为{head}，应连续无缺")
    return found
