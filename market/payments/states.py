"""What may become of a payment and of what belongs to it, as one table.

Conditional updates, pages and tests read it. Money that comes in later than its payment can use it
is kept as surplus, whatever the state, and moves no state.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Purpose(StrEnum):
    """What a payment is for: one purpose, and the row that it names."""

    SERVICE_FEE = "service_fee"
    EARNEST = "earnest"
    COMMISSION = "commission"


class Way(StrEnum):
    CARD = "card"
    BANK = "bank"


class PaymentState(StrEnum):
    DUE = "due"
    PART_PAID = "part_paid"
    PAID = "paid"
    PART_REFUNDED = "part_refunded"
    REFUNDED = "refunded"
    CANCELLED = "cancelled"


class AttemptState(StrEnum):
    """A Checkout session: wanted by us, open at Stripe, processing once it is filled in."""

    WANTED = "wanted"
    OPEN = "open"
    PROCESSING = "processing"
    PAID = "paid"
    EXPIRED = "expired"
    FAILED = "failed"


class RefundState(StrEnum):
    """Wanted by one person; sent to Stripe, or to the bank by a second person; done or failed."""

    WANTED = "wanted"
    SENT = "sent"
    DONE = "done"
    FAILED = "failed"


class TransferState(StrEnum):
    """Wanted by one person, confirmed by a second: sent to Stripe, or left by bank and done."""

    WANTED = "wanted"
    SENT = "sent"
    DONE = "done"
    FAILED = "failed"


class CreditState(StrEnum):
    """An incoming bank transfer as one person saw it, and what a second one said of it."""

    RECORDED = "recorded"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"


class Step(StrEnum):
    CAPTURE = "capture"
    CANCEL = "cancel"
    REFUND = "refund"
    UNREFUND = "unrefund"


P, A, R, T, C = PaymentState, AttemptState, RefundState, TransferState, CreditState


@dataclass(frozen=True, slots=True)
class Edges:
    """Where a step leads from where."""

    pairs: frozenset[tuple[PaymentState, PaymentState]]

    def before(self, to: PaymentState) -> frozenset[PaymentState]:
        return frozenset(here for here, there in self.pairs if there is to)

    @property
    def origins(self) -> frozenset[PaymentState]:
        return frozenset(here for here, _ in self.pairs)


def _edges(*pairs: tuple[PaymentState, PaymentState]) -> Edges:
    return Edges(frozenset(pairs))


EDGES: Final[dict[Step, Edges]] = {
    Step.CAPTURE: _edges(
        (P.DUE, P.PART_PAID), (P.DUE, P.PAID), (P.PART_PAID, P.PART_PAID), (P.PART_PAID, P.PAID)
    ),
    Step.CANCEL: _edges((P.DUE, P.CANCELLED)),
    Step.REFUND: _edges(
        (P.PART_PAID, P.PART_REFUNDED),
        (P.PART_PAID, P.REFUNDED),
        (P.PAID, P.PART_REFUNDED),
        (P.PAID, P.REFUNDED),
        (P.PART_REFUNDED, P.PART_REFUNDED),
        (P.PART_REFUNDED, P.REFUNDED),
    ),
    # A refund that was done and came back after all.
    Step.UNREFUND: _edges(
        (P.REFUNDED, P.PART_REFUNDED),
        (P.REFUNDED, P.PAID),
        (P.REFUNDED, P.PART_PAID),
        (P.PART_REFUNDED, P.PART_REFUNDED),
        (P.PART_REFUNDED, P.PAID),
        (P.PART_REFUNDED, P.PART_PAID),
        # Its purpose was paid anew meanwhile: what comes back is surplus, to be returned.
        (P.REFUNDED, P.REFUNDED),
        (P.REFUNDED, P.CANCELLED),
    ),
}
ATTEMPT_EDGES: Final[dict[AttemptState, frozenset[AttemptState]]] = {
    A.WANTED: frozenset({A.OPEN, A.EXPIRED, A.FAILED}),
    A.OPEN: frozenset({A.PROCESSING, A.PAID, A.EXPIRED, A.FAILED}),
    A.PROCESSING: frozenset({A.PAID, A.FAILED}),
    A.PAID: frozenset(),
    # Money that came in after all is taken, whatever we thought of the session.
    A.EXPIRED: frozenset({A.PAID}),
    A.FAILED: frozenset({A.PAID}),
}
REFUND_EDGES: Final[dict[RefundState, frozenset[RefundState]]] = {
    R.WANTED: frozenset({R.SENT, R.DONE, R.FAILED}),
    R.SENT: frozenset({R.DONE, R.FAILED}),
    R.DONE: frozenset({R.FAILED}),
    R.FAILED: frozenset(),
}
TRANSFER_EDGES: Final[dict[TransferState, frozenset[TransferState]]] = {
    T.WANTED: frozenset({T.SENT, T.DONE, T.FAILED}),
    T.SENT: frozenset({T.DONE, T.FAILED}),
    T.DONE: frozenset(),
    T.FAILED: frozenset(),
}
STANDING_CREDIT: Final = "state <> 'rejected'"
CREDIT_EDGES: Final[dict[CreditState, frozenset[CreditState]]] = {
    C.RECORDED: frozenset({C.CONFIRMED, C.REJECTED}),
    C.CONFIRMED: frozenset(),
    C.REJECTED: frozenset(),
}
PAYABLE: Final = EDGES[Step.CAPTURE].origins
LIVE_ATTEMPT: Final = frozenset({A.WANTED, A.OPEN, A.PROCESSING})
ENDED: Final = frozenset({P.REFUNDED, P.CANCELLED})
"""What is over: its purpose may be paid for anew."""


def settled(amount: int, paid: int, refunded: int) -> PaymentState:
    """Return the state of a payment of which so much was paid and given back, in fen."""
    if refunded:
        return P.REFUNDED if refunded == paid else P.PART_REFUNDED
    if not paid:
        return P.DUE
    return P.PAID if paid == amount else P.PART_PAID


def among(states: frozenset[StrEnum]) -> str:
    return ", ".join(f"'{state.value}'" for state in sorted(states))
