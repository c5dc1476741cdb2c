"""Refunds: asked for in one transaction, which sets the amount aside at its capture; by card a job
has Stripe do it, by bank a second person confirms that it left.
"""

from datetime import datetime
from typing import Final

from sqlmodel import Session

from market.accounts.policy import Action, Relation
from market.accounts.work import Work
from market.kit import jobs
from market.kit.errors import Conflict, Invalid, NotFound
from market.kit.ids import PublicId, new_public_id
from market.kit.money import yuan_in_words
from market.payments import captures, repository, service, waiting
from market.payments.bank import SAME_PERSON
from market.payments.models import Capture, Payment, Refund
from market.payments.schemas import BankLeftIn, RefundIn
from market.payments.states import RefundState, Way
from market.payments.stripe import RefundSeen
from market.payments.ways import NO_CARDS, Ways

REFUND: Final = "payments.refund"
OUTSIDE: Final = "在 Stripe 后台退的款"
LOST: Final = "拒付不利，发卡行已把款退给付款人"


def want(work: Work, ways: Ways, public_id: PublicId, form: RefundIn) -> Refund:
    """Ask for money to go back from a capture, never more than is left of it.

    Raises Invalid at `capture`, `amount_fen`; Conflict where Stripe cannot be asked.
    """
    payment = service.find(work, public_id, Action.PAYMENT_CONFIRM)
    repository.hold_payment(work.session, payment.id)
    capture = service.capture_of(work, payment, form.capture)
    way = Way(capture.way)
    if way is Way.CARD and ways.cards is None:
        raise Conflict(NO_CARDS)
    row = _reserved(
        work.session,
        capture,
        Refund(
            public_id=new_public_id(),
            payment_id=payment.id,
            capture_id=capture.id,
            way=way,
            surplus=form.surplus,
            amount_fen=form.amount_fen,
            reason=form.reason,
            wanted_by=work.actor.person,
            wanted_at=work.now,
        ),
    )
    if row is None:
        left = service.left_of(repository.capture(work.session, capture.id), surplus=form.surplus)
        raise Invalid(fields={"amount_fen": f"最多还能退{yuan_in_words(left)}"})
    if way is Way.CARD:
        owe_refund(work.session, row, work.now)
    waiting.moved(work.session, payment, work.now)
    return row


def _reserved(session: Session, capture: Capture, row: Refund) -> Refund | None:
    """Write a refund with its amount set aside; None where there is not as much left."""
    if not repository.reserve(session, capture.id, row.amount_fen, surplus=row.surplus):
        return None
    session.add(row)
    session.flush()
    return row


def owe_refund(session: Session, row: Refund, at: datetime) -> None:
    key = f"{REFUND}:{row.public_id}"
    jobs.enqueue(session, REFUND, key, {"refund": row.public_id}, at=at)


def refund(work: Work, public_id: PublicId) -> tuple[Refund, Payment]:
    """Return a refund to the operators. Raises NotFound."""
    row = repository.refund_by_public_id(work.session, public_id)
    if row is None:
        raise NotFound
    payment = repository.payment(work.session, row.payment_id)
    service.relation(work, payment)
    work.require(Action.PAYMENT_CONFIRM, Relation.OTHER)
    return row, payment


def decide(work: Work, public_id: PublicId, form: BankLeftIn) -> Refund:
    """Confirm that a refund by bank has left, or let it be, by a second person.

    Raises Conflict for the person who asked for it, for a refund by card, and where it was decided
    meanwhile; Invalid at `statement`.
    """
    row, payment = refund(work, public_id)
    if row.way != Way.BANK:
        raise Conflict("在线支付的退款由支付服务办理，不用确认")
    if row.wanted_by == work.actor.person:
        raise Conflict(SAME_PERSON)
    repository.hold_payment(work.session, payment.id)
    work.session.refresh(row)
    if row.state != RefundState.WANTED:
        raise Conflict(repository.MOVED)
    work.touched("refund", row.public_id)
    if form.decision == "reject":
        captures.refund_failed(work.session, row, work.now, confirmed_by=work.actor.person)
        return row
    if not form.statement:
        raise Invalid(fields={"statement": "请填银行的付款流水号"})
    captures.refunded(
        work.session,
        row,
        work.now,
        confirmed_by=work.actor.person,
        bank_text=form.statement,
    )
    return row


def known(session: Session, seen: RefundSeen) -> Refund | None:
    """Return our row of a refund at Stripe, None where somebody gave it back there by hand."""
    if seen.ours:
        return repository.refund_by_public_id(session, PublicId(seen.ours))
    return repository.refund_by_stripe_id(session, seen.id)


def adopt(session: Session, seen: RefundSeen, at: datetime, reason: str = OUTSIDE) -> Refund | None:
    """Write a row for what went back without us, by hand at Stripe or by a lost dispute: of the
    surplus where it fits there, else of what was applied. None for what is no payment of ours.
    Raises Mismatch where more went back than is left.
    """
    attempt = repository.attempt_by_intent(session, seen.intent) if seen.intent else None
    if attempt is None:
        return None
    repository.hold_payment(session, attempt.payment_id)
    capture = repository.capture_of_attempt(session, attempt.id)
    if capture is None:
        return None
    for surplus in (True, False):
        row = Refund(
            public_id=new_public_id(),
            payment_id=attempt.payment_id,
            capture_id=capture.id,
            way=Way.CARD,
            surplus=surplus,
            amount_fen=seen.amount_fen,
            reason=reason,
            wanted_at=at,
            stripe_id=seen.id,
        )
        if (written := _reserved(session, capture, row)) is not None:
            return written
    raise captures.Mismatch(capture.public_id)
