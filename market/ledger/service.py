"""Posting to the ledger, and the sums that stand on the board.

A posting is idempotent by its key: the same key with the same document answers with the same
transaction. All postings of a book pass one after another through its head row, and each is linked
to the one before by the key that stands outside the database (`chain.py`); without it nothing is
posted. What would fall into a closed month falls on the day of posting (`periods.py`).
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime

from sqlmodel import Session

from market.kit.errors import Conflict
from market.kit.ids import TransactionId
from market.ledger import drafts, periods, repository, repository_sums
from market.ledger.models import Book, Chain, Kind, Transaction
from market.ledger.schemas import (
    By,
    Posting,
    Reversal,
    Slice,
    Subject,
    Sum,
)
from market.ledger.verify import books

OTHER_DOCUMENT = "这笔登记已经入账，内容与这次不同，请刷新后核对"
COUNTED_ALREADY = "这个登记编号已经计入，一个编号只计一次"
REVERSED_ALREADY = "这笔登记已经冲回"
CHANGED_MEANWHILE = "这笔登记刚被别人变更，请刷新后核对"


def post_register(
    session: Session,
    subject: Subject,
    *,
    key: str,
    effective_on: date,
    at: datetime,
    book: Book = Book.STATISTICS,
) -> Transaction:
    """Count a subject once, as of a day; of a closed month, today, with that day as `original_on`.

    Raises Conflict where the key stands for another document, or the subject counts already.
    """
    head = drafts.locked(session, book)
    if (posted := _posted(session, key, subject.digest)) is not None:
        return posted
    last = repository.last_register(session, book, subject.key)
    if last is not None and repository.reversal_of(session, last.id) is None:
        raise Conflict(COUNTED_ALREADY)
    generation = 0 if last is None else last.generation + 1
    placed = periods.place(session, book, effective_on, at)
    posting = Posting(subject, key, effective_on)
    draft = drafts.register(posting, book, placed, generation=generation, at=at)
    return repository.get(session, drafts.post(session, head, [draft], {}, COUNTED_ALREADY)[0])


def post_change(
    session: Session,
    original: TransactionId,
    subject: Subject,
    *,
    key: str,
    effective_on: date,
    at: datetime,
) -> Transaction:
    """Move a counted subject to other amounts, region, type, field or parties, from a day on.

    `original` is its registration, `subject` what holds from now on, with the digest of the
    document that says so: one transaction that takes back what counted and counts what does, so
    that the days before keep what they had. Raises Conflict where the key stands for another
    document, the subject does not count (any more), or is another number.
    """
    register = repository.get(session, original)
    head = drafts.locked(session, Book(register.book))
    if (posted := _posted(session, key, subject.digest)) is not None:
        return posted
    before = repository.newest(session, original)
    if register.kind != Kind.REGISTER or before.kind == Kind.REVERSE:
        raise Conflict(REVERSED_ALREADY)
    if subject.key != register.subject_key:
        raise Conflict("变更不能改登记编号，请撤回后另行登记")
    book = Book(register.book)
    placed = periods.place(session, book, effective_on, at)
    drawn = drafts.register(
        Posting(subject, key, placed), book, placed, generation=register.generation, at=at
    )
    row = drawn.row | {
        "kind": Kind.CHANGE,
        "original_on": register.effective_on,
        "register_id": register.id,
        "previous_id": before.id,
    }
    draft = drafts.Draft(row, drafts.moved(before, row))
    seqs: dict[int, int] = {register.id: register.seq, before.id: before.seq}
    return repository.get(session, drafts.post(session, head, [draft], seqs, CHANGED_MEANWHILE)[0])


def post_reversal(
    session: Session,
    original: TransactionId,
    *,
    key: str,
    digest: str,
    effective_on: date,
    at: datetime,
) -> Transaction:
    """Take a counted subject out again, as it was changed last, effective on the day of the undo.

    `original` is its registration, `digest` that of the document that tells why. Raises Conflict
    where it is out already.
    """
    register = repository.get(session, original)
    head = drafts.locked(session, Book(register.book))
    if (posted := _posted(session, key, digest)) is not None:
        return posted
    before = repository.newest(session, original)
    if register.kind != Kind.REGISTER or before.kind == Kind.REVERSE:
        raise Conflict(REVERSED_ALREADY)
    placed = periods.place(session, Book(register.book), effective_on, at)
    reversal = Reversal(original, key, digest, placed)
    draft = drafts.reverse(register, before, reversal, placed, at=at)
    seqs: dict[int, int] = {register.id: register.seq, before.id: before.seq}
    return repository.get(session, drafts.post(session, head, [draft], seqs, REVERSED_ALREADY)[0])


def lock(session: Session, book: Book = Book.STATISTICS) -> None:
    """Keep others from posting to the book until this transaction ends, so that what is looked up
    from here on stays true.
    """
    repository.lock_head(session, Chain(book))


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
    head = drafts.locked(session, book)
    known = repository.generations(session, book, {one.subject.key for one in postings})
    if any(counts for _, counts in known.values()):
        raise Conflict(COUNTED_ALREADY)
    placed = periods.place_many(session, book, [one.effective_on for one in postings], at)
    made = [
        drafts.register(
            one,
            book,
            day,
            generation=known[one.subject.key][0] + 1 if one.subject.key in known else 0,
            at=at,
        )
        for one, day in zip(postings, placed, strict=True)
    ]
    return drafts.post(session, head, made, {}, COUNTED_ALREADY)


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
    head = drafts.locked(session, book)
    originals = [one.original for one in reversals]
    newest = repository.newest_of(session, originals)
    if any(row.kind == Kind.REVERSE for row in newest.values()):
        raise Conflict(REVERSED_ALREADY)
    registers = repository.by_ids(session, originals)
    if any(row.kind != Kind.REGISTER for row in registers.values()):
        raise Conflict(REVERSED_ALREADY)
    wanted = [one.effective_on or registers[one.original].effective_on for one in reversals]
    placed = periods.place_many(session, book, wanted, at)
    made = [
        drafts.reverse(registers[one.original], newest[one.original], one, day, at=at)
        for one, day in zip(reversals, placed, strict=True)
    ]
    seqs: dict[int, int] = {row.id: row.seq for row in (*registers.values(), *newest.values())}
    return drafts.post(session, head, made, seqs, REVERSED_ALREADY)


def _posted(session: Session, key: str, digest: str) -> Transaction | None:
    posted = repository.by_key(session, key)
    if posted is not None and posted.digest != digest:
        raise Conflict(OTHER_DOCUMENT)
    return posted


def get(session: Session, transaction: TransactionId) -> Transaction:
    return repository.get(session, transaction)


def by_ids(session: Session, ids: Collection[TransactionId]) -> dict[TransactionId, Transaction]:
    """Return transactions by their ids."""
    return repository.by_ids(session, ids)


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
    return repository_sums.total(session, book, part)


def sums(session: Session, by: By, part: Slice, book: Book = Book.STATISTICS) -> list[Sum]:
    """Return a part of the book by one dimension; the rows add up to `total` of the same part."""
    return repository_sums.sums(session, book, by, part)


def lines(
    session: Session, part: Slice, *, limit: int, offset: int = 0, book: Book = Book.STATISTICS
) -> list[Transaction]:
    """Return the transactions of a part, newest first.

    Changes and reversals are lines of their own, so that the lines of a figure add up to it by what
    each has `moved`.
    """
    return repository_sums.lines(session, book, part, limit=limit, offset=offset)


def count_lines(session: Session, part: Slice, *, book: Book = Book.STATISTICS) -> int:
    """Return how many `lines` there are of a part in all."""
    return repository_sums.count_lines(session, book, part)


def moved(
    session: Session,
    part: Slice,
    transactions: Collection[TransactionId],
    book: Book = Book.STATISTICS,
) -> dict[TransactionId, Sum]:
    """Return what each of these moves within a part: a change, the difference that it makes there;
    its count is 0 where the contract stays in the part.
    """
    return repository_sums.moved(session, book, part, transactions)


def newest(session: Session, register: TransactionId) -> Transaction:
    """Return what the ledger says last of what was registered: as registered, changed or taken
    out.
    """
    return repository.newest(session, register)


def verify(session: Session) -> list[str]:
    """Return what is wrong in the books, one sentence a finding; an empty list is a sound one."""
    return list(books(session))
