"""Jobs of discovery."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlmodel import Session

from market.accounts.work import Parts
from market.discovery import repository
from market.kit import changes, jobs
from market.kit.changes import SubjectKind
from market.kit.ids import ListingId, OrganisationId
from market.kit.jobs import Chunk, Handler, Job

ORGANISATION: Final = "discovery.organisation"
CHUNK: Final = 500


def handlers(parts: Parts) -> Mapping[str, Handler]:
    """Return the jobs of discovery by kind."""

    def tell_listings(session: Session, job: Job) -> Chunk:
        return _listings_of(parts, session, job)

    return {ORGANISATION: tell_listings}


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
