"""The SQL of objections against 公示."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from market.deals.models_negotiation import Objection
from market.deals.vocabulary import ObjectionState
from market.kit.db import must_change
from market.kit.ids import PublicId


def of_paths(session: Session, path_ids: Collection[int]) -> Sequence[Objection]:
    """Return the objections against these 公示, the first first."""
    return session.exec(
        select(Objection)
        .where(col(Objection.pricing_path_id).in_(path_ids))
        .order_by(col(Objection.id))
    ).all()


def open_of(session: Session, path_ids: Collection[int]) -> list[Objection]:
    """Return those that were not handled yet."""
    return [one for one in of_paths(session, path_ids) if one.state == ObjectionState.OPEN]


def count(session: Session, path_id: int) -> int:
    query = select(func.count()).where(col(Objection.pricing_path_id) == path_id)
    return session.exec(query).one()


def by_public_id(session: Session, public_id: PublicId) -> Objection | None:
    return session.exec(select(Objection).where(col(Objection.public_id) == public_id)).first()


def handle(session: Session, row: Objection, to: ObjectionState, **values: Any) -> None:
    """Close an open objection. Raises Conflict where it was handled before."""
    must_change(
        session,
        update(Objection)
        .where(col(Objection.id) == row.id, col(Objection.state) == ObjectionState.OPEN)
        .values(state=to, **values),
        "这件异议已经处理过，请刷新后再看",
    )
