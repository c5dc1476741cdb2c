"""Commission that goes on from a capture to the agencies that it is for, each no more than its
part. One person wants it, a second confirms it: over Stripe Connect a job sends it then, by bank it
has left.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlmodel import Session

from market.accounts import repository as accounts
from market.accounts.models import Organisation
from market.accounts.policy import Action, OrganisationKind, Relation
from market.accounts.work import Work
from market.kit import jobs, notify
from market.kit.clock import local_date
from market.kit.errors import Conflict, Invalid, NotFound
from market.kit.ids import CommissionId, PublicId, new_public_id
from market.kit.money import yuan_in_words
from market.payments import refunds, repository, repository_beside, service, waiting
from market.payments.models import ConnectedAccount, Payment, Transfer
from market.payments.posting import Poster
from market.payments.schemas import AccountIn, BankLeftIn, TransferIn
from market.payments.states import Purpose, TransferState, Way
from market.payments.ways import NO_CARDS, Ways

TRANSFER: Final = "payments.transfer"
SENT_ON: Final = "payment.sent_on"


@dataclass(frozen=True, slots=True)
class Share:
    """An agency's part of a commission and what of it may still go there, in fen; its account at
    Stripe, "" for none.
    """

    agency: Organisation
    part_fen: int
    left_fen: int
    account: str


def shares(session: Session, payment: Payment) -> list[Share]:
    """Return who gets of the commission that a payment is for; none for another purpose."""
    if payment.commission_id is None:
        return []
    sent = repository_beside.sent_to(session, payment.commission_id)
    found = []
    for part in repository_beside.broker_parts(session, payment.commission_id):
        agency = accounts.organisation(session, part.organisation_id)
        account = repository_beside.connected(session, agency.id)
        left = part.amount_fen - sent.get(agency.id, 0)
        found.append(Share(agency, part.amount_fen, left, account.account if account else ""))
    return found


@dataclass(frozen=True, slots=True)
class Through:
    """What of a commission goes through the platform, as one side of it may know, amounts in fen.

    A payer has its own `payment`; an agency what came in of all payers, and what went on to it.
    """

    payment: Payment | None
    paid_fen: int
    sent_fen: int


def through(work: Work, commission_id: CommissionId) -> Through:
    """Return it to who pays or gets of the commission, whom the caller has let see it."""
    session, whose = work.session, work.actor.organisation
    if work.actor.kind is not OrganisationKind.AGENCY:
        return Through(repository.alive(session, whose, commission_id=commission_id), 0, 0)
    sent = repository_beside.sent_to(session, commission_id, done=True)
    return Through(None, repository_beside.paid_in(session, commission_id), sent.get(whose, 0))


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
    row.account, row.entered_by, row.entered_at = form.account, work.actor.person, work.now
    work.session.add(row)
    work.session.flush()
    return row


@dataclass(frozen=True, slots=True)
class Connected:
    """An agency's account at Stripe, and who entered it."""

    agency: Organisation
    row: ConnectedAccount
    by: str


def connected(work: Work) -> list[Connected]:
    """Return the accounts of all agencies to the operators."""
    work.require(Action.PAYMENT_CONFIRM, Relation.OTHER)
    rows = repository_beside.accounts(work.session)
    agencies = accounts.organisations(work.session, {row.organisation_id for row in rows})
    people = accounts.people(work.session, {row.entered_by for row in rows})
    return [
        Connected(agencies[row.organisation_id], row, people[row.entered_by].name) for row in rows
    ]


def want(work: Work, ways: Ways, public_id: PublicId, form: TransferIn) -> Transfer:
    """Ask for commission to go on to an agency that it is for: what came by card over Stripe,
    unless it is wanted by bank; what came by bank, by bank.

    Raises Conflict where it is no commission, or Stripe cannot be asked; Invalid at `capture`,
    `agency`, `amount_fen`.
    """
    payment = service.find(work, public_id, Action.PAYMENT_CONFIRM)
    if payment.purpose != Purpose.COMMISSION or payment.commission_id is None:
        raise Conflict("只有经理人报酬转给机构")
    service.apart(work, payment)
    # The commission first: several payers of one may be at it at the same time.
    repository_beside.hold_commission(work.session, payment.commission_id)
    repository.hold_payment(work.session, payment.id)
    capture = service.capture_of(work, payment, form.capture)
    share = next(
        (one for one in shares(work.session, payment) if one.agency.public_id == form.agency), None
    )
    if share is None:
        raise Invalid(fields={"agency": "请选应得这笔报酬的机构"})
    way = Way.BANK if form.by_bank else Way(capture.way)
    if way is Way.CARD and ways.cards is None:
        raise Conflict(NO_CARDS)
    if way is Way.CARD and not share.account:
        raise Invalid(fields={"agency": "这家机构还没有登记支付服务的账户，可以从银行付"})
    left = min(share.left_fen, service.left_of(capture, surplus=False))
    if form.amount_fen > left or not repository.send_on(work.session, capture.id, form.amount_fen):
        raise Invalid(fields={"amount_fen": f"最多还能转{yuan_in_words(max(left, 0))}"})
    row = Transfer(
        public_id=new_public_id(),
        payment_id=payment.id,
        capture_id=capture.id,
        organisation_id=share.agency.id,
        way=way,
        account=share.account if way is Way.CARD else "",
        amount_fen=form.amount_fen,
        wanted_by=work.actor.person,
        wanted_at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    waiting.moved(work.session, payment, work.now)
    return row


def transfer(work: Work, public_id: PublicId) -> tuple[Transfer, Payment]:
    """Return a transfer to the operators. Raises NotFound."""
    row = repository.transfer_by_public_id(work.session, public_id)
    if row is None:
        raise NotFound
    payment = repository.payment(work.session, row.payment_id)
    service.relation(work, payment)
    work.require(Action.PAYMENT_CONFIRM, Relation.OTHER)
    return row, payment


def decide(work: Work, public_id: PublicId, form: BankLeftIn) -> Transfer:
    """Let Stripe send a transfer, confirm that one by bank has left, or let it be, by a second
    person.

    Raises Conflict for the person who asked for it, and where it was decided meanwhile; Invalid at
    `statement`.
    """
    row, payment = transfer(work, public_id)
    service.second_person(work, payment, row.wanted_by)
    repository.hold_payment(work.session, payment.id)
    work.session.refresh(row)
    if row.state != TransferState.WANTED:
        raise Conflict(repository.MOVED)
    work.touched("transfer", row.public_id)
    if form.decision == "reject":
        _failed(work.session, row, payment, work.now, confirmed_by=work.actor.person)
        waiting.tell_of_failure(work.session, payment, row, work.now, by_word=True)
        return row
    if row.way == Way.CARD:
        repository.move_transfer(
            work.session, row, TransferState.SENT, confirmed_by=work.actor.person
        )
        key = f"{TRANSFER}:{row.public_id}"
        jobs.enqueue(work.session, TRANSFER, key, {"transfer": row.id}, at=work.now)
        waiting.moved(work.session, payment, work.now)
        return row
    statement = refunds.left_by(work.session, form.statement)
    _done(
        work.session,
        row,
        payment,
        work.now,
        confirmed_by=work.actor.person,
        bank_text=statement,
    )
    return row


def settled(session: Session, transfer_id: int, stripe_id: str, at: datetime) -> None:
    """Let a transfer by Stripe be done; without an id it failed."""
    row = repository.transfer(session, transfer_id)
    payment = repository.hold_payment(session, row.payment_id)
    session.refresh(row)
    if row.state != TransferState.SENT:
        return
    if stripe_id:
        _done(session, row, payment, at, stripe_id=stripe_id)
    else:
        _failed(session, row, payment, at)
        waiting.tell_of_failure(session, payment, row, at, by_word=False)


def _done(session: Session, row: Transfer, payment: Payment, at: datetime, **also: Any) -> None:
    """In its state and in the money book; the agency is told."""
    repository.move_transfer(session, row, TransferState.DONE, done_at=at, **also)
    payer = accounts.organisation(session, payment.organisation_id)
    agency = accounts.organisation(session, row.organisation_id)
    held = Way(repository.capture(session, row.capture_id).way)
    Poster(session, payment, payer, local_date(at), at).transfer(row, agency, held)
    assert payment.commission_id is not None
    commission = repository_beside.commission(session, payment.commission_id)
    notify.tell(
        session,
        notify.To(organisation_id=agency.id, action=Action.COMMISSION_VIEW),
        SENT_ON,
        notify.Subject("commission", commission.public_id),
        f"平台转来经理人报酬{yuan_in_words(row.amount_fen)}，到账后请记为收讫",
        key=f"{SENT_ON}:{row.public_id}",
        at=at,
    )
    waiting.moved(session, payment, at)


def _failed(session: Session, row: Transfer, payment: Payment, at: datetime, **also: Any) -> None:
    """What it held is free again."""
    repository.move_transfer(session, row, TransferState.FAILED, **also)
    repository.change_capture(session, row.capture_id, sent_on_fen=-row.amount_fen)
    waiting.moved(session, payment, at)
