"""Jobs of discovery."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlmodel import Session

from market.accounts.policy import Action, Relation
from market.accounts.work import Parts, Work
from market.discovery import repository, repository_judged
from market.kit import changes, jobs
from market.kit.changes import SubjectKind
from market.kit.ids import ListingId, OrganisationId
from market.kit.jobs import Chunk, Handler, Job

ORGANISATION: Final = "discovery.organisation"
REMATCH: Final = "discovery.rematch"
CHUNK: Final = 500


def handlers(parts: Parts) -> Mapping[str, Handler]:
    """Return the jobs of discovery by kind."""

    def tell_listings(session: Session, job: Job) -> Chunk:
        return _listings_of(parts, session, job)

    def owe_demands(session: Session, job: Job) -> Chunk:
        return _all_demands(parts, session, job)

    return {ORGANISATION: tell_listings, REMATCH: owe_demands}


def rematch(session: Session, *, at: datetime) -> bool:
    """Owe every demand a new comparison, explanations included, in chunks.

    Return False where that is under way already: it goes on from where it stands.
    """
    if jobs.waiting(session, REMATCH):
        return False
    return jobs.enqueue(session, REMATCH, f"{REMATCH}:{at.isoformat()}", {}, at=at)


def ask_rematch(work: Work) -> bool:
    """Rematch for an operator. Raises Forbidden."""
    work.require(Action.OPERATIONS_RETRY, Relation.OTHER)
    work.touched("job", REMATCH)
    return rematch(work.session, at=work.now)


def _all_demands(parts: Parts, session: Session, job: Job) -> Chunk:
    """Owe the next demands a comparison."""
    ids = repository_judged.visible_demands(
        session, after_id=ListingId(job.cursor.get("after", 0)), limit=CHUNK
    )
    repository_judged.owe(session, ids, judged=False, since=parts.clock.now())
    return Chunk({"after": ids[-1]} if len(ids) == CHUNK else None)


def owe_listings_of(
    session: Session, organisation_id: OrganisationId, version: int, *, at: datetime
) -> None:
    """Owe the listings of an organisation that changed: their documents show its name."""
    key = f"{ORGANISATION}:{organisation_id}:{version}"
    jobs.enqueue(session, ORGANISATION, key, {"organisation_id": organisation_id}, at=at)


def _listings_of(parts: Parts, session: Session, job: Job) -> Chunk:
    """Record a change of each published listing, a chunk at a time."""
    ids = repository.published_ids(
        session,
        OrganisationId(job.payload["organisation_id"]),
        after_id=ListingId(job.cursor.get("after", 0)),
        limit=CHUNK,
    )
    changes.record_many(
        session, SubjectKind.LISTING, ids, "organisation", at=parts.clock.now(), actor_id=None
    )
    return Chunk({"after": ids[-1]} if len(ids) == CHUNK else None)
