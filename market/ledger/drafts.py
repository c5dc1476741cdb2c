"""What is posted, before it is: a transaction with its entries, and the linking of it.

The caller has locked the book.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from market.kit.errors import Conflict
from market.kit.ids import TransactionId
from market.ledger import chain, repository
from market.ledger.models import Book, Chain, Kind, Transaction
from market.ledger.repository import Head
from market.ledger.schemas import CONTRACTS, Posting, Reversal, counted


@dataclass(frozen=True, slots=True)
class Draft:
    """A transaction to be posted, and its entries: (account, fen, what its snapshot is, None for
    the transaction itself).
    """

    row: dict[str, Any]
    sides: tuple[tuple[str, int, TransactionId | None], ...]


def register(posting: Posting, book: Book, placed: date, *, generation: int, at: datetime) -> Draft:
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
    return Draft(row, _sides(row, 1))


def reverse(
    register: Transaction, before: Transaction, reversal: Reversal, placed: date, *, at: datetime
) -> Draft:
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
    return Draft(row, _sides(row, -1))


def _sides(row: Mapping[str, Any], sign: int) -> tuple[tuple[str, int, None], ...]:
    """Return the entries that count what a transaction says, or take it out: they sum to 0."""
    moved = sign * row["technical_fen"]
    return ((counted(row["seller_region"]), moved, None), (CONTRACTS, -moved, None))


def moved(
    before: Transaction, row: Mapping[str, Any]
) -> tuple[tuple[str, int, TransactionId | None], ...]:
    """Return the entries of a change: what counted is taken back, what counts now is counted."""
    difference = row["technical_fen"] - before.technical_fen
    sides: tuple[tuple[str, int, TransactionId | None], ...] = (
        (counted(before.seller_region), -before.technical_fen, before.id),
        (counted(row["seller_region"]), row["technical_fen"], None),
    )
    return (*sides, (CONTRACTS, -difference, None)) if difference else sides


def locked(session: Session, book: Book) -> Head:
    """Lock a book and return its last link. Raises Conflict where it cannot be gone on with."""
    head = repository.lock_head(session, Chain(book))
    chain.key_for(session, head.key_id)
    if head.seq and not head.hash:
        raise Conflict(chain.UNCHAINED)
    return head


def post(
    session: Session,
    head: Head,
    drafts: Sequence[Draft],
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
