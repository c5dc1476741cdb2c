"""Posting to the ledger, and the sums that stand on the board.

A posting is idempotent by its key: the same key with the same document answers with the same
transaction. All postings of a book pass one after another through its head row.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from market.kit.errors import Conflict
from market.kit.ids import TransactionId
from market.ledger import repository
from market.ledger.models import Book, Kind, Transaction
from market.ledger.schemas import (
    CONTRACTS,
    By,
    Posting,
    Reversal,
    Slice,
    Subject,
    Sum,
    counted,
)

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
    row = _register(
        Posting(subject, key, effective_on),
        book,
        seq=seq + 1,
        generation=0 if last is None else last.generation + 1,
        at=at,
    )
    transaction = Transaction(**row | {"original_on": original_on})
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
    row = _reverse(register, Reversal(original, key, digest, effective_on), seq=seq + 1, at=at)
    return _post(session, Transaction(**row), REVERSED_ALREADY)


def lock(session: Session, book: Book = Book.STATISTICS) -> None:
    """Keep others from posting to the book until this transaction ends, so that what is looked up
    from here on stays true.
    """
    repository.lock_head(session, book)


def post_many(
    session: Session,
    postings: Sequence[Posting],
    *,
    at: datetime,
    book: Book = Book.STATISTICS,
) -> list[TransactionId]:
    """Count many subjects, each once, in a handful of statements; return what was posted for each.

    All or nothing. Raises Conflict where one counts already or a key has been used: whoever posts
    many locks the book and looks first.
    """
    if not postings:
        return []
    seq = repository.lock_head(session, book)
    known = repository.generations(session, book, {one.subject.key for one in postings})
    if any(counts for _, counts in known.values()):
        raise Conflict(COUNTED_ALREADY)
    rows = [
        _register(
            one,
            book,
            seq=seq + place,
            generation=known[one.subject.key][0] + 1 if one.subject.key in known else 0,
            at=at,
        )
        for place, one in enumerate(postings, start=1)
    ]
    return _post_rows(session, book, rows, COUNTED_ALREADY)


def reverse_many(
    session: Session,
    reversals: Sequence[Reversal],
    *,
    at: datetime,
    book: Book = Book.STATISTICS,
) -> list[TransactionId]:
    """Take many counted subjects out again; all or nothing. Return what was posted for each.

    Raises Conflict where one is out already or a key has been used.
    """
    if not reversals:
        return []
    seq = repository.lock_head(session, book)
    found = repository.originals(session, [one.original for one in reversals])
    if any(row.kind != Kind.REGISTER or out for row, out in found.values()):
        raise Conflict(REVERSED_ALREADY)
    rows = [
        _reverse(found[one.original][0], one, seq=seq + place, at=at)
        for place, one in enumerate(reversals, start=1)
    ]
    return _post_rows(session, book, rows, REVERSED_ALREADY)


def _register(
    posting: Posting, book: Book, *, seq: int, generation: int, at: datetime
) -> dict[str, Any]:
    subject = posting.subject
    return {
        "book": book,
        "seq": seq,
        "kind": Kind.REGISTER,
        "idempotency_key": posting.key,
        "subject_key": subject.key,
        "generation": generation,
        "digest": subject.digest,
        "effective_on": posting.effective_on,
        "original_on": None,
        "posted_at": at,
        "reverses_id": None,
        "contract_type": subject.contract_type,
        "sub_type": subject.sub_type,
        "field": subject.field,
        "project_name": subject.project_name,
        "seller_name": subject.seller_name,
        "buyer_name": subject.buyer_name,
        "seller_id": subject.seller_id,
        "buyer_id": subject.buyer_id,
        "seller_region": subject.seller_region,
        "buyer_region": subject.buyer_region,
        "total_fen": subject.total_fen,
        "technical_fen": subject.technical_fen,
    }


def _reverse(
    register: Transaction, reversal: Reversal, *, seq: int, at: datetime
) -> dict[str, Any]:
    return register.model_dump(exclude={"id", "keyed_hash"}) | {
        "seq": seq,
        "kind": Kind.REVERSE,
        "idempotency_key": reversal.key,
        "digest": reversal.digest,
        "effective_on": reversal.effective_on or register.effective_on,
        "original_on": register.effective_on,
        "posted_at": at,
        "reverses_id": reversal.original,
    }


def _posted(session: Session, key: str, digest: str) -> Transaction | None:
    posted = repository.by_key(session, key)
    if posted is not None and posted.digest != digest:
        raise Conflict(OTHER_DOCUMENT)
    return posted


def _sides(row: dict[str, Any]) -> list[tuple[str, int]]:
    """Return the entries of a transaction: (account, fen), summing to 0."""
    moved = row["technical_fen"] if row["kind"] == Kind.REGISTER else -row["technical_fen"]
    return [(counted(row["seller_region"]), moved), (CONTRACTS, -moved)]


def _post(session: Session, transaction: Transaction, taken: str) -> Transaction:
    """Write a transaction with its entries as the head's next one."""
    session.add(transaction)
    try:
        session.flush()
    except IntegrityError:  # the UNIQUE constraints decide, the checks before only explain
        raise Conflict(taken) from None
    sides = _sides(transaction.model_dump())
    repository.insert_entries(session, [(transaction.id, sides)])
    repository.advance_head(session, Book(transaction.book), transaction.seq)
    return transaction


def _post_rows(
    session: Session, book: Book, rows: Sequence[dict[str, Any]], taken: str
) -> list[TransactionId]:
    try:
        ids = repository.insert_transactions(session, rows)
    except IntegrityError:
        raise Conflict(taken) from None
    posted = [ids[row["idempotency_key"]] for row in rows]
    sides = [(one, _sides(row)) for one, row in zip(posted, rows, strict=True)]
    repository.insert_entries(session, sides)
    repository.advance_head(session, book, rows[-1]["seq"])
    return posted


def get(session: Session, transaction: TransactionId) -> Transaction:
    return repository.get(session, transaction)


def head(session: Session, book: Book = Book.STATISTICS) -> tuple[int, str]:
    """Return (seq, key) of what was posted last: the mark of one state of the book."""
    last = repository.head_transaction(session, book)
    return (0, "") if last is None else (last.seq, last.idempotency_key)


def standing(
    session: Session, subject_keys: Collection[str], book: Book = Book.STATISTICS
) -> set[str]:
    """Return those of these keys that count at present."""
    found = repository.generations(session, book, subject_keys)
    return {key for key, (_, counts) in found.items() if counts}


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
    found += [
        f"第{seq}号冲回第{original}号，两笔的{'、'.join(differs)}应相同，现在不同"
        for seq, original, differs in repository.reversed_otherwise(session)
    ]
    found += [f"登记编号{key}：计入次数应为0或1" for key in repository.counted_twice(session)]
    for book in Book:
        number, low, high = repository.sequence(session, book)
        head = repository.head(session, book)
        if (low, high) != (min(number, 1), number) or head != number:
            found.append(f"账册{book}：{number}笔，序号从{low}到{high}，账头为{head}，应连续无缺")
    return found
