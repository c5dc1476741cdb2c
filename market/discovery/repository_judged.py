"""The SQL of decisions on matches: what they say to the matcher, what is due because of them, and
at which rank what was decided on had stood.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from market.access.repository import public_listings
from market.catalog.models import Listing
from market.catalog.vocabulary import ListingKind
from market.discovery.models import Match, MatchChoice, MatchDue, MatchShown
from market.kit.db import changed, is_sqlite
from market.kit.ids import ListingId, OrganisationId


def any_decided(session: Session) -> bool:
    query = select(col(Match.id)).where(col(Match.state) != MatchChoice.NEW).limit(1)
    return session.execute(query).first() is not None


def decided(session: Session, demand_ids: Collection[ListingId]) -> list[Match]:
    """Return the decided matches of the demands, the newest decision first."""
    return list(
        session.scalars(
            select(Match)
            .where(col(Match.demand_id).in_(demand_ids), col(Match.state) != MatchChoice.NEW)
            .order_by(col(Match.decided_at).desc(), col(Match.id).desc())
        )
    )


def owe(
    session: Session, demand_ids: Collection[ListingId], *, judged: bool, since: datetime
) -> None:
    """Owe the demands a new comparison. What is owed because of a decision stays so."""
    if not demand_ids:
        return
    dialect = sqlite if is_sqlite(session) else postgresql
    insert = dialect.insert(MatchDue)
    newer: dict[str, Any] = {"since": insert.excluded.since}
    if judged:
        newer["judged"] = True
    session.execute(
        insert.on_conflict_do_update(index_elements=["demand_id"], set_=newer),
        [{"demand_id": one, "judged": judged, "since": since} for one in sorted(demand_ids)],
    )


def due(session: Session, limit: int) -> list[MatchDue]:
    """Return demands that are owed a comparison: those with a new decision first, then by id."""
    return list(
        session.scalars(
            select(MatchDue)
            .order_by(col(MatchDue.judged).desc(), col(MatchDue.demand_id))
            .limit(limit)
        )
    )


def due_count(session: Session) -> int:
    count: int = session.execute(select(func.count()).select_from(MatchDue)).scalar_one()
    return count


def done(session: Session, rows: Sequence[tuple[ListingId, datetime]]) -> None:
    """Forget what was owed to demands, but for what has come since it was read."""
    for demand_id, since in rows:
        changed(
            session,
            delete(MatchDue).where(
                col(MatchDue.demand_id) == demand_id, col(MatchDue.since) == since
            ),
        )


def visible_demands(session: Session, *, after_id: int, limit: int) -> list[ListingId]:
    """Return publicly visible demands by id."""
    return list(
        session.scalars(
            select(col(Listing.id))
            .where(
                public_listings(),
                col(Listing.kind) == ListingKind.DEMAND,
                col(Listing.id) > after_id,
            )
            .order_by(col(Listing.id))
            .limit(limit)
        )
    )


def demands_asked(
    session: Session, achievement_id: ListingId, organisation_id: OrganisationId
) -> list[ListingId]:
    """Return the organisation's demands that the achievement is a match of."""
    rows = (
        select(col(Match.demand_id))
        .join(Listing, col(Listing.id) == col(Match.demand_id))
        .where(
            col(Match.achievement_id) == achievement_id,
            col(Listing.organisation_id) == organisation_id,
        )
    )
    return list(session.scalars(rows))


def mark_dealt(
    session: Session, achievement_id: ListingId, demand_ids: Collection[ListingId], at: datetime
) -> None:
    """Note that a contract was signed about the achievement and the demands; twice is once.

    A match that nobody had decided about is taken then, by whoever brought the two together.
    """
    changed(
        session,
        update(Match)
        .where(
            col(Match.achievement_id) == achievement_id,
            col(Match.demand_id).in_(demand_ids),
            col(Match.dealt_at).is_(None),
        )
        .values(
            dealt_at=at,
            decided_at=func.coalesce(col(Match.decided_at), at),
            state=case(
                (col(Match.state) == MatchChoice.NEW, str(MatchChoice.ASKED)),
                else_=col(Match.state),
            ),
        )
        .execution_options(synchronize_session=False),
    )


def put_shown(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write at which rank pairs stood; of each pair the newest stays."""
    if not rows:
        return
    dialect = sqlite if is_sqlite(session) else postgresql
    insert = dialect.insert(MatchShown)
    newer = {name: getattr(insert.excluded, name) for name in ("rank", "band", "shown_at")}
    session.execute(
        insert.on_conflict_do_update(index_elements=["demand_id", "achievement_id"], set_=newer),
        [dict(row) for row in rows],
    )


def drop_shown(session: Session, before: datetime, limit: int) -> int:
    ids = (
        select(col(MatchShown.demand_id), col(MatchShown.achievement_id))
        .where(col(MatchShown.shown_at) < before)
        .limit(limit)
    )
    rows = session.execute(ids).all()
    for demand_id, achievement_id in rows:
        changed(
            session,
            delete(MatchShown).where(
                col(MatchShown.demand_id) == demand_id,
                col(MatchShown.achievement_id) == achievement_id,
            ),
        )
    return len(rows)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Of the pairs that were shown at a rank, in a band: how many, and what became of them."""

    rank: int
    band: str
    shown: int
    accepted: int
    declined: int


def acceptance(session: Session) -> list[Acceptance]:
    """Return what became of what was shown, by rank and band."""
    yes = case((col(Match.state).in_([MatchChoice.SUITABLE, MatchChoice.ASKED]), 1), else_=0)
    no = case((col(Match.state) == MatchChoice.UNSUITABLE, 1), else_=0)
    rows = session.execute(
        select(
            col(MatchShown.rank),
            col(MatchShown.band),
            func.count(),
            func.sum(yes),
            func.sum(no),
        )
        .select_from(MatchShown)
        .outerjoin(
            Match,
            (col(Match.demand_id) == col(MatchShown.demand_id))
            & (col(Match.achievement_id) == col(MatchShown.achievement_id)),
        )
        .group_by(col(MatchShown.rank), col(MatchShown.band))
        .order_by(col(MatchShown.rank), col(MatchShown.band))
    )
    return [Acceptance(*(row[0], row[1], *(int(one or 0) for one in row[2:]))) for row in rows]
