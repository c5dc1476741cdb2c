"""The SQL of payments, attempts, captures, refunds and transfers. `repository_beside` has the rest.

Every change is conditional on what was seen; who comes second is told by Conflict.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, func, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from market.kit.db import changed, is_sqlite, must_change
from market.kit.ids import (
    AttemptId,
    CaptureId,
    CommissionId,
    DealId,
    FeeId,
    OrganisationId,
    PaymentId,
    PublicId,
    RefundId,
)
from market.payments.models import Attempt, Capture, Payment, Refund, Transfer
from market.payments.states import (
    ATTEMPT_EDGES,
    EDGES,
    LIVE_ATTEMPT,
    PAYABLE,
    REFUND_EDGES,
    TRANSFER_EDGES,
    AttemptState,
    PaymentState,
    Purpose,
    RefundState,
    Step,
    TransferState,
)

MOVED = "这笔款项刚有变化，请刷新后再看"
FRESH: Final = {"populate_existing": True}
"""Rows as they stand now: sums are changed by statements, past what a session has seen."""


def payment(session: Session, payment_id: PaymentId) -> Payment:
    return session.get_one(Payment, payment_id)


def fresh(session: Session, payment_id: PaymentId) -> Payment:
    """Return a payment as it stands now, whatever the session saw of it."""
    return session.get_one(Payment, payment_id, populate_existing=True)


def payment_by_public_id(session: Session, public_id: PublicId) -> Payment | None:
    return session.exec(select(Payment).where(col(Payment.public_id) == public_id)).first()


def payment_by_reference(session: Session, reference: str) -> Payment | None:
    return session.exec(select(Payment).where(col(Payment.reference) == reference)).first()


def payments(
    session: Session,
    organisation_id: OrganisationId | None,
    states: Collection[PaymentState] = (),
    *,
    offset: int = 0,
    limit: int,
) -> tuple[int, Sequence[Payment]]:
    """Return (how many, a page of) the payments of an organisation, or of all; newest first."""
    where: list[ColumnElement[bool]] = []
    if organisation_id is not None:
        where.append(col(Payment.organisation_id) == organisation_id)
    if states:
        where.append(col(Payment.state).in_(states))
    count = session.exec(select(func.count()).select_from(Payment).where(*where)).one()
    rows = session.exec(
        select(Payment).where(*where).order_by(col(Payment.id).desc()).offset(offset).limit(limit)
    ).all()
    return int(count), rows


def alive(
    session: Session,
    organisation_id: OrganisationId,
    *,
    deal_id: DealId | None = None,
    commission_id: CommissionId | None = None,
) -> Payment | None:
    """Return the payment of an organisation for this deal or commission that is not over."""
    return session.exec(
        select(Payment).where(
            col(Payment.organisation_id) == organisation_id,
            col(Payment.deal_id) == deal_id,
            col(Payment.commission_id) == commission_id,
            col(Payment.state).not_in([PaymentState.REFUNDED, PaymentState.CANCELLED]),
        )
    ).first()


def move_payment(
    session: Session, seen: Payment, step: Step, to: PaymentState, **to_be: Any
) -> None:
    """Take a step with a payment as it was seen. Raises Conflict where it has moved since."""
    assert PaymentState(seen.state) in EDGES[step].before(to), (seen.state, to)
    must_change(
        session,
        update(Payment)
        .where(
            col(Payment.id) == seen.id,
            col(Payment.state) == seen.state,
            col(Payment.seen) == seen.seen,
        )
        .values(state=to, seen=seen.seen + 1, **to_be),
        MOVED,
    )
    session.refresh(seen)


def fees_owed(session: Session, payment_id: PaymentId | None = None) -> Sequence[Payment]:
    """Return the service fees that are still to be paid, the oldest first; with an id, that one."""
    query = select(Payment).where(
        col(Payment.purpose) == Purpose.SERVICE_FEE, col(Payment.state).in_(PAYABLE)
    )
    if payment_id is not None:
        query = query.where(col(Payment.id) == payment_id)
    return session.exec(query.order_by(col(Payment.id))).all()


def fee_owed_by(
    session: Session, organisation_id: OrganisationId, fee_id: FeeId | None
) -> Payment | None:
    """Return what an organisation still has to pay of a line of the schedule."""
    return session.exec(
        select(Payment).where(
            col(Payment.organisation_id) == organisation_id,
            col(Payment.fee_id) == fee_id,
            col(Payment.state).in_(PAYABLE),
        )
    ).first()


def hold_payment(session: Session, payment_id: PaymentId) -> Payment:
    """Let one change of a payment go on at a time; return it as it stands."""
    changed(
        session,
        update(Payment).where(col(Payment.id) == payment_id).values(seen=col(Payment.seen)),
    )
    return fresh(session, payment_id)


def live_attempt(session: Session, payment_id: PaymentId) -> Attempt | None:
    return session.exec(
        select(Attempt).where(
            col(Attempt.payment_id) == payment_id, col(Attempt.state).in_(LIVE_ATTEMPT)
        )
    ).first()


def begin_attempt(session: Session, values: dict[str, Any]) -> bool:
    """Write an attempt unless one lives. Return whether it was written."""
    dialect = sqlite if is_sqlite(session) else postgresql
    session.flush()
    write = dialect.insert(Attempt).on_conflict_do_nothing().values(**values)
    return session.scalars(write.returning(col(Attempt.id))).first() is not None


def ask(session: Session, attempt_id: AttemptId) -> None:
    """Count that an attempt's session is asked for."""
    changed(
        session,
        update(Attempt).where(col(Attempt.id) == attempt_id).values(asked=col(Attempt.asked) + 1),
    )


def not_answered(session: Session, public_id: PublicId, before: int) -> None:
    """Count that Stripe did not answer for a session, once among those who asked alike."""
    changed(
        session,
        update(Attempt)
        .where(col(Attempt.public_id) == public_id, col(Attempt.unanswered) == before)
        .values(unanswered=before + 1),
    )


def attempt(session: Session, attempt_id: AttemptId) -> Attempt:
    return session.get_one(Attempt, attempt_id, populate_existing=True)


def attempt_by_session(session: Session, stripe_session: str) -> Attempt | None:
    return session.exec(select(Attempt).where(col(Attempt.session) == stripe_session)).first()


def attempt_by_public_id(session: Session, public_id: PublicId) -> Attempt | None:
    return session.exec(select(Attempt).where(col(Attempt.public_id) == public_id)).first()


def attempt_by_intent(session: Session, intent: str) -> Attempt | None:
    return session.exec(select(Attempt).where(col(Attempt.intent) == intent)).first()


def attempts(session: Session, payment_id: PaymentId) -> Sequence[Attempt]:
    query = select(Attempt).where(col(Attempt.payment_id) == payment_id).order_by(col(Attempt.id))
    return session.exec(query).all()


def live_attempts(session: Session) -> Sequence[Attempt]:
    return session.exec(select(Attempt).where(col(Attempt.state).in_(LIVE_ATTEMPT))).all()


def move_attempt(session: Session, seen: Attempt, to: AttemptState, /, **to_be: Any) -> bool:
    """Return whether it was moved; it is not where another one moved it meanwhile."""
    assert to in ATTEMPT_EDGES[AttemptState(seen.state)], (seen.state, to)
    moved = changed(
        session,
        update(Attempt)
        .where(col(Attempt.id) == seen.id, col(Attempt.state) == seen.state)
        .values(state=to, **to_be),
    )
    session.refresh(seen)
    return moved == 1


def write_capture(session: Session, values: dict[str, Any]) -> Capture | None:
    """Write a capture once for its source; return None where it is there."""
    dialect = sqlite if is_sqlite(session) else postgresql
    session.flush()
    write = dialect.insert(Capture).on_conflict_do_nothing().values(**values)
    made = session.scalars(write.returning(col(Capture.id))).first()
    return None if made is None else session.get_one(Capture, made)


def captures(session: Session, payment_id: PaymentId) -> Sequence[Capture]:
    query = select(Capture).where(col(Capture.payment_id) == payment_id).order_by(col(Capture.id))
    return session.exec(query, execution_options=FRESH).all()


def capture(session: Session, capture_id: CaptureId) -> Capture:
    return session.get_one(Capture, capture_id, populate_existing=True)


def capture_by_public_id(session: Session, public_id: PublicId) -> Capture | None:
    return session.exec(select(Capture).where(col(Capture.public_id) == public_id)).first()


def capture_of_attempt(session: Session, attempt_id: AttemptId) -> Capture | None:
    return session.exec(select(Capture).where(col(Capture.attempt_id) == attempt_id)).first()


def reserve(session: Session, capture_id: CaptureId, amount: int, *, surplus: bool) -> bool:
    """Set an amount aside to go back; return False where there is not as much left."""
    if surplus:
        left = col(Capture.surplus_fen) - col(Capture.returning_fen)
        values = {"returning_fen": col(Capture.returning_fen) + amount}
    else:
        left = col(Capture.applied_fen) - col(Capture.reserved_fen) - col(Capture.sent_on_fen)
        values = {"reserved_fen": col(Capture.reserved_fen) + amount}
    where = (col(Capture.id) == capture_id, left >= amount)
    return changed(session, update(Capture).where(*where).values(**values)) == 1


def send_on(session: Session, capture_id: CaptureId, amount: int) -> bool:
    """Set an amount aside to go on to an agency; return False where there is not as much left."""
    left = col(Capture.applied_fen) - col(Capture.reserved_fen) - col(Capture.sent_on_fen)
    return (
        changed(
            session,
            update(Capture)
            .where(col(Capture.id) == capture_id, left >= amount)
            .values(sent_on_fen=col(Capture.sent_on_fen) + amount),
        )
        == 1
    )


def change_capture(session: Session, capture_id: CaptureId, **by: int) -> None:
    """Add to sums of a capture; what they may be its constraints hold."""
    values = {name: getattr(Capture, name) + amount for name, amount in by.items()}
    must_change(session, update(Capture).where(col(Capture.id) == capture_id).values(**values))


def refunds(session: Session, payment_id: PaymentId) -> Sequence[Refund]:
    query = select(Refund).where(col(Refund.payment_id) == payment_id).order_by(col(Refund.id))
    return session.exec(query, execution_options=FRESH).all()


def refund(session: Session, refund_id: RefundId) -> Refund:
    return session.get_one(Refund, refund_id, populate_existing=True)


def refund_by_public_id(session: Session, public_id: PublicId) -> Refund | None:
    return session.exec(select(Refund).where(col(Refund.public_id) == public_id)).first()


def refunds_by_stripe_id(session: Session, stripe_id: str) -> Sequence[Refund]:
    query = select(Refund).where(col(Refund.stripe_id) == stripe_id).order_by(col(Refund.id))
    return session.exec(query).all()


def under_way(session: Session, capture_id: CaptureId) -> bool:
    """Tell whether Stripe is to give back or send on something of a capture and has not said how it
    ended.
    """
    refunds_ = select(Refund.id).where(
        col(Refund.capture_id) == capture_id,
        col(Refund.state).in_([RefundState.WANTED, RefundState.SENT]),
    )
    transfers_ = select(Transfer.id).where(
        col(Transfer.capture_id) == capture_id, col(Transfer.state) == TransferState.SENT
    )
    return any(session.exec(query.limit(1)).first() is not None for query in (refunds_, transfers_))


def refunds_in(session: Session, states: Collection[RefundState]) -> Sequence[Refund]:
    query = select(Refund).where(col(Refund.state).in_(states)).order_by(col(Refund.id))
    return session.exec(query).all()


def move_refund(session: Session, seen: Refund, to: RefundState, **to_be: Any) -> None:
    """Raises Conflict where it has moved since it was seen."""
    assert to in REFUND_EDGES[RefundState(seen.state)], (seen.state, to)
    must_change(
        session,
        update(Refund)
        .where(col(Refund.id) == seen.id, col(Refund.state) == seen.state)
        .values(state=to, **to_be),
        MOVED,
    )
    session.refresh(seen)


def transfer(session: Session, transfer_id: int) -> Transfer:
    return session.get_one(Transfer, transfer_id, populate_existing=True)


def transfer_by_public_id(session: Session, public_id: PublicId) -> Transfer | None:
    return session.exec(select(Transfer).where(col(Transfer.public_id) == public_id)).first()


def transfers(session: Session, payment_id: PaymentId) -> Sequence[Transfer]:
    query = select(Transfer).where(col(Transfer.payment_id) == payment_id)
    return session.exec(query.order_by(col(Transfer.id))).all()


def transfers_sent(session: Session) -> Sequence[Transfer]:
    """Return what Stripe is to send on and has not said to have."""
    return session.exec(select(Transfer).where(col(Transfer.state) == TransferState.SENT)).all()


def move_transfer(session: Session, seen: Transfer, to: TransferState, **to_be: Any) -> None:
    """Raises Conflict where it has moved since it was seen."""
    assert to in TRANSFER_EDGES[TransferState(seen.state)]
    must_change(
        session,
        update(Transfer)
        .where(col(Transfer.id) == seen.id, col(Transfer.state) == seen.state)
        .values(state=to, **to_be),
        MOVED,
    )
    session.refresh(seen)
