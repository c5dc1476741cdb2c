"""The bureau's synonyms: the list, a new group, a change of one."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, BeforeValidator, Field
from starlette.responses import Response

from frontend import forms, notices
from frontend.edge import Page, opens_page
from frontend.pages.catalog_forms import apart
from market.accounts.policy import Action
from market.kit.errors import Conflict, Invalid
from market.kit.ids import PublicId
from market.kit.wire import PathId
from market.rules import synonyms
from market.rules.schemas import LONGEST_TERM, MOST_TERMS, SynonymsEditIn, SynonymsIn, Terms

router = APIRouter()

SAVED = notices.done("synonyms-saved", "同义词已保存", "从下一次搜索起生效。")
REMOVED = notices.done("synonyms-removed", "这一组已删去", "从下一次搜索起不再互相代替。")

LIST, ONE = "/desk/synonyms", "desk/synonyms_one.html"
LIMITS = {"words": MOST_TERMS, "letters": LONGEST_TERM, "groups": synonyms.MOST}
Reading = Annotated[Page, opens_page(Action.SYNONYM_EDIT)]
Editing = Annotated[Page, opens_page(Action.SYNONYM_EDIT, write=True)]


class SynonymsForm(BaseModel):
    terms: Annotated[Terms, BeforeValidator(apart)] = Field(title="同义词")
    edits: forms.Whole = Field(0, title="修改次数", ge=0, le=1_000_000)


class RemoveForm(BaseModel):
    edits: forms.Whole = Field(title="修改次数", ge=0, le=1_000_000)


def _list(page: Page, form: forms.Form[SynonymsForm]) -> dict[str, object]:
    return {"groups": synonyms.groups(page.work), "form": form, "limits": LIMITS}


@router.get("/desk/synonyms")
def listed(page: Reading) -> Response:
    return page.render("desk/synonyms.html", _list(page, forms.blank(SynonymsForm)))


@router.post("/desk/synonyms")
def add(page: Editing) -> Response:
    form = forms.parse(SynonymsForm, page.sent)
    if form.data is not None:
        try:
            synonyms.add(page.work, SynonymsIn(terms=form.data.terms))
        except (Invalid, Conflict) as error:
            form.reject(error)
        else:
            return page.redirect(LIST, done=SAVED)
    page.work.abandon()
    return page.again("desk/synonyms.html", _list(page, form))


def _of(page: Page, synonyms_id: str) -> forms.Form[SynonymsForm]:
    row = synonyms.group(page.work, PublicId(synonyms_id))
    return forms.blank(SynonymsForm, {"terms": "、".join(row.terms), "edits": row.edits})


def _one(page: Page, synonyms_id: str, form: forms.Form[SynonymsForm]) -> dict[str, object]:
    row = synonyms.group(page.work, PublicId(synonyms_id))
    return {"row": row, "form": form, "limits": LIMITS}


@router.get("/desk/synonyms/{synonyms_id}")
def one(synonyms_id: PathId, page: Reading) -> Response:
    return page.render(ONE, _one(page, synonyms_id, _of(page, synonyms_id)))


@router.post("/desk/synonyms/{synonyms_id}")
def change(synonyms_id: PathId, page: Editing) -> Response:
    form = forms.parse(SynonymsForm, page.sent)
    if form.data is not None:
        try:
            synonyms.change(
                page.work, PublicId(synonyms_id), SynonymsEditIn(**form.data.model_dump())
            )
        except Invalid as error:
            form.reject(error)
        except Conflict as error:
            page.work.abandon()
            form.fail(forms.WHOLE, error.message)
            form.overtaken(_of(page, synonyms_id), by=["edits"])
            return page.render(ONE, _one(page, synonyms_id, form), status=error.status)
        else:
            return page.redirect(LIST, done=SAVED)
    page.work.abandon()
    return page.again(ONE, _one(page, synonyms_id, form))


@router.post("/desk/synonyms/{synonyms_id}/remove")
def remove(synonyms_id: PathId, page: Editing) -> Response:
    form = forms.parse(RemoveForm, page.sent)
    if form.data is None:
        raise Invalid(next(iter(form.errors.values())))
    synonyms.remove(page.work, PublicId(synonyms_id), form.data.edits)
    return page.redirect(LIST, done=REMOVED)
