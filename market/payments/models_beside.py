"""What comes from outside: bank transfers as people saw them, and the events of Stripe."""

from datetime import date, datetime

from sqlmodel import Field

from market.kit.columns import (
    Table,
    check,
    choice,
    day,
    fen,
    fk,
    moment,
    one_of,
    pk,
    public_id,
    unique_where,
    words,
)
from market.kit.ids import CreditId, PaymentId, PersonId, PublicId
from market.payments.states import STANDING_CREDIT, CreditState


class Slip(Table, table=True):
    """The bank's receipt of a transfer that the payer uploaded. 回单"""

    __tablename__ = "bank_slip"

    id: int = pk()
    public_id: PublicId = public_id()
    payment_id: PaymentId = fk("payment.id")
    file_id: int = fk("stored_file.id", unique=True, index=False)
    amount_fen: int = fen()
    sent_on: date = day()
    person_id: PersonId = fk("person.id")
    at: datetime = moment()


class BankCredit(Table, table=True):
    """A line of the platform's own bank statement, entered by one person and confirmed by another.

    `statement` is the bank's number of the line, so that it is entered once; one that was rejected
    may be entered again, for the payment to which it belongs.
    """

    __tablename__ = "bank_credit"
    __table_args__ = (
        one_of("state", CreditState),
        check("amount_positive", "amount_fen > 0"),
        check("four_eyes", "decided_by IS NULL OR decided_by <> recorded_by"),
        check("decided_has_person", "(state = 'recorded') = (decided_by IS NULL)"),
        unique_where("uq_bank_credit_statement", "statement", where=STANDING_CREDIT),
    )

    id: CreditId = pk()
    public_id: PublicId = public_id()
    payment_id: PaymentId = fk("payment.id")
    statement: str = Field(max_length=60)
    payer_name: str = words(120)
    amount_fen: int = fen()
    received_on: date = day()
    state: str = choice(default=CreditState.RECORDED, index=True)
    recorded_by: PersonId = fk("person.id", index=False)
    recorded_at: datetime = moment()
    decided_by: PersonId | None = fk("person.id", nullable=True, index=False)
    decided_at: datetime | None = moment(nullable=True)
    note: str = words(300, default="")


class StripeEvent(Table, table=True):
    """An event of Stripe, once by its id: what it is about, not what it says, which would be the
    payer's name and address. Handled in the transaction of its effect; `outcome` says what came of
    it.
    """

    __tablename__ = "stripe_event"
    __table_args__ = (check("handled_has_outcome", "(handled_at IS NULL) = (outcome = '')"),)

    id: int = pk()
    event: str = Field(max_length=255, unique=True)
    type: str = words(100)
    object_id: str = words(255)
    by_sweep: bool = Field(default=False)
    received_at: datetime = moment(index=True)
    handled_at: datetime | None = moment(nullable=True)
    outcome: str = words(100, default="")
