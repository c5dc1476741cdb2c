"""The SQL of matches, and what discovery reads of the change log."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from market.access.repository import public_listings
from market.accounts.models import Organisation, Verification
from market.accounts.policy import OrganisationKind
from market.catalog.models import Listing, ListingState
from market.catalog.vocabulary import ListingKind
from market.discovery.models import EDGES, Match, MatchChoice, MatchState
from market.kit.changes import Change, Consumer, Delivery, DeliveryState
from market.kit.db import changed, is_sqlite, must_change
from market.kit.ids import ListingId, OrganisationId, PublicId
from search.analysis import fold

_NUL = "\x00"  # may be typed into an address; PostgreSQL refuses it


def sample_ids(session: Session, limit: int) -> list[ListingId]:
    """Return publicly visible listings as good as drawn at random, the same every time."""
    return list(
        session.scalars(
            select(col(Listing.id))
            .where(public_listings())
            .order_by(col(Listing.public_id))  # random by nature
            .limit(limit)
        )
    )


def published_ids(
    session: Session, organisation_id: OrganisationId, *, after_id: int, limit: int
) -> list[ListingId]:
    """Return published listings of an organisation, verified or not, by id."""
    return list(
        session.scalars(
            select(col(Listing.id))
            .where(
                col(Listing.organisation_id) == organisation_id,
                col(Listing.state) == ListingState.PUBLISHED,
                col(Listing.id) > after_id,
            )
            .order_by(col(Listing.id))
            .limit(limit)
        )
    )


def newest_change(session: Session) -> int:
    """Return the id of the newest committed change, 0 for none."""
    newest: int | None = session.execute(select(func.max(col(Change.id)))).scalar_one()
    return newest or 0


def owed(session: Session, consumer: Consumer, *, up_to_change: int) -> int:
    """Return how many deliveries of changes up to this one are not done (set aside: done with)."""
    count: int = session.execute(
        select(func.count())
        .select_from(Delivery)
        .where(
            col(Delivery.consumer) == consumer,
            col(Delivery.state).in_([DeliveryState.WAITING, DeliveryState.CLAIMED]),
            col(Delivery.change_id) <= up_to_change,
        )
    ).scalar_one()
    return count


def organisation_names(session: Session, public_ids: Collection[str]) -> dict[str, str]:
    """Return the names of organisations that are here under their own name, by public id."""
    possible = [one for one in public_ids if _NUL not in one]
    rows = select(col(Organisation.public_id), col(Organisation.name)).where(
        col(Organisation.public_id).in_(possible), _here_by_name()
    )
    return {row[0]: row[1] for row in session.execute(rows)}


def organisations(session: Session, words: Iterable[str], limit: int) -> list[Organisation]:
    """Return organisations that are here under their own name and whose name has every word,
    literally or as searches fold it, by name.
    """
    name = col(Organisation.name)
    query = (
        select(Organisation)
        .where(
            _here_by_name(),
            *(
                or_(
                    name.contains(word, autoescape=True),
                    func.lower(name).contains(fold(word), autoescape=True),
                )
                for word in (typed.replace(_NUL, "") for typed in words)
            ),
        )
        .order_by(col(Organisation.name), col(Organisation.id))
        .limit(limit)
    )
    return list(session.scalars(query))


def _here_by_name() -> ColumnElement[bool]:
    """Return the WHERE clause of verified organisations with a public listing under their name,
    and of agencies, which have none.

    Masked listings change nothing in it: were one with masked listings alone told from one
    without any, what the directory has beyond these would name those behind the masks.
    """
    # For each organisation by itself: a list of all listings is read whole for a handful of names.
    named = select(col(Listing.id)).where(
        col(Listing.organisation_id) == col(Organisation.id),
        col(Listing.state) == ListingState.PUBLISHED,
        ~col(Listing.masked),
    )
    return and_(
        col(Organisation.verification) == Verification.VERIFIED,
        or_(col(Organisation.kind) == OrganisationKind.AGENCY, named.exists()),
    )


def match_by_public_id(session: Session, public_id: PublicId) -> Match | None:
    return session.scalars(select(Match).where(col(Match.public_id) == public_id)).first()


def matches_of_demands(session: Session, ids: Collection[ListingId]) -> list[Match]:
    return list(session.scalars(select(Match).where(col(Match.demand_id).in_(ids))))


def matches_of_demand(session: Session, demand_id: ListingId) -> list[Match]:
    """Return the matches of one demand: 合适 first, then by score."""
    return list(
        session.scalars(
            select(Match)
            .where(col(Match.demand_id) == demand_id)
            .order_by(
                (col(Match.state) == MatchChoice.SUITABLE).desc(),
                col(Match.score).desc(),
                col(Match.achievement_id),
            )
        )
    )


def matches_of_achievement(
    session: Session, achievement_id: ListingId, *, offset: int, limit: int
) -> tuple[int, list[Match]]:
    """Return (how many, a page of) the matches of one achievement with visible demands, best
    first.
    """
    query = (
        select(Match)
        .join(Listing, col(Listing.id) == col(Match.demand_id))
        .where(col(Match.achievement_id) == achievement_id, public_listings())
    )
    counted = query.with_only_columns(func.count(), maintain_column_froms=True)
    count: int = session.execute(counted).scalar_one()
    order = (col(Match.score).desc(), col(Match.demand_id))
    return count, list(session.scalars(query.order_by(*order).offset(offset).limit(limit)))


def demands_matched_with(
    session: Session, achievement_ids: Collection[ListingId]
) -> set[ListingId]:
    rows = select(col(Match.demand_id)).where(col(Match.achievement_id).in_(achievement_ids))
    return set(session.scalars(rows))


def bars(session: Session, demand_ids: Collection[ListingId]) -> dict[ListingId, float]:
    """Return, of the demands that were compared, the score above which a newcomer matters."""
    rows = select(col(MatchState.demand_id), col(MatchState.bar)).where(
        col(MatchState.demand_id).in_(demand_ids)
    )
    return {row[0]: row[1] for row in session.execute(rows)}


def match_state(session: Session, demand_id: ListingId) -> MatchState | None:
    return session.get(MatchState, demand_id)


def suitable_count(session: Session, achievement_id: ListingId) -> int:
    """Return how many organisations with a visible demand marked the achievement 合适."""
    count: int = session.execute(
        select(func.count(func.distinct(col(Listing.organisation_id))))
        .select_from(Match)
        .join(Listing, col(Listing.id) == col(Match.demand_id))
        .where(
            col(Match.achievement_id) == achievement_id,
            col(Match.state) == MatchChoice.SUITABLE,
            public_listings(),
        )
    ).scalar_one()
    return count


def upsert_matches(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Write pairs anew; of those that are there, what was decided and the public id stay."""
    dialect_insert = sqlite.insert if is_sqlite(session) else postgresql.insert
    statement = dialect_insert(Match)
    fresh = ("score", "band", "explanation", "demand_version", "achievement_version")
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["demand_id", "achievement_id"],
            set_={name: getattr(statement.excluded, name) for name in fresh},
        ),
        list(rows),
    )


def drop_undecided(
    session: Session, demand_id: ListingId, *, keep: Iterable[ListingId] = ()
) -> None:
    """Remove the demand's matches that nobody decided about, but for those with `keep`."""
    changed(
        session,
        delete(Match).where(
            col(Match.demand_id) == demand_id,
            col(Match.state) == MatchChoice.NEW,
            col(Match.achievement_id).not_in(list(keep)),
        ),
    )


def drop_gone(session: Session, listing_ids: Collection[ListingId]) -> None:
    """Forget what was found for listings that nobody sees any more, but not what was decided."""
    undecided = delete(Match).where(col(Match.state) == MatchChoice.NEW)
    changed(session, undecided.where(col(Match.demand_id).in_(listing_ids)))
    changed(session, undecided.where(col(Match.achievement_id).in_(listing_ids)))
    changed(session, delete(MatchState).where(col(MatchState.demand_id).in_(listing_ids)))


def upsert_state(session: Session, row: dict[str, Any]) -> None:
    dialect_insert = sqlite.insert if is_sqlite(session) else postgresql.insert
    session.execute(
        dialect_insert(MatchState)
        .values(**row)
        .on_conflict_do_update(index_elements=["demand_id"], set_=row)
    )


def move_match(session: Session, match: Match, to: MatchChoice, **values: Any) -> None:
    """Move a match along one of its edges. Raises Conflict where it was decided meanwhile."""
    assert to in EDGES[MatchChoice(match.state)]
    must_change(
        session,
        update(Match)
        .where(col(Match.id) == match.id, col(Match.state) == match.state)
        .values(state=to, **values)
        .execution_options(synchronize_session=False),
        "本单位有人刚刚处理过这一项，请刷新后再看",
    )
    session.refresh(match)


def mark_asked(
    session: Session, achievement_id: ListingId, organisation_id: OrganisationId, **values: Any
) -> None:
    """Mark an achievement's matches with an organisation's demands as asked, whatever they were."""
    demands = select(col(Listing.id)).where(col(Listing.organisation_id) == organisation_id)
    changed(
        session,
        update(Match)
        .where(
            col(Match.achievement_id) == achievement_id,
            col(Match.demand_id).in_(demands),
            col(Match.state) != MatchChoice.ASKED,
        )
        .values(state=MatchChoice.ASKED, reason=None, note="", **values)
        .execution_options(synchronize_session=False),
    )


def counts(session: Session) -> tuple[int, int, int]:
    """Return (visible demands, those compared, those of them with a visible achievement)."""
    demands = select(col(Listing.id)).where(
        public_listings(), col(Listing.kind) == ListingKind.DEMAND
    )
    achievements = select(col(Listing.id)).where(
        public_listings(), col(Listing.kind) == ListingKind.ACHIEVEMENT
    )
    matched = (
        select(col(Match.id))
        .where(
            col(Match.demand_id) == col(MatchState.demand_id),
            col(Match.achievement_id).in_(achievements),
        )
        .exists()
    )
    seen = (
        select(func.count()).select_from(MatchState).where(col(MatchState.demand_id).in_(demands))
    )
    total: int = session.execute(select(func.count()).select_from(demands.subquery())).scalar_one()
    compared: int = session.execute(seen).scalar_one()
    with_matches: int = session.execute(seen.where(matched)).scalar_one()
    return total, compared, with_matches
