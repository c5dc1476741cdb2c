"""Contracts registered elsewhere: the bureau's list, a party's own, and taking one out."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from frontend import forms, notices
from frontend.edge import Page, opens_page
from market.accounts.policy import Action, Role
from market.catalog.vocabulary import FIELDS, region_name
from market.deals.vocabulary import CONTRACT_TYPES
from market.imports import files_out
from market.imports.files_out import Format
from market.imports.models import Kind
from market.kit.downloads import as_download
from market.kit.errors import Conflict
from market.kit.ids import PublicId
from market.kit.wire import PathId
from market.registry import past
from market.registry.models import PastState
from market.registry.past_columns import LABELS
from market.registry.schemas import Reason, TakeOutIn

router = APIRouter()

Year = Annotated[int, Field(ge=1980, le=2100)]

TAKEN_OUT = notices.done(
    "past-registration-taken-out",
    "已冲回",
    "两条记录都保留；同一编号可以用更正后的一行重新导入。",
)
STATES = {PastState.COUNTED: ("done", "已计入"), PastState.TAKEN_OUT: ("stop", "已冲回")}
CAUSES = (
    ("mistake", "导入时抄录有误：从原登记日期冲回，如同没有计入过"),
    ("cancelled", "登记机构已注销或撤销：从今天起冲减，原来的月份不改"),
)


# Items that the page shows by themselves, above the rest of the form.
_ABOVE = {
    LABELS[key]
    for key in (
        "number",
        "registered_on",
        "project_name",
        "contract_type",
        "sub_type",
        "field",
        "seller",
        "seller_region",
        "buyer",
        "buyer_region",
        "total",
        "technical",
        "signed_on",
    )
}


class TakeOutForm(BaseModel):
    cause: Literal["mistake", "cancelled"] = Field(title="原因")
    reason: Reason = Field(title="说明")


@router.get("/past-registrations")
def listed(
    page: Annotated[Page, opens_page(Action.REGISTRATION_VIEW)],
    q: Annotated[str, Query(max_length=60)] = "",
    year: Annotated[Year | Literal[""], Query()] = "",
    number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
) -> Response:
    rows, total = past.listed(page.work, q, year or None, number)
    return page.render(
        "desk/past.html",
        {
            "rows": rows,
            "total": total,
            "taken_out": past.taken_out(page.work, q, year or None) if total else 0,
            "q": q,
            "year": year,
            "years": past.years(page.work),
            "page": number,
            "pages": -(-total // past.PAGE_SIZE),
            "bureau": page.work.actor.role is Role.OFFICER,
            "states": STATES,
            "types": CONTRACT_TYPES,
        },
    )


@router.get("/past-registrations/export")
def export(
    page: Annotated[Page, opens_page(Action.REGISTRATION_DECIDE)],
    form: Annotated[Format, Query(alias="format")] = "xlsx",
) -> Response:
    """Download all that the bureau brought in and that counts, in the form that imports read."""
    work = page.work
    name = f"{work.actor.organisation_name}-历史登记-{work.today:%Y%m%d}"
    found = files_out.written(work, Kind.CONTRACT, form, work.actor.organisation, name)
    return as_download(found.stream, found.name, found.media_type)


def _one(page: Page, past_id: str, **more: object) -> dict[str, object]:
    found = past.get(page.work, PublicId(past_id))
    return {
        "found": found,
        "row": found.row,
        "state": STATES[PastState(found.row.state)],
        "bureau": page.work.actor.role is Role.OFFICER,
        "items": [(label, text) for label, text in found.items if label not in _ABOVE],
        "region_name": region_name,
        "causes": CAUSES,
        "types": CONTRACT_TYPES,
        "fields": FIELDS,
        **more,
    }


@router.get("/past-registrations/{past_id}")
def one(past_id: PathId, page: Annotated[Page, opens_page(Action.REGISTRATION_VIEW)]) -> Response:
    return page.render("desk/past_one.html", _one(page, past_id))


@router.get("/past-registrations/{past_id}/take-out")
def ask_take_out(
    past_id: PathId, page: Annotated[Page, opens_page(Action.REGISTRATION_UNDO)]
) -> Response:
    form = forms.blank(TakeOutForm, {"cause": "mistake"})
    return page.render("desk/past_out.html", _one(page, past_id, form=form))


@router.post("/past-registrations/{past_id}/take-out")
def take_out(
    past_id: PathId, page: Annotated[Page, opens_page(Action.REGISTRATION_UNDO, write=True)]
) -> Response:
    form = forms.parse(TakeOutForm, page.sent)
    if form.data is not None:
        try:
            past.take_out(page.work, PublicId(past_id), TakeOutIn(**form.data.model_dump()))
        except Conflict as error:
            form.fail(forms.WHOLE, error.message)
        else:
            return page.redirect(f"/past-registrations/{past_id}", done=TAKEN_OUT)
    page.work.abandon()
    return page.again("desk/past_out.html", _one(page, past_id, form=form))
