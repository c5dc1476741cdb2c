"""Wire types of payments. Amounts in fen."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from market.access.schemas import OrganisationRef
from market.accounts.schemas import CreditCode
from market.kit.money import MAX_FEN
from market.kit.wire import Day, In, OneLine, Optional300, Out, PathId, Short, Storable, text
from market.payments.states import (
    AttemptState,
    CreditState,
    PaymentState,
    Purpose,
    RefundState,
    TransferState,
    Way,
)

Amount = Annotated[int, Field(ge=1, le=MAX_FEN)]
Reason = Annotated[str, text(300, 1), Storable]
Code = Annotated[str, text(40, 1), OneLine]
Name = Annotated[str, text(100, 1), OneLine]
AccountName = Annotated[str, Field(pattern=r"^acct_[A-Za-z0-9]{4,50}$")]
"""Of a connected account at Stripe."""


InvoiceNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]{8,20}$")]


class FeeIn(In):
    """A line of the schedule: `amount_fen` for a fixed fee, `rate_bp` with bounds for earnest
    money by the agreed amount. It ends what stood under the same code before.
    """

    code: Code = Field(examples=["listing-year"])
    name: Name = Field(examples=["平台年度服务费"])
    purpose: Literal["service_fee", "earnest"] = Field(examples=["service_fee"])
    amount_fen: Amount | None = Field(default=None, examples=[300_000])
    rate_bp: Annotated[int, Field(ge=1, le=10_000)] | None = Field(default=None, examples=[None])
    least_fen: Amount = Field(default=1, examples=[1])
    most_fen: Amount = Field(default=MAX_FEN, examples=[100_000_000])
    effective_from: Day = Field(examples=["2027-01-01"])
    source: Reason = Field(examples=["示范收费办法第2条"])


class FeeEndIn(In):
    """The first day on which a line is in force no more."""

    ends_on: Day = Field(examples=["2027-01-01"])


class LimitIn(In):
    """What Stripe takes at least and at most in CNY from a day on, as it was read there."""

    least_fen: Amount = Field(examples=[400])
    most_fen: Amount = Field(examples=[99_999_999])
    effective_from: Day = Field(examples=["2027-01-01"])
    source: Reason = Field(examples=["Stripe 文档“Supported currencies”"])


class PaymentIn(In):
    """What is to be paid: a fee of the schedule, earnest money for a deal, or one's part of a
    commission.
    """

    purpose: Purpose = Field(examples=["service_fee"], strict=False)
    fee: PathId | None = Field(default=None, examples=["23456789abcdef"])
    deal: PathId | None = Field(default=None, examples=[None])
    commission: PathId | None = Field(default=None, examples=[None])


class ChargeIn(In):
    """A fee of the schedule that a verified organisation, named by its code, is to pay."""

    credit_code: CreditCode = Field(examples=["91999999MA0000001X"])
    fee: PathId = Field(examples=["23456789abcdef"])


class SlipIn(In):
    amount_fen: Amount = Field(examples=[300_000])
    sent_on: Day = Field(examples=["2026-11-02"])


class CreditIn(In):
    """A line of the bank statement, as its first reader enters it."""

    statement: Short = Field(examples=["20261102-0017"])
    payer_name: Annotated[str, text(120, 1), OneLine] = Field(examples=["示范机电公司"])
    amount_fen: Amount = Field(examples=[300_000])
    received_on: Day = Field(examples=["2026-11-02"])


class CreditDecisionIn(In):
    decision: Literal["confirm", "reject"] = Field(examples=["confirm"])
    note: Optional300 = Field(default="", examples=[""])


class RefundIn(In):
    """What goes back of one capture; `surplus` for what was paid beyond the amount."""

    capture: PathId = Field(examples=["23456789abcdef"])
    amount_fen: Amount = Field(examples=[100_000])
    surplus: bool = Field(default=False, examples=[False])
    reason: Reason = Field(examples=["洽谈终止，退还诚意金"])


class BankLeftIn(In):
    """That a refund or a transfer by bank has left, by the bank's number of it; or will not."""

    decision: Literal["confirm", "reject"] = Field(examples=["confirm"])
    statement: Annotated[str, text(60), OneLine] = Field(default="", examples=["20261105-0003"])


class TransferIn(In):
    """What of a capture goes on to an agency; `by_bank` where Stripe does not send it."""

    capture: PathId = Field(examples=["23456789abcdef"])
    agency: PathId = Field(examples=["23456789abcdef"])
    amount_fen: Amount = Field(examples=[100_000])
    by_bank: bool = Field(default=False, examples=[False])


class AccountIn(In):
    agency: PathId = Field(examples=["23456789abcdef"])
    account: AccountName = Field(examples=["acct_1example"])


class AccountOut(Out):
    agency: str
    account: str


class InvoiceIn(In):
    """A 发票 made elsewhere."""

    number: InvoiceNumber = Field(examples=["26502000000012345678"])
    amount_fen: Amount = Field(examples=[300_000])
    issued_on: Day = Field(examples=["2026-11-03"])


class FeeOut(Out):
    """`ends_on` is the first day on which it is in force no more, by itself or by the next line."""

    id: str
    code: str
    name: str
    purpose: Purpose
    amount_fen: int | None
    rate_bp: int | None
    least_fen: int
    most_fen: int
    effective_from: date
    ends_on: date | None
    source: str


class LimitOut(Out):
    least_fen: int
    most_fen: int
    effective_from: date
    source: str
    checked_on: date | None


class LimitsOut(Out):
    """The newest first; the first that is in force holds."""

    items: list[LimitOut]


class FeesOut(Out):
    items: list[FeeOut]


class CaptureOut(Out):
    """Money that came in. What may still go back of it: `refundable_fen` and `surplus_left_fen`."""

    id: str
    way: Way
    applied_fen: int
    surplus_fen: int
    refundable_fen: int
    surplus_left_fen: int
    at: datetime


class RefundOut(Out):
    id: str
    way: Way
    amount_fen: int
    surplus: bool
    reason: str
    state: RefundState
    wanted_at: datetime
    done_at: datetime | None


class TransferOut(Out):
    """Commission that went on to an agency, or is to."""

    id: str
    agency: OrganisationRef
    way: Way
    amount_fen: int
    state: TransferState
    wanted_at: datetime
    done_at: datetime | None


class CreditOut(Out):
    id: str
    payment: str
    statement: str
    payer_name: str
    amount_fen: int
    received_on: date
    state: CreditState


class SlipOut(Out):
    id: str
    name: str
    amount_fen: int
    sent_on: date


class InvoiceOut(Out):
    """One that was `voided_at` a moment counts no more."""

    number: str
    amount_fen: int
    issued_on: date
    voided_at: datetime | None


class PaymentOut(Out):
    """A payment; `card_refused` says why it cannot be paid by card, "" where it can."""

    id: str
    reference: str
    organisation: OrganisationRef
    purpose: Purpose
    title: str
    amount_fen: int
    paid_fen: int
    refunded_fen: int
    state: PaymentState
    card: AttemptState | None
    card_refused: str
    captures: list[CaptureOut]
    refunds: list[RefundOut]
    transfers: list[TransferOut]
    slips: list[SlipOut]
    invoices: list[InvoiceOut]
    created_at: datetime


class PaymentRow(Out):
    id: str
    reference: str
    purpose: Purpose
    title: str
    amount_fen: int
    paid_fen: int
    refunded_fen: int
    state: PaymentState
    created_at: datetime


class PaymentsOut(Out):
    items: list[PaymentRow]
    total: int


class CheckoutOut(Out):
    """Where the browser goes to pay."""

    url: str


class StatementLineOut(Out):
    on: date
    number: int
    memo: str
    account: str
    amount_fen: int


class StatementOut(Out):
    """What moved of an organisation's money between two days, with balances by account."""

    organisation: OrganisationRef
    since: date
    until: date
    opening: dict[str, int]
    lines: list[StatementLineOut]
    closing: dict[str, int]


class ReceivedOut(Out):
    received: bool
