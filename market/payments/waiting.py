"""What waits: for payers a fee that is owed; for the operators slips, money that came in or is to
leave, for a second person, and what was paid beyond an amount.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from sqlmodel import Session

from market.accounts.policy import Action, Role
from market.kit import notify
from market.kit.ids import PaymentId
from market.kit.money import yuan_in_words
from market.kit.notify import Subject, Task, To
from market.payments import repository, repository_beside
from market.payments.models import Capture, Payment, Refund, Transfer
from market.payments.models_beside import BankCredit, Slip
from market.payments.seen import DisputeSeen
from market.payments.states import RefundState, TransferState, Way

OWED: Final = "payment.owed"
CREDIT: Final = "payment.credit"
SLIP: Final = "payment.slip"
RETURN: Final = "payment.return"
SURPLUS: Final = "payment.surplus"
SEND_ON: Final = "payment.send_on"
DISPUTE: Final = "payment.dispute"
FAILED: Final = "payment.failed"
LOST: Final = "payment.lost"
MISMATCH: Final = "payment.mismatch"
ALERTS: Final = (DISPUTE, FAILED, LOST, MISMATCH)
CAME_IN: Final = "payment.came_in"
KINDS: Final = (OWED, CREDIT, SLIP, RETURN, SURPLUS, SEND_ON)


def tasks(session: Session, of: PaymentId | None = None) -> Iterator[Task]:
    """Yield all that waits in payments, or about one, as its own rows say."""
    for payment in repository.fees_owed(session, of):
        yield _owed(payment)
    for credit, payment in repository_beside.credits_waiting(session, of):
        yield _credit(credit, payment)
    for slip, payment in repository_beside.slips_waiting(session, of):
        yield _slip(slip, payment)
    for refund, payment in repository_beside.returns_waiting(session, RefundState.WANTED, of):
        if refund.way == Way.BANK:
            yield _return(refund, payment)
    for capture, payment in repository_beside.surpluses(session, of):
        yield _surplus(capture, payment)
    for transfer, payment in repository_beside.transfers_waiting(session, of):
        if transfer.state == TransferState.WANTED:
            yield _send_on(transfer, payment)


def _owed(payment: Payment) -> Task:
    said = f"支付{yuan_in_words(payment.amount_fen - payment.paid_fen)}：{payment.title}"
    to = To(organisation_id=payment.organisation_id, action=Action.PAYMENT_MAKE)
    return Task(to, OWED, subject(payment), said, round=payment.public_id)


def _credit(row: BankCredit, payment: Payment) -> Task:
    said = f"确认到账{yuan_in_words(row.amount_fen)}：{payment.title}"
    return Task(To(role=Role.OPERATOR), CREDIT, subject(payment), said, round=row.public_id)


def _slip(row: Slip, payment: Payment) -> Task:
    said = f"查银行流水，有回单{yuan_in_words(row.amount_fen)}：{payment.title}"
    return Task(To(role=Role.OPERATOR), SLIP, subject(payment), said, round=row.public_id)


def _return(row: Refund, payment: Payment) -> Task:
    said = f"付出退款{yuan_in_words(row.amount_fen)}：{payment.title}"
    return Task(To(role=Role.OPERATOR), RETURN, subject(payment), said, round=row.public_id)


def _send_on(row: Transfer, payment: Payment) -> Task:
    said = f"确认转付经理人报酬{yuan_in_words(row.amount_fen)}：{payment.title}"
    return Task(To(role=Role.OPERATOR), SEND_ON, subject(payment), said, round=row.public_id)


def _surplus(row: Capture, payment: Payment) -> Task:
    left = yuan_in_words(row.surplus_fen - row.returning_fen)
    said = f"退回多付的{left}：{payment.title}"
    return Task(To(role=Role.OPERATOR), SURPLUS, subject(payment), said, round=row.public_id)


def subject(payment: Payment) -> Subject:
    return Subject("payment", payment.public_id)


def tell_payer(
    session: Session, payment: Payment, kind: str, title: str, key: str, at: datetime
) -> None:
    """Tell who pays, once for its key."""
    to = To(organisation_id=payment.organisation_id, action=Action.PAYMENT_VIEW)
    notify.tell(session, to, kind, subject(payment), title, key=f"{kind}:{key}", at=at)


def tell_of_dispute(session: Session, payment: Payment, seen: DisputeSeen, at: datetime) -> None:
    """Tell the operators, once each, that a payer's bank wants money back (拒付), and has it."""
    amount = yuan_in_words(seen.amount_fen)
    said, key = f"付款人的银行提出拒付{amount}，请在 Stripe 后台答复", f"{DISPUTE}:{seen.id}"
    if seen.status == "lost":
        said, key = f"拒付判给付款人，{amount}已被退走", f"{DISPUTE}:{seen.id}:lost"
    _tell(session, payment, DISPUTE, said, key, at)


def tell_of_failure(
    session: Session, payment: Payment, row: Refund | Transfer, at: datetime, *, by_word: bool
) -> None:
    """Tell the operators of what Stripe did not do, or `by_word` of a second person was let be."""
    what = "退款" if isinstance(row, Refund) else "转付报酬"
    why = "没有办，另一位运营人员没有同意" if by_word else "没有办成，请核对后再办"
    said = f"{what}{yuan_in_words(row.amount_fen)}{why}"
    _tell(session, payment, FAILED, said, f"{FAILED}:{row.public_id}", at)


def tell_of_loss(session: Session, payment: Payment, row: Refund, at: datetime) -> None:
    said = f"已退走的款里{yuan_in_words(row.amount_fen)}早已转给机构，由平台垫付，请追回"
    _tell(session, payment, LOST, said, f"{LOST}:{row.public_id}", at)


def tell_agencies(session: Session, payment: Payment, amount: int, key: str, at: datetime) -> None:
    """Tell those who get of a commission that some of it, in fen, has come in for them."""
    if payment.commission_id is None:
        return
    commission = repository_beside.commission(session, payment.commission_id)
    said = f"平台收到经理人报酬{yuan_in_words(amount)}，由平台转付"
    for part in repository_beside.broker_parts(session, commission.id):
        notify.tell(
            session,
            To(organisation_id=part.organisation_id, action=Action.COMMISSION_VIEW),
            CAME_IN,
            Subject("commission", commission.public_id),
            said,
            key=f"{CAME_IN}:{key}:{part.id}",
            at=at,
        )


def tell_of_mismatch(session: Session, payment: Payment, what: str, at: datetime) -> None:
    said = "支付服务说的金额与这里不同，没有入账，请照 Stripe 后台核对"
    _tell(session, payment, MISMATCH, said, f"{MISMATCH}:{what}", at)


def _tell(session: Session, payment: Payment, kind: str, said: str, key: str, at: datetime) -> None:
    title = f"{said}：{payment.title}"
    notify.tell(session, To(role=Role.OPERATOR), kind, subject(payment), title, key=key, at=at)


def moved(session: Session, payment: Payment, at: datetime) -> None:
    """Let what waits about a payment be what its rows say now."""
    notify.hold(session, subject(payment), KINDS, tasks(session, payment.id), at=at)
