"""The SQL of slips, credits, events, limits and connected accounts; and of audits."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, func, text, true, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from market.brokerage.models import Commission, CommissionPart, PartRole
from market.kit.columns import Table
from market.kit.db import changed, is_sqlite, must_change
from market.kit.errors import Conflict
from market.kit.files import StoredFile
from market.kit.ids import CaptureId, CommissionId, OrganisationId, PaymentId, PublicId
from market.payments.models import (
    Capture,
    CardLimit,
    ConnectedAccount,
    Payment,
    Refund,
    Transfer,
)
from market.payments.models_beside import BankCredit, Slip, StripeEvent
from market.payments.states import (
    CREDIT_EDGES,
    PAYABLE,
    STANDING_CREDIT,
    CreditState,
    RefundState,
    TransferState,
)

MOVED = "这笔到账刚有人处理过，请刷新后再看"


def card_limit(session: Session, on: date) -> CardLimit | None:
    """Return the bounds in force on a day."""
    return session.exec(
        select(CardLimit)
        .where(col(CardLimit.effective_from) <= on)
        .order_by(col(CardLimit.effective_from).desc())
        .limit(1)
    ).first()


def card_limits(session: Session) -> Sequence[CardLimit]:
    """Return all bounds, the newest first."""
    return session.exec(select(CardLimit).order_by(col(CardLimit.effective_from).desc())).all()


def write_limit(session: Session, values: dict[str, Any]) -> bool:
    """Write the bounds from a day on; return False where there are some of that day."""
    return _write_once(session, CardLimit, "effective_from", values)


def slips(session: Session, payment_id: PaymentId) -> list[tuple[Slip, StoredFile]]:
    query = (
        select(Slip, StoredFile)
        .join(StoredFile, col(StoredFile.id) == col(Slip.file_id))
        .where(col(Slip.payment_id) == payment_id)
        .order_by(col(Slip.id))
    )
    return [(one, file) for one, file in session.exec(query)]


def slips_waiting(
    session: Session, payment_id: PaymentId | None = None
) -> list[tuple[Slip, Payment]]:
    """Return the newest slip of each payment that is still to be paid and has more slips than lines
    of the bank statement, the oldest first; of one payment, or of all.
    """
    other = aliased(Slip)
    of_it = col(other.payment_id) == col(Slip.payment_id)
    newer = select(other.id).where(of_it, col(other.id) > col(Slip.id))
    sent = select(func.count()).select_from(other).where(of_it).scalar_subquery()
    entered = (
        select(func.count())
        .select_from(BankCredit)
        .where(
            col(BankCredit.payment_id) == col(Slip.payment_id),
            col(BankCredit.state) != CreditState.REJECTED,
        )
        .scalar_subquery()
    )
    query = (
        select(Slip, Payment)
        .join(Payment, col(Payment.id) == col(Slip.payment_id))
        .where(col(Payment.state).in_(PAYABLE), ~newer.exists(), sent > entered, _of(payment_id))
        .order_by(col(Slip.id))
    )
    return [(one, payment) for one, payment in session.exec(query)]


def slip(session: Session, payment_id: PaymentId, public_id: PublicId) -> StoredFile | None:
    return session.exec(
        select(StoredFile)
        .join(Slip, col(Slip.file_id) == col(StoredFile.id))
        .where(col(Slip.payment_id) == payment_id, col(Slip.public_id) == public_id)
    ).first()


def write_credit(session: Session, values: dict[str, Any]) -> bool:
    """Write a line of the bank statement once; return whether it was new."""
    return _write_once(session, BankCredit, "statement", values, where=STANDING_CREDIT)


def _write_once(
    session: Session, table: type[Table], by: str, values: dict[str, Any], where: str = ""
) -> bool:
    """Write a row where there is none of its kind, among those that `where` the index holds; return
    whether it was new.
    """
    dialect = sqlite if is_sqlite(session) else postgresql
    session.flush()
    write = dialect.insert(table).on_conflict_do_nothing(
        index_elements=[by], index_where=text(where) if where else None
    )
    key = getattr(table, by)
    return session.scalars(write.values(**values).returning(key)).first() is not None


def credit_by_public_id(session: Session, public_id: PublicId) -> BankCredit | None:
    return session.exec(select(BankCredit).where(col(BankCredit.public_id) == public_id)).first()


def credits_of(session: Session, payment_id: PaymentId) -> Sequence[BankCredit]:
    query = select(BankCredit).where(col(BankCredit.payment_id) == payment_id)
    return session.exec(query.order_by(col(BankCredit.id))).all()


def credits_behind(
    session: Session, captures: Collection[CaptureId]
) -> dict[CaptureId, BankCredit]:
    """Return the bank credit that each of these captures took in."""
    query = (
        select(col(Capture.id), BankCredit)
        .join(BankCredit, col(BankCredit.id) == col(Capture.bank_credit_id))
        .where(col(Capture.id).in_(captures))
    )
    return {row[0]: row[1] for row in session.exec(query)}


def credits_waiting(
    session: Session, payment_id: PaymentId | None = None
) -> list[tuple[BankCredit, Payment]]:
    """Return the lines of the bank statement that wait for a second person, of one payment or of
    all, the oldest first.
    """
    query = (
        select(BankCredit, Payment)
        .join(Payment, col(Payment.id) == col(BankCredit.payment_id))
        .where(col(BankCredit.state) == CreditState.RECORDED, _of(payment_id))
        .order_by(col(BankCredit.id))
    )
    return [(one, payment) for one, payment in session.exec(query)]


def decide_credit(session: Session, seen: BankCredit, to: CreditState, **to_be: Any) -> None:
    """Raises Conflict where it was decided meanwhile."""
    if to not in CREDIT_EDGES[CreditState(seen.state)]:
        raise Conflict(MOVED)
    must_change(
        session,
        update(BankCredit)
        .where(col(BankCredit.id) == seen.id, col(BankCredit.state) == seen.state)
        .values(state=to, **to_be),
        MOVED,
    )
    session.refresh(seen)


def _of(payment_id: PaymentId | None) -> ColumnElement[bool]:
    return true() if payment_id is None else col(Payment.id) == payment_id


def returns_waiting(
    session: Session, state: RefundState, payment_id: PaymentId | None = None
) -> list[tuple[Refund, Payment]]:
    query = (
        select(Refund, Payment)
        .join(Payment, col(Payment.id) == col(Refund.payment_id))
        .where(col(Refund.state) == state, _of(payment_id))
        .order_by(col(Refund.id))
    )
    return [(one, payment) for one, payment in session.exec(query)]


def transfers_waiting(
    session: Session, payment_id: PaymentId | None = None
) -> list[tuple[Transfer, Payment]]:
    """Return the transfers that are not over, with their payments, the oldest first."""
    query = (
        select(Transfer, Payment)
        .join(Payment, col(Payment.id) == col(Transfer.payment_id))
        .where(col(Transfer.state).in_([TransferState.WANTED, TransferState.SENT]), _of(payment_id))
        .order_by(col(Transfer.id))
    )
    return [(row, payment) for row, payment in session.exec(query)]


def hold_number(session: Session, statement: str) -> None:
    """Let one decision at a time be about a number of the bank's: money leaves by a refund or by a
    transfer, in two tables. SQLite lets only one write anyway.
    """
    if not is_sqlite(session):
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"bank:{statement}"))))


def number_used(session: Session, statement: str) -> bool:
    """Tell whether money left the bank under this number, a refund or a transfer, or came in."""
    came = select(BankCredit.id).where(
        col(BankCredit.statement) == statement, col(BankCredit.state) != CreditState.REJECTED
    )
    return session.exec(came).first() is not None or any(
        session.exec(select(table.id).where(col(table.bank_text) == statement)).first() is not None
        for table in (Refund, Transfer)
    )


def surpluses(
    session: Session, payment_id: PaymentId | None = None
) -> list[tuple[Capture, Payment]]:
    """Return the captures of which more came in than was due, and not all is on its way back."""
    query = (
        select(Capture, Payment)
        .join(Payment, col(Payment.id) == col(Capture.payment_id))
        .where(col(Capture.surplus_fen) > col(Capture.returning_fen), _of(payment_id))
        .order_by(col(Capture.id))
    )
    return [(one, payment) for one, payment in session.exec(query)]


def connected(session: Session, organisation_id: OrganisationId) -> ConnectedAccount | None:
    return session.exec(
        select(ConnectedAccount).where(col(ConnectedAccount.organisation_id) == organisation_id)
    ).first()


def accounts(session: Session) -> Sequence[ConnectedAccount]:
    """Return the accounts of all agencies, the newest first."""
    return session.exec(
        select(ConnectedAccount).order_by(col(ConnectedAccount.entered_at).desc())
    ).all()


def account_holder(session: Session, account: str) -> ConnectedAccount | None:
    return session.exec(
        select(ConnectedAccount).where(col(ConnectedAccount.account) == account)
    ).first()


def commission_part(
    session: Session, public_id: PublicId, organisation_id: OrganisationId
) -> tuple[Commission, CommissionPart] | None:
    """Return a commission and what an organisation pays of it."""
    query = (
        select(Commission, CommissionPart)
        .join(CommissionPart, col(CommissionPart.commission_id) == col(Commission.id))
        .where(
            col(Commission.public_id) == public_id,
            col(CommissionPart.role) == PartRole.PAYER,
            col(CommissionPart.organisation_id) == organisation_id,
        )
    )
    found = session.exec(query).first()
    return None if found is None else (found[0], found[1])


def credited_part(session: Session, fee: CommissionId, organisation_id: OrganisationId) -> int:
    """Return how much, in fen, an organisation paid before that counts towards a fee: necessary
    costs (必要费用) of the mandate.
    """
    query = (
        select(func.coalesce(func.sum(CommissionPart.amount_fen), 0))
        .join(Commission, col(CommissionPart.commission_id) == col(Commission.id))
        .where(
            col(Commission.credited_to_id) == fee,
            col(CommissionPart.role) == PartRole.PAYER,
            col(CommissionPart.organisation_id) == organisation_id,
        )
    )
    return int(session.exec(query).one())


def commission(session: Session, commission_id: CommissionId) -> Commission:
    return session.get_one(Commission, commission_id)


def hold_commission(session: Session, commission_id: CommissionId) -> None:
    """Let what goes on of a commission be asked for one at a time."""
    changed(
        session,
        update(Commission)
        .where(col(Commission.id) == commission_id)
        .values(state=col(Commission.state)),
    )


def broker_parts(session: Session, commission_id: CommissionId) -> Sequence[CommissionPart]:
    """Return what each agency gets of a commission."""
    return session.exec(
        select(CommissionPart)
        .where(
            col(CommissionPart.commission_id) == commission_id,
            col(CommissionPart.role) == PartRole.BROKER,
        )
        .order_by(col(CommissionPart.id))
    ).all()


def sent_to(
    session: Session, commission_id: CommissionId, *, done: bool = False
) -> dict[OrganisationId, int]:
    """Return what went on, or with `done` has arrived, of a commission by agency, in fen."""
    states = [TransferState.DONE]
    if not done:
        states += [TransferState.WANTED, TransferState.SENT]
    query = (
        select(col(Transfer.organisation_id), func.sum(col(Transfer.amount_fen)))
        .join(Payment, col(Payment.id) == col(Transfer.payment_id))
        .where(col(Payment.commission_id) == commission_id, col(Transfer.state).in_(states))
        .group_by(col(Transfer.organisation_id))
    )
    return {row[0]: int(row[1]) for row in session.exec(query)}


def paid_in(session: Session, commission_id: CommissionId) -> int:
    """Return what the platform has taken in of a commission and not given back, in fen."""
    query = select(
        func.coalesce(func.sum(col(Payment.paid_fen) - col(Payment.refunded_fen)), 0)
    ).where(col(Payment.commission_id) == commission_id)
    return int(session.exec(query).one())


def commission_state(session: Session, commission_id: CommissionId) -> str:
    query = select(Commission.state).where(col(Commission.id) == commission_id)
    return session.exec(query).one()


def insert_event(session: Session, values: dict[str, Any]) -> bool:
    """Keep an event once by its id; return whether it was new."""
    return _write_once(session, StripeEvent, "event", values)


def event(session: Session, name: str) -> StripeEvent | None:
    return session.exec(select(StripeEvent).where(col(StripeEvent.event) == name)).first()


def handle_event(session: Session, name: str, at: datetime, outcome: str) -> bool:
    """Mark an event handled; return False where it was."""
    return (
        changed(
            session,
            update(StripeEvent)
            .where(col(StripeEvent.event) == name, col(StripeEvent.handled_at).is_(None))
            .values(handled_at=at, outcome=outcome),
        )
        == 1
    )


def hanging(session: Session, before: datetime) -> Sequence[StripeEvent]:
    """Return the events that came in before a moment and are not handled."""
    return session.exec(
        select(StripeEvent).where(
            col(StripeEvent.handled_at).is_(None), col(StripeEvent.received_at) < before
        )
    ).all()
