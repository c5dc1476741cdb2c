"""What comparing listings brings about, and how it is written."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from market.catalog.views import Source
from market.discovery import repository, repository_judged, telling
from market.discovery.models import MatchDue
from market.kit.ids import ListingId
from market.operations import marks


@dataclass(frozen=True, slots=True)
class DemandMatches:
    """What one demand's comparison found: rows to keep, and the row that says it was made.

    `fresh` are the achievements of others that were not in its list before.
    """

    demand_id: ListingId
    rows: tuple[dict[str, Any], ...]
    state: dict[str, Any]
    demand: Source
    fresh: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed listings bring about, to be stored in one transaction."""

    gone: frozenset[ListingId]
    demands: tuple[DemandMatches, ...]
    achievements: int
    at: datetime
    due: tuple[MatchDue, ...] = ()


def store(session: Session, found: Comparison) -> None:
    """Write a comparison. What people decided meanwhile, or before, stays as it is."""
    repository.drop_gone(session, found.gone)
    for demand in found.demands:
        keep = [row["achievement_id"] for row in demand.rows]
        repository.drop_undecided(session, demand.demand_id, keep=keep)
        if demand.rows:
            repository.upsert_matches(session, demand.rows)
        repository.upsert_state(session, demand.state)
    marks.put(session, marks.COMPARED, at=found.at, good=True, detail=str(found.achievements))
    repository_judged.done(session, [(one.demand_id, one.since) for one in found.due])
    telling.tell_found(session, [(one.demand, one.fresh) for one in found.demands], found.at)
