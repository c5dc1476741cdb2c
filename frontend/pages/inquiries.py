"""Inquiries (询问): asked from a listing's page, read and answered here."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from frontend import forms, notices
from frontend.edge import Page, opens_page
from market.access import service as access
from market.access.service import Seen
from market.accounts import repository as accounts
from market.accounts.policy import Action, Relation
from market.accounts.work import Work
from market.catalog import views as catalog
from market.catalog.vocabulary import ListingKind
from market.deals import inquiries
from market.deals.models import Inquiry
from market.deals.schemas import (
    MESSAGE_LENGTH,
    AnswerIn,
    CloseIn,
    InquiryIn,
    Message,
    OptionalEmail,
)
from market.deals.vocabulary import PAGE, Box
from market.kit.errors import Conflict, Forbidden, Invalid
from market.kit.ids import PublicId
from market.kit.wire import Optional60, Optional500, PathId

router = APIRouter()

ASKED = notices.done("asked", "询问已发出", "对方答复后，双方会看到彼此的联系方式。")
ANSWERED = notices.done("answered", "已答复", "双方现在可以看到彼此的联系方式，洽谈已经开始。")
CLOSED = notices.done("inquiry-closed", "询问已关闭")


class AskForm(BaseModel):
    message: Message = Field(title="您的情况和问题")
    own_listing: PathId | None = Field(None, title="您的相关信息", description="列表中的一项")
    show_name: bool = Field(False, title="显示机构名称")
    contact_name: Optional60 = Field("", title="联系人")
    contact_phone: Optional60 = Field("", title="电话")
    contact_email: OptionalEmail = Field("", title="邮箱")


class AnswerForm(BaseModel):
    answer: Message = Field(title="答复")
    contact_name: Optional60 = Field("", title="联系人")
    contact_phone: Optional60 = Field("", title="电话")
    contact_email: OptionalEmail = Field("", title="邮箱")


class CloseForm(BaseModel):
    reason: Optional500 = Field("", title="原因")


@dataclass(frozen=True, slots=True)
class Asking:
    """What the form beside a listing needs; `open` is one's own inquiry that waits already."""

    form: forms.Form[AskForm]
    own: tuple[tuple[str, str], ...]
    open: Inquiry | None
    limit: int = MESSAGE_LENGTH


def asking(work: Work, seen: Seen, form: forms.Form[AskForm] | None = None) -> Asking | None:
    """Return the form for asking about a listing, or None for who may not ask about it.

    A listing's page passes it to `_ask.html`.
    """
    if seen.own or not work.may(Action.INQUIRY_SEND, Relation.OTHER):
        return None
    is_demand = seen.shown.kind is ListingKind.DEMAND
    wanted = ListingKind.ACHIEVEMENT if is_demand else ListingKind.DEMAND
    own = inquiries.own_choices(work, wanted)
    if form is None:
        person = accounts.person(work.session, work.actor.person)
        values = {
            "show_name": True,
            "contact_name": person.name,
            "contact_phone": person.phone,
            "contact_email": person.email,
        }
        form = forms.blank(AskForm, values)
    return Asking(
        form=form,
        own=tuple((one.public_id, f"{one.number} {one.text.title}") for one in own),
        open=inquiries.open_of_actor(work, seen.shown.listing_id),
    )


def _ask_page(
    page: Page, listing_id: str, form: forms.Form[AskForm] | None = None
) -> dict[str, object]:
    seen = access.listing_page(page.work, PublicId(listing_id))
    shown = asking(page.work, seen, form)
    if shown is None:
        raise Forbidden(inquiries.OWN)
    return {"seen": seen, "asking": shown}


@router.get("/listings/{listing_id}/inquiries")
def ask_form(
    listing_id: PathId, page: Annotated[Page, opens_page(Action.INQUIRY_SEND)]
) -> Response:
    return page.render("deals/ask.html", _ask_page(page, listing_id))


@router.post("/listings/{listing_id}/inquiries")
def ask(
    listing_id: PathId, page: Annotated[Page, opens_page(Action.INQUIRY_SEND, write=True)]
) -> Response:
    form = forms.parse(AskForm, page.sent)
    if form.data is not None:
        try:
            row = inquiries.ask(page.work, InquiryIn(listing=listing_id, **form.data.model_dump()))
            return page.redirect(f"/inquiries/{row.public_id}", done=ASKED)
        except Invalid as error:
            form.reject(error)
        except Conflict as error:
            form.fail("", error.message)
    page.work.abandon()
    return page.again("deals/ask.html", _ask_page(page, listing_id, form))


@router.get("/inquiries")
def list_inquiries(
    page: Annotated[Page, opens_page(Action.INQUIRY_VIEW)],
    box: Box = Box.RECEIVED,
    number: Annotated[int, Query(alias="page", ge=1, le=10_000)] = 1,
) -> Response:
    total, rows = inquiries.inquiries_of_actor(page.work, box, number)
    counts = {one: inquiries.count_of_actor(page.work, one) for one in Box}
    return page.render(
        "deals/inquiries.html",
        {
            "box": box,
            "rows": rows,
            "received": counts[Box.RECEIVED],
            "sent": counts[Box.SENT],
            "page": number,
            "pages": catalog.pages(total, PAGE),
        },
    )


def _one(page: Page, inquiry_id: str, **more: object) -> dict[str, object]:
    view = inquiries.inquiry(page.work, PublicId(inquiry_id))
    person = accounts.person(page.work.session, page.work.actor.person)
    values = {
        "contact_name": person.name,
        "contact_phone": person.phone,
        "contact_email": person.email,
    }
    state = view.inquiry.state
    return {
        "view": view,
        "may_answer": state == "open" and page.work.may(Action.INQUIRY_ANSWER, view.relation),
        "may_close": state != "closed" and page.work.may(Action.INQUIRY_CLOSE, view.relation),
        "form": forms.blank(AnswerForm, values),
        "close": forms.blank(CloseForm),
        "limit": MESSAGE_LENGTH,
        "problem": "",
        **more,
    }


@router.get("/inquiries/{inquiry_id}")
def show(inquiry_id: PathId, page: Annotated[Page, opens_page(Action.INQUIRY_VIEW)]) -> Response:
    return page.render("deals/inquiry.html", _one(page, inquiry_id))


def _stands(page: Page, inquiry_id: str, error: Conflict) -> Response:
    """Show how the inquiry stands now, with what stood in the way."""
    page.work.abandon()
    context = _one(page, inquiry_id, problem=error.message)
    return page.render("deals/inquiry.html", context, status=error.status)


@router.post("/inquiries/{inquiry_id}/answer")
def answer(
    inquiry_id: PathId, page: Annotated[Page, opens_page(Action.INQUIRY_ANSWER, write=True)]
) -> Response:
    form = forms.parse(AnswerForm, page.sent)
    if form.data is None:
        return page.again("deals/inquiry.html", _one(page, inquiry_id, form=form))
    try:
        inquiries.answer(page.work, PublicId(inquiry_id), AnswerIn(**form.data.model_dump()))
    except Conflict as error:
        return _stands(page, inquiry_id, error)
    return page.redirect(f"/inquiries/{inquiry_id}", done=ANSWERED)


@router.post("/inquiries/{inquiry_id}/close")
def close(
    inquiry_id: PathId, page: Annotated[Page, opens_page(Action.INQUIRY_CLOSE, write=True)]
) -> Response:
    form = forms.parse(CloseForm, page.sent)
    if form.data is None:
        return page.again("deals/inquiry.html", _one(page, inquiry_id, close=form))
    try:
        inquiries.close(page.work, PublicId(inquiry_id), CloseIn(**form.data.model_dump()))
    except Conflict as error:
        return _stands(page, inquiry_id, error)
    return page.redirect(f"/inquiries/{inquiry_id}", done=CLOSED)
