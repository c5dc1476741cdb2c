"""The SQL of what operators see: processes and marks. Jobs and deliveries are kit's own."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from market.kit.db import is_sqlite
from market.operations.models import OperationMark, ProcessSeen


def put_seen(session: Session, row: dict[str, Any]) -> None:
    _put(session, ProcessSeen, row, ("kind", "place"))


def drop_seen(session: Session, kind: str, place: str) -> None:
    session.execute(
        delete(ProcessSeen).where(col(ProcessSeen.kind) == kind, col(ProcessSeen.place) == place)
    )


def drop_seen_before(session: Session, moment: datetime) -> None:
    session.execute(delete(ProcessSeen).where(col(ProcessSeen.seen_at) < moment))


def seen(session: Session) -> Sequence[ProcessSeen]:
    """Return every sign of life, by kind, the newest first."""
    query = select(ProcessSeen).order_by(col(ProcessSeen.kind), col(ProcessSeen.seen_at).desc())
    return session.scalars(query).all()


def put_mark(session: Session, row: dict[str, Any]) -> None:
    _put(session, OperationMark, row, ("name",))


def mark(session: Session, name: str) -> OperationMark | None:
    return session.get(OperationMark, name)


def drop_mark(session: Session, name: str) -> None:
    session.execute(delete(OperationMark).where(col(OperationMark.name) == name))


def marks(session: Session) -> Sequence[OperationMark]:
    return session.scalars(select(OperationMark).order_by(col(OperationMark.name))).all()


def _put(session: Session, table: Any, row: dict[str, Any], key: tuple[str, ...]) -> None:
    dialect = sqlite if is_sqlite(session) else postgresql
    rest = {name: value for name, value in row.items() if name not in key}
    session.execute(
        dialect.insert(table)
        .values(**row)
        .on_conflict_do_update(index_elements=list(key), set_=rest)
    )
