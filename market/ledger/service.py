"""Posting to the ledger, and the sums that stand on the board.

A posting is idempotent by its key: the same key with the same document answers with the same
transaction. All postings of a book pass one after another through its head row, and each is linked
to the one before by the key that stands outside the database (`chain.py`); without it nothing is
posted. What would fall into a closed month falls on the day of posting (`periods.py`).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from market.kit.errors import Conflict
from market.kit.ids import TransactionId
from market.ledger import chain, periods, repository, repository_sums
from market.ledger.models import Book, Chain, Kind, Transaction
from market.ledger.repository import Head
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
from market.ledger.verify import books

OTHER_DOCUMENT = "这笔登记已经入账，内容与这次不同，请刷新后核对"
COUNTED_ALREADY = "这个登记编号已经计入，一个编号只计一次"
REVERSED_ALREADY = "这笔登记已经冲回"
CHANGED_MEANWHILE = "这笔登记刚被别人变更，请刷新后核对"


@dataclass(frozen=True, slots=True)
class _Draft:
    """A transaction to be posted, and its entries: (account, fen, what its snapshot is, None for
    the transaction itself).
    """

    row: dict[str, Any]
    sides: tuple[tuple[str, int, TransactionId | None], ...]


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
    head = _locked(session, book)
    if (posted := _posted(session, key, subject.digest)) is not None:
        return posted
    last = repository.last_register(session, book, subject.key)
    if last is not None and repository.reversal_of(session, last.id) is None:
        raise Conflict(COUNTED_ALREADY)
    generation = 0 if last is None else last.generation + 1
    placed = periods.place(session, book, effective_on, at)
    posting = Posting(subject, key, effective_on)
    draft = _register(posting, book, placed, generation=generation, at=at)
    return repository.get(session, _post(session, head, [draft], {}, COUNTED_ALREADY)[0])


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
    head = _locked(session, Book(register.book))
    if (posted := _posted(session, key, subject.digest)) is not None:
        return posted
    before = repository.newest(session, original)
    if register.kind != Kind.REGISTER or before.kind == Kind.REVERSE:
        raise Conflict(REVERSED_ALREADY)
    if subject.key != register.subject_key:
        raise Conflict("变更不能改登记编号，请撤回后另行登记")
    book = Book(register.book)
    placed = periods.place(session, book, effective_on, at)
    drawn = _register(
        Posting(subject, key, placed), book, placed, generation=register.generation, at=at
    )
    row = drawn.row | {
        "kind": Kind.CHANGE,
        "original_on": register.effective_on,
        "register_id": register.id,
        "previous_id": before.id,
    }
    draft = _Draft(row, _moved(before, row))
    seqs = {register.id: register.seq, before.id: before.seq}
    return repository.get(session, _post(session, head, [draft], seqs, CHANGED_MEANWHILE)[0])


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
    head = _locked(session, Book(register.book))
    if (posted := _posted(session, key, digest)) is not None:
        return posted
    before = repository.newest(session, original)
    if register.kind != Kind.REGISTER or before.kind == Kind.REVERSE:
        raise Conflict(REVERSED_ALREADY)
    placed = periods.place(session, Book(register.book), effective_on, at)
    reversal = Reversal(original, key, digest, placed)
    draft = _reverse(register, before, reversal, placed, at=at)
    seqs = {register.id: register.seq, before.id: before.seq}
    return repository.get(session, _post(session, head, [draft], seqs, REVERSED_ALREADY)[0])


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
    head = _locked(session, book)
    known = repository.generations(session, book, {one.subject.key for one in postings})
    if any(counts for _, counts in known.values()):
        raise Conflict(COUNTED_ALREADY)
    placed = periods.place_many(session, book, [one.effective_on for one in postings], at)
    drafts = [
        _register(
            one,
            book,
            day,
            generation=known[one.subject.key][0] + 1 if one.subject.key in known else 0,
            at=at,
        )
        for one, day in zip(postings, placed, strict=True)
    ]
    return _post(session, head, drafts, {}, COUNTED_ALREADY)


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
    head = _locked(session, book)
    originals = [one.original for one in reversals]
    newest = repository.newest_of(session, originals)
    if any(row.kind == Kind.REVERSE for row in newest.values()):
        raise Conflict(REVERSED_ALREADY)
    registers = repository.by_ids(session, originals)
    if any(row.kind != Kind.REGISTER for row in registers.values()):
        raise Conflict(REVERSED_ALREADY)
    wanted = [one.effective_on or registers[one.original].effective_on for one in reversals]
    placed = periods.place_many(session, book, wanted, at)
    drafts = [
        _reverse(registers[one.original], newest[one.original], one, day, at=at)
        for one, day in zip(reversals, placed, strict=True)
    ]
    seqs: dict[int, int] = {row.id: row.seq for row in (*registers.values(), *newest.values())}
    return _post(session, head, drafts, seqs, REVERSED_ALREADY)


def _register(
    posting: Posting, book: Book, placed: date, *, generation: int, at: datetime
) -> _Draft:
    subject = posting.subject
    row = {
        "book": book,
        "kind": Kind.REGISTER,
        "idempotency_key": posting.key,
        "subject_key": subject.key,
        "generation": generation,
        "digest": subject.digest,
        "effective_on": placed,
        "original_on": None if placed == posting.effective_on else posting.effective_on,
        "posted_at": at,
        "reverses_id": None,
        "register_id": None,
        "previous_id": None,
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
    return _Draft(row, _sides(row, 1))


def _reverse(
    register: Transaction, before: Transaction, reversal: Reversal, placed: date, *, at: datetime
) -> _Draft:
    row = before.model_dump(exclude={"id", "seq", "keyed_hash"}) | {
        "kind": Kind.REVERSE,
        "idempotency_key": reversal.key,
        "digest": reversal.digest,
        "effective_on": placed,
        "original_on": register.effective_on,
        "posted_at": at,
        "reverses_id": register.id,
        "register_id": register.id,
        "previous_id": before.id,
    }
    return _Draft(row, _sides(row, -1))


def _sides(row: Mapping[str, Any], sign: int) -> tuple[tuple[str, int, None], ...]:
    """Return the entries that count what a transaction says, or take it out: they sum to 0."""
    moved = sign * row["technical_fen"]
    return ((counted(row["seller_region"]), moved, None), (CONTRACTS, -moved, None))


def _moved(
    before: Transaction, row: Mapping[str, Any]
) -> tuple[tuple[str, int, TransactionId | None], ...]:
    """Return the entries of a change: what counted is taken back, what counts now is counted."""
    difference = row["technical_fen"] - before.technical_fen
    sides: tuple[tuple[str, int, TransactionId | None], ...] = (
        (counted(before.seller_region), -before.technical_fen, before.id),
        (counted(row["seller_region"]), row["technical_fen"], None),
    )
    return (*sides, (CONTRACTS, -difference, None)) if difference else sides


def _locked(session: Session, book: Book) -> Head:
    """Lock a book and return its last link. Raises Conflict where it cannot be gone on with."""
    head = repository.lock_head(session, Chain(book))
    chain.key_for(session, head.key_id)
    if head.seq and not head.hash:
        raise Conflict(chain.UNCHAINED)
    return head


def _posted(session: Session, key: str, digest: str) -> Transaction | None:
    posted = repository.by_key(session, key)
    if posted is not None and posted.digest != digest:
        raise Conflict(OTHER_DOCUMENT)
    return posted


def _post(
    session: Session,
    head: Head,
    drafts: Sequence[_Draft],
    seqs: Mapping[int, int],
    taken: str,
) -> list[TransactionId]:
    """Write transactions with their entries as the head's next ones; return their ids.

    `seqs` gives the numbers of those that they refer to. Raises Conflict with `taken` where a
    UNIQUE constraint decides against them: the checks before only explain.
    """
    book = Chain(drafts[0].row["book"])
    key = chain.key_for(session, head.key_id)
    rows = []
    link = head.hash or chain.beginning(book)
    for seq, draft in enumerate(drafts, start=head.seq + 1):
        sides = [
            (account, amount, seq if of is None else seqs[of])
            for account, amount, of in draft.sides
        ]
        row = draft.row | {"seq": seq}
        link = key.link(link, chain.of_transaction(row, seqs, sides))
        rows.append(row | {"keyed_hash": link})
    try:
        ids = repository.insert_transactions(session, rows)
    except IntegrityError:
        raise Conflict(taken) from None
    posted = [ids[row["idempotency_key"]] for row in rows]
    repository.insert_entries(
        session,
        [
            {
                "book": book,
                "transaction_id": own,
                "snapshot_id": own if of is None else of,
                "account": account,
                "amount_fen": amount,
            }
            for own, draft in zip(posted, drafts, strict=True)
            for account, amount, of in draft.sides
        ],
    )
    repository.advance_head(
        session, book, replace(head, seq=rows[-1]["seq"], hash=link, key_id=key.id)
    )
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
    return repository_sums.total(session, book, part)


def sums(session: Session, by: By, part: Slice, book: Book = Book.STATISTICS) -> list[Sum]:
    """Return a part of the book by one dimension; the rows add up to `total` of the same part."""
    return repository_sums.sums(session, book, by, part)


def lines(
    session: Session, part: Slice, *, limit: int, offset: int = 0, book: Book = Book.STATISTICS
) -> tuple[list[Transaction], int]:
    """Return the transactions of a part, newest first, and how many there are in all.

    Changes and reversals are lines of their own, so that the lines of a figure add up to it by what
    each has `moved`.
    """
    found = repository_sums.lines(session, book, part, limit=limit, offset=offset)
    return found, repository_sums.count_lines(session, book, part)


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
