"""Bringing in listings by file: the upload, and how far it is."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from frontend import forms, notices
from frontend.edge import Page, opens_page
from market.accounts.policy import Action
from market.catalog import imports
from market.catalog.imports import SHOWN_PROBLEMS
from market.catalog.models import ImportState
from market.catalog.vocabulary import KIND_NAMES, LABELS, ListingKind
from market.kit.errors import Invalid
from market.kit.ids import PublicId
from market.kit.wire import PathId

router = APIRouter()

STARTED = notices.done("import-started", "文件已收下，正在导入")
STATES = {
    ImportState.WAITING: ("wait", "排队中"),
    ImportState.RUNNING: ("now", "导入中"),
    ImportState.DONE: ("done", "已完成"),
    ImportState.FAILED: ("late", "没有完成"),
}

Viewing = Annotated[Page, opens_page(Action.LISTING_IMPORT)]
Starting = Annotated[Page, opens_page(Action.LISTING_IMPORT, write=True)]


class ImportForm(BaseModel):
    """`file` carries only messages: what was chosen is no text."""

    kind: ListingKind = Field(title="导入的是")
    file: str = Field("", title="文件")


def _uploads(page: Page, **more: object) -> dict[str, object]:
    return {
        "runs": imports.own_runs(page.work),
        "states": STATES,
        "kind_names": KIND_NAMES,
        "labels": LABELS,
        "form": forms.blank(ImportForm, {"kind": ListingKind.ACHIEVEMENT}),
        **more,
    }


@router.get("/my/imports")
def uploads(page: Viewing) -> Response:
    return page.render("catalog/imports.html", _uploads(page))


@router.post("/my/imports")
def start(page: Starting) -> Response:
    form = forms.parse(ImportForm, page.sent)
    if form.data is not None:
        try:
            file = page.sent.file("file")
            run = imports.import_own(page.work, form.data.kind, file.filename or "", file.file)
        except Invalid as error:
            form.reject(error)
        else:
            return page.redirect(f"/my/imports/{run.public_id}", done=STARTED)
    return page.again("catalog/imports.html", _uploads(page, form=form))


@router.get("/my/imports/{import_id}")
def progress(import_id: PathId, page: Viewing) -> Response:
    run = imports.own_run(page.work, PublicId(import_id))
    context = {
        "run": run,
        "state": STATES[run.state],
        "kind_name": KIND_NAMES[run.kind],
        "shown": SHOWN_PROBLEMS,
    }
    return page.render("catalog/import.html", context, block="progress")
