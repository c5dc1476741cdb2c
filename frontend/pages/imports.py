"""Files in and out: the upload, each step of an import, exports and templates."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from frontend import forms, notices
from frontend.edge import UNPROCESSABLE, OpensPage, Page, Sent, WritesPage, opens_page
from market.accounts.edge import Writing, parts_of
from market.accounts.policy import Action
from market.imports import files_out, mapping, service
from market.imports.files_out import HOLDINGS, Download, Format
from market.imports.models import Kind, RunState
from market.imports.service import SHOWN_PROBLEMS, Received, RunView
from market.imports.showing import rows_named
from market.kit.downloads import as_download
from market.kit.errors import Invalid, TooLarge
from market.kit.ids import PublicId
from market.kit.wire import PathId

router = APIRouter()

STARTED = notices.done("import-started", "文件已收下")
MAPPED = notices.done("import-mapped", "对应关系已记住", "以后同样的表头不用再对应。")
CONFIRMED = notices.done("import-confirmed", "开始导入")
CANCELLED = notices.done("import-cancelled", "已放弃这次导入", "没有写入任何内容。")
UNDOING = notices.done("import-undoing", "开始撤销")

S = RunState
STATES = {
    S.WAITING: ("wait", "正在读文件"),
    S.MAPPING: ("todo", "等您对应表头"),
    S.CHECKING: ("now", "试导入中"),
    S.READY: ("todo", "等您确认"),
    S.RUNNING: ("now", "导入中"),
    S.DONE: ("done", "已完成"),
    S.UNDOING: ("now", "撤销中"),
    S.UNDONE: ("stop", "已撤销"),
    S.PARTLY: ("stop", "已撤销一部分"),
    S.REFUSED: ("late", "文件读不了"),
    S.CANCELLED: ("stop", "已放弃"),
    S.FAILED: ("late", "没有完成"),
}
_STEPS = ("上传文件", "对应表头", "试导入", "导入")
_AT = {S.WAITING: 0, S.MAPPING: 1, S.CHECKING: 2, S.READY: 2, S.RUNNING: 3}

Viewing = Annotated[Page, opens_page(Action.IMPORT_USE)]
Changing = Annotated[Page, opens_page(Action.IMPORT_USE, write=True)]
Exporting = Annotated[Page, opens_page(Action.LISTING_VIEW_OWN)]


class ReceivesFile(WritesPage):
    """Keeps a form's file in the store before the writing transaction, for who may send one."""

    def __call__(  # type: ignore[override]
        self, request: Request, sent: Sent, _turn: Writing
    ) -> Iterator[Page]:
        with OpensPage(self.action, write=False).page(request, sent):
            pass
        request.state.received = self._receive(request, sent)
        yield from super().__call__(request, sent, _turn)

    def _receive(self, request: Request, sent: Sent) -> Received | Invalid:
        try:
            file = sent.file("file")
            return service.receive(parts_of(request).files, file.filename or "", file.file)
        except TooLarge as error:
            return Invalid(fields={"file": error.message})
        except Invalid as error:  # shown at the field once the page's transaction is open
            return error


Receiving = Annotated[Page, Depends(ReceivesFile(Action.IMPORT_USE, write=True), scope="function")]


class ImportForm(BaseModel):
    """`file` carries only messages: what was chosen is no text."""

    kind: Kind = Field(title="内容")
    file: str = Field("", title="文件")


class MappingForm(BaseModel):
    """Its selects are named by place and read apart; only the message as a whole stands here."""

    mapping: str = Field("", title="")


def _uploads(page: Page, **more: object) -> dict[str, object]:
    offers = service.kinds(page.work)
    first = next(iter(offers), None)
    return {
        "runs": service.own_runs(page.work),
        "states": STATES,
        "kinds": [(kind, offer.target.title) for kind, offer in offers.items()],
        "columns": [
            (
                kind,
                offer.target.title,
                [one for one in offer.target.columns if one.required or one.example],
            )
            for kind, offer in offers.items()
        ],
        "listed_kinds": list(offers),
        "accept": ",".join(service.ENDINGS),
        "may_export": page.work.may(Action.LISTING_VIEW_OWN),
        "form": forms.blank(ImportForm, {"kind": first}),
        **more,
    }


@router.get("/my/imports")
def uploads(page: Viewing) -> Response:
    return page.render("imports/list.html", _uploads(page))


@router.post("/my/imports")
def start(page: Receiving) -> Response:
    received: Received | Invalid = page.request.state.received
    form = forms.parse(ImportForm, page.sent)
    if isinstance(received, Invalid):
        form.reject(received)
    elif form.data is not None:
        try:
            run = service.start_own(page.work, form.data.kind, received, ask=True)
        except Invalid as error:
            form.reject(error)
        else:
            return page.redirect(f"/my/imports/{run.public_id}", done=STARTED)
    return page.again("imports/list.html", _uploads(page, form=form))


def _steps(state: RunState) -> list[tuple[str, str, str]]:
    at = _AT.get(state, len(_STEPS))
    return [
        (label, "done" if n < at else "now" if n == at else "", "")
        for n, label in enumerate(_STEPS)
    ]


def _follows(page: Page, kind: Kind) -> str:
    """Return what becomes of rows once they are confirmed, "" where they simply count."""
    if kind not in HOLDINGS:
        return ""
    return "published" if service.publishes_itself(page.work) else "review"


def _shown(page: Page, found: RunView, **more: object) -> dict[str, object]:
    run = found.run
    offer = service.kinds(page.work).get(Kind(run.kind))
    labels = {} if offer is None else {one.key: one.label for one in offer.target.columns}
    used = [key for key in labels if any(key in row for row in run.preview)]
    waits = found.state is S.MAPPING
    return {
        "view": found,
        "run": run,
        "state": STATES[found.state],
        "steps": _steps(found.state),
        "shown": SHOWN_PROBLEMS,
        "rows_named": rows_named,
        "preview_columns": [(labels[key], "") for key in used],
        "preview": [[row.get(key, "") for key in used] for row in run.preview],
        "page_of_kind": "" if offer is None else offer.page,
        "undoable": service.undoable(run, page.work.now),
        "follows": _follows(page, Kind(run.kind)),
        "cancellable": found.state in service.CANCELLABLE,
        "mapped": service.mapped(page.work, run) if waits else None,
        "aside": mapping.ASIDE,
        "form": forms.blank(MappingForm),
        **more,
    }


@router.get("/my/imports/{import_id}")
def progress(
    import_id: PathId, page: Viewing, step: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    found = service.own_view(page.work, PublicId(import_id))
    context = _shown(page, found)
    if step == "mapping" and found.state is S.READY:
        context["mapped"] = service.mapped(page.work, found.run)
    return page.render("imports/run.html", context, block="progress")


@router.post("/my/imports/{import_id}/mapping")
def map_headings(import_id: PathId, page: Changing) -> Response:
    public_id = PublicId(import_id)
    run = service.own_run(page.work, public_id)
    found = service.mapped(page.work, run)
    chosen = {}
    for n, (heading, _, _) in enumerate(found.headings):
        said = page.sent.first(f"column-{n}")
        if said:
            chosen[heading] = mapping.ASIDE if said == "-" else said
    form = forms.parse(MappingForm, page.sent)
    try:
        service.map_headings(page.work, public_id, chosen)
    except Invalid as error:
        form.reject(error)
        page.work.abandon()
        # Not by `again`: who leaves the page finds what was chosen when coming back.
        service.keep_choices(page.work, public_id, chosen)
        view = service.own_view(page.work, public_id)
        shown = _shown(page, view, form=form, mapped=found)
        return page.render("imports/run.html", shown, status=UNPROCESSABLE)
    return page.redirect(f"/my/imports/{import_id}", done=MAPPED)


@router.post("/my/imports/{import_id}/confirmation")
def confirm(import_id: PathId, page: Changing) -> Response:
    service.confirm(page.work, PublicId(import_id))
    return page.redirect(f"/my/imports/{import_id}", done=CONFIRMED)


@router.post("/my/imports/{import_id}/cancellation")
def cancel(import_id: PathId, page: Changing) -> Response:
    service.cancel(page.work, PublicId(import_id))
    return page.redirect("/my/imports", done=CANCELLED)


@router.post("/my/imports/{import_id}/undo")
def undo(import_id: PathId, page: Changing) -> Response:
    service.undo(page.work, PublicId(import_id))
    return page.redirect(f"/my/imports/{import_id}", done=UNDOING)


def _download(found: Download) -> Response:
    return as_download(found.stream, found.name, found.media_type)


@router.get("/my/imports/{import_id}/errors")
def errors(import_id: PathId, page: Viewing) -> Response:
    return _download(files_out.refused_rows(page.work, PublicId(import_id)))


@router.get("/my/import-template")
def template(
    page: Viewing,
    kind: Kind = Kind.ACHIEVEMENT,
    form: Annotated[Format, Query(alias="format")] = "xlsx",
) -> Response:
    return _download(files_out.template(page.work, kind, form))


@router.get("/my/export")
def export_page(page: Exporting) -> Response:
    return page.render("imports/export.html", {"kinds": files_out.titles(page.work, HOLDINGS)})


@router.get("/my/export/file")
def export(
    page: Exporting,
    kind: Kind = Kind.ACHIEVEMENT,
    form: Annotated[Format, Query(alias="format")] = "xlsx",
) -> Response:
    return _download(files_out.export(page.work, kind, form))
