"""Which accounts of the money book a step of a payment moves. Entries in fen, sums 0."""

from datetime import date, datetime
from typing import Final

from sqlmodel import Session

from market.accounts.models import Organisation
from market.ledger import money
from market.ledger.money import Movement, Sides
from market.payments.models import Capture, Payment, Refund, Transfer
from market.payments.states import Purpose, Way

HELD: Final = {Way.CARD: "money:stripe", Way.BANK: "money:bank"}
"""What the platform holds of what came in by card and by bank. What Stripe pays out to the bank is
not booked: what came by card and leaves by bank is taken from the former.
"""
LOSS: Final = "money:loss"
"""What the platform bore: taken back by a payer's bank after it had gone on to an agency."""
_PURPOSES: Final = {
    Purpose.SERVICE_FEE: "fee",
    Purpose.EARNEST: "earnest",
    Purpose.COMMISSION: "commission",
}


def of_purpose(purpose: str, organisation: Organisation) -> str:
    """Return the account of what an organisation has paid for a purpose."""
    return f"money:{_PURPOSES[Purpose(purpose)]}:{organisation.public_id}"


def of_surplus(organisation: Organisation) -> str:
    return f"money:surplus:{organisation.public_id}"


def of_agency(agency: Organisation) -> str:
    return f"money:agency:{agency.public_id}"


def subject(payment: Payment) -> str:
    return f"payment:{payment.public_id}"


class Poster:
    """Posts what moves of one payment in the transaction in hand."""

    def __init__(
        self, session: Session, payment: Payment, payer: Organisation, day: date, at: datetime
    ) -> None:
        self._session = session
        self._payment = payment
        self._payer = payer
        self._day = day
        self._at = at

    def capture(self, capture: Capture, key: str) -> None:
        applied, surplus = capture.applied_fen, capture.surplus_fen
        sides = (
            (HELD[Way(capture.way)], applied + surplus),
            (of_purpose(self._payment.purpose, self._payer), -applied),
            (of_surplus(self._payer), -surplus),
        )
        self._post(f"payment:capture:{key}", "收款", sides)

    def refund(self, refund: Refund) -> None:
        self._post(f"payment:refund:{refund.public_id}", _said(refund), self._back(refund, 1))

    def unrefund(self, refund: Refund, *, as_surplus: bool) -> None:
        memo = f"{_said(refund)}未成功，款项退回平台"
        sides = self._back(refund, -1, as_surplus=as_surplus)
        self._post(f"payment:unrefund:{refund.public_id}", memo, sides)

    def _back(self, refund: Refund, sign: int, *, as_surplus: bool = False) -> Sides:
        account = of_purpose(self._payment.purpose, self._payer)
        if refund.surplus or as_surplus:
            account = of_surplus(self._payer)
        elif refund.uncovered:
            account = LOSS
        amount = sign * refund.amount_fen
        return ((account, amount), (HELD[Way(refund.way)], -amount))

    def transfer(self, transfer: Transfer, agency: Organisation, held: Way) -> None:
        """Two movements, so that either organisation has its own on its statement; out of where it
        had come in.
        """
        amount = transfer.amount_fen
        own = of_purpose(self._payment.purpose, self._payer)
        key = f"payment:transfer:{transfer.public_id}"
        self._post(key, f"转给{agency.name}", ((own, amount), (of_agency(agency), -amount)))
        sides = ((of_agency(agency), amount), (HELD[held], -amount))
        self._post(f"{key}:out", "转出", sides, agency)

    def _post(self, key: str, what: str, sides: Sides, other: Organisation | None = None) -> None:
        of = other or self._payer
        movement = Movement(
            key=key,
            subject=subject(self._payment),
            memo=f"{what}：{self._payment.title}",
            organisation_id=of.id,
            organisation_name=of.name,
            effective_on=self._day,
            sides=sides,
        )
        money.post(self._session, movement, at=self._at)


def _said(refund: Refund) -> str:
    if refund.uncovered:
        return "退款（平台垫付）"
    return "退回多付的款" if refund.surplus else "退款"
