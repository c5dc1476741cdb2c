"""The JSON edge of imports and exports."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, File, Form, Query, Request, UploadFile
from fastapi.responses import StreamingResponse

from market.accounts.edge import OpensWork, WritesWork, Writing, api_router, opens, parts_of
from market.accounts.policy import Action
from market.accounts.work import Work
from market.imports import files_out, service
from market.imports.files_out import Download, Format
from market.imports.models import Kind
from market.imports.schemas import (
    ChangeOut,
    ColumnOut,
    CountsOut,
    HeadingOut,
    ImportErrorOut,
    ImportOut,
    Imports,
    MappingIn,
    MappingOut,
    UpdateOut,
)
from market.imports.service import Received, RunView, Update
from market.kit.downloads import as_download
from market.kit.files import as_document
from market.kit.ids import PublicId
from market.kit.wire import PathId

router = api_router("imports")

_FILE = as_document(files_out.MEDIA.values())
Using = Annotated[Work, opens(Action.IMPORT_USE)]
Changing = Annotated[Work, opens(Action.IMPORT_USE, write=True)]
Exporting = Annotated[Work, opens(Action.LISTING_VIEW_OWN)]
Upload = Annotated[
    UploadFile, File(description="xlsx, xls, ods, csv or jsonl; 50 MB, 200,000 rows")
]


class ReceivesFile(WritesWork):
    """Keeps an upload in the store before the writing transaction, for those who may send one."""

    def __call__(  # type: ignore[override]
        self, request: Request, _turn: Writing, file: Upload
    ) -> Iterator[tuple[Work, Received]]:
        with OpensWork(self.action, write=False).run(request):
            pass
        kept = service.receive(parts_of(request).files, file.filename or "", file.file)
        for work in super().__call__(request, _turn):
            yield work, kept


Receiving = Annotated[
    tuple[Work, Received],
    Depends(ReceivesFile(Action.IMPORT_USE, write=True), scope="function"),
]


def _update_out(one: Update) -> UpdateOut:
    changes = [ChangeOut(column=a, was=b, now=c) for a, b, c in one.changes]
    return UpdateOut(row=one.row, was=one.was, now=one.now, changes=changes)


def _out(found: RunView) -> ImportOut:
    run = found.run
    return ImportOut(
        id=run.public_id,
        kind=Kind(run.kind),
        name=found.file.name,
        state=found.state,
        rows=run.rows,
        created=run.created,
        updated=run.updated,
        unchanged=run.unchanged,
        refused=run.refused,
        checked=CountsOut(**run.checked) if run.checked else None,
        preview=run.preview,
        errors=[ImportErrorOut.model_validate(one) for one in found.problems],
        unknown=run.unknown,
        notes=found.notes,
        updates=[_update_out(one) for one in found.updates],
        problem=run.problem,
        undone=run.undone,
        kept=[ImportErrorOut(row=one.row, column="", reason=one.kept) for one in found.kept],
        same_as=found.same_as.public_id if found.same_as else None,
        created_at=run.created_at,
        finished_at=run.finished_at,
    )


@router.post("/my/imports", status_code=202)
def start_import(
    received: Receiving,
    kind: Annotated[Kind, Form(examples=["achievement"])],
    ask: Annotated[bool, Form(description="wait after the dry run for a confirmation")] = False,
) -> ImportOut:
    """Send a file. Ask the answer's `id` for its progress.

    Without `ask` headings that nobody knows are left aside and the rows are brought in at once.
    """
    work, kept = received
    run = service.start_own(work, kind, kept, ask=ask)
    return _out(service.view(work.parts, work.session, run))


@router.get("/my/imports")
def list_imports(work: Using) -> Imports:
    """List the newest 50 imports, without their errors."""
    return Imports(items=[_out(one) for one in service.own_runs(work)])


@router.get("/my/imports/{import_id}")
def show_import(import_id: PathId, work: Using) -> ImportOut:
    """Read how far an import is, and which rows it refused."""
    return _out(service.own_view(work, PublicId(import_id)))


@router.get("/my/imports/{import_id}/mapping")
def show_mapping(import_id: PathId, work: Using) -> MappingOut:
    """Read what each heading of a file is taken for."""
    run = service.own_run(work, PublicId(import_id))
    found = service.mapped(work, run)
    return MappingOut(
        headings=[HeadingOut(heading=a, column=b, sample=c) for a, b, c in found.headings],
        columns=[ColumnOut.model_validate(one) for one in found.columns],
    )


@router.put("/my/imports/{import_id}/mapping")
def put_mapping(import_id: PathId, form: MappingIn, work: Changing) -> ImportOut:
    """Say what headings are; it is remembered for the organisation's next files."""
    run = service.map_headings(work, PublicId(import_id), form.columns)
    return _out(service.view(work.parts, work.session, run))


@router.post("/my/imports/{import_id}/confirmation")
def confirm_import(import_id: PathId, work: Changing) -> ImportOut:
    """Bring in what the dry run showed."""
    run = service.confirm(work, PublicId(import_id))
    return _out(service.view(work.parts, work.session, run))


@router.delete("/my/imports/{import_id}")
def cancel_import(import_id: PathId, work: Changing) -> ImportOut:
    """Set an import aside of which nothing was brought in."""
    run = service.cancel(work, PublicId(import_id))
    return _out(service.view(work.parts, work.session, run))


@router.post("/my/imports/{import_id}/undo")
def undo_import(import_id: PathId, work: Changing) -> ImportOut:
    """Take back a whole import, but for what something depends on."""
    run = service.undo(work, PublicId(import_id))
    return _out(service.view(work.parts, work.session, run))


def _download(found: Download) -> StreamingResponse:
    return as_download(found.stream, found.name, found.media_type)


@router.get("/my/imports/{import_id}/errors", response_class=StreamingResponse, responses=_FILE)
def download_errors(import_id: PathId, work: Using) -> StreamingResponse:
    """Download the refused rows as the file had them, with a column of reasons."""
    return _download(files_out.refused_rows(work, PublicId(import_id)))


@router.get("/my/export", response_class=StreamingResponse, responses=_FILE)
def export(
    work: Exporting,
    kind: Annotated[Kind, Query(examples=["achievement"])] = Kind.ACHIEVEMENT,
    form: Annotated[Format, Query(alias="format")] = "xlsx",
) -> StreamingResponse:
    """Download all that one's organisation has of a kind, in the form that imports read."""
    return _download(files_out.export(work, kind, form))


@router.get("/my/import-template", response_class=StreamingResponse, responses=_FILE)
def import_template(
    work: Using,
    kind: Annotated[Kind, Query(examples=["achievement"])] = Kind.ACHIEVEMENT,
    form: Annotated[Format, Query(alias="format")] = "xlsx",
) -> StreamingResponse:
    """Download a file with the headings of a kind and one example."""
    return _download(files_out.template(work, kind, form))
