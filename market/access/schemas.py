"""Wire types of access."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from market.access.models import MandateState
from market.kit.wire import Day, In, Optional500, Out, PathId, Storable, text

Scope = Annotated[str, text(1000), Storable]


class MandateIn(In):
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
