"""Bringing in listings by file: one run a file, one job in chunks, one transaction a chunk.

The key of a row is (organisation, kind, own number); a row without a number is known again by its
whole content. A row that is as it was last brought in changes nothing, even where people have
edited the listing since; a changed one changes the columns that the file has.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from sqlmodel import Session

from market.accounts.policy import Action
from market.accounts.work import Work
from market.catalog import repository_imports, rows
from market.catalog.models import ImportProblem, ImportRun, ImportState
from market.catalog.vocabulary import ListingKind
from market.kit import files, jobs
from market.kit.errors import NotFound
from market.kit.files import MAX_IMPORT_BYTES
from market.kit.ids import OrganisationId, PublicId, new_public_id

KIND = "catalog.import"
SHOWN_PROBLEMS = 1000
SHOWN_RUNS = 50
FAILED = "系统没有处理完这个文件；已处理的行都已保存，原样再导入一次会接着做，不会重复"


@dataclass(frozen=True, slots=True)
class ImportResult:
    """A run as it stands. The counts add up to `rows` when it is done."""

    public_id: PublicId
    kind: ListingKind
    name: str
    state: ImportState
    rows: int
    created: int
    updated: int
    unchanged: int
    refused: int
    errors: tuple[ImportProblem, ...]
    unknown: tuple[str, ...]
    problem: str
    created_at: datetime
    finished_at: datetime | None

    @property
    def done(self) -> int:
        """Return how many rows have been dealt with."""
        return self.created + self.updated + self.unchanged + self.refused

    @property
    def finished(self) -> bool:
        return self.state in (ImportState.DONE, ImportState.FAILED)


def import_own(work: Work, kind: ListingKind, name: str, stream: BinaryIO) -> ImportRun:
    """Start an import for the acting organisation. Raises Invalid at `file`, TooLarge."""
    work.require(Action.LISTING_IMPORT)
    return start_import(work, work.actor.organisation, kind, stream, name, publish=False)


def start_import(
    work: Work,
    organisation_id: OrganisationId,
    kind: ListingKind,
    stream: BinaryIO,
    name: str,
    *,
    publish: bool,
) -> ImportRun:
    """Keep the file, look it through, and owe the job that brings it in.

    The caller has checked that the actor may; `publish` is for operators. Raises Invalid at
    `file` for a file that cannot be read whole, TooLarge over 50 MB.
    """
    stored = work.parts.files.save(stream, limit=MAX_IMPORT_BYTES)
    with work.parts.files.open(stored[0]) as kept:
        layout, count = rows.survey(kind, name, kept)
    file = files.keep(
        work.session,
        stored=stored,
        name=name,
        media_type="text/csv" if layout.format == "csv" else "application/jsonl",
        organisation_id=organisation_id,
        person_id=work.actor.person_id,
        at=work.now,
    )
    run = ImportRun(
        public_id=new_public_id(),
        organisation_id=organisation_id,
        kind=kind,
        file_id=file.id,
        publish=publish,
        rows=count,
        created_by=work.actor.person_id,
        created_at=work.now,
    )
    repository_imports.add_all(work.session, [run])
    payload = {"run": run.id, "layout": layout.payload()}
    jobs.enqueue(work.session, KIND, job_key(run), payload, at=work.now)
    work.touched("import", run.public_id)
    return run


def job_key(run: ImportRun) -> str:
    return f"{KIND}:{run.public_id}"


def import_result(session: Session, run: ImportRun) -> ImportResult:
    """Return a run with the first SHOWN_PROBLEMS of its refused rows."""
    return _result(
        run,
        repository_imports.file_of(session, run).name,
        tuple(repository_imports.problems(session, run.id, SHOWN_PROBLEMS)),
        given_up=bool(repository_imports.failed_jobs(session, [job_key(run)])),
    )


def result_of(session: Session, public_id: PublicId) -> ImportResult:
    """Return any run, for operators. Raises NotFound."""
    run = repository_imports.run_by_public_id(session, public_id)
    if run is None:
        raise NotFound
    return import_result(session, run)


def own_run(work: Work, public_id: PublicId) -> ImportResult:
    """Return a run of the acting organisation. Raises NotFound."""
    run = repository_imports.run_by_public_id(work.session, public_id)
    if run is None or run.organisation_id != work.actor.organisation_id:
        raise NotFound
    work.require(Action.LISTING_IMPORT)
    return import_result(work.session, run)


def own_runs(work: Work) -> list[ImportResult]:
    """Return the newest SHOWN_RUNS runs of the acting organisation, without their problems."""
    work.require(Action.LISTING_IMPORT)
    found = repository_imports.runs(work.session, work.actor.organisation, SHOWN_RUNS)
    failed = repository_imports.failed_jobs(work.session, [job_key(run) for run, _ in found])
    return [_result(run, name, (), given_up=job_key(run) in failed) for run, name in found]


def _result(
    run: ImportRun, name: str, errors: tuple[ImportProblem, ...], *, given_up: bool
) -> ImportResult:
    return ImportResult(
        public_id=run.public_id,
        kind=ListingKind(run.kind),
        name=name,
        state=ImportState.FAILED if given_up else ImportState(run.state),
        rows=run.rows,
        created=run.created,
        updated=run.updated,
        unchanged=run.unchanged,
        refused=run.refused,
        errors=errors,
        unknown=tuple(run.unknown),
        problem=FAILED if given_up else "",
        created_at=run.created_at,
        finished_at=run.finished_at,
    )
