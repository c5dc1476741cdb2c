"""The SQL of what is counted to be limited."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from market.accounts.models import SignInFailure
from market.kit.db import changed, is_sqlite


def hold(session: Session, keys: Collection[str]) -> None:
    """Let nobody else count under these keys until this write transaction ends.

    SQLite has one writer at a time anyway. The order is the same for all, or two would wait for
    each other.
    """
    if not is_sqlite(session):
        for number in sorted(int(one[:15], 16) for one in keys):
            session.execute(select(func.pg_advisory_xact_lock(number)))


def failures(session: Session, keys: Collection[str], since: datetime) -> dict[str, int]:
    """Return how many events each key has since a moment."""
    rows = session.exec(
        select(col(SignInFailure.key), func.count())
        .where(col(SignInFailure.key).in_(keys), col(SignInFailure.at) > since)
        .group_by(col(SignInFailure.key))
    )
    return dict(rows.all())


def count(session: Session, keys: Collection[str], at: datetime) -> list[int]:
    """Write one event under each key. Return the rows' ids."""
    rows = [SignInFailure(key=one, at=at) for one in keys]
    session.add_all(rows)
    session.flush()
    return [row.id for row in rows]


def drop(session: Session, ids: Collection[int]) -> None:
    changed(session, delete(SignInFailure).where(col(SignInFailure.id).in_(ids)))
