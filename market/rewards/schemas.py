"""Wire types of rewards."""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from market.kit.money import MAX_FEN
from market.kit.wire import Day, Fen, In, Line, Optional200, Out, PathId, Short
from market.rewards.models import RewardState, Way

MOST_COMPLETERS = 100
Share = Annotated[int, Field(ge=0, le=10_000)]


class CompleterIn(In):
    """One who made the achievement; `weight` against the others."""

    name: Short = Field(examples=["示范李乙"])
    part: Optional200 = Field(default="", examples=["声学检测算法"])
    weight: Annotated[int, Field(ge=1, le=1_000_000)] = Field(default=1, examples=[60])


class RewardIn(In):
    """A reward to be stated. `income` less `cost` is the net income or the operating profit of
    `profit_year` in fen; of an investment `income` is the number of shares. `rate_bp` None takes
    the floor of the rule in force on `decided_on`.
    """

    title: Line = Field(examples=["轨道扣件螺栓松动声学检测"])
    contract: PathId | None = Field(default=None, examples=[None])
    way: Way = Field(examples=["transfer"], strict=False)
    profit_year: Annotated[int, Field(ge=1990, le=2100)] | None = Field(
        default=None, examples=[None]
    )
    income: Annotated[int, Field(ge=1, le=MAX_FEN)] = Field(examples=[150_000_000])
    cost: Fen = Field(default=0, examples=[10_000_000])
    rate_bp: Share | None = Field(default=None, examples=[6000])
    decided_on: Day = Field(examples=["2026-11-20"])
    completers: Annotated[list[CompleterIn], Field(min_length=1, max_length=MOST_COMPLETERS)] = (
        Field(examples=[[{"name": "示范李乙", "part": "声学检测算法", "weight": 60}]])
    )


class CompleterOut(Out):
    name: str
    part: str
    weight: int
    amount: int


class RewardOut(Out):
    """`base` and `amount` are fen, or shares of an investment; those of the completers add up to
    `amount`. `floor_binding`: the law's floor may not be gone below.
    """

    id: str
    title: str
    contract: str | None
    way: Way
    profit_year: int | None
    income: int
    cost: int
    base: int
    rate_bp: int
    amount: int
    floor_bp: int
    floor_binding: bool
    decided_on: date
    state: RewardState
    completers: list[CompleterOut]
    created_at: datetime
    confirmed_at: datetime | None


class RewardsOut(Out):
    """One page, 50 at most; `total` counts all."""

    items: list[RewardOut]
    total: int
