"""Refunds and transfers: asked for in one transaction, which sets the amount aside at its capture;
by card a job has Stripe do it, by bank a second person confirms that it left.
"""

from datetime import datetime
from typing import Final

from sqlmodel import Session

from market.accounts import repository as accounts
from market.accounts.policy import Action, OrganisationKind, Relation
from market.accounts.work import Work
from market.kit import jobs
from market.kit.clock import local_date
from market.kit.errors import Conflict, Invalid, NotFound
from market.kit.ids import PublicId, new_public_id
from market.kit.money import yuan_in_words
from market.payments import captures, repository, repository_beside, service, waiting
from market.payments.bank import SAME_PERSON
from market.payments.models import Capture, ConnectedAccount, Payment, Refund, Transfer
from market.payments.posting import Poster
from market.payments.schemas import AccountIn, BankRefundIn, RefundIn, TransferIn
from market.payments.states import Purpose, RefundState, TransferState, Way
from market.payments.stripe import RefundSeen
from market.payments.ways import NO_CARDS, Ways

REFUND: Final = "payments.refund"
TRANSFER: Final = "payments.transfer"
OUTSIDE: Final = "在 Stripe 后台退的款"


def want(work: Work, ways: Ways, public_id: PublicId, form: RefundIn) -> Refund:
    """Ask for money to go back from a capture, never more than is left of it.

    Raises Invalid at `capture`, `amount_fen`; Conflict where Stripe cannot be asked.
    """
    payment = service.find(work, public_id, Action.PAYMENT_CONFIRM)
    repository.hold_payment(work.session, payment.id)
    capture = _capture(work, payment, form.capture)
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
        left = left_of(repository.capture(work.session, capture.id), surplus=form.surplus)
        raise Invalid(fields={"amount_fen": f"最多还能退{yuan_in_words(left)}"})
    if way is Way.CARD:
        owe_refund(work.session, row, work.now)
    waiting.moved(work.session, payment, work.now)
    return row


def _capture(work: Work, payment: Payment, public_id: str) -> Capture:
    capture = repository.capture_by_public_id(work.session, PublicId(public_id))
    if capture is None or capture.payment_id != payment.id:
        raise Invalid(fields={"capture": "请选这笔款项的一笔收款"})
    return capture


def left_of(capture: Capture, *, surplus: bool) -> int:
    """Return what of a capture may still go back, in fen."""
    if surplus:
        return capture.surplus_fen - capture.returning_fen
    return capture.applied_fen - capture.reserved_fen - capture.sent_on_fen


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


def decide(work: Work, public_id: PublicId, form: BankRefundIn) -> Refund:
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


def adopt(session: Session, seen: RefundSeen, at: datetime) -> Refund | None:
    """Write a row for what was given back at Stripe by hand: of the surplus where it fits there,
    else of what was applied. None for what is no payment of ours. Raises Mismatch where more went
    back than is left.
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
            reason=OUTSIDE,
            wanted_at=at,
            stripe_id=seen.id,
        )
        if (written := _reserved(session, capture, row)) is not None:
            return written
    raise captures.Mismatch(capture.public_id)


def transferred(session: Session, transfer_id: int, stripe_id: str, at: datetime) -> None:
    """Let a transfer be done, in its state and in the money book; without an id it failed, and what
    it held is free again.
    """
    row = repository.transfer(session, transfer_id)
    if row.state != TransferState.WANTED:
        return
    payment = repository.hold_payment(session, row.payment_id)
    if not stripe_id:
        if repository.move_transfer(session, row, TransferState.FAILED):
            repository.change_capture(session, row.capture_id, sent_on_fen=-row.amount_fen)
        return
    if not repository.move_transfer(
        session, row, TransferState.DONE, stripe_id=stripe_id, done_at=at
    ):
        return
    payer = accounts.organisation(session, payment.organisation_id)
    agency = accounts.organisation(session, row.organisation_id)
    Poster(session, payment, payer, local_date(at), at).transfer(row, agency)


def connect(work: Work, form: AccountIn) -> ConnectedAccount:
    """Note the account of an agency at Stripe. Raises Invalid at `agency`, `account`."""
    work.require(Action.PAYMENT_CONFIRM, Relation.OTHER)
    agency = accounts.organisation_by_public_id(work.session, PublicId(form.agency))
    if agency is None or agency.kind != OrganisationKind.AGENCY:
        raise Invalid(fields={"agency": "请选一家技术转移机构"})
    taken = repository_beside.account_holder(work.session, form.account)
    if taken is not None and taken.organisation_id != agency.id:
        raise Invalid(fields={"account": "这个账户已经属于另一家机构"})
    row = repository_beside.connected(work.session, agency.id) or ConnectedAccount(
        organisation_id=agency.id,
        account=form.account,
        entered_by=work.actor.person,
        entered_at=work.now,
    )
    row.account = form.account
    work.session.add(row)
    work.session.flush()
    return row


def transfer(work: Work, ways: Ways, public_id: PublicId, form: TransferIn) -> Transfer:
    """Send commission on to an agency with an account at Stripe; a job does it.

    Raises Conflict where there is no such account, no Stripe, or no commission; Invalid at
    `capture`, `agency`, `amount_fen`.
    """
    payment = service.find(work, public_id, Action.PAYMENT_CONFIRM)
    repository.hold_payment(work.session, payment.id)
    if payment.purpose != Purpose.COMMISSION:
        raise Conflict("只有经理人报酬转给机构")
    if ways.cards is None:
        raise Conflict(NO_CARDS)
    capture = _capture(work, payment, form.capture)
    if capture.way != Way.CARD:
        raise Conflict("银行转账收到的报酬不在支付服务里，请从银行转给机构")
    agency = accounts.organisation_by_public_id(work.session, PublicId(form.agency))
    account = None if agency is None else repository_beside.connected(work.session, agency.id)
    if agency is None or account is None:
        raise Invalid(fields={"agency": "这家机构还没有登记支付服务的账户"})
    if not repository.send_on(work.session, capture.id, form.amount_fen):
        left = left_of(repository.capture(work.session, capture.id), surplus=False)
        raise Invalid(fields={"amount_fen": f"最多还能转{yuan_in_words(left)}"})
    row = Transfer(
        public_id=new_public_id(),
        payment_id=payment.id,
        capture_id=capture.id,
        organisation_id=agency.id,
        account=account.account,
        amount_fen=form.amount_fen,
        wanted_by=work.actor.person,
        wanted_at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    key = f"{TRANSFER}:{row.public_id}"
    jobs.enqueue(work.session, TRANSFER, key, {"transfer": row.id}, at=work.now)
    return row
