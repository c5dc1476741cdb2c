"""What is asked of Stripe and what it says, as plain values: nothing of its library.

Amounts are fen of CNY.
"""

from dataclasses import dataclass
from datetime import datetime


class CardsDown(Exception):
    """No answer, or none that says what was done. To be asked again, after a look."""


class CardsRefused(Exception):
    """Stripe will not do it; asking again changes nothing. `code` is Stripe's word for it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class BadSignature(Exception):
    """A webhook that Stripe did not sign, or not now."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A Checkout session to be made: for one attempt, whose public id with `unanswered`, how often
    Stripe was asked for it without an answer, is the key.
    """

    attempt: str
    unanswered: int
    payment: str
    title: str
    amount_fen: int
    done_url: str
    back_url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Checkout:
    """A session as it stands at Stripe. `failed`: filled in, and the payment did not go through."""

    id: str
    attempt: str
    status: str
    paid: bool
    failed: bool
    intent: str
    amount_fen: int
    currency: str
    url: str


@dataclass(frozen=True, slots=True)
class RefundSeen:
    """A refund as it stands at Stripe. `ours` is the public id of our row, "" for another's."""

    id: str
    ours: str
    intent: str
    status: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class DisputeSeen:
    """A dispute of the payer's bank (拒付) as it stands at Stripe."""

    id: str
    intent: str
    status: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class EventSeen:
    """An event: what it is about is fetched, what it says of it is not used."""

    id: str
    type: str
    object_id: str
