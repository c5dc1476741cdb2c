"""The job edge of the catalogue."""

from collections.abc import Mapping
from itertools import islice

from sqlmodel import Session

from market.accounts import repository as accounts
from market.accounts.work import Parts
from market.catalog import imports, repository_imports, rows
from market.catalog.batch import Batch
from market.catalog.models import ImportState
from market.catalog.rows import Layout
from market.kit.jobs import Chunk, Handler, Job

CHUNK_ROWS = 200


def handlers(parts: Parts) -> Mapping[str, Handler]:
    """Return the jobs of the catalogue by kind."""

    def bring_in(session: Session, job: Job) -> Chunk:
        return import_chunk(parts, session, job)

    return {imports.KIND: bring_in}


def import_chunk(parts: Parts, session: Session, job: Job) -> Chunk:
    """Bring in the next CHUNK_ROWS rows of a file; the cursor is where the next ones begin."""
    run = repository_imports.run(session, job.payload["run"])
    layout = Layout.of(job.payload["layout"])
    offset, row = job.cursor.get("offset", layout.offset), job.cursor.get("row", layout.row)
    file = repository_imports.file_of(session, run)
    with parts.files.open(file.sha256) as stream:
        records = list(islice(rows.records(layout, stream, offset, row), CHUNK_ROWS))
    organisation = accounts.organisation(session, run.organisation_id)
    now = parts.clock.now()
    run.state = ImportState.RUNNING
    Batch(session, run, organisation, now).bring_in(records, table=layout.format == "csv")
    if len(records) == CHUNK_ROWS:
        return Chunk({"offset": records[-1].end, "row": records[-1].row})
    run.state, run.finished_at = ImportState.DONE, now
    repository_imports.add_all(session, [run])
    return Chunk(None)
