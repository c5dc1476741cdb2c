"""Linking what was posted before there was a chain: once, with the key, and never again.

From then on a head stands outside the database, and whoever empties the links of a changed book
cannot have it linked anew.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session

from market.kit import triggers
from market.ledger import chain, heads, periods, repository, repository_verify
from market.ledger.chain import Side
from market.ledger.models import Book, Chain
from market.ledger.repository import Head

_AT_ONCE = 2_000


def may_begin(session: Session) -> bool:
    """Tell whether nothing has been linked or signed yet, here or outside."""
    outside = heads.read_files(chain.keeping(session).heads)
    return not (repository_verify.seals(session) or outside or repository.chained(session))


def link_all(session: Session, *, at: datetime) -> int:
    """Link every transaction; return how many. Raises Conflict without the key.

    The only writing over of posted rows: it fills what is empty, where `may_begin`. The guards are
    put back in the same transaction.
    """
    connection = session.connection()
    triggers.lift(connection, "ledger_transaction", "UPDATE")
    count = sum(_link(session, book) for book in Book)
    triggers.install(connection)
    for book, months in _months(session).items():
        periods.open_months(session, book, months, at)
    return count


def _link(session: Session, book: Book) -> int:
    head = repository.lock_head(session, Chain(book))
    key = chain.key_for(session, head.key_id)
    link, last = chain.beginning(Chain(book)), 0
    seqs: dict[int, int] = {}
    sides = repository_verify.Sides(session, book)
    made: list[dict[str, Any]] = []
    for row in list(repository_verify.links(session, book)):
        values = row._mapping  # noqa: SLF001  SQLAlchemy's own name for it
        seqs[values["id"]] = last = values["seq"]
        own: list[Side] = [
            (account, amount, seqs[of]) for _, account, amount, of in sides.of(values["id"])
        ]
        link = key.link(link, chain.of_transaction(values, seqs, own))
        made.append({"row": values["id"], "made": link})
    for start in range(0, len(made), _AT_ONCE):
        repository.fill_links(session, made[start : start + _AT_ONCE])
    if last:
        repository.advance_head(session, Chain(book), Head(last, link, key.id))
    return len(made)


def _months(session: Session) -> dict[Book, Sequence[str]]:
    return {book: repository_verify.months(session, book) for book in Book}
