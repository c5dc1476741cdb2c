"""Which listings inquiries, introductions and deals rely on."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import or_, select
from sqlmodel import Session, col

from market.deals.models import Deal, Inquiry, Introduction

_RELYING = (
    (Deal, (Deal.achievement_id, Deal.demand_id), "已在洽谈"),
    (Introduction, (Introduction.achievement_id, Introduction.demand_id), "已有引荐"),
    (Inquiry, (Inquiry.listing_id, Inquiry.own_listing_id), "已有询问"),
)


def relied_on(session: Session, ids: Collection[int], since: datetime) -> dict[int, str]:
    """Return those of the listings that something since then is about, each with what it is."""
    found: dict[int, str] = {}
    wanted = set(ids)
    for model, sides, words in _RELYING:
        columns = [col(side) for side in sides]
        rows = session.execute(
            select(*columns).where(
                or_(*(column.in_(wanted) for column in columns)), col(model.created_at) >= since
            )
        )
        for row in rows:
            for one in wanted.intersection(row):
                found.setdefault(one, words)
    return found
