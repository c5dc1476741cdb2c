"""The public pages of 公示: what is sold, for how much, until when."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from frontend import forms, notices
from frontend.edge import Page, opens_page
from frontend.pages.deal_offer_forms import ObjectionForm
from market.accounts.policy import Action
from market.catalog import views as catalog
from market.deals import objections, pricing
from market.deals.schemas import ObjectionIn
from market.deals.vocabulary import PAGE, STOP_REASONS, PricingState, StopReason
from market.kit.errors import Conflict, TooMany
from market.kit.ids import PublicId
from market.kit.wire import PathId

router = APIRouter()

SENT = notices.done("objection-sent", "异议已送达持有单位", "处理前合同不能签订。")


@router.get("/publicity")
def all_of_them(
    page: Annotated[Page, opens_page(Action.BROWSE)],
    number: Annotated[int, Query(alias="page", ge=1, le=10_000)] = 1,
) -> Response:
    total, found = pricing.publicities(page.work, number)
    context = {
        "notices": found,
        "today": page.work.today,
        "total": total,
        "page": number,
        "pages": catalog.pages(total, PAGE),
    }
    return page.render("deals/publicities.html", context)


def _shown(page: Page, publicity_id: str, form: forms.Form[ObjectionForm]) -> dict[str, object]:
    notice = pricing.publicity(page.work, PublicId(publicity_id))
    reason = notice.pricing.stop_reason
    running = (
        notice.pricing.state == PricingState.PUBLICISED and page.work.today <= notice.term.ends_on
    )
    return {
        "view": notice,
        "path": notice.pricing,
        "term": notice.term,
        "stop_reason": STOP_REASONS[StopReason(reason)] if reason else "",
        "today": page.work.today,
        "running": running,
        "form": form,
    }


@router.get("/publicity/{publicity_id}")
def show(publicity_id: PathId, page: Annotated[Page, opens_page(Action.BROWSE)]) -> Response:
    blank = forms.blank(ObjectionForm)
    return page.render("deals/publicity.html", _shown(page, publicity_id, blank))


@router.post("/publicity/{publicity_id}/objections")
def object_to(
    publicity_id: PathId, page: Annotated[Page, opens_page(Action.OBJECTION_SEND, write=True)]
) -> Response:
    form = forms.parse(ObjectionForm, page.sent)
    if form.data is not None:
        try:
            body = ObjectionIn(**form.data.model_dump())
            objections.send(page.work, PublicId(publicity_id), body)
            return page.redirect(f"/publicity/{publicity_id}", done=SENT)
        except (Conflict, TooMany) as error:
            form.fail(forms.WHOLE, error.message)
    page.work.abandon()
    return page.again("deals/publicity.html", _shown(page, publicity_id, form))
