"""Wire types of what operators see and do."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from market.kit.wire import In, Out

Number = Annotated[int, Field(ge=1, lt=2**62)]


class RetryIn(In):
    """Which one to set going again; without `id`, all of them."""

    id: Number | None = Field(None, examples=[7])


class Retried(Out):
    count: int


class JobOut(Out):
    """A job that waits, runs or was given up. `error` names no data."""

    id: int
    kind: str
    organisation: str | None
    attempts: int
    created_at: datetime
    next_at: datetime
    error: str | None


class AsideOut(Out):
    """A change that could not be delivered to the index or the matcher."""

    id: int
    consumer: str
    subject_kind: str
    attempts: int
    changed_at: datetime
    error: str


class LoadOut(Out):
    kind: str
    state: str
    count: int
    oldest: datetime


class ProcessOut(Out):
    kind: str
    place: str
    version: str
    busy: str
    memory_bytes: int
    started_at: datetime
    seen_at: datetime
    alive: bool


class MarkOut(Out):
    """When a routine work (backup, audit, retention) last ended, None for never."""

    name: str
    at: datetime | None
    good: bool
    detail: str


class OperationsOut(Out):
    jobs_failed: list[JobOut]
    jobs_running: list[JobOut]
    jobs_waiting: list[JobOut]
    deliveries_aside: list[AsideOut]
    jobs: list[LoadOut]
    deliveries: list[LoadOut]
    retrying: int = Field(description="jobs and deliveries that failed and are tried again")
    processes: list[ProcessOut]
    routine: list[MarkOut]
    free_bytes: int | None = Field(description="of the folder of files; null: in the database")
    total_bytes: int | None
