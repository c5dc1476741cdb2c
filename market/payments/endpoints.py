"""The JSON edge of payments, and Stripe's webhook."""

from datetime import timedelta
from functools import partial
from typing import Annotated

from fastapi import Depends, File, Form, Header, Query, Request, Response, UploadFile

from market.access.schemas import OrganisationRef
from market.accounts import repository as accounts
from market.accounts.edge import OpensWork, api_router, gives_parts, opens
from market.accounts.policy import Action
from market.accounts.work import Parts, Work
from market.kit import files
from market.kit.downloads import as_download
from market.kit.errors import Invalid, NotFound
from market.kit.ids import PublicId
from market.kit.wire import Day, PathId
from market.payments import (
    bank,
    card,
    charging,
    inbox,
    invoices,
    refunds,
    service,
    showing,
    statements,
    transfers,
)
from market.payments.schemas import (
    AccountIn,
    AccountOut,
    BankLeftIn,
    ChargeIn,
    CheckoutOut,
    CreditDecisionIn,
    CreditIn,
    CreditOut,
    InvoiceIn,
    InvoiceNumber,
    PaymentIn,
    PaymentOut,
    PaymentsOut,
    ReceivedOut,
    RefundIn,
    RefundOut,
    SlipIn,
    StatementLineOut,
    StatementOut,
    TransferIn,
    TransferOut,
)
from market.payments.seen import BadSignature
from market.payments.ways import Ways

router = api_router("payments")
PageNumber = Annotated[int, Query(alias="page", ge=1, le=10_000)]
Upload = Annotated[UploadFile, File(description="PDF, Word, PNG, JPEG; 20 MB")]
MOST_BODY = 256 * 1024
FORGED = "不是支付服务发来的通知"


def ways_of(request: Request) -> Ways:
    """Return the ways to pay, as wiring built them."""
    found: Ways = request.app.state.ways
    return found


GivenWays = Annotated[Ways, Depends(ways_of)]


async def raw_body(request: Request) -> bytes:
    """Return the bytes that were signed. Raises Invalid where they are too many."""
    if request.headers.get("content-type", "").startswith(("multipart/", "application/x-www")):
        raise Invalid(FORGED)  # read as a form before it came here
    body = bytearray()
    async for block in request.stream():
        body += block
        if len(body) > MOST_BODY:
            raise Invalid(FORGED)
    return bytes(body)


@router.post("/stripe/events")
def receive_event(
    body: Annotated[bytes, Depends(raw_body)],
    work: Annotated[Work, opens(Action.PAYMENT_NOTIFY, write=True)],
    ways: GivenWays,
    signature: Annotated[str, Header(alias="Stripe-Signature", max_length=2000)] = "",
) -> ReceivedOut:
    """Keep an event of Stripe and answer at once; a job handles it."""
    if ways.cards is None:
        raise NotFound
    try:
        seen = ways.cards.verified(body, signature, work.now)
    except BadSignature:
        raise Invalid(FORGED) from None
    inbox.keep(work.session, seen, work.now)
    return ReceivedOut(received=True)


@router.get("/payments")
def list_payments(
    work: Annotated[Work, opens(Action.PAYMENT_VIEW)],
    number: PageNumber = 1,
    reference: Annotated[str, Query(max_length=20)] = "",
) -> PaymentsOut:
    """List one's organisation's payments, all of them to operators; newest first. Operators find
    the one that a bank transfer quotes by its `reference`.
    """
    if reference:
        return PaymentsOut(items=[showing.row(bank.by_reference(work, reference))], total=1)
    total, rows = service.payments(work, number)
    return PaymentsOut(items=[showing.row(one) for one in rows], total=total)


def _whole(work: Work, ways: Ways, public_id: str) -> PaymentOut:
    return showing.whole(work, ways, service.view(work, PublicId(public_id)))


@router.post("/payments", status_code=201)
def create_payment(
    form: PaymentIn,
    work: Annotated[Work, opens(Action.PAYMENT_MAKE, write=True)],
    ways: GivenWays,
) -> PaymentOut:
    """Owe a payment for one purpose; its amount is worked out."""
    return _whole(work, ways, service.create(work, form).public_id)


@router.get("/payments/{payment_id}")
def show_payment(
    payment_id: PathId, work: Annotated[Work, opens(Action.PAYMENT_VIEW)], ways: GivenWays
) -> PaymentOut:
    return _whole(work, ways, payment_id)


@router.post("/payments/{payment_id}/cancellation")
def cancel_payment(
    payment_id: PathId,
    work: Annotated[Work, opens(Action.PAYMENT_MAKE, write=True)],
    ways: GivenWays,
) -> PaymentOut:
    service.cancel(work, PublicId(payment_id))
    return _whole(work, ways, payment_id)


@router.post("/payments/{payment_id}/card")
def pay_by_card(
    payment_id: PathId,
    request: Request,
    _parts: Annotated[Parts, gives_parts(Action.PAYMENT_MAKE)],
    ways: GivenWays,
) -> CheckoutOut:
    """Return where to pay by card, Alipay or WeChat Pay; asked again, the same page of Stripe."""
    opened = partial(OpensWork(Action.PAYMENT_MAKE, write=True).run, request)
    back = f"{request.url.scheme}://{request.url.netloc}/payments/{payment_id}"
    return CheckoutOut(url=card.pay(opened, ways, PublicId(payment_id), back))


@router.post("/payments/{payment_id}/card/check")
def check_card(
    payment_id: PathId,
    request: Request,
    _parts: Annotated[Parts, gives_parts(Action.PAYMENT_MAKE)],
    ways: GivenWays,
) -> PaymentOut:
    """Ask Stripe how a card payment stands, and show the payment as it is then."""
    opened = partial(OpensWork(Action.PAYMENT_MAKE, write=True).run, request)
    card.check(opened, ways, PublicId(payment_id))
    with OpensWork(Action.PAYMENT_VIEW, write=False).run(request) as work:
        return _whole(work, ways, payment_id)


@router.post("/payments/{payment_id}/slips", status_code=201)
def attach_slip(
    payment_id: PathId,
    file: Upload,
    work: Annotated[Work, opens(Action.PAYMENT_MAKE, write=True)],
    ways: GivenWays,
    amount_fen: Annotated[int | None, Form(ge=1, le=10**14)] = None,
    sent_on: Annotated[str, Form(max_length=10)] = "",
) -> PaymentOut:
    """Upload the bank's receipt of a transfer; `sent_on` is today where nothing is said."""
    service.own(work, PublicId(payment_id))
    if amount_fen is None:
        raise Invalid(fields={"amount_fen": "必须填写，现在是空的"})
    on = sent_on or work.today.isoformat()
    try:
        form = SlipIn.model_validate({"amount_fen": amount_fen, "sent_on": on})
    except ValueError:
        raise Invalid(fields={"sent_on": "应写成2026-11-20的样子"}) from None
    bank.attach_slip(work, PublicId(payment_id), form, file.filename or "", file.file)
    return _whole(work, ways, payment_id)


@router.get(
    "/payments/{payment_id}/slips/{slip_id}",
    response_class=Response,
    responses=files.as_document(files.PROOF_TYPES),
)
def download_slip(
    payment_id: PathId, slip_id: PathId, work: Annotated[Work, opens(Action.PAYMENT_VIEW)]
) -> Response:
    found = bank.slip(work, PublicId(payment_id), PublicId(slip_id))
    stream = work.parts.files.open(found.sha256)
    return as_download(stream, found.name, found.media_type)


@router.post("/charges", status_code=201)
def charge(
    form: ChargeIn,
    work: Annotated[Work, opens(Action.PAYMENT_CONFIRM, write=True)],
    ways: GivenWays,
) -> PaymentOut:
    """Let an organisation owe a fee of the schedule."""
    return _whole(work, ways, charging.charge(work, form).public_id)


@router.post("/payments/{payment_id}/withdrawal")
def take_back(
    payment_id: PathId,
    work: Annotated[Work, opens(Action.PAYMENT_CONFIRM, write=True)],
    ways: GivenWays,
) -> PaymentOut:
    """Give up a payment of which nothing has been paid, as an operator."""
    charging.take_back(work, PublicId(payment_id))
    return _whole(work, ways, payment_id)


@router.post("/payments/{payment_id}/credits", status_code=201)
def record_credit(
    payment_id: PathId,
    form: CreditIn,
    work: Annotated[Work, opens(Action.PAYMENT_CONFIRM, write=True)],
) -> CreditOut:
    """Enter a line of the bank statement; another person has to confirm it."""
    row = bank.record(work, PublicId(payment_id), form)
    return showing.credit(*bank.credit(work, row.public_id))


@router.post("/connected-accounts", status_code=201)
def connect_account(
    form: AccountIn, work: Annotated[Work, opens(Action.PAYMENT_CONFIRM, write=True)]
) -> AccountOut:
    """Note the account of an agency at Stripe; entered again, the newer one stands."""
    row = transfers.connect(work, form)
    return AccountOut(agency=form.agency, account=row.account)


@router.get("/credits")
def list_credits(work: Annotated[Work, opens(Action.PAYMENT_CONFIRM)]) -> list[CreditOut]:
    """List what waits for a second person."""
    return [showing.credit(*one) for one in bank.credits_waiting(work)]


@router.post("/credits/{credit_id}/decision")
def decide_credit(
    credit_id: PathId,
    form: CreditDecisionIn,
    work: Annotated[Work, opens(Action.PAYMENT_CONFIRM, write=True)],
) -> CreditOut:
    """Confirm or reject what another person entered."""
    bank.decide(work, PublicId(credit_id), form)
    return showing.credit(*bank.credit(work, PublicId(credit_id)))


@router.post("/payments/{payment_id}/refunds", status_code=201)
def want_refund(
    payment_id: PathId,
    form: RefundIn,
    work: Annotated[Work, opens(Action.PAYMENT_CONFIRM, write=True)],
    ways: GivenWays,
) -> RefundOut:
    """Give money of one capture back, by the way it came."""
    return showing.refund(refunds.want(work, ways, PublicId(payment_id), form))


@router.post("/refunds/{refund_id}/decision")
def decide_refund(
    refund_id: PathId,
    form: BankLeftIn,
    work: Annotated[Work, opens(Action.PAYMENT_CONFIRM, write=True)],
) -> RefundOut:
    """Confirm that a refund by bank has left, by a second person."""
    return showing.refund(refunds.decide(work, PublicId(refund_id), form))


@router.post("/payments/{payment_id}/transfers", status_code=201)
def want_transfer(
    payment_id: PathId,
    form: TransferIn,
    work: Annotated[Work, opens(Action.PAYMENT_CONFIRM, write=True)],
    ways: GivenWays,
) -> TransferOut:
    """Send commission on to an agency that it is for, by the way in which it came."""
    row = transfers.want(work, ways, PublicId(payment_id), form)
    return showing.transfer(row, accounts.organisation(work.session, row.organisation_id))


@router.post("/transfers/{transfer_id}/decision")
def decide_transfer(
    transfer_id: PathId,
    form: BankLeftIn,
    work: Annotated[Work, opens(Action.PAYMENT_CONFIRM, write=True)],
) -> TransferOut:
    """Confirm that a transfer by bank has left, by a second person."""
    row = transfers.decide(work, PublicId(transfer_id), form)
    return showing.transfer(row, accounts.organisation(work.session, row.organisation_id))


@router.post("/payments/{payment_id}/invoices", status_code=201)
def enter_invoice(
    payment_id: PathId,
    form: InvoiceIn,
    work: Annotated[Work, opens(Action.PAYMENT_CONFIRM, write=True)],
    ways: GivenWays,
) -> PaymentOut:
    """Note the number of a 发票 that was made elsewhere."""
    invoices.enter(work, PublicId(payment_id), form)
    return _whole(work, ways, payment_id)


@router.post("/payments/{payment_id}/invoices/{invoice_number}/void")
def void_invoice(
    payment_id: PathId,
    invoice_number: InvoiceNumber,
    work: Annotated[Work, opens(Action.PAYMENT_CONFIRM, write=True)],
    ways: GivenWays,
) -> PaymentOut:
    """Void a number that was entered wrongly; it stays to be seen and counts no more."""
    invoices.void(work, PublicId(payment_id), invoice_number)
    return _whole(work, ways, payment_id)


@router.get("/statement")
def show_statement(
    work: Annotated[Work, opens(Action.PAYMENT_VIEW)],
    since: Day | None = None,
    until: Day | None = None,
    organisation: Annotated[str, Query(max_length=20)] = "",
) -> StatementOut:
    """Show what moved of one's organisation's money; of the last year where nothing is said."""
    last = until or work.today
    whose = organisation or work.actor.organisation_public_id or ""
    one = statements.of(work, since or last - timedelta(days=365), last, whose)
    return StatementOut(
        organisation=OrganisationRef(id=one.organisation.public_id, name=one.organisation.name),
        since=one.since,
        until=one.until,
        opening=one.opening,
        closing=one.closing,
        lines=[
            StatementLineOut(
                on=line.on,
                number=line.seq,
                memo=line.memo,
                account=statements.item(line.account),
                amount_fen=-line.amount_fen,
            )
            for line in one.lines
        ],
    )
