"""The fee schedule and the limits of paying by card: everybody sees them, operators write them."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from frontend import forms, notices
from frontend.edge import Page, opens_page
from frontend.pages.payments import test_mode, ways_of
from frontend.rates import Percent
from market.accounts.policy import Action, Relation
from market.kit.errors import Conflict, Invalid
from market.kit.ids import PublicId
from market.kit.wire import Day, PathId
from market.payments import limits, schedule, service
from market.payments.schemas import Code, FeeIn, LimitIn, Name, Reason

router = APIRouter()
FEE = notices.done("fee-set", "收费标准已保存")
ENDED = notices.done("fee-ended", "收费标准的停用日已写下")
WITHDRAWN = notices.done("fee-withdrawn", "收费标准已撤回")
LIMIT = notices.done("limit-set", "在线支付的限额已保存")
LIMIT_WITHDRAWN = notices.done("limit-withdrawn", "在线支付的限额已撤回")


class FeeForm(BaseModel):
    code: Code = Field(title="代码")
    name: Name = Field(title="名称")
    purpose: Literal["service_fee", "earnest"] = Field(title="用途")
    amount_fen: forms.OptionalYuan = Field(None, title="固定金额", gt=0)
    rate_bp: Percent = Field(None, title="比例", gt=0)
    least_fen: forms.OptionalYuan = Field(None, title="最低", gt=0)
    most_fen: forms.OptionalYuan = Field(None, title="最高", gt=0)
    effective_from: forms.Day = Field(title="生效日")
    source: Reason = Field(title="依据")


class EndForm(BaseModel):
    ends_on: forms.Day = Field(title="停用日")


class LimitForm(BaseModel):
    least_fen: forms.Yuan = Field(title="每笔至少", gt=0)
    most_fen: forms.Yuan = Field(title="每笔至多", gt=0)
    effective_from: forms.Day = Field(title="生效日")
    source: Reason = Field(title="依据")


def _schedule(page: Page, problem: str = "") -> dict[str, object]:
    return {
        "lines": schedule.lines(page.work, every=True),
        "purposes": service.PURPOSES,
        "limits": limits.every(page.work),
        "may_edit": page.work.may(Action.FEE_EDIT, Relation.OTHER),
        "today": page.work.today,
        "problem": problem,
        "test_mode": test_mode(ways_of(page)),
    }


@router.get("/fees")
def fees(page: Annotated[Page, opens_page(Action.BROWSE)]) -> Response:
    return page.render("payments/fees.html", _schedule(page))


@router.get("/treasury/fees")
def fee_form(page: Annotated[Page, opens_page(Action.FEE_EDIT)]) -> Response:
    return page.render("payments/fee_new.html", {"form": forms.blank(FeeForm)})


@router.post("/treasury/fees")
def set_fee(page: Annotated[Page, opens_page(Action.FEE_EDIT, write=True)]) -> Response:
    form = forms.parse(FeeForm, page.sent)
    if form.data is not None:
        try:
            schedule.set_fee(page.work, FeeIn(**form.data.model_dump(exclude_none=True)))
            return page.redirect("/fees", done=FEE)
        except (Invalid, Conflict) as error:
            form.reject(error)
    page.work.abandon()
    return page.again("payments/fee_new.html", {"form": form})


def _line(
    page: Page, fee_id: str, form: forms.Form[EndForm] | None = None, problem: str = ""
) -> dict[str, object]:
    one = schedule.line(page.work, PublicId(fee_id))
    return {
        "line": one,
        "fee": one.fee,
        "purposes": service.PURPOSES,
        "today": page.work.today,
        "form": form or forms.blank(EndForm),
        "problem": problem,
    }


@router.get("/treasury/fees/{fee_id}")
def fee(fee_id: PathId, page: Annotated[Page, opens_page(Action.FEE_EDIT)]) -> Response:
    return page.render("payments/fee.html", _line(page, fee_id))


@router.post("/treasury/fees/{fee_id}/end")
def end(fee_id: PathId, page: Annotated[Page, opens_page(Action.FEE_EDIT, write=True)]) -> Response:
    schedule.line(page.work, PublicId(fee_id))
    form = forms.parse(EndForm, page.sent)
    if form.data is not None:
        try:
            schedule.end(page.work, PublicId(fee_id), form.data.ends_on)
            return page.redirect("/fees", done=ENDED)
        except (Invalid, Conflict) as error:
            form.reject(error)
    page.work.abandon()
    return page.again("payments/fee.html", _line(page, fee_id, form))


@router.post("/treasury/fees/{fee_id}/withdrawal")
def withdraw(
    fee_id: PathId, page: Annotated[Page, opens_page(Action.FEE_EDIT, write=True)]
) -> Response:
    try:
        schedule.withdraw(page.work, PublicId(fee_id))
        return page.redirect("/fees", done=WITHDRAWN)
    except Conflict as error:
        page.work.abandon()
        context = _line(page, fee_id, problem=error.message)
        return page.render("payments/fee.html", context, status=error.status)


@router.get("/treasury/limits")
def limit_form(page: Annotated[Page, opens_page(Action.FEE_EDIT)]) -> Response:
    return page.render("payments/limit_new.html", {"form": forms.blank(LimitForm)})


@router.post("/treasury/limits")
def put_limit(page: Annotated[Page, opens_page(Action.FEE_EDIT, write=True)]) -> Response:
    form = forms.parse(LimitForm, page.sent)
    if form.data is not None:
        try:
            limits.put(page.work, LimitIn(**form.data.model_dump()))
            return page.redirect("/fees", done=LIMIT)
        except Invalid as error:
            form.reject(error)
    page.work.abandon()
    return page.again("payments/limit_new.html", {"form": form})


@router.post("/treasury/limits/{limit_day}/withdrawal")
def withdraw_limit(
    limit_day: Day, page: Annotated[Page, opens_page(Action.FEE_EDIT, write=True)]
) -> Response:
    try:
        limits.withdraw(page.work, limit_day)
        return page.redirect("/fees", done=LIMIT_WITHDRAWN)
    except Conflict as error:
        page.work.abandon()
        context = _schedule(page, problem=error.message)
        return page.render("payments/fees.html", context, status=error.status)
