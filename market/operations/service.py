"""What operators see of the machinery, and how they set going again what does not go on."""

from collections.abc import Sequence
from typing import Final

from market.accounts import repository as accounts
from market.accounts.policy import Action, Relation
from market.accounts.work import Work
from market.kit import upkeep
from market.kit.ids import OrganisationId
from market.kit.jobs import Job, JobState
from market.operations import marks, repository
from market.operations.repository_alive import ALIVE
from market.operations.schemas import (
    AsideOut,
    JobOut,
    LoadOut,
    MarkOut,
    OperationsOut,
    ProcessOut,
)

KINDS: Final = ("web", "worker", "indexer")
SHOWN: Final = 50
ROUTINE: Final = (marks.BACKUP, marks.AUDIT, marks.RETENTION)


def overview(work: Work) -> OperationsOut:
    """Return the state of everything; of each list the first SHOWN, `jobs` counts them all."""
    work.require(Action.OPERATIONS_VIEW, Relation.OTHER)
    session = work.session
    free, total = work.parts.files.space() or (None, None)
    return OperationsOut(
        jobs_failed=_jobs(work, JobState.FAILED),
        jobs_running=_jobs(work, JobState.RUNNING),
        jobs_waiting=_jobs(work, JobState.WAITING),
        deliveries_aside=[
            AsideOut.model_validate(one) for one in upkeep.set_aside(session, limit=SHOWN)
        ],
        jobs=[LoadOut.model_validate(one) for one in upkeep.job_loads(session)],
        deliveries=[LoadOut.model_validate(one) for one in upkeep.delivery_loads(session)],
        retrying=upkeep.retrying(session),
        processes=_processes(work),
        routine=_routine(work),
        free_bytes=free,
        total_bytes=total,
    )


def retry_job(work: Work, job_id: int | None) -> int:
    """Let one failed job, or all, run again; return how many. Raises Conflict for one that has
    not failed.
    """
    work.require(Action.OPERATIONS_RETRY, Relation.OTHER)
    work.touched("job", str(job_id) if job_id else "all")
    if job_id is None:
        return upkeep.retry_jobs(work.session, at=work.now)
    upkeep.retry_job(work.session, job_id, at=work.now)
    return 1


def retry_delivery(work: Work, delivery_id: int | None) -> int:
    """Let one delivery set aside, or all, be tried again; return how many. Raises Conflict for
    one that is not set aside.
    """
    work.require(Action.OPERATIONS_RETRY, Relation.OTHER)
    work.touched("delivery", str(delivery_id) if delivery_id else "all")
    if delivery_id is None:
        return upkeep.retry_deliveries(work.session, at=work.now)
    upkeep.retry_delivery(work.session, delivery_id, at=work.now)
    return 1


def _jobs(work: Work, state: JobState) -> list[JobOut]:
    jobs = upkeep.open_jobs(work.session, state, limit=SHOWN)
    names = _names(work, jobs)
    return [
        JobOut(
            id=job.id,
            kind=job.kind,
            organisation=names.get(job.organisation_id),
            attempts=job.attempts,
            created_at=job.created_at,
            next_at=job.available_at,
            error=job.error,
        )
        for job in jobs
    ]


def _names(work: Work, jobs: Sequence[Job]) -> dict[int | None, str]:
    ids = {OrganisationId(job.organisation_id) for job in jobs if job.organisation_id}
    return {key: row.name for key, row in accounts.organisations(work.session, ids).items()}


def _processes(work: Work) -> list[ProcessOut]:
    return [
        ProcessOut(**one.model_dump(), alive=work.now - one.seen_at < ALIVE)
        for one in repository.seen(work.session)
    ]


def _routine(work: Work) -> list[MarkOut]:
    done = marks.newest(work.session)
    return [
        MarkOut(name=name, at=one.at, good=one.good, detail=one.detail)
        if (one := done.get(name))
        else MarkOut(name=name, at=None, good=False, detail="")
        for name in ROUTINE
    ]
