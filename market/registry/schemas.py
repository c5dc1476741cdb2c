"""Wire types of the registration desk."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from market.kit.wire import (
    Day,
    Fen,
    In,
    Optional60,
    Optional300,
    Optional500,
    Out,
    PathId,
    Storable,
    text,
)

Reason = Annotated[str, text(300, 1), Storable]


class SubmitIn(In):
    contract: PathId = Field(examples=["abcdefgh234567"])


class DecideIn(In):
    """The registry's decision, copied from its certificate.

    `registered` needs number, day and both amounts; `not_registered` a reason from the list.
    `supersedes` names the withdrawn registration whose number is taken up again.
    """

    decision: Literal["registered", "not_registered"] = Field(examples=["registered"])
    number: Optional60 = Field(default="", examples=["0000202600000001"])
    decided_on: Day | None = Field(default=None, examples=["2026-11-02"])
    total_fen: Fen | None = Field(default=None, examples=[120_000_000])
    technical_fen: Fen | None = Field(default=None, examples=[100_000_000])
    difference_reason: Optional300 = Field(default="", examples=[""])
    supersedes: PathId | None = Field(default=None, examples=[None])
    refusal_reason: Optional60 = Field(default="", examples=[""])
    note: Optional500 = Field(default="", examples=[""])


class UndoIn(In):
    reason: Reason = Field(examples=["金额抄录有误，更正后重新登记"])


class TakeOutIn(In):
    """`mistake` takes effect on the day of registration, `cancelled` today."""

    cause: Literal["mistake", "cancelled"] = Field(examples=["mistake"])
    reason: Reason = Field(examples=["金额抄录有误，更正后重新导入"])


class PastOut(Out):
    """A contract registered elsewhere; amounts in fen. `counted` or `taken_out`."""

    id: str
    state: str
    number: str
    registry: str
    registered_on: date
    signed_on: date
    project_name: str
    type: str
    sub_type: str
    field: int
    seller: str
    buyer: str
    seller_region: str
    buyer_region: str
    total_fen: int
    technical_fen: int
    cause: str | None
    reason: str
    taken_out_at: datetime | None


class ItemOut(Out):
    label: str
    text: str


class PastDetailOut(PastOut):
    """`items` are the national form's, as they were brought in."""

    items: list[ItemOut]


class PastsOut(Out):
    items: list[PastOut]
    total: int


class RegistrationOut(Out):
    """`applied_*` is what the contract says, `total_fen` and `technical_fen` what was decided."""

    id: str
    state: str
    contract: str
    deal: str
    project_name: str
    type: str
    sub_type: str
    field: int
    seller: str
    buyer: str
    signed_on: date
    applied_total_fen: int
    applied_technical_fen: int
    submitted_at: datetime
    number: str | None
    decided_on: date | None
    total_fen: int | None
    technical_fen: int | None
    difference_reason: str
    supersedes: str | None
    refusal_reason: str
    note: str
    decided_at: datetime | None
    withdraw_reason: str
    withdrawn_at: datetime | None


class RegistrationsOut(Out):
    items: list[RegistrationOut]
    total: int
