"""What the API says of payments."""

from collections.abc import Sequence

from market.access.schemas import OrganisationRef
from market.accounts.models import Organisation
from market.accounts.work import Work
from market.payments import card, service
from market.payments.models import Capture, Payment, Refund, Transfer
from market.payments.models_beside import BankCredit
from market.payments.repository_fees import Line
from market.payments.schemas import (
    CaptureOut,
    CreditOut,
    FeeOut,
    InvoiceOut,
    PaymentOut,
    PaymentRow,
    RefundOut,
    SlipOut,
    TransferOut,
)
from market.payments.service import PaymentView
from market.payments.states import (
    AttemptState,
    CreditState,
    PaymentState,
    Purpose,
    RefundState,
    TransferState,
    Way,
)
from market.payments.ways import Ways


def fee(line: Line) -> FeeOut:
    row = line.fee
    return FeeOut(
        id=row.public_id,
        code=row.code,
        name=row.name,
        purpose=Purpose(row.purpose),
        amount_fen=row.amount_fen,
        rate_bp=row.rate_bp,
        least_fen=row.least_fen,
        most_fen=row.most_fen,
        effective_from=row.effective_from,
        ends_on=line.until,
        source=row.source,
    )


def row(payment: Payment) -> PaymentRow:
    return PaymentRow(
        id=payment.public_id,
        reference=payment.reference,
        purpose=Purpose(payment.purpose),
        title=payment.title,
        amount_fen=payment.amount_fen,
        paid_fen=payment.paid_fen,
        refunded_fen=payment.refunded_fen,
        state=PaymentState(payment.state),
        created_at=payment.created_at,
    )


def refund(one: Refund) -> RefundOut:
    return RefundOut(
        id=one.public_id,
        way=Way(one.way),
        amount_fen=one.amount_fen,
        surplus=one.surplus,
        reason=one.reason,
        state=RefundState(one.state),
        wanted_at=one.wanted_at,
        done_at=one.done_at,
    )


def transfer(one: Transfer, agency: Organisation) -> TransferOut:
    return TransferOut(
        id=one.public_id,
        agency=OrganisationRef(id=agency.public_id, name=agency.name),
        way=Way(one.way),
        amount_fen=one.amount_fen,
        state=TransferState(one.state),
        wanted_at=one.wanted_at,
        done_at=one.done_at,
    )


def _captures(captures: Sequence[Capture]) -> list[CaptureOut]:
    return [
        CaptureOut(
            id=one.public_id,
            way=Way(one.way),
            applied_fen=one.applied_fen,
            surplus_fen=one.surplus_fen,
            refundable_fen=service.left_of(one, surplus=False),
            surplus_left_fen=service.left_of(one, surplus=True),
            at=one.at,
        )
        for one in captures
    ]


def whole(work: Work, ways: Ways, view: PaymentView) -> PaymentOut:
    return PaymentOut(
        **row(view.row).model_dump(),
        organisation=OrganisationRef(id=view.payer.public_id, name=view.payer.name),
        card=None if view.attempt is None else AttemptState(view.attempt.state),
        card_refused=card.refused(work.session, ways, view.row, work.now),
        captures=_captures(view.captures),
        refunds=[refund(one) for one in view.refunds],
        transfers=[transfer(one, agency) for one, agency in view.transfers],
        slips=[
            SlipOut(
                id=one.public_id, name=file.name, amount_fen=one.amount_fen, sent_on=one.sent_on
            )
            for one, file in view.slips
        ],
        invoices=[
            InvoiceOut(
                number=one.number,
                amount_fen=one.amount_fen,
                issued_on=one.issued_on,
                voided_at=one.voided_at,
            )
            for one in view.invoices
        ],
    )


def credit(one: BankCredit, payment: Payment) -> CreditOut:
    return CreditOut(
        id=one.public_id,
        payment=payment.public_id,
        statement=one.statement,
        payer_name=one.payer_name,
        amount_fen=one.amount_fen,
        received_on=one.received_on,
        state=CreditState(one.state),
    )
