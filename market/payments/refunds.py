"""Refunds: asked for in one transaction, which sets the amount aside at its capture; by card a job
has Stripe do it, by bank a second person confirms that it left.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlmodel import Session

from market.accounts.policy import Action, Relation
from market.accounts.work import Work
from market.kit import jobs
from market.kit.errors import Conflict, Invalid, NotFound
from market.kit.ids import PublicId, new_public_id
from market.kit.money import yuan_in_words
from market.payments import captures, repository, repository_beside, service, waiting
from market.payments.bank import plain
from market.payments.models import Capture, Payment, Refund
from market.payments.schemas import BankLeftIn, RefundIn
from market.payments.seen import RefundSeen
from market.payments.states import RefundState, Way
from market.payments.ways import NO_CARDS, Ways

REFUND: Final = "payments.refund"
USED: Final = "这个流水号已经用过：一笔付款只记一次，也不是到账的那一个"
OUTSIDE: Final = "在 Stripe 后台退的款"
LOST: Final = "拒付不利，发卡行已把款退给付款人"


def left_by(session: Session, typed: str) -> str:
    """Return the number under which the bank has money leave, without blanks.

    Raises Invalid at `statement` for none, or one under which money left before or came in.
    """
    statement = plain(typed)
    if not statement:
        raise Invalid(fields={"statement": "请填银行的付款流水号"})
    repository_beside.hold_number(session, statement)
    if repository_beside.number_used(session, statement):
        raise Invalid(fields={"statement": USED})
    return statement


class Undecided(Exception):
    """What is under way has to end first; to be tried again."""


def want(work: Work, ways: Ways, public_id: PublicId, form: RefundIn) -> Refund:
    """Ask for money to go back from a capture, never more than is left of it.

    Raises Invalid at `capture`, `amount_fen`; Conflict where Stripe cannot be asked.
    """
    payment = service.find(work, public_id, Action.PAYMENT_CONFIRM)
    service.apart(work, payment)
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
    service.second_person(work, payment, row.wanted_by)
    repository.hold_payment(work.session, payment.id)
    work.session.refresh(row)
    if row.state != RefundState.WANTED:
        raise Conflict(repository.MOVED)
    work.touched("refund", row.public_id)
    if form.decision == "reject":
        captures.refund_failed(work.session, row, work.now, confirmed_by=work.actor.person)
        return row
    statement = left_by(work.session, form.statement)
    captures.refunded(
        work.session,
        row,
        work.now,
        confirmed_by=work.actor.person,
        bank_text=statement,
    )
    return row


def apply(session: Session, seen: RefundSeen, at: datetime, reason: str = OUTSIDE) -> str:
    """Bring a refund to how it stands at Stripe, one made there by hand too; return what it is now,
    "" where its payment is not ours, or not yet: `captures.RETURNS` looks again then.

    Raises Undecided, Mismatch.
    """
    capture = _capture_of(session, seen.intent)
    rows = _known(session, seen)
    if not rows and capture is not None:
        rows = _adopt(session, capture, seen, at, reason)
    if not rows:
        return ""
    if sum(row.amount_fen for row in rows) != seen.amount_fen:
        raise captures.Mismatch(rows[0].payment_id, seen.id)
    return ", ".join(captures.of_refund(session, row, seen, at) for row in rows)


def _capture_of(session: Session, intent: str) -> Capture | None:
    """Return what an intent brought in, its payment held."""
    attempt = repository.attempt_by_intent(session, intent) if intent else None
    if attempt is None:
        return None
    repository.hold_payment(session, attempt.payment_id)
    return repository.capture_of_attempt(session, attempt.id)


def _known(session: Session, seen: RefundSeen) -> Sequence[Refund]:
    """Return our rows of a refund at Stripe; none where somebody gave it back there by hand, or
    where it is a second one that Stripe made for a row of ours.
    """
    if seen.ours:
        row = repository.refund_by_public_id(session, PublicId(seen.ours))
        if row is not None and row.stripe_id in ("", seen.id):
            return [row]
    return repository.refunds_by_stripe_id(session, seen.id)


def _adopt(
    session: Session, capture: Capture, seen: RefundSeen, at: datetime, reason: str
) -> list[Refund]:
    """Write rows for what went back without us, by hand at Stripe or by a lost dispute: of the
    surplus, then of what was applied and not sent on; the rest the platform bears.

    Raises Undecided where a refund of ours that is under way may be what the rest is held by.
    """
    surplus = min(seen.amount_fen, service.left_of(capture, surplus=True))
    applied = min(seen.amount_fen - surplus, service.left_of(capture, surplus=False))
    rest = seen.amount_fen - surplus - applied
    if rest and repository.under_way(session, capture.id):
        raise Undecided(capture.public_id)
    pockets = ((surplus, True, False), (applied, False, False), (rest, False, True))
    rows = []
    for amount, is_surplus, uncovered in pockets:
        if not amount:
            continue
        if not uncovered and not repository.reserve(
            session, capture.id, amount, surplus=is_surplus
        ):
            raise Undecided(capture.public_id)
        row = Refund(
            public_id=new_public_id(),
            payment_id=capture.payment_id,
            capture_id=capture.id,
            way=Way.CARD,
            surplus=is_surplus,
            uncovered=uncovered,
            amount_fen=amount,
            reason=reason,
            wanted_at=at,
            stripe_id=seen.id,
        )
        session.add(row)
        rows.append(row)
    session.flush()
    return rows
