"""The fee schedule and the limits of paying by card: everybody sees them, operators write them."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from frontend import forms, notices
from frontend.edge import Page, opens_page
from frontend.rates import Percent
from market.accounts.policy import Action
from market.kit.errors import Conflict, Invalid
from market.payments import limits, service
from market.payments.schemas import Code, FeeIn, LimitIn, Name, Reason

router = APIRouter()
FEE = notices.done("fee-set", "收费标准已保存")
LIMIT = notices.done("limit-set", "在线支付的限额已保存")


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


class LimitForm(BaseModel):
    least_fen: forms.Yuan = Field(title="每笔至少", gt=0)
    most_fen: forms.Yuan = Field(title="每笔至多", gt=0)
    effective_from: forms.Day = Field(title="生效日")
    source: Reason = Field(title="依据")


@router.get("/fees")
def fees(page: Annotated[Page, opens_page(Action.BROWSE)]) -> Response:
    rows = service.fees(page.work, every=True)
    return page.render(
        "payments/fees.html",
        {"rows": rows, "purposes": service.PURPOSES, "limits": limits.every(page.work)},
    )


@router.get("/treasury/fees")
def fee_form(page: Annotated[Page, opens_page(Action.FEE_EDIT)]) -> Response:
    return page.render("payments/fee_new.html", {"form": forms.blank(FeeForm)})


@router.post("/treasury/fees")
def set_fee(page: Annotated[Page, opens_page(Action.FEE_EDIT, write=True)]) -> Response:
    form = forms.parse(FeeForm, page.sent)
    if form.data is not None:
        try:
            service.set_fee(page.work, FeeIn(**form.data.model_dump(exclude_none=True)))
            return page.redirect("/fees", done=FEE)
        except (Invalid, Conflict) as error:
            form.reject(error)
    page.work.abandon()
    return page.again("payments/fee_new.html", {"form": form})


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
