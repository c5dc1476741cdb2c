"""The operators' desk of money: what waits, and what a second person says of it.

A form holds what the service's own type does, by the same types: nothing is refused unsaid.
"""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from frontend import forms, notices
from frontend.edge import Page, opens_page
from frontend.pages.payments import test_mode, ways_of
from market.accounts import repository as accounts
from market.accounts.policy import Action, OrganisationKind
from market.accounts.schemas import CreditCode
from market.kit.errors import Conflict, Invalid
from market.kit.ids import PublicId
from market.kit.money import yuan_in_words
from market.kit.wire import OneLine, Optional300, PathId, text
from market.payments import (
    bank,
    charging,
    desk,
    refunds,
    schedule,
    service,
    transfers,
)
from market.payments.schemas import (
    AccountIn,
    AccountName,
    BankLeftIn,
    ChargeIn,
    CreditDecisionIn,
)
from market.payments.states import Purpose

router = APIRouter()
DECIDED = notices.done("credit-decided", "到账已处理")
LEFT = notices.done("refund-decided", "退款已处理")
GONE = notices.done("transfer-decided", "转付已处理")
CHARGED = notices.done("fee-charged", "收费已登记", "付款单位在待办里看到。")
CONNECTED = notices.done("account-entered", "机构的支付账户已登记")


class FindForm(BaseModel):
    reference: str = Field(title="附言号", max_length=20)


class ChargeForm(BaseModel):
    credit_code: CreditCode = Field(title="统一社会信用代码")
    fee: PathId = Field(title="收费项目", description="列表中的一项")


class DecisionForm(BaseModel):
    decision: Literal["confirm", "reject"] = Field(title="处理")
    note: Optional300 = Field("", title="说明")


class LeftForm(BaseModel):
    decision: Literal["confirm", "reject"] = Field(title="处理")
    statement: Annotated[str, text(60), OneLine] = Field("", title="银行付款流水号")


class AccountForm(BaseModel):
    agency: PathId = Field(title="机构", description="列表中的机构")
    account: AccountName = Field(title="支付账户", description="acct_开头的账户编号")


def _desk(
    page: Page,
    find: forms.Form[FindForm] | None = None,
    account: forms.Form[AccountForm] | None = None,
    charge: forms.Form[ChargeForm] | None = None,
    problem: str = "",
    left: tuple[str, forms.Form[LeftForm]] | None = None,
) -> dict[str, object]:
    """Return the desk; `left` is what was said of the refund or transfer of this public id."""
    agencies = accounts.verified_organisations(page.work.session, kind=OrganisationKind.AGENCY)
    waiting = desk.waiting(page.work)
    waits = (*waiting.slips, *waiting.credits, *waiting.returns, *waiting.surpluses)
    payments = [one[1] for one in (*waits, *waiting.transfers, *waiting.under_way)]
    names = accounts.organisations(
        page.work.session,
        {one.organisation_id for one in payments}
        | {one.organisation_id for one, _ in waiting.transfers},
    )
    return {
        "waiting": waiting,
        "names": {key: one.name for key, one in names.items()},
        "sources": desk.sources(page.work, waiting.returns),
        "left_of": left[0] if left else "",
        "left": left[1] if left else forms.blank(LeftForm),
        "no_words": forms.blank(LeftForm),
        "surplus_only": desk.in_full_surplus(page.work, (one[1] for one in waiting.credits)),
        "connected": transfers.connected(page.work),
        "find": find or forms.blank(FindForm),
        "account": account or forms.blank(AccountForm),
        "charge": charge or forms.blank(ChargeForm),
        "fees": _fees(page),
        "agencies": [(one.public_id, one.name) for one in agencies],
        "purposes": service.PURPOSES,
        "me": page.work.actor.person_id,
        "problem": problem,
        "ways": ways_of(page),
        "test_mode": test_mode(ways_of(page)),
    }


def _fees(page: Page) -> list[tuple[PublicId, str]]:
    found = [one.fee for one in schedule.lines(page.work)]
    return [
        (one.public_id, f"{one.name}，{yuan_in_words(one.amount_fen)}")
        for one in found
        if one.purpose == Purpose.SERVICE_FEE and one.amount_fen is not None
    ]


@router.get("/treasury")
def treasury(page: Annotated[Page, opens_page(Action.PAYMENT_CONFIRM)]) -> Response:
    return page.render("payments/treasury.html", _desk(page))


@router.post("/treasury/find")
def find(page: Annotated[Page, opens_page(Action.PAYMENT_CONFIRM, write=True)]) -> Response:
    """Lead to the payment that a transfer quotes."""
    form = forms.parse(FindForm, page.sent)
    if form.data is not None:
        try:
            row = bank.by_reference(page.work, form.data.reference)
            return page.redirect(f"/treasury/{row.public_id}")
        except Invalid as error:
            form.reject(error)
    page.work.abandon()
    return page.again("payments/treasury.html", _desk(page, find=form))


@router.post("/treasury/charges")
def charge(page: Annotated[Page, opens_page(Action.PAYMENT_CONFIRM, write=True)]) -> Response:
    """Let an organisation owe a fee, and show the payment."""
    form = forms.parse(ChargeForm, page.sent)
    if form.data is not None:
        try:
            row = charging.charge(page.work, ChargeIn(**form.data.model_dump()))
            return page.redirect(f"/treasury/{row.public_id}", done=CHARGED)
        except (Invalid, Conflict) as error:
            form.reject(error)
    page.work.abandon()
    return page.again("payments/treasury.html", _desk(page, charge=form))


@router.post("/treasury/accounts")
def connect(page: Annotated[Page, opens_page(Action.PAYMENT_CONFIRM, write=True)]) -> Response:
    form = forms.parse(AccountForm, page.sent)
    if form.data is not None:
        try:
            transfers.connect(page.work, AccountIn(**form.data.model_dump()))
            return page.redirect("/treasury", done=CONNECTED)
        except Invalid as error:
            form.reject(error)
    page.work.abandon()
    return page.again("payments/treasury.html", _desk(page, account=form))


@router.post("/credits/{credit_id}/decision")
def decide_credit(
    credit_id: PathId, page: Annotated[Page, opens_page(Action.PAYMENT_CONFIRM, write=True)]
) -> Response:
    bank.credit(page.work, PublicId(credit_id))
    form = forms.parse(DecisionForm, page.sent)
    said = "请选确认或不确认"
    if form.data is not None:
        try:
            decided = CreditDecisionIn.model_validate(form.data.model_dump())
            bank.decide(page.work, PublicId(credit_id), decided)
            return page.redirect("/treasury", done=DECIDED)
        except Conflict as error:
            said = error.message
    page.work.abandon()
    return page.render("payments/treasury.html", _desk(page, problem=said), status=409)


@router.post("/refunds/{refund_id}/decision")
def decide_refund(
    refund_id: PathId, page: Annotated[Page, opens_page(Action.PAYMENT_CONFIRM, write=True)]
) -> Response:
    refunds.refund(page.work, PublicId(refund_id))
    decide = partial(refunds.decide, page.work, PublicId(refund_id))
    return _leaves(page, refund_id, decide, LEFT)


@router.post("/transfers/{transfer_id}/decision")
def decide_transfer(
    transfer_id: PathId, page: Annotated[Page, opens_page(Action.PAYMENT_CONFIRM, write=True)]
) -> Response:
    transfers.transfer(page.work, PublicId(transfer_id))
    decide = partial(transfers.decide, page.work, PublicId(transfer_id))
    return _leaves(page, transfer_id, decide, GONE)


def _leaves(page: Page, of: str, decide: Callable[[BankLeftIn], object], done: str) -> Response:
    """Take what a second person says of money that is to leave, by its refund or transfer `of`."""
    form = forms.parse(LeftForm, page.sent)
    if form.data is not None:
        try:
            decide(BankLeftIn.model_validate(form.data.model_dump()))
            return page.redirect("/treasury", done=done)
        except (Conflict, Invalid) as error:
            form.reject(error)
    page.work.abandon()
    return page.again("payments/treasury.html", _desk(page, left=(of, form)))
