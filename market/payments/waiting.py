"""What waits for the operators: money that came in or is to leave, for a second person; and what
was paid beyond an amount.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from sqlmodel import Session

from market.accounts.policy import Role
from market.kit import notify
from market.kit.money import yuan_in_words
from market.kit.notify import Subject, Task, To
from market.payments import repository, repository_beside
from market.payments.models import Capture, Payment, Refund
from market.payments.models_beside import BankCredit
from market.payments.states import RefundState, Way

CREDIT: Final = "payment.credit"
RETURN: Final = "payment.return"
SURPLUS: Final = "payment.surplus"
KINDS: Final = (CREDIT, RETURN, SURPLUS)


def tasks(session: Session) -> Iterator[Task]:
    """Yield all that waits in payments, as its own rows say."""
    for credit, payment in repository_beside.credits_waiting(session):
        yield _credit(credit, payment)
    for refund, payment in repository_beside.returns_waiting(session, RefundState.WANTED):
        if refund.way == Way.BANK:
            yield _return(refund, payment)
    for capture, payment in repository_beside.surpluses(session):
        yield _surplus(capture, payment)


def _credit(row: BankCredit, payment: Payment) -> Task:
    said = f"确认到账{yuan_in_words(row.amount_fen)}：{payment.title}"
    return Task(To(role=Role.OPERATOR), CREDIT, subject(payment), said, round=row.public_id)


def _return(row: Refund, payment: Payment) -> Task:
    said = f"付出退款{yuan_in_words(row.amount_fen)}：{payment.title}"
    return Task(To(role=Role.OPERATOR), RETURN, subject(payment), said, round=row.public_id)


def _surplus(row: Capture, payment: Payment) -> Task:
    left = yuan_in_words(row.surplus_fen - row.returning_fen)
    said = f"退回多付的{left}：{payment.title}"
    return Task(To(role=Role.OPERATOR), SURPLUS, subject(payment), said, round=row.public_id)


def subject(payment: Payment) -> Subject:
    return Subject("payment", payment.public_id)


def moved(session: Session, payment: Payment, at: datetime) -> None:
    """Let what waits about a payment be what its rows say now."""
    waits = [
        *(
            _credit(row, payment)
            for row in repository_beside.credits_of(session, payment.id)
            if row.state == "recorded"
        ),
        *(
            _return(row, payment)
            for row in repository.refunds(session, payment.id)
            if row.way == Way.BANK and row.state == RefundState.WANTED
        ),
        *(
            _surplus(row, payment)
            for row in repository.captures(session, payment.id)
            if row.surplus_fen > row.returning_fen
        ),
    ]
    notify.hold(session, subject(payment), KINDS, waits, at=at)
