"""The SQL of past queries."""

from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from market.discovery.models_queries import PastQuery, QuerySighting
from market.kit.db import changed, is_sqlite


def note_use(session: Session, folded: str, at: datetime) -> bool:
    """Count another use of a text that is known; return whether it is."""
    row = update(PastQuery).where(col(PastQuery.folded) == folded)
    return changed(session, row.values(uses=col(PastQuery.uses) + 1, used_at=at)) == 1


def note_sighting(session: Session, text_digest: str, visitor_digest: str, at: datetime) -> int:
    """Note who (a digest) found something by a text (a digest); return by how many it was."""
    dialect_insert = sqlite.insert if is_sqlite(session) else postgresql.insert
    row = {"text_digest": text_digest, "visitor_digest": visitor_digest, "seen_at": at}
    keys = ["text_digest", "visitor_digest"]
    session.execute(
        dialect_insert(QuerySighting)
        .values(**row)
        .on_conflict_do_update(index_elements=keys, set_={"seen_at": at})
    )
    count: int = session.execute(
        select(func.count())
        .select_from(QuerySighting)
        .where(col(QuerySighting.text_digest) == text_digest)
    ).scalar_one()
    return count


def forget_sightings(session: Session, text_digest: str) -> None:
    changed(session, delete(QuerySighting).where(col(QuerySighting.text_digest) == text_digest))


def write_query(session: Session, **row: object) -> None:
    """Write a text down, unless somebody else just did."""
    dialect_insert = sqlite.insert if is_sqlite(session) else postgresql.insert
    session.execute(
        dialect_insert(PastQuery).values(**row).on_conflict_do_nothing(index_elements=["folded"])
    )


def queries_like(session: Session, folded: str, letters: str | None, limit: int) -> list[PastQuery]:
    """Return texts that begin with what was typed or are spelled so, most used first."""
    wanted: list[ColumnElement[bool]] = [col(PastQuery.folded).startswith(folded, autoescape=True)]
    if letters is not None:
        wanted.append(col(PastQuery.syllables).startswith(letters, autoescape=True))
        wanted.append(col(PastQuery.initials).startswith(letters, autoescape=True))
    return list(
        session.scalars(
            select(PastQuery)
            .where(or_(*wanted), col(PastQuery.folded) != folded)
            .order_by(col(PastQuery.uses).desc(), col(PastQuery.folded))
            .limit(limit)
        )
    )


def expire_sightings(session: Session, before: datetime, limit: int) -> int:
    some = (
        select(col(QuerySighting.text_digest))
        .where(col(QuerySighting.seen_at) < before)
        .limit(limit)
    )
    return changed(
        session,
        delete(QuerySighting).where(
            col(QuerySighting.seen_at) < before, col(QuerySighting.text_digest).in_(some)
        ),
    )


def expire_queries(session: Session, before: datetime, limit: int) -> int:
    some = select(col(PastQuery.id)).where(col(PastQuery.used_at) < before).limit(limit)
    return changed(session, delete(PastQuery).where(col(PastQuery.id).in_(some)))
