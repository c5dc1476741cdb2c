"""Wire types of brokerage."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from market.access.fees import FeeBase, FeeKind, Payer
from market.access.schemas import FeeIn, OrganisationRef
from market.brokerage.models import BypassState, CommissionState
from market.brokerage.rule import Ground
from market.kit.money import MAX_FEN
from market.kit.wire import In, Out, PathId, Storable, text

Reason = Annotated[str, text(2000, 1), Storable]
Note = Annotated[str, text(500, 1), Storable]
Weight = Annotated[int, Field(ge=1, le=1_000_000)]
MOST_BROKERS = 20


class BrokerWeight(In):
    """One broker and its weight among the others."""

    organisation: PathId = Field(examples=["23456789abcdef"])
    weight: Weight = Field(default=1, examples=[1])


Brokers = Annotated[list[BrokerWeight], Field(min_length=1, max_length=MOST_BROKERS)]


class SharesIn(In):
    """How the brokers of one commission divide it."""

    brokers: Brokers = Field(examples=[[{"organisation": "23456789abcdef", "weight": 1}]])


class SettleIn(In):
    """That the fee came in. `amount_fen` is what was agreed, only where no figure was before."""

    amount_fen: Annotated[int, Field(ge=1, le=MAX_FEN)] | None = Field(
        default=None, examples=[None]
    )


class ClauseIn(FeeIn):
    """The broker clause of the contract's present draft. `seen` is the version that was read, 0 for
    none.
    """

    brokers: Brokers = Field(examples=[[{"organisation": "23456789abcdef", "weight": 1}]])
    seen: Annotated[int, Field(ge=0, le=1_000_000)] = Field(examples=[0])


class AgreeIn(In):
    version: Annotated[int, Field(ge=1, le=1_000_000)] = Field(examples=[1])


class ContestIn(In):
    reason: Reason = Field(examples=["双方在引荐之前已经签过意向书。"])


class BypassDecisionIn(In):
    decision: Literal["uphold", "dismiss"] = Field(examples=["uphold"])
    note: Note = Field(examples=["引荐早于双方接触，维持标记。"])


class PartOut(Out):
    organisation: OrganisationRef
    weight: int
    amount_fen: int


class CommissionOut(Out):
    """`amount_fen` is null where no figure was agreed; payers and brokers each add up to it.
    `credited_fen` of it was paid before, as the necessary cost of the mandate.
    """

    id: str
    ground: Ground
    state: CommissionState
    amount_fen: int | None
    credited_fen: int
    contract: str | None
    introduction: str | None
    mandate: str | None
    payers: list[PartOut]
    brokers: list[PartOut]
    bypass: str | None
    created_at: datetime
    settled_at: datetime | None


class CommissionsOut(Out):
    """One page, 50 at most; `total` counts all."""

    items: list[CommissionOut]
    total: int


class BypassOut(Out):
    """A flag with its evidence; amounts in fen."""

    id: str
    state: BypassState
    evidence: dict[str, Any]
    amount_fen: int | None
    contest_reason: str
    contested_at: datetime | None
    decision_note: str
    decided_at: datetime | None
    created_at: datetime


class BypassesOut(Out):
    """One page, 50 at most; `total` counts all."""

    items: list[BypassOut]
    total: int


class ClauseOut(Out):
    """`agreed`: both sides have agreed to this version."""

    brokers: list[BrokerWeight]
    fee_kind: FeeKind
    fee_rate_bp: int | None
    fee_fixed_fen: int | None
    fee_base: FeeBase
    fee_payer: Payer
    version: int
    agreed: bool
    seller_agreed: bool
    buyer_agreed: bool


class ClauseSlot(Out):
    """The clause, null where the draft has none."""

    clause: ClauseOut | None
