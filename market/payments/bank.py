"""Bank transfers: the payer's slip, the line of the bank statement, and its confirmation.

Four eyes: one operator enters the line, another confirms it. Neither is of the paying organisation.
"""

import unicodedata
from collections.abc import Sequence
from typing import BinaryIO, Final

from market.accounts.policy import Action, Relation
from market.accounts.work import Work
from market.deals import sharing
from market.kit.errors import Conflict, Invalid, NotFound
from market.kit.files import StoredFile
from market.kit.ids import PublicId, new_public_id
from market.payments import (
    captures,
    card,
    references,
    repository,
    repository_beside,
    service,
    waiting,
)
from market.payments.models import Payment
from market.payments.models_beside import BankCredit, Slip
from market.payments.schemas import CreditDecisionIn, CreditIn, SlipIn
from market.payments.states import CreditState, PaymentState

MAX_SLIPS: Final = 10
MOST_LETTERS: Final = 60


def attach_slip(work: Work, public_id: PublicId, form: SlipIn, name: str, stream: BinaryIO) -> Slip:
    """Keep the bank's receipt that the payer uploads. It moves nothing: the bank statement does.

    Raises Invalid at `file`, `sent_on`; TooLarge; Conflict for a payment that was cancelled.
    """
    payment = service.own(work, public_id)
    if form.sent_on > work.today:
        raise Invalid(fields={"sent_on": "汇款日期不能晚于今天"})
    payment = repository.hold_payment(work.session, payment.id)
    if payment.state == PaymentState.CANCELLED:
        raise Conflict("这笔款项已经取消")
    kept = repository_beside.slips(work.session, payment.id)
    if len(kept) >= MAX_SLIPS:
        raise Invalid(fields={"file": f"一笔款项最多上传{MAX_SLIPS}张回单"})
    file = sharing.keep(work, name, stream, [one for _, one in kept])
    row = Slip(
        public_id=new_public_id(),
        payment_id=payment.id,
        file_id=file.id,
        amount_fen=form.amount_fen,
        sent_on=form.sent_on,
        person_id=work.actor.person,
        at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    waiting.moved(work.session, payment, work.now)
    return row


def slip(work: Work, public_id: PublicId, slip_id: PublicId) -> StoredFile:
    """Return the file of a slip to the payer and the operators. Raises NotFound."""
    payment = service.find(work, public_id)
    found = repository_beside.slip(work.session, payment.id, slip_id)
    if found is None:
        raise NotFound
    return found


def by_reference(work: Work, reference: str) -> Payment:
    """Return the payment that a transfer quotes. Raises Invalid at `reference`."""
    work.require(Action.PAYMENT_CONFIRM, Relation.OTHER)
    plain = reference.replace(" ", "")
    if not references.fits(plain):
        raise Invalid(fields={"reference": "附言号应为12位数字，末两位是校验码，请核对"})
    row = repository.payment_by_reference(work.session, plain)
    if row is None:
        raise Invalid(fields={"reference": "没有这个附言号的款项"})
    return row


def record(work: Work, public_id: PublicId, form: CreditIn) -> BankCredit:
    """Enter a line of the bank statement, by the first person.

    Raises Invalid at `statement` for one that was entered before, at `received_on`.
    """
    payment = service.find(work, public_id, Action.PAYMENT_CONFIRM)
    service.apart(work, payment)
    payment = repository.hold_payment(work.session, payment.id)
    if form.received_on > work.today:
        raise Invalid(fields={"received_on": "到账日期不能晚于今天"})
    named = new_public_id()
    new = repository_beside.write_credit(
        work.session,
        {
            "public_id": named,
            "payment_id": payment.id,
            "statement": plain(form.statement),
            "payer_name": form.payer_name,
            "amount_fen": form.amount_fen,
            "received_on": form.received_on,
            "state": CreditState.RECORDED,
            "recorded_by": work.actor.person,
            "recorded_at": work.now,
            "note": "",
        },
    )
    if not new:
        raise Invalid(fields={"statement": "这个流水号已经录入过，一笔到账只录一次"})
    waiting.moved(work.session, payment, work.now)
    return _credit(work, named)


def plain(statement: str) -> str:
    """Return a number of the bank's without blanks and unseen marks, in capitals: typed otherwise,
    it is the same one. Raises Invalid at `statement` beyond 60 letters.
    """
    letters = unicodedata.normalize("NFKC", statement).upper()
    kept = [one for one in letters if not one.isspace() and unicodedata.category(one) != "Cf"]
    if len(kept) > MOST_LETTERS:
        raise Invalid(fields={"statement": f"最多{MOST_LETTERS}个字"})
    return "".join(kept)


def _credit(work: Work, public_id: PublicId) -> BankCredit:
    row = repository_beside.credit_by_public_id(work.session, public_id)
    if row is None:
        raise NotFound
    return row


def credit(work: Work, public_id: PublicId) -> tuple[BankCredit, Payment]:
    """Return a line of the bank statement to the operators. Raises NotFound."""
    row = _credit(work, public_id)
    payment = repository.payment(work.session, row.payment_id)
    service.relation(work, payment)
    work.require(Action.PAYMENT_CONFIRM, Relation.OTHER)
    return row, payment


def decide(work: Work, public_id: PublicId, form: CreditDecisionIn) -> BankCredit:
    """Confirm or reject what another operator entered. What is confirmed goes to its payment as
    far as that needs it, the rest is surplus to be returned.

    Raises Conflict for the person who entered it, and where it was decided meanwhile.
    """
    row, payment = credit(work, public_id)
    service.second_person(work, payment, row.recorded_by)
    repository.hold_payment(work.session, payment.id)
    confirmed = form.decision == "confirm"
    repository_beside.decide_credit(
        work.session,
        row,
        CreditState.CONFIRMED if confirmed else CreditState.REJECTED,
        decided_by=work.actor.person,
        decided_at=work.now,
        note=form.note,
    )
    if confirmed:
        captures.of_bank(work.session, row, work.now)
        card.owe_look(work.session, payment.id, work.now)
    waiting.moved(work.session, payment, work.now)
    work.touched("bank_credit", row.public_id)
    return row


def credits_waiting(work: Work) -> Sequence[tuple[BankCredit, Payment]]:
    work.require(Action.PAYMENT_CONFIRM, Relation.OTHER)
    return repository_beside.credits_waiting(work.session)
