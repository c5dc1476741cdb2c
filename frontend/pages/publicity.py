"""The public pages of 公示: what is sold, for how much, until when."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from frontend.edge import Page, opens_page
from market.accounts.policy import Action
from market.deals import pricing
from market.deals.vocabulary import STOP_REASONS, StopReason
from market.kit.ids import PublicId
from market.kit.wire import PathId

router = APIRouter()


@router.get("/publicity")
def all_of_them(page: Annotated[Page, opens_page(Action.BROWSE)]) -> Response:
    context = {"notices": pricing.publicities(page.work), "today": page.work.today}
    return page.render("deals/publicities.html", context)


@router.get("/publicity/{publicity_id}")
def show(publicity_id: PathId, page: Annotated[Page, opens_page(Action.BROWSE)]) -> Response:
    notice = pricing.publicity(page.work, PublicId(publicity_id))
    reason = notice.pricing.stop_reason
    return page.render(
        "deals/publicity.html",
        {
            "view": notice,
            "path": notice.pricing,
            "term": notice.term,
            "stop_reason": STOP_REASONS[StopReason(reason)] if reason else "",
            "today": page.work.today,
        },
    )
