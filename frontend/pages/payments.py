"""An organisation's payments: what is owed, paying it by card or by bank, and its statement."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from frontend import forms, notices
from frontend.edge import OpensPage, Page, Sent, WritesPage, gives_page_parts, opens_page
from frontend.headers import policy_sending_to
from frontend.pages.payment_words import CREDIT_STATES, WAYS, methods, refund_state, transfer_state
from frontend.render import redirect
from market.accounts import repository as accounts
from market.accounts.policy import Action, Relation
from market.accounts.work import Parts, Work
from market.catalog import views as catalog
from market.kit import pdf
from market.kit.downloads import as_download
from market.kit.errors import Conflict, Invalid, NotFound, Unavailable
from market.kit.files import download_headers
from market.kit.ids import PublicId
from market.kit.wire import PathId
from market.payments import bank, card, desk, schedule, service, statements
from market.payments.models import Fee
from market.payments.schemas import PaymentIn, SlipIn
from market.payments.states import PAYABLE, AttemptState, PaymentState, Purpose
from market.payments.ways import Ways

router = APIRouter()
CREATED = notices.done("payment-created", "款项已登记", "选择在线支付或银行转账。")
CANCELLED = notices.done("payment-cancelled", "款项已取消")
SLIP = notices.done("payment-slip", "回单已上传", "到账以银行流水为准，确认后这里会更新。")
CHECKED = notices.done("payment-checked", "已向支付服务核对", "下面是现在的状态。")
PageNumber = Annotated[int, Query(alias="page", ge=1, le=10_000)]


class NewForm(BaseModel):
    fee: str = Field("", title="收费项目", max_length=20)
    deal: str = Field("", title="洽谈", max_length=20)
    commission: str = Field("", title="报酬", max_length=20)


class SlipForm(BaseModel):
    amount_fen: forms.Yuan = Field(title="汇款金额", gt=0)
    sent_on: forms.Day = Field(title="汇款日期")
    file: str = Field("", title="银行回单")


def ways_of(page: Page) -> Ways:
    found: Ways = page.request.app.state.ways
    return found


def test_mode(ways: Ways) -> bool:
    return ways.cards is not None and ways.cards.test_mode


@router.get("/payments")
def payments(
    page: Annotated[Page, opens_page(Action.PAYMENT_VIEW)], number: PageNumber = 1
) -> Response:
    total, rows = service.payments(page.work, number)
    desk = page.work.may(Action.PAYMENT_CONFIRM, Relation.OTHER)
    payers = accounts.organisations(page.work.session, {one.organisation_id for one in rows})
    return page.render(
        "payments/list.html",
        {
            "rows": rows,
            "desk": desk,
            "others": page.work.may(Action.PAYMENT_VIEW, Relation.OTHER),
            "payers": {key: one.name for key, one in payers.items()},
            "purposes": service.PURPOSES,
            "page": number,
            "pages": catalog.pages(total, service.PAGE),
            "may_make": page.work.may(Action.PAYMENT_MAKE),
            "test_mode": test_mode(ways_of(page)),
        },
    )


@dataclass(frozen=True, slots=True)
class Choice:
    """What one may owe here: a line of the schedule (None for a commission) and what it comes to,
    in fen, or why it does not come to anything; `there` is the payment that it has already.
    """

    fee: Fee | None
    title: str
    amount_fen: int | None
    why: str = ""
    there: PublicId | None = None


def _choice(page: Page, data: NewForm, fee: Fee | None = None) -> Choice:
    try:
        row = service.drafted(page.work, _asked(data))
    except Conflict as error:
        return Choice(fee, fee.name if fee else "", None, error.message)
    except (Invalid, ValueError):  # no commission of one's own, or no id at all
        raise NotFound from None
    if there := service.standing(page.work, row):
        return Choice(fee, row.title, None, service.ALREADY, there.public_id)
    return Choice(fee, row.title, row.amount_fen)


def _new(page: Page, form: forms.Form[NewForm] | None = None) -> dict[str, object]:
    asked = page.request.query_params
    deal = (form.first("deal") if form else asked.get("deal", ""))[:20]
    commission = (form.first("commission") if form else asked.get("commission", ""))[:20]
    purpose = Purpose.EARNEST if deal else Purpose.SERVICE_FEE
    if commission:
        choices = [_choice(page, NewForm(fee="", deal="", commission=commission))]
    else:
        choices = [
            _choice(page, NewForm(fee=one.fee.public_id, deal=deal, commission=""), one.fee)
            for one in schedule.lines(page.work)
            if one.fee.purpose == purpose
        ]
    return {
        "form": form or forms.blank(NewForm, {"deal": deal, "commission": commission}),
        "deal": deal,
        "commission": commission,
        "choices": choices,
        "due": service.payments(page.work, states=PAYABLE)[0] if choices else 0,
        "test_mode": test_mode(ways_of(page)),
    }


@router.get("/payments/new")
def new(page: Annotated[Page, opens_page(Action.PAYMENT_MAKE)]) -> Response:
    return page.render("payments/new.html", _new(page))


@router.post("/payments/new")
def create(page: Annotated[Page, opens_page(Action.PAYMENT_MAKE, write=True)]) -> Response:
    form = forms.parse(NewForm, page.sent)
    if form.data is not None:
        try:
            row = service.create(page.work, _asked(form.data))
            return page.redirect(f"/payments/{row.public_id}", done=CREATED)
        except (Invalid, Conflict) as error:
            form.reject(error)
        except ValueError:
            form.fail("fee", "请从列表里选")
    page.work.abandon()
    return page.again("payments/new.html", _new(page, form))


def _asked(data: NewForm) -> PaymentIn:
    """Return what the form asks for. Raises ValueError for what is no id."""
    if data.commission:
        return PaymentIn(purpose=Purpose.COMMISSION, commission=data.commission)
    if data.deal:
        return PaymentIn(purpose=Purpose.EARNEST, deal=data.deal, fee=data.fee or None)
    return PaymentIn(purpose=Purpose.SERVICE_FEE, fee=data.fee or None)


def _payment(
    page: Page, payment_id: str, slip: forms.Form[SlipForm] | None = None, problem: str = ""
) -> dict[str, object]:
    ways = ways_of(page)
    view = service.view(page.work, PublicId(payment_id))
    state = PaymentState(view.row.state)
    live = view.live
    mine = page.work.may(Action.PAYMENT_MAKE, view.relation)
    not_owed = service.not_owed(page.work.session, view.row) if state in PAYABLE else ""
    payable = state in PAYABLE and not not_owed
    last = AttemptState(view.attempt.state) if view.attempt else None
    charged = service.charged(page.work.session, view.row)
    cancel_from = service.cancel_from(view, page.work.now)
    others = page.work.may(Action.PAYMENT_VIEW, Relation.OTHER)
    return {
        "view": view,
        "row": view.row,
        "purposes": service.PURPOSES,
        "ways": WAYS,
        "refund_state": refund_state,
        "transfer_state": transfer_state,
        "bank": ways.bank,
        "methods": methods(ways.cards.methods) if ways.cards else "",
        "card_refused": card.refused(page.work.session, ways, view.row, page.work.now),
        "live": live,
        "processing": live is not None and live.state == AttemptState.PROCESSING,
        "returned": "returned" in page.request.query_params,
        "not_owed": not_owed,
        "payable": payable,
        "may_pay": mine and payable,
        "may_check": mine and live is not None and ways.cards is not None,
        "charged": charged,
        "may_cancel": mine and state is PaymentState.DUE and not charged and not cancel_from,
        "cancel_from": cancel_from if mine and state is PaymentState.DUE else None,
        "failed": payable and last is AttemptState.FAILED,
        "people": desk.people(page.work, view) if others else {},
        "credit_states": CREDIT_STATES,
        "slip": slip or forms.blank(SlipForm),
        "problem": problem,
        "test_mode": test_mode(ways),
    }


def _shown(page: Page, context: dict[str, object], status: int = 200) -> Response:
    answer = page.render("payments/payment.html", context, status=status)
    cards = ways_of(page).cards
    if cards is not None:
        answer.headers["Content-Security-Policy"] = policy_sending_to(cards.pay_origin)
    return answer


@router.get("/payments/{payment_id}")
def payment(payment_id: PathId, page: Annotated[Page, opens_page(Action.PAYMENT_VIEW)]) -> Response:
    return _shown(page, _payment(page, payment_id))


@router.get("/payments/{payment_id}/returned")
def returned(
    payment_id: PathId,
    request: Request,
    sent: Sent,
    _parts: Annotated[Parts, gives_page_parts(Action.PAYMENT_VIEW)],
) -> Response:
    """Where Stripe sends the browser back to: how the payment stands is asked for, and shown."""
    with OpensPage(Action.PAYMENT_VIEW, write=False).page(request, sent) as page:
        row = service.find(page.work, PublicId(payment_id))
        may_pay = page.work.may(Action.PAYMENT_MAKE, service.relation(page.work, row))
    if may_pay:
        with suppress(Unavailable):  # the page says then that nothing is known yet
            ways: Ways = request.app.state.ways
            card.check(partial(_opened, request, sent), ways, PublicId(payment_id))
    return redirect(request, f"/payments/{payment_id}?returned=1")


@router.post("/payments/{payment_id}/cancellation")
def cancel(
    payment_id: PathId, page: Annotated[Page, opens_page(Action.PAYMENT_MAKE, write=True)]
) -> Response:
    try:
        service.cancel(page.work, PublicId(payment_id))
        return page.redirect(f"/payments/{payment_id}", done=CANCELLED)
    except Conflict as error:
        page.work.abandon()
        return _shown(page, _payment(page, payment_id, problem=error.message), error.status)


@router.post("/payments/{payment_id}/card")
def pay_by_card(
    payment_id: PathId,
    request: Request,
    sent: Sent,
    _parts: Annotated[Parts, gives_page_parts(Action.PAYMENT_MAKE)],
) -> Response:
    """Send the browser to Stripe's page; pressed again, to the same one."""
    return _with_stripe(request, sent, payment_id, _pay)


@router.post("/payments/{payment_id}/card/check")
def check_card(
    payment_id: PathId,
    request: Request,
    sent: Sent,
    _parts: Annotated[Parts, gives_page_parts(Action.PAYMENT_MAKE)],
) -> Response:
    """Ask Stripe how the payment stands, and show it."""
    return _with_stripe(request, sent, payment_id, _check)


def _pay(opened: card.Opened, ways: Ways, public_id: PublicId, here: str) -> str:
    return card.pay(opened, ways, public_id, here)


def _check(opened: card.Opened, ways: Ways, public_id: PublicId, _here: str) -> str:
    card.check(opened, ways, public_id)
    return f"/payments/{public_id}?done={CHECKED}"


@contextmanager
def _opened(request: Request, sent: forms.Submission) -> Iterator[Work]:
    """Open one of the short transactions of a step with Stripe; the form's token is looked at."""
    with WritesPage(Action.PAYMENT_MAKE, write=True).page(request, sent) as page:
        yield page.work


Step = Callable[[card.Opened, Ways, PublicId, str], str]


def _with_stripe(request: Request, sent: forms.Submission, payment_id: str, step: Step) -> Response:
    """Take a step with Stripe between two short transactions; show the page where it fails."""
    ways: Ways = request.app.state.ways
    here = f"{request.url.scheme}://{request.url.netloc}/payments/{payment_id}"
    opened = partial(_opened, request, sent)
    try:
        to = step(opened, ways, PublicId(payment_id), here)
    except (Conflict, Unavailable) as error:
        with OpensPage(Action.PAYMENT_VIEW, write=False).page(request, sent) as page:
            context = _payment(page, payment_id, problem=error.message)
            return _shown(page, context, error.status)
    return redirect(request, to)


@router.post("/payments/{payment_id}/slips")
def attach(
    payment_id: PathId, page: Annotated[Page, opens_page(Action.PAYMENT_MAKE, write=True)]
) -> Response:
    form = forms.parse(SlipForm, page.sent)
    if form.data is not None:
        try:
            file = page.sent.file("file")
            asked = SlipIn(amount_fen=form.data.amount_fen, sent_on=form.data.sent_on)
            bank.attach_slip(page.work, PublicId(payment_id), asked, file.filename or "", file.file)
            return page.redirect(f"/payments/{payment_id}", done=SLIP)
        except (Invalid, Conflict) as error:
            form.reject(error)
    page.work.abandon()
    return _shown(page, _payment(page, payment_id, slip=form), 422)


@router.get("/payments/{payment_id}/slips/{slip_id}")
def slip(
    payment_id: PathId, slip_id: PathId, page: Annotated[Page, opens_page(Action.PAYMENT_VIEW)]
) -> Response:
    found = bank.slip(page.work, PublicId(payment_id), PublicId(slip_id))
    stream = page.work.parts.files.open(found.sha256)
    return as_download(stream, found.name, found.media_type)


class DaysForm(BaseModel):
    since: forms.Day | None = Field(None, title="开始的日期")
    until: forms.Day | None = Field(None, title="结束的日期")


def _statement(
    page: Page, form: forms.Form[DaysForm], organisation: str
) -> statements.Statement | None:
    """Return the statement of the days asked for, of the last year where nothing is said; None
    where the form says what is wrong with them.
    """
    if form.data is None:
        return None
    until: date = form.data.until or page.work.today
    since: date = form.data.since or until - timedelta(days=365)
    try:
        return statements.of(page.work, since, until, organisation)
    except Invalid as error:
        form.reject(error)
        return None


@router.get("/statement")
def statement(
    page: Annotated[Page, opens_page(Action.PAYMENT_VIEW)],
    organisation: Annotated[str, Query(max_length=20)] = "",
    kind: Annotated[str, Query(alias="as", max_length=4)] = "",
) -> Response:
    """The statement of an organisation, as a page, Excel or PDF."""
    form = forms.parse(DaysForm, forms.query(page.request))
    asked = organisation or page.work.actor.organisation_public_id or ""
    payer = statements.whose(page.work, asked)
    one = _statement(page, form, payer.public_id)
    if one is None:
        context = {
            "one": None,
            "payer": payer,
            "form": form,
            "whose": organisation,
            "test_mode": test_mode(ways_of(page)),
        }
        return page.again("payments/statement.html", context)
    named = f"对账单-{one.since}-{one.until}"
    if kind == "pdf":
        made, headers = statements.paper(page.work, one), download_headers(f"{named}.pdf")
        return Response(made, media_type=pdf.MEDIA_TYPE, headers=headers)
    if kind == "xlsx":
        made, headers = statements.workbook(one), download_headers(f"{named}.xlsx")
        return Response(made, media_type=statements.SHEET, headers=headers)
    return page.render(
        "payments/statement.html",
        {
            "one": one,
            "payer": payer,
            "form": forms.blank(DaysForm, {"since": one.since, "until": one.until}),
            "names": statements.NAMES,
            "item": statements.item,
            "whose": organisation,
            "test_mode": test_mode(ways_of(page)),
        },
    )
