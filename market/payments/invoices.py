"""发票: made elsewhere, their numbers noted here; what one has to say and what is left to be made.

What may be invoiced of a payment is what was paid less what went back of it.
"""

from dataclasses import dataclass
from typing import Final

from sqlmodel import Session

from market.accounts.policy import Action
from market.accounts.work import Work
from market.kit.errors import Conflict, Invalid, NotFound
from market.kit.ids import PublicId
from market.kit.money import yuan_in_words
from market.payments import repository, repository_invoices, service
from market.payments.models import Payment
from market.payments.schemas import InvoiceIn
from market.payments.service import PaymentView

TAKEN: Final = "这个发票号码已经登记过"


@dataclass(frozen=True, slots=True)
class Heading:
    """What a 发票 has to say of its payment: 抬头, 税号 ("" where the organisation has none), 项目,
    and the amount in fen that is still to be made out, negative where too much was.
    """

    name: str
    tax_code: str
    item: str
    left_fen: int


def heading(work: Work, view: PaymentView) -> Heading:
    return Heading(
        view.payer.name,
        view.payer.credit_code or "",
        view.row.title,
        _left(work.session, view.row),
    )


def _left(session: Session, payment: Payment) -> int:
    made = repository_invoices.invoiced(session, payment.id)
    return payment.paid_fen - payment.refunded_fen - made


def enter(work: Work, public_id: PublicId, form: InvoiceIn) -> None:
    """Note the number of a 发票 that was made elsewhere.

    Raises Invalid at `number` for one that stands, at `amount_fen` beyond what is left to be
    invoiced, at `issued_on`.
    """
    found = service.find(work, public_id, Action.PAYMENT_CONFIRM)
    payment = repository.hold_payment(work.session, found.id)
    if form.issued_on > work.today:
        raise Invalid(fields={"issued_on": "开票日期不能晚于今天"})
    if repository_invoices.standing(work.session, form.number) is not None:
        raise Invalid(fields={"number": TAKEN})
    left = _left(work.session, payment)
    if form.amount_fen > left:
        raise Invalid(fields={"amount_fen": f"最多还能开{yuan_in_words(max(left, 0))}"})
    row = {
        **form.model_dump(),
        "payment_id": payment.id,
        "entered_by": work.actor.person,
        "entered_at": work.now,
    }
    if not repository_invoices.write(work.session, row):
        raise Invalid(fields={"number": TAKEN})


def void(work: Work, public_id: PublicId, number: str) -> None:
    """Void a number that was entered wrongly: it stays to be seen and counts no more.

    Raises NotFound for a number that this payment never had, Conflict where it was voided before.
    """
    payment = service.find(work, public_id, Action.PAYMENT_CONFIRM)
    by, at = work.actor.person, work.now
    if repository_invoices.void(work.session, payment.id, number, voided_by=by, voided_at=at):
        return
    known = repository_invoices.invoices(work.session, payment.id)
    if not any(one.number == number for one in known):
        raise NotFound
    raise Conflict("这个发票号码已经作废")
