"""One payment as the operators see and move it: lines of the bank statement, refunds, invoices,
transfers.

A form holds what the service's own type does, by the same types: nothing is refused unsaid.
"""

from collections.abc import Callable
from functools import partial
from typing import Annotated, TypeVar

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from frontend import forms, notices
from frontend.edge import Page, opens_page
from frontend.pages.payment_words import CREDIT_STATES, WAYS, refund_state, transfer_state
from frontend.pages.payments import test_mode, ways_of
from market.accounts.policy import Action
from market.kit.errors import Conflict, Invalid
from market.kit.ids import PublicId
from market.kit.wire import OneLine, PathId, Short, text
from market.payments import (
    bank,
    charging,
    desk,
    invoices,
    refunds,
    service,
    transfers,
)
from market.payments.schemas import (
    CreditIn,
    InvoiceIn,
    InvoiceNumber,
    Reason,
    RefundIn,
    TransferIn,
)
from market.payments.service import PaymentView
from market.payments.states import PaymentState

router = APIRouter()
M = TypeVar("M", bound=BaseModel)
RECORDED = notices.done("credit-recorded", "到账已录入", "等另一位运营人员确认。")
WANTED = notices.done("refund-wanted", "退款已发起", "在线支付的自动办理，银行转账的等另一位确认。")
INVOICE = notices.done("invoice-entered", "发票号码已登记")
VOIDED = notices.done("invoice-voided", "发票号码已作废")
SENT_ON = notices.done("transfer-wanted", "转付已发起", "等另一位运营人员确认。")
TAKEN_BACK = notices.done("charge-taken-back", "款项已取消", "付款单位收到消息。")


class CreditForm(BaseModel):
    statement: Short = Field(title="银行流水号")
    payer_name: Annotated[str, text(120, 1), OneLine] = Field(title="付款户名")
    amount_fen: forms.Yuan = Field(title="到账金额", gt=0)
    received_on: forms.Day = Field(title="到账日期")


class RefundForm(BaseModel):
    capture: str = Field(
        title="哪一笔收款", pattern=r"^[2-9a-z]{14}\+?$", description="列表中的一笔收款"
    )
    amount_fen: forms.Yuan = Field(title="退款金额", gt=0)
    reason: Reason = Field(title="原因")


class InvoiceForm(BaseModel):
    number: InvoiceNumber = Field(title="发票号码", description="8至20位数字")
    amount_fen: forms.Yuan = Field(title="发票金额", gt=0)
    issued_on: forms.Day = Field(title="开票日期")


class TransferForm(BaseModel):
    capture: PathId = Field(title="哪一笔收款", description="列表中的一笔收款")
    agency: PathId = Field(title="机构", description="列表中的机构")
    amount_fen: forms.Yuan = Field(title="转付金额", gt=0)
    by_bank: bool = Field(default=False, title="从银行付出")


def _one(page: Page, payment_id: str, **forms_of: object) -> dict[str, object]:
    view: PaymentView = service.view(page.work, PublicId(payment_id))
    captures = []
    for one in view.captures:
        for surplus in (False, True):
            left = service.left_of(one, surplus=surplus)
            if left > 0:
                captures.append((f"{one.public_id}{'+' if surplus else ''}", one, surplus, left))
    return {
        "view": view,
        "row": view.row,
        "captures": captures,
        "purposes": service.PURPOSES,
        "ways": WAYS,
        "heading": invoices.heading(page.work, view),
        "shares": transfers.shares(page.work.session, view.row),
        "credit_states": CREDIT_STATES,
        "refund_state": refund_state,
        "transfer_state": transfer_state,
        "people": desk.people(page.work, view),
        "alerts": desk.alerts(page.work, view.row),
        "not_owed": service.not_owed(page.work.session, view.row),
        "may_take_back": view.row.state == PaymentState.DUE
        and service.cancel_from(view, page.work.now) is None,
        "surplus_fen": sum(service.left_of(one, surplus=True) for one in view.captures),
        "credit": forms.blank(CreditForm),
        "refund": forms.blank(RefundForm),
        "invoice": forms.blank(InvoiceForm),
        "transfer": forms.blank(TransferForm),
        "problem": "",
        "test_mode": test_mode(ways_of(page)),
        **forms_of,
    }


def _taken(
    page: Page,
    payment_id: str,
    name: str,
    form: forms.Form[M],
    step: Callable[[M], object],
    done: str,
    to: str = "",
) -> Response:
    """Take the step that the form `name` asks for; show the page again where it is refused."""
    if form.data is not None:
        try:
            step(form.data)
            return page.redirect(to or f"/treasury/{payment_id}", done=done)
        except (Invalid, Conflict) as error:
            form.reject(error)
    page.work.abandon()
    return page.again("payments/treasury_one.html", _one(page, payment_id, **{name: form}))


def _pressed(page: Page, payment_id: str, step: Callable[[], object], done: str) -> Response:
    """Take the step of a button; say on top of the page why it is refused."""
    try:
        step()
        return page.redirect(f"/treasury/{payment_id}", done=done)
    except Conflict as error:
        page.work.abandon()
        context = _one(page, payment_id, problem=error.message)
        return page.render("payments/treasury_one.html", context, status=error.status)


@router.get("/treasury/{payment_id}")
def one(payment_id: PathId, page: Annotated[Page, opens_page(Action.PAYMENT_CONFIRM)]) -> Response:
    return page.render("payments/treasury_one.html", _one(page, payment_id))


@router.post("/treasury/{payment_id}/withdrawal")
def take_back(
    payment_id: PathId, page: Annotated[Page, opens_page(Action.PAYMENT_CONFIRM, write=True)]
) -> Response:
    step = partial(charging.take_back, page.work, PublicId(payment_id))
    return _pressed(page, payment_id, step, TAKEN_BACK)


@router.post("/treasury/{payment_id}/credits")
def record(
    payment_id: PathId, page: Annotated[Page, opens_page(Action.PAYMENT_CONFIRM, write=True)]
) -> Response:
    def step(data: CreditForm) -> None:
        bank.record(page.work, PublicId(payment_id), CreditIn(**data.model_dump()))

    form = forms.parse(CreditForm, page.sent)
    return _taken(page, payment_id, "credit", form, step, RECORDED, "/treasury")


@router.post("/treasury/{payment_id}/refunds")
def want(
    payment_id: PathId, page: Annotated[Page, opens_page(Action.PAYMENT_CONFIRM, write=True)]
) -> Response:
    def step(data: RefundForm) -> None:
        asked = RefundIn(
            capture=data.capture.removesuffix("+"),
            surplus=data.capture.endswith("+"),
            amount_fen=data.amount_fen,
            reason=data.reason,
        )
        refunds.want(page.work, ways_of(page), PublicId(payment_id), asked)

    form = forms.parse(RefundForm, page.sent)
    return _taken(page, payment_id, "refund", form, step, WANTED)


@router.post("/treasury/{payment_id}/invoices")
def invoice(
    payment_id: PathId, page: Annotated[Page, opens_page(Action.PAYMENT_CONFIRM, write=True)]
) -> Response:
    def step(data: InvoiceForm) -> None:
        invoices.enter(page.work, PublicId(payment_id), InvoiceIn(**data.model_dump()))

    form = forms.parse(InvoiceForm, page.sent)
    return _taken(page, payment_id, "invoice", form, step, INVOICE)


@router.post("/treasury/{payment_id}/invoices/{invoice_number}/void")
def void_invoice(
    payment_id: PathId,
    invoice_number: InvoiceNumber,
    page: Annotated[Page, opens_page(Action.PAYMENT_CONFIRM, write=True)],
) -> Response:
    step = partial(invoices.void, page.work, PublicId(payment_id), invoice_number)
    return _pressed(page, payment_id, step, VOIDED)


@router.post("/treasury/{payment_id}/transfers")
def transfer(
    payment_id: PathId, page: Annotated[Page, opens_page(Action.PAYMENT_CONFIRM, write=True)]
) -> Response:
    def step(data: TransferForm) -> None:
        asked = TransferIn(**data.model_dump())
        transfers.want(page.work, ways_of(page), PublicId(payment_id), asked)

    form = forms.parse(TransferForm, page.sent)
    return _taken(page, payment_id, "transfer", form, step, SENT_ON)
