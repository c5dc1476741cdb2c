"""Payments as their payer and the operators see them: made, read, cancelled."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from market.accounts import repository as accounts
from market.accounts.models import MembershipState, Organisation
from market.accounts.policy import Action, Relation, Role
from market.accounts.work import Work
from market.brokerage.models import Commission, CommissionState
from market.deals import repository as deals
from market.deals import repository_contracts
from market.deals import service as deal_service
from market.deals.models import Deal
from market.deals.vocabulary import DealState
from market.kit.clock import local_text
from market.kit.errors import Conflict, Invalid, NotFound
from market.kit.files import StoredFile
from market.kit.ids import OrganisationId, PersonId, PublicId, new_public_id
from market.payments import (
    references,
    repository,
    repository_beside,
    repository_invoices,
    schedule,
    waiting,
)
from market.payments.models import Attempt, Capture, Fee, Invoice, Payment, Refund, Transfer
from market.payments.models_beside import BankCredit, Slip
from market.payments.schemas import PaymentIn
from market.payments.states import (
    LIVE_ATTEMPT,
    PAYABLE,
    AttemptState,
    CreditState,
    PaymentState,
    Purpose,
    Step,
)

PAGE: Final = 50
SLACK: Final = timedelta(minutes=30)
BOTH_SIDES: Final = "您也是付款单位的成员，请由别的运营人员办理"
DEAL_LOST: Final = "这项洽谈已经结束，诚意金不用付"
ELSEWHERE: Final = "这笔报酬已在平台之外结清或不再应付，不用付"
SAME_PERSON: Final = "录入的人不能自己确认，请由另一位运营人员确认"
ALREADY: Final = "这一项已有一笔没有结束的款项，请在款项里继续办理"
PURPOSES: Final = {
    Purpose.SERVICE_FEE: "服务费",
    Purpose.EARNEST: "诚意金",
    Purpose.COMMISSION: "经理人报酬",
}


@dataclass(frozen=True, slots=True)
class PaymentView:
    """A payment whole, as its payer or an operator reads it."""

    row: Payment
    payer: Organisation
    relation: Relation
    attempt: Attempt | None
    captures: Sequence[Capture]
    refunds: Sequence[Refund]
    transfers: Sequence[tuple[Transfer, Organisation]]
    slips: Sequence[tuple[Slip, StoredFile]]
    credits: Sequence[BankCredit]
    invoices: Sequence[Invoice]

    @property
    def live(self) -> Attempt | None:
        """Return the attempt by which it may still be paid online."""
        if self.attempt is None or self.attempt.state not in LIVE_ATTEMPT:
            return None
        return self.attempt

    @property
    def left_fen(self) -> int:
        return self.row.amount_fen - self.row.paid_fen


def relation(work: Work, row: Payment) -> Relation:
    """Return what the actor is to a payment. Raises NotFound for those who may not know of it."""
    if row.organisation_id == work.actor.organisation_id:
        return Relation.OWN
    if work.actor.role in (Role.OPERATOR, Role.AUDITOR):
        return Relation.OTHER
    raise NotFound


def find(work: Work, public_id: PublicId, action: Action = Action.PAYMENT_VIEW) -> Payment:
    """Return a payment to one who may do this to it. Raises NotFound, Forbidden."""
    row = repository.payment_by_public_id(work.session, public_id)
    if row is None:
        raise NotFound
    related = relation(work, row)
    work.require(action, related)
    work.touched("payment", row.public_id)
    return row


def not_owed(session: Session, payment: Payment) -> str:
    """Return why a payment is owed no more, whatever its own state; "" where it is."""
    if payment.commission_id is not None:
        state = repository_beside.commission_state(session, payment.commission_id)
        return "" if state == CommissionState.DUE else ELSEWHERE
    if payment.deal_id is not None:
        lost = deals.deal(session, payment.deal_id).state == DealState.LOST
        return DEAL_LOST if lost else ""
    return ""


def takes_money(session: Session, payment: Payment) -> bool:
    """Tell whether what comes in goes to a payment; else all of it is surplus."""
    return PaymentState(payment.state) in PAYABLE and not not_owed(session, payment)


def apart(work: Work, row: Payment) -> None:
    """Raise Conflict for an operator who is of the paying organisation, too: nobody has a hand on
    both sides of a payment.
    """
    found = accounts.membership_of(work.session, work.actor.person, row.organisation_id)
    if found is not None and found.state in (MembershipState.ACTIVE, MembershipState.REQUESTED):
        raise Conflict(BOTH_SIDES)


def second_person(work: Work, row: Payment, first: PersonId | None) -> None:
    """Raise Conflict for who took the first of two steps with a payment, and as `apart` does."""
    if first == work.actor.person:
        raise Conflict(SAME_PERSON)
    apart(work, row)


def own(work: Work, public_id: PublicId) -> Payment:
    return find(work, public_id, Action.PAYMENT_MAKE)


def view(work: Work, public_id: PublicId) -> PaymentView:
    """Return a payment with all that belongs to it. Raises NotFound."""
    row = find(work, public_id)
    session = work.session
    attempts = repository.attempts(session, row.id)
    return PaymentView(
        row,
        accounts.organisation(session, row.organisation_id),
        relation(work, row),
        attempts[-1] if attempts else None,
        repository.captures(session, row.id),
        repository.refunds(session, row.id),
        _with_agencies(session, repository.transfers(session, row.id)),
        repository_beside.slips(session, row.id),
        repository_beside.credits_of(session, row.id),
        repository_invoices.invoices(session, row.id),
    )


def until(attempt: Attempt) -> str:
    """Return when at the latest nobody can pay by an attempt's session any more."""
    return local_text(attempt.expires_at + SLACK)


def cancel_from(view: PaymentView, at: datetime) -> str | None:
    """Return from when a payment can be cancelled for all that an online payment of it is under
    way; None where none is.
    """
    return None if view.live is None or over(view.live, at) else until(view.live)


def over(attempt: Attempt, at: datetime) -> bool:
    """Tell whether nobody can pay by an attempt's session any more, by the time."""
    return at >= attempt.expires_at + SLACK


def _with_agencies(
    session: Session, rows: Sequence[Transfer]
) -> Sequence[tuple[Transfer, Organisation]]:
    found = accounts.organisations(session, {one.organisation_id for one in rows})
    return [(one, found[one.organisation_id]) for one in rows]


def capture_of(work: Work, payment: Payment, public_id: str) -> Capture:
    """Return a capture of a payment. Raises Invalid at `capture`."""
    capture = repository.capture_by_public_id(work.session, PublicId(public_id))
    if capture is None or capture.payment_id != payment.id:
        raise Invalid(fields={"capture": "请选这笔款项的一笔收款"})
    return capture


def left_of(capture: Capture, *, surplus: bool) -> int:
    """Return what of a capture may still go back, in fen."""
    if surplus:
        return capture.surplus_fen - capture.returning_fen
    return capture.applied_fen - capture.reserved_fen - capture.sent_on_fen


def payments(
    work: Work, page: int = 1, states: frozenset[PaymentState] = frozenset()
) -> tuple[int, Sequence[Payment]]:
    """Return (how many, a page of PAGE): one's organisation's, or all to operators and auditors."""
    desk = work.actor.role in (Role.OPERATOR, Role.AUDITOR)
    work.require(Action.PAYMENT_VIEW, Relation.OTHER if desk else Relation.OWN)
    whose = None if desk else work.actor.organisation
    return repository.payments(work.session, whose, states, offset=(page - 1) * PAGE, limit=PAGE)


def create(work: Work, form: PaymentIn) -> Payment:
    """Owe a payment for one purpose, its amount by the schedule, the deal or the commission.

    Raises Invalid where the form names another purpose's object, NotFound, Conflict where the
    purpose has a payment that is not over.
    """
    row = drafted(work, form)
    if standing(work, row):
        raise Conflict(ALREADY)
    return written(work, row)


def written(work: Work, row: Payment) -> Payment:
    """Write a drafted payment. Raises Conflict where its purpose was taken meanwhile, Invalid at
    `fee` where its line of the schedule was withdrawn.
    """
    try:
        with work.session.begin_nested():
            work.session.add(row)
    except IntegrityError:
        if schedule.stands(work.session, row.fee_id):
            raise Conflict(ALREADY) from None
        raise Invalid(fields={"fee": schedule.CHOOSE}) from None
    waiting.moved(work.session, row, work.now)
    work.touched("payment", row.public_id)
    return row


def standing(work: Work, drafted: Payment) -> Payment | None:
    """Return the payment that the purpose of a drafted one has already and that is not over."""
    if drafted.deal_id is None and drafted.commission_id is None:
        return None
    return repository.alive(
        work.session,
        work.actor.organisation,
        deal_id=drafted.deal_id,
        commission_id=drafted.commission_id,
    )


def drafted(work: Work, form: PaymentIn) -> Payment:
    """Return what `create` would owe, unwritten. Raises as it does, but for what is owed before."""
    work.require(Action.PAYMENT_MAKE)
    return _MAKERS[form.purpose](work, form)


def _blank(
    work: Work, purpose: Purpose, title: str, amount: int, payer: OrganisationId | None = None
) -> Payment:
    return Payment(
        public_id=new_public_id(),
        reference=references.made(),
        organisation_id=payer or work.actor.organisation,
        purpose=purpose,
        title=title[:200],
        amount_fen=amount,
        created_by=work.actor.person,
        created_at=work.now,
    )


def _service_fee(work: Work, form: PaymentIn) -> Payment:
    if form.deal or form.commission:
        raise Invalid(fields={"purpose": "服务费只选收费项目"})
    return fee_of(work, work.actor.organisation, form.fee)


def fee_of(work: Work, payer: OrganisationId, fee: str | None) -> Payment:
    """Return an organisation's payment of a service fee, unwritten. Raises Invalid at `fee`."""
    line = schedule.in_force(work, fee, Purpose.SERVICE_FEE)
    assert line.amount_fen is not None
    row = _blank(work, Purpose.SERVICE_FEE, line.name, line.amount_fen, payer)
    row.fee_id = line.id
    return row


def _earnest(work: Work, form: PaymentIn) -> Payment:
    if form.commission:
        raise Invalid(fields={"purpose": "诚意金只选洽谈和收费项目"})
    if not form.deal:
        raise Invalid(fields={"deal": "请选一项洽谈"})
    line = schedule.in_force(work, form.fee, Purpose.EARNEST)
    deal = deal_service.find(work, PublicId(form.deal))
    if deal.buyer_id != work.actor.organisation:
        raise Conflict("诚意金由买方支付")
    if deal.state == "lost":
        raise Conflict("这项洽谈已经结束")
    row = _blank(work, Purpose.EARNEST, f"诚意金：{deal.title}", earnest_of(work, line, deal))
    row.fee_id, row.deal_id = line.id, deal.id
    return row


def earnest_of(work: Work, line: Fee, deal: Deal) -> int:
    """Return the earnest money of a deal in fen. Raises Conflict while nothing is agreed."""
    if line.amount_fen is not None:
        return line.amount_fen
    assert line.rate_bp is not None
    agreed = next(
        (
            one.amount_fen
            for one in deals.terms_of(work.session, [deal.id])
            if one.version == deal.terms_version
        ),
        None,
    )
    if agreed is None:
        raise Conflict("双方还没有写明金额，诚意金算不出来")
    return min(max(agreed * line.rate_bp // 10_000, line.least_fen), line.most_fen)


def earnest_for(work: Work, deal: Deal) -> Payment | None:
    """Return the earnest money of a deal: to its buyer as soon as it is owed, to its seller once it
    is paid; the caller has let them see the deal.
    """
    row = repository.alive(work.session, deal.buyer_id, deal_id=deal.id)
    if row is None or work.actor.organisation_id == deal.buyer_id:
        return row
    paid = row.state == PaymentState.PAID
    return row if paid and work.actor.organisation_id == deal.seller_id else None


def _commission(work: Work, form: PaymentIn) -> Payment:
    if form.fee or form.deal:
        raise Invalid(fields={"purpose": "报酬只选一笔报酬"})
    found = repository_beside.commission_part(
        work.session, PublicId(form.commission or ""), work.actor.organisation
    )
    if found is None:
        raise Invalid(fields={"commission": "请选一笔贵单位应付的报酬"})
    commission, part = found
    before = repository_beside.credited_part(work.session, commission.id, work.actor.organisation)
    left = part.amount_fen - before
    if commission.state != CommissionState.DUE or left <= 0:
        raise Conflict("这笔报酬现在不用付")
    row = _blank(work, Purpose.COMMISSION, _commission_title(work.session, commission), left)
    row.commission_id = commission.id
    return row


def _commission_title(session: Session, commission: Commission) -> str:
    found = repository_contracts.contracts(session, filter(None, [commission.contract_id]))
    return "：".join(["经理人报酬", *(one.project_name for one in found.values())])


_MAKERS: Final = {
    Purpose.SERVICE_FEE: _service_fee,
    Purpose.EARNEST: _earnest,
    Purpose.COMMISSION: _commission,
}


def cancel(work: Work, public_id: PublicId) -> Payment:
    """Give up a payment of which nothing has been paid.

    Raises Conflict for what the operators charged, while money may be on its way by a slip or a
    card payment, and once anything came in.
    """
    row = repository.hold_payment(work.session, own(work, public_id).id)
    if charged(work.session, row):
        raise Conflict("这是运营者登记的收费，要取消的请与运营者联系")
    if repository_beside.slips_waiting(work.session, row.id):
        raise Conflict("已上传回单，请等运营人员核对到账；没有汇出的请与运营者联系")
    return cancelled(work, row)


def charged(session: Session, payment: Payment) -> bool:
    """Tell whether a payment was charged by the operators: who made it was never of its payer."""
    return accounts.membership_of(session, payment.created_by, payment.organisation_id) is None


def cancelled(work: Work, row: Payment) -> Payment:
    """Let a payment that is held be cancelled, by one who may. Raises Conflict once anything came
    in, or while that is to be confirmed or a card payment is under way.
    """
    if row.state != PaymentState.DUE:
        raise Conflict("已经付过款或已经结束，不能取消")
    entered = repository_beside.credits_of(work.session, row.id)
    if any(one.state == CreditState.RECORDED for one in entered):
        raise Conflict("有一笔到账等着确认，确认以前不能取消")
    live = repository.live_attempt(work.session, row.id)
    if live is not None:
        # By its time nobody can pay by it any more; without Stripe's keys nobody else ends it.
        if live.state == AttemptState.PROCESSING or not over(live, work.now):
            raise Conflict(f"有一次在线支付还没有结束，{until(live)}以后可以取消")
        repository.move_attempt(work.session, live, AttemptState.EXPIRED)
    repository.move_payment(
        work.session, row, Step.CANCEL, PaymentState.CANCELLED, ended_at=work.now
    )
    waiting.moved(work.session, row, work.now)
    return row
