"""What came in, and what went back: the state of a payment and the money book move in one
transaction, each once for its cause.

Everything here may be run again: a capture is one for its source, a refund moves on only from the
state it was seen in, and a movement is posted once for its key.
"""

from datetime import datetime
from typing import Any

from sqlmodel import Session

from market.accounts import repository as accounts
from market.kit import jobs
from market.kit.clock import local_date
from market.kit.ids import AttemptId, CreditId, PaymentId, new_public_id
from market.kit.money import yuan_in_words
from market.payments import repository, service, waiting
from market.payments.models import Attempt, Capture, Payment, Refund
from market.payments.models_beside import BankCredit
from market.payments.posting import Poster
from market.payments.seen import Checkout, RefundSeen
from market.payments.states import AttemptState as A
from market.payments.states import PaymentState, RefundState, Step, Way, settled
from market.payments.stripe import CURRENCY

PAID, REFUNDED, UNREFUNDED = "payment.paid", "payment.refunded", "payment.unrefunded"
CARD_FAILED = "payment.card_failed"
RETURNS = "payments.returns"


class Mismatch(Exception):
    """What Stripe says of an amount is not what was asked for: `what` an operator looks at."""

    def __init__(self, payment_id: PaymentId, what: str) -> None:
        super().__init__(what)
        self.payment_id, self.what = payment_id, what


def of_card(session: Session, attempt: Attempt, seen: Checkout, at: datetime) -> str:
    """Bring an attempt to where its session stands at Stripe; return what was done, for the record.

    Raises Mismatch.
    """
    # The payment first, as everybody who moves it: two could wait for one another on PostgreSQL.
    repository.hold_payment(session, attempt.payment_id)
    session.refresh(attempt)
    if attempt.state == A.WANTED and seen.status in {"open", "complete"}:
        repository.move_attempt(
            session, attempt, A.OPEN, session=seen.id, url=seen.url, intent=seen.intent
        )
    if attempt.state == A.PAID:
        return f"已是{attempt.state}"
    if seen.paid:  # whatever we thought of it: what was charged is taken in
        return _paid(session, attempt, seen, at)
    if attempt.state in (A.EXPIRED, A.FAILED):
        return f"已是{attempt.state}"
    if seen.failed:
        repository.move_attempt(session, attempt, A.FAILED, intent=seen.intent)
        payment = repository.payment(session, attempt.payment_id)
        said = f"在线支付没有成功，没有扣款，可以再付：{payment.title}"
        waiting.tell_payer(session, payment, CARD_FAILED, said, attempt.public_id, at)
    elif seen.status == "complete" and attempt.state == A.OPEN:
        repository.move_attempt(session, attempt, A.PROCESSING, intent=seen.intent)
    elif seen.status == "expired":
        repository.move_attempt(session, attempt, A.EXPIRED)
    return str(attempt.state)


def _paid(session: Session, attempt: Attempt, seen: Checkout, at: datetime) -> str:
    if (seen.amount_fen, seen.currency) != (attempt.amount_fen, CURRENCY) or not seen.intent:
        raise Mismatch(attempt.payment_id, attempt.public_id)
    if not repository.move_attempt(session, attempt, A.PAID, session=seen.id, intent=seen.intent):
        return "已由别处处理"
    _take(
        session,
        attempt.payment_id,
        Way.CARD,
        attempt.amount_fen,
        attempt.public_id,
        at,
        attempt_id=attempt.id,
    )
    # A refund made at Stripe may have been told of before it was known whose payment this is.
    key = f"{RETURNS}:{attempt.public_id}"
    jobs.enqueue(session, RETURNS, key, {"intent": seen.intent}, at=at)
    return "收款"


def of_bank(session: Session, credit: BankCredit, at: datetime) -> Capture | None:
    """Take a confirmed credit in, in the book on the day of its confirmation: no statement of the
    past changes.
    """
    return _take(
        session,
        credit.payment_id,
        Way.BANK,
        credit.amount_fen,
        credit.public_id,
        at,
        credit_id=credit.id,
    )


def _take(
    session: Session,
    payment_id: PaymentId,
    way: Way,
    amount: int,
    key: str,
    at: datetime,
    *,
    attempt_id: AttemptId | None = None,
    credit_id: CreditId | None = None,
) -> Capture | None:
    """Apply what came in to its payment as far as that needs it; the rest is surplus."""
    payment = repository.hold_payment(session, payment_id)
    takes = service.takes_money(session, payment)
    applied = min(amount, payment.amount_fen - payment.paid_fen) if takes else 0
    capture = repository.write_capture(
        session,
        {
            "public_id": new_public_id(),
            "payment_id": payment_id,
            "way": way,
            "attempt_id": attempt_id,
            "bank_credit_id": credit_id,
            "applied_fen": applied,
            "surplus_fen": amount - applied,
            "reserved_fen": 0,
            "refunded_fen": 0,
            "returning_fen": 0,
            "returned_fen": 0,
            "sent_on_fen": 0,
            "at": at,
        },
    )
    if capture is None:
        return None
    if applied:
        paid = payment.paid_fen + applied
        to = settled(payment.amount_fen, paid, payment.refunded_fen)
        repository.move_payment(session, payment, Step.CAPTURE, to, paid_fen=paid)
        waiting.tell_agencies(session, payment, applied, key, at)
    _poster(session, payment, at).capture(capture, key)
    waiting.tell_payer(
        session, payment, PAID, f"收到{yuan_in_words(amount)}：{payment.title}", key, at
    )
    waiting.moved(session, payment, at)
    return capture


def _poster(session: Session, payment: Payment, at: datetime) -> Poster:
    payer = accounts.organisation(session, payment.organisation_id)
    return Poster(session, payment, payer, local_date(at), at)


def of_refund(session: Session, refund: Refund, seen: RefundSeen, at: datetime) -> str:
    """Bring a refund to where it stands at Stripe; return its state."""
    if seen.status == "succeeded":
        refunded(session, refund, at, stripe_id=seen.id)
    elif seen.status in {"failed", "canceled"}:
        refund_failed(session, refund, at, stripe_id=seen.id)
    elif refund.state == RefundState.WANTED:
        repository.move_refund(session, refund, RefundState.SENT, stripe_id=seen.id)
    return str(refund.state)


def refunded(session: Session, refund: Refund, at: datetime, **also: Any) -> None:
    """Let a refund be done: in its state, the capture, the payment and the money book."""
    payment = repository.hold_payment(session, refund.payment_id)
    session.refresh(refund)
    if refund.state not in (RefundState.WANTED, RefundState.SENT):
        return
    repository.move_refund(session, refund, RefundState.DONE, done_at=at, **also)
    if refund.uncovered:
        waiting.tell_of_loss(session, payment, refund, at)
    elif refund.surplus:
        repository.change_capture(session, refund.capture_id, returned_fen=refund.amount_fen)
    else:
        repository.change_capture(session, refund.capture_id, refunded_fen=refund.amount_fen)
        back = payment.refunded_fen + refund.amount_fen
        to = settled(payment.amount_fen, payment.paid_fen, back)
        ended = at if to is PaymentState.REFUNDED else None
        repository.move_payment(
            session, payment, Step.REFUND, to, refunded_fen=back, ended_at=ended
        )
    _poster(session, payment, at).refund(refund)
    waiting.moved(session, payment, at)
    told = f"已退{yuan_in_words(refund.amount_fen)}：{payment.title}"
    waiting.tell_payer(session, payment, REFUNDED, told, refund.public_id, at)


def refund_failed(session: Session, refund: Refund, at: datetime, **also: Any) -> None:
    """Let a refund fail: what it held is free again, and what it had moved comes back.

    The operators are told, and the payer where it had been told that the money was back.
    """
    payment = repository.hold_payment(session, refund.payment_id)
    session.refresh(refund)
    if refund.state == RefundState.FAILED:
        return
    done = refund.state == RefundState.DONE
    repository.move_refund(session, refund, RefundState.FAILED, done_at=None, **also)
    waiting.tell_of_failure(session, payment, refund, at, by_word="confirmed_by" in also)
    if done:
        _comes_back(session, payment, refund, at)
        said = f"退款{yuan_in_words(refund.amount_fen)}没有成功，钱回到了平台：{payment.title}"
        waiting.tell_payer(session, payment, UNREFUNDED, said, refund.public_id, at)
    elif refund.surplus:
        repository.change_capture(session, refund.capture_id, returning_fen=-refund.amount_fen)
    elif not refund.uncovered:
        repository.change_capture(session, refund.capture_id, reserved_fen=-refund.amount_fen)
    waiting.moved(session, payment, at)


def _comes_back(session: Session, payment: Payment, refund: Refund, at: datetime) -> None:
    """Undo a refund that was done. Where its purpose was paid for anew meanwhile, what comes back
    is surplus, to be returned again.
    """
    amount = -refund.amount_fen
    again = not (refund.surplus or refund.uncovered) and _purpose_taken(session, payment)
    by: dict[str, int] = {}
    if refund.surplus:
        by = {"returning_fen": amount, "returned_fen": amount}
    elif not refund.uncovered:
        by = {"reserved_fen": amount, "refunded_fen": amount}
    if again:
        by |= {"applied_fen": amount, "surplus_fen": -amount}
    if by:
        repository.change_capture(session, refund.capture_id, **by)
    if not (refund.surplus or refund.uncovered):
        paid = payment.paid_fen + (amount if again else 0)
        back = payment.refunded_fen + amount
        to = settled(payment.amount_fen, paid, back)
        to = PaymentState.CANCELLED if again and to is PaymentState.DUE else to
        ended = payment.ended_at if again else None
        repository.move_payment(
            session, payment, Step.UNREFUND, to, paid_fen=paid, refunded_fen=back, ended_at=ended
        )
    _poster(session, payment, at).unrefund(refund, as_surplus=again)


def _purpose_taken(session: Session, payment: Payment) -> bool:
    """Tell whether the purpose was paid for anew since this payment was over."""
    if payment.state != PaymentState.REFUNDED:
        return False
    if payment.deal_id is None and payment.commission_id is None:
        return False
    other = repository.alive(
        session,
        payment.organisation_id,
        deal_id=payment.deal_id,
        commission_id=payment.commission_id,
    )
    return other is not None
