"""Which listings people's decisions on matches rely on."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import or_, select
from sqlmodel import Session, col

from market.discovery.models import Match, MatchChoice


def relied_on(session: Session, ids: Collection[int], since: datetime) -> dict[int, str]:
    """Return those of the listings a match of which was decided on since then."""
    wanted = set(ids)
    rows = session.execute(
        select(col(Match.demand_id), col(Match.achievement_id)).where(
            or_(col(Match.demand_id).in_(wanted), col(Match.achievement_id).in_(wanted)),
            col(Match.state) != MatchChoice.NEW,
            or_(col(Match.decided_at).is_(None), col(Match.decided_at) >= since),
        )
    )
    return dict.fromkeys(wanted & {one for row in rows for one in row}, "匹配里已有人作了选择")
