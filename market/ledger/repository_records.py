"""SQL of what rows said."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy import insert as insert_
from sqlmodel import Session, col

from market.kit.db import streamed
from market.ledger.models import Record


def insert(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    session.execute(insert_(Record), list(rows))


def newest(session: Session, kind: str) -> dict[str, str]:
    """Return the digest that was kept last of each subject of a kind, by its key."""
    last = (
        select(func.max(col(Record.seq)))
        .where(col(Record.subject_kind) == kind)
        .group_by(col(Record.subject_key))
    )
    query = select(col(Record.subject_key), col(Record.digest)).where(col(Record.seq).in_(last))
    return {row[0]: row[1] for row in session.execute(query)}


def any_of(session: Session, kind: str) -> bool:
    query = select(col(Record.seq)).where(col(Record.subject_kind) == kind).limit(1)
    return session.scalars(query).first() is not None


def keys(session: Session, kind: str) -> set[str]:
    """Return the subjects of a kind of which anything was kept."""
    query = select(col(Record.subject_key)).where(col(Record.subject_kind) == kind).distinct()
    return set(session.scalars(query))


def links(session: Session) -> Iterator[Record]:
    """Yield all records in their order."""
    query = select(Record.__table__).order_by(col(Record.seq), col(Record.id))  # type: ignore[attr-defined]
    yield from streamed(session, query)
