"""Wire types of access."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from market.access.fees import FeeBase, FeeKind, Payer
from market.access.models import MandateState
from market.kit.money import MAX_FEN
from market.kit.wire import Day, Fen, In, Optional500, Out, PathId, Storable, text

Scope = Annotated[str, text(1000), Storable]


Rate = Annotated[int, Field(ge=1, le=10_000)]
Amount = Annotated[int, Field(ge=1, le=MAX_FEN)]


class FeeIn(In):
    """What a broker is paid: a rate in ten-thousandths of a base, or a fixed sum; `cost_fen` is the
    necessary cost owed without success, 0 for none.
    """

    fee_kind: FeeKind = Field(default=FeeKind.NONE, examples=["rate"], strict=False)
    fee_rate_bp: Rate | None = Field(default=None, examples=[300])
    fee_fixed_fen: Amount | None = Field(default=None, examples=[None])
    fee_base: FeeBase = Field(default=FeeBase.TOTAL, examples=["total"], strict=False)
    fee_payer: Payer = Field(default=Payer.UNSAID, examples=["principal"], strict=False)
    cost_fen: Fen = Field(default=0, examples=[0])


def fee_problems(form: FeeIn) -> dict[str, str]:
    """Return what is wrong between the fields of a fee, by field."""
    wrong: dict[str, str] = {}
    if form.fee_kind is FeeKind.RATE and form.fee_rate_bp is None:
        wrong["fee_rate_bp"] = "按比例的，请填比例，如3"
    if form.fee_kind is not FeeKind.RATE and form.fee_rate_bp is not None:
        wrong["fee_rate_bp"] = "不按比例的，这里请留空"
    if form.fee_kind is FeeKind.FIXED and form.fee_fixed_fen is None:
        wrong["fee_fixed_fen"] = "固定金额的，请填金额，如5"
    if form.fee_kind is not FeeKind.FIXED and form.fee_fixed_fen is not None:
        wrong["fee_fixed_fen"] = "不是固定金额的，这里请留空"
    return wrong


class MandateIn(FeeIn):
    """Order an agency to act as seller's broker, buyer's broker, or both."""

    agency: PathId = Field(examples=["23456789abcdef"])
    as_seller: bool = Field(default=False, examples=[True])
    as_buyer: bool = Field(default=False, examples=[False])
    scope: Scope = Field(default="", examples=["本校先进制造领域成果的推介与洽谈"])
    fee: Optional500 = Field(default="", examples=["成交额的3%，成交后由委托方支付"])
    exclusive: bool = Field(default=False, examples=[False])
    valid_from: Day = Field(examples=["2026-11-02"])
    valid_until: Day = Field(examples=["2027-11-01"])


class MandateDecisionIn(In):
    decision: Literal["accept", "refuse"] = Field(examples=["accept"])
    reason: Optional500 = Field(default="", examples=[""])


class OrganisationRef(Out):
    id: str
    name: str


class MandateOut(Out):
    id: str
    agency: OrganisationRef
    principal: OrganisationRef
    as_seller: bool
    as_buyer: bool
    scope: str
    fee: str
    fee_kind: FeeKind
    fee_rate_bp: int | None
    fee_fixed_fen: int | None
    fee_base: FeeBase
    fee_payer: Payer
    cost_fen: int
    evidence: str | None = Field(description="id of the file of the signed paper")
    exclusive: bool
    valid_from: date
    valid_until: date
    state: MandateState
    in_force: bool = Field(description="live, and today lies within its term")
    refuse_reason: str
    created_at: datetime
    decided_at: datetime | None
    ended_at: datetime | None


class Mandates(Out):
    """One page, 50 at most; `total` counts all."""

    items: list[MandateOut]
    total: int
