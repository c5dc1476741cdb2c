"""What rows of other tables said, kept in a chain: whoever changes such a row in the database is
found out, though the row itself must be free to move on.

Every change of a kept row is followed by `keep` in the same transaction. Lock the book first where
both are written, so that no two wait for one another.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import inspect
from sqlmodel import Session

from market.kit.columns import Table
from market.kit.errors import Conflict
from market.ledger import chain, repository, repository_records
from market.ledger.models import Chain
from market.ledger.repository import Head

MOVED_ALONE: Final = "现在的内容与最后一次记下的不同，有人绕过程序改过"
NEVER_KEPT: Final = "从来没有记下过，不是由程序写入的"
GONE: Final = "记下过，现在没有这一行，有人把它删去了"


def said(row: Table | Mapping[str, Any]) -> str:
    """Return the SHA-256 of all that a row says, in hex.

    What is empty is left out, so that a column that comes later changes no digest.
    """
    values = row if isinstance(row, Mapping) else _values(row)
    full = {name: value for name, value in values.items() if value}
    return hashlib.sha256(chain.canonical(full)).hexdigest()


def _values(row: Table) -> dict[str, Any]:
    return {one.key: getattr(row, one.key) for one in inspect(type(row)).mapper.column_attrs}


def lock(session: Session) -> None:
    """Let nobody else keep anything until this transaction ends.

    Whoever changes a row with a UNIQUE constraint and keeps it, locks first: otherwise one waits
    for the other's row while that one waits for the chain.
    """
    repository.lock_head(session, Chain.RECORDS)


def keep(session: Session, kind: str, key: str, row: Table, *, at: datetime) -> None:
    """Keep what a row says from now on. Raises Conflict without the chain's key."""
    session.flush()
    keep_many(session, kind, [(key, said(row))], at=at)


def keep_many(
    session: Session, kind: str, given: Sequence[tuple[str, str]], *, at: datetime
) -> None:
    """Keep what several rows say, (key, digest of `said`) each."""
    if not given:
        return
    head = repository.lock_head(session, Chain.RECORDS)
    key = chain.key_for(session, head.key_id)
    if head.seq and not head.hash:
        raise Conflict(chain.UNCHAINED)
    previous = head.hash or chain.beginning(Chain.RECORDS)
    rows: list[dict[str, Any]] = []
    for seq, (subject, digest) in enumerate(given, start=head.seq + 1):
        previous = key.link(previous, chain.of_record(seq, at, kind, subject, digest))
        rows.append(
            {
                "seq": seq,
                "subject_kind": kind,
                "subject_key": subject,
                "digest": digest,
                "at": at,
                "keyed_hash": previous,
            }
        )
    repository_records.insert(session, rows)
    repository.advance_head(session, Chain.RECORDS, Head(rows[-1]["seq"], previous, key.id))


def any_kept(session: Session, kind: str) -> bool:
    """Tell whether anything of a kind was ever kept."""
    return repository_records.any_of(session, kind)


def differing(
    session: Session, kind: str, rows: Iterable[tuple[str, Mapping[str, Any]]]
) -> Iterator[tuple[str, str]]:
    """Yield (key, what is wrong) of all rows of a kind, (key, values) each, against what was kept.

    To be read in the state in which the rows are.
    """
    kept = repository_records.newest(session, kind)
    for key, values in rows:
        digest = kept.pop(key, None)
        if digest is None:
            yield key, NEVER_KEPT
        elif digest != said(values):
            yield key, MOVED_ALONE
    yield from ((key, GONE) for key in kept)
