"""The nightly job of the registry: what a quarter that is over leaves to compare."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final

from sqlmodel import Session

from market.kit import jobs
from market.kit.clock import Clock
from market.kit.jobs import Chunk, Handler, Job
from market.registry import comparables

COMPARABLES: Final = "registry.comparables"
CHUNK: Final = 500


def owe_night(session: Session, day: date, *, at: datetime) -> None:
    """Owe the groups of comparable deals, once a day."""
    jobs.enqueue(session, COMPARABLES, f"{COMPARABLES}:{day}", {}, at=at)


def handlers(clock: Clock) -> Mapping[str, Handler]:
    """Return the jobs of the registry by kind."""

    def group(session: Session, job: Job) -> Chunk:
        formed = comparables.form(session, clock.now(), CHUNK)
        return Chunk({"formed": job.cursor.get("formed", 0) + formed} if formed else None)

    return {COMPARABLES: group}
