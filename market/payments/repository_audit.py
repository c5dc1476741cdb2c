"""The SQL by which an audit of payments holds rows against one another."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Subquery, case, func, or_
from sqlmodel import Session, col, select

from market.kit.ids import PaymentId, PublicId
from market.payments.models import Attempt, Capture, Payment, Refund, Transfer
from market.payments.models_beside import BankCredit
from market.payments.states import (
    AttemptState,
    CreditState,
    RefundState,
    TransferState,
    Way,
)


def all_payments(session: Session) -> Iterator[tuple[Payment, int, int]]:
    """Yield (payment, applied, refunded) by its captures."""
    sums = (
        func.coalesce(func.sum(col(Capture.applied_fen)), 0),
        func.coalesce(func.sum(col(Capture.refunded_fen)), 0),
    )
    query = (
        select(Payment, *sums)
        .outerjoin(Capture, col(Capture.payment_id) == col(Payment.id))
        .group_by(*Payment.__table__.columns)  # type: ignore[attr-defined]
        .order_by(col(Payment.id))
    )
    for row, applied, refunded in session.execute(query):
        yield row, int(applied), int(refunded)


def _sum(of: Any, where: ColumnElement[bool], name: str) -> Any:
    return func.coalesce(func.sum(case((where, of), else_=0)), 0).label(name)


def _refunds() -> Subquery:
    standing, done = col(Refund.state) != RefundState.FAILED, col(Refund.state) == RefundState.DONE
    surplus = col(Refund.surplus).is_(True)
    applied = ~surplus & col(Refund.uncovered).is_(False)
    amount = col(Refund.amount_fen)
    return _by_capture(
        col(Refund.capture_id),
        _sum(amount, applied & standing, "reserved"),
        _sum(amount, applied & done, "refunded"),
        _sum(amount, surplus & standing, "surplus_held"),
        _sum(amount, surplus & done, "surplus_back"),
    )


def _transfers() -> Subquery:
    standing = col(Transfer.state) != TransferState.FAILED
    return _by_capture(
        col(Transfer.capture_id), _sum(col(Transfer.amount_fen), standing, "sent_on")
    )


def _by_capture(capture: Any, *sums: Any) -> Subquery:
    query: Any = select(capture.label("capture_id"), *sums).group_by(capture)
    found: Subquery = query.subquery()
    return found


def captures_otherwise(session: Session) -> list[tuple[PublicId, list[int], list[int]]]:
    """Return (capture, its sums, those of its refunds and transfers) where the two differ, each as
    reserved, refunded, returning, returned, sent on, in fen.
    """
    back, on = _refunds(), _transfers()
    held: list[Any] = [
        col(Capture.reserved_fen),
        col(Capture.refunded_fen),
        col(Capture.returning_fen),
        col(Capture.returned_fen),
        col(Capture.sent_on_fen),
    ]
    asked = [
        func.coalesce(one, 0)
        for one in (
            back.c.reserved,
            back.c.refunded,
            back.c.surplus_held,
            back.c.surplus_back,
            on.c.sent_on,
        )
    ]
    query: Any = (
        select(col(Capture.public_id), *held, *asked)
        .outerjoin(back, back.c.capture_id == col(Capture.id))
        .outerjoin(on, on.c.capture_id == col(Capture.id))
        .where(or_(*(one != other for one, other in zip(held, asked, strict=True))))
    )
    return [
        (PublicId(row[0]), [int(one) for one in row[1:6]], [int(one) for one in row[6:]])
        for row in session.execute(query)
    ]


def not_taken_in(session: Session) -> Iterator[tuple[str, PublicId]]:
    """Yield what came in by its own state and is no capture: ("attempt" or "credit", public id)."""
    paid = (
        select(col(Attempt.public_id))
        .outerjoin(Capture, col(Capture.attempt_id) == col(Attempt.id))
        .where(col(Attempt.state) == AttemptState.PAID, col(Capture.id).is_(None))
    )
    confirmed = (
        select(col(BankCredit.public_id))
        .outerjoin(Capture, col(Capture.bank_credit_id) == col(BankCredit.id))
        .where(col(BankCredit.state) == CreditState.CONFIRMED, col(Capture.id).is_(None))
    )
    for name, query in (("attempt", paid), ("credit", confirmed)):
        for public_id in session.exec(query):
            yield name, public_id


def held(session: Session, way: Way) -> int:
    """Return what should be there of a way's money, in fen: what came in by it, less what went."""
    of_way = col(Capture.way) == way
    came = select(func.coalesce(func.sum(col(Capture.applied_fen) + col(Capture.surplus_fen)), 0))
    back = (
        select(func.coalesce(func.sum(col(Refund.amount_fen)), 0))
        .join(Capture, col(Capture.id) == col(Refund.capture_id))
        .where(of_way, col(Refund.state) == RefundState.DONE)
    )
    on = (
        select(func.coalesce(func.sum(col(Transfer.amount_fen)), 0))
        .join(Capture, col(Capture.id) == col(Transfer.capture_id))
        .where(of_way, col(Transfer.state) == TransferState.DONE)
    )
    return (
        int(session.exec(came.where(of_way)).one())
        - int(session.exec(back).one())
        - int(session.exec(on).one())
    )


def sent_on(session: Session, payments: Sequence[PaymentId]) -> dict[PaymentId, int]:
    """Return what went on to agencies, in fen."""
    query = (
        select(col(Transfer.payment_id), func.sum(col(Transfer.amount_fen)))
        .where(col(Transfer.payment_id).in_(payments), col(Transfer.state) == TransferState.DONE)
        .group_by(col(Transfer.payment_id))
    )
    return {row[0]: int(row[1]) for row in session.exec(query)}


def surplus_held(session: Session, payments: Sequence[PaymentId]) -> dict[PaymentId, int]:
    """Return what came in beyond the amounts and was not returned, in fen."""
    held = func.sum(col(Capture.surplus_fen) - col(Capture.returned_fen))
    query = (
        select(col(Capture.payment_id), held)
        .where(col(Capture.payment_id).in_(payments))
        .group_by(col(Capture.payment_id))
    )
    return {row[0]: int(row[1]) for row in session.exec(query)}
