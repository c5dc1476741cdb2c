"""Wire types of the registration desk."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from market.catalog.schemas import RegionCode
from market.deals.vocabulary import ContractType
from market.kit.money import MAX_FEN
from market.kit.wire import (
    Day,
    Fen,
    In,
    OneLine,
    Optional60,
    Optional300,
    Optional500,
    Out,
    PathId,
    Storable,
    text,
)
from market.registry.items import Items
from market.registry.vocabulary import CancelCause, RevokeCause

Amount = Annotated[int, Field(ge=1, le=MAX_FEN)]
Reason = Annotated[str, text(300, 1), Storable]
Party = Annotated[str, text(120, 1), OneLine]


class SubmitIn(In):
    contract: PathId = Field(examples=["abcdefgh234567"])


class ReturnIn(In):
    """Send an application back. `due_on` is the last day to hand in what was corrected, if any."""

    note: Annotated[str, text(500, 1), Storable] = Field(examples=["请补交设备清单"])
    due_on: Day | None = Field(default=None, examples=[None])


class HandInIn(In):
    """What is said to a request to correct; kept with the step."""

    reply: Optional500 = Field(default="", examples=["设备清单已补在合同文件第12页"])


class ReviewIn(In):
    note: Optional500 = Field(default="", examples=["技术内容有争议，请专家评审"])


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


class ChangeIn(In):
    """What is in force from now on, as the registry changed it; what is left out stays as it is.

    `type` and `sub_type` go together. A party is named as on the certificate; its region is needed
    where no verified organisation of the market has the name.
    """

    total_fen: Amount = Field(examples=[110_000_000])
    technical_fen: Amount = Field(examples=[90_000_000])
    reason: Reason = Field(examples=["补充协议调减金额"])
    type: ContractType | None = Field(default=None, examples=[None], strict=False)
    sub_type: Optional60 = Field(default="", examples=[""])
    field: Annotated[int, Field(ge=1, le=11)] | None = Field(default=None, examples=[None])
    seller: Party | None = Field(default=None, examples=[None])
    seller_region: RegionCode = Field(default="", examples=[""])
    buyer: Party | None = Field(default=None, examples=[None])
    buyer_region: RegionCode = Field(default="", examples=[""])


class CancelIn(In):
    """注销: the contract was rescinded or annulled."""

    cause: CancelCause = Field(examples=["rescinded"], strict=False)
    reason: Reason = Field(examples=["双方协议解除合同"])


class RevokeIn(In):
    """撤销: it should not have been registered."""

    cause: RevokeCause = Field(examples=["twice"], strict=False)
    reason: Reason = Field(examples=["同一合同已在另一机构登记"])


class ObjectIn(In):
    reason: Annotated[str, text(500, 1), Storable] = Field(examples=["认定的技术交易额有误"])


class ResolveIn(In):
    """`corrected` needs the amounts in force from now on."""

    outcome: Literal["upheld", "corrected"] = Field(examples=["upheld"])
    total_fen: Amount | None = Field(default=None, examples=[None])
    technical_fen: Amount | None = Field(default=None, examples=[None])
    note: Reason = Field(examples=["经复核，原认定正确"])


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


class EventOut(Out):
    """One step; amounts are those in force after it."""

    step: str
    from_state: str
    to_state: str
    at: datetime
    note: str
    cause: str
    due_on: date | None
    effective_on: date | None
    total_fen: int | None
    technical_fen: int | None


class StandingOut(Out):
    """What counts: as registered, or as changed since."""

    contract_type: str
    sub_type: str
    field: int
    seller_name: str
    seller_region: str
    buyer_name: str
    buyer_region: str


class RegistrationOut(Out):
    """`type`, `field` and parties are the contract's, `standing` what is in force. `applied_*` is
    what the contract says, `total_fen` and `technical_fen` what was decided, in force after
    changes. `decide_by` is the last day of the bureau, `provisional` where the holiday table does
    not reach so far; `rule` the version of the rules by the signing date.
    """

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
    file: str | None
    items: Items
    missing: list[str]
    handed_in_on: date | None
    corrections: int
    accepted_on: date | None
    disputed: bool
    decide_by: date | None
    provisional: bool
    rule: str
    registered_type: str
    number: str | None
    decided_on: date | None
    total_fen: int | None
    technical_fen: int | None
    difference_reason: str
    supersedes: str | None
    refusal_reason: str
    note: str
    decided_at: datetime | None
    end_cause: str
    withdraw_reason: str
    withdrawn_at: datetime | None
    changes: int
    standing: StandingOut


class RegistrationDetailOut(RegistrationOut):
    """`steps` are what the reader may take now."""

    events: list[EventOut]
    steps: list[str]


class RegistrationsOut(Out):
    items: list[RegistrationOut]
    total: int
