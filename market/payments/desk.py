"""What waits for the operators in payments."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from market.accounts import repository as accounts
from market.accounts.policy import Action, Relation
from market.accounts.work import Work
from market.kit import notify
from market.kit.ids import CaptureId, PaymentId, PersonId
from market.kit.notify import Notice
from market.payments import repository_beside, service
from market.payments.models import Capture, Payment, Refund, Transfer
from market.payments.models_beside import BankCredit, Slip
from market.payments.service import PaymentView
from market.payments.states import RefundState, TransferState, Way
from market.payments.waiting import ALERTS, subject


@dataclass(frozen=True, slots=True)
class Waiting:
    """Slips that no line of the bank statement answers; credits, bank refunds and transfers for a
    second person; surplus to be returned; what Stripe is at.
    """

    slips: Sequence[tuple[Slip, Payment]]
    credits: Sequence[tuple[BankCredit, Payment]]
    returns: Sequence[tuple[Refund, Payment]]
    surpluses: Sequence[tuple[Capture, Payment]]
    under_way: Sequence[tuple[Refund | Transfer, Payment]]
    transfers: Sequence[tuple[Transfer, Payment]]


def sources(work: Work, returns: Sequence[tuple[Refund, Payment]]) -> dict[CaptureId, BankCredit]:
    """Return the line of the bank statement by which each came in that is to go back by bank."""
    work.require(Action.PAYMENT_CONFIRM, Relation.OTHER)
    found = {one.capture_id for one, _ in returns}
    return repository_beside.credits_behind(work.session, found)


def waiting(work: Work) -> Waiting:
    work.require(Action.PAYMENT_CONFIRM, Relation.OTHER)
    session = work.session
    wanted = repository_beside.returns_waiting(session, RefundState.WANTED)
    sent = repository_beside.returns_waiting(session, RefundState.SENT)
    sending = repository_beside.transfers_waiting(session)
    return Waiting(
        repository_beside.slips_waiting(session),
        repository_beside.credits_waiting(session),
        [one for one in wanted if one[0].way == Way.BANK],
        repository_beside.surpluses(session),
        [
            *(one for one in wanted if one[0].way == Way.CARD),
            *sent,
            *(one for one in sending if one[0].state == TransferState.SENT),
        ],
        [one for one in sending if one[0].state == TransferState.WANTED],
    )


def alerts(work: Work, payment: Payment) -> Sequence[Notice]:
    """Return what the operators were told about a payment that they have to look into."""
    work.require(Action.PAYMENT_CONFIRM, Relation.OTHER)
    return notify.about(work.session, subject(payment), ALERTS)


def people(work: Work, view: PaymentView) -> dict[PersonId, str]:
    """Return the names of those who had a hand in a payment, to operators and auditors."""
    work.require(Action.PAYMENT_VIEW, Relation.OTHER)
    out: list[Refund | Transfer] = [*view.refunds, *(one for one, _ in view.transfers)]
    ids = {
        view.row.created_by,
        *(one.recorded_by for one in view.credits),
        *(one.decided_by for one in view.credits),
        *(one.wanted_by for one in out),
        *(one.confirmed_by for one in out),
    }
    found = accounts.people(work.session, [one for one in ids if one is not None])
    return {key: one.name for key, one in found.items()}


def in_full_surplus(work: Work, payments: Iterable[Payment]) -> set[PaymentId]:
    """Return those of which all that comes in is surplus: paid, over, or owed no more."""
    work.require(Action.PAYMENT_CONFIRM, Relation.OTHER)
    return {one.id for one in payments if not service.takes_money(work.session, one)}
