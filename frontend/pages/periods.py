"""The bureau's months: what each came to, and closing one."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from frontend import forms, notices
from frontend.edge import Page, opens_page
from market.accounts.policy import Action
from market.kit.errors import Conflict
from market.ledger import desk
from market.ledger.models import PeriodState
from market.ledger.wire import MonthText

router = APIRouter()

CLOSING = notices.done(
    "period-closing", "正在关账", "几秒后账头写到数据库以外，账期即告关闭；以后的更正记在当天。"
)
LIST = "/desk/periods"
S = PeriodState
STATES = {
    S.OPEN: ("now", "未关账"),
    S.CLOSING: ("wait", "正在关账"),
    S.CLOSED: ("done", "已关账"),
}


class CloseForm(BaseModel):
    month: MonthText = Field(title="账期")


def _list(page: Page, form: forms.Form[CloseForm]) -> dict[str, object]:
    months = desk.listed(page.work)
    # To close one closes all before it: the last that can be is what is proposed.
    ready = next((one.row.month for one in months if one.may_close), None)
    waiting = sum(1 for one in months if one.may_close)
    return {"months": months, "ready": ready, "waiting": waiting, "states": STATES, "form": form}


@router.get("/desk/periods")
def listed(page: Annotated[Page, opens_page(Action.PERIOD_VIEW)]) -> Response:
    return page.render("desk/periods.html", _list(page, forms.blank(CloseForm)))


@router.post("/desk/periods")
def close(page: Annotated[Page, opens_page(Action.PERIOD_CLOSE, write=True)]) -> Response:
    form = forms.parse(CloseForm, page.sent)
    if form.data is not None:
        try:
            desk.close(page.work, form.data.month)
        except Conflict as error:
            form.fail(forms.WHOLE, error.message)
        else:
            return page.redirect(LIST, done=CLOSING)
    page.work.abandon()
    return page.again("desk/periods.html", _list(page, form))
