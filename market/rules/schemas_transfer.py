"""Wire types of the rules of rewards and brokers."""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from market.kit.wire import Day, In, Optional300, Out, PathId

Share = Annotated[int, Field(ge=0, le=10_000)]
Years = Annotated[int, Field(ge=1, le=50)]


class TransferRuleIn(In):
    """What holds from a day on; shares in ten-thousandths. `replaces` names the rule of that day
    that it follows.
    """

    effective_from: Day = Field(examples=["2027-01-01"])
    transfer_bp: Share = Field(examples=[5000])
    equity_bp: Share = Field(examples=[5000])
    own_bp: Share = Field(examples=[500])
    own_years_least: Years = Field(examples=[3])
    own_years_most: Years = Field(examples=[5])
    bypass_days: Annotated[int, Field(ge=1, le=3650)] = Field(examples=[365])
    publicity_days: Annotated[int, Field(ge=1, le=365)] = Field(default=15, examples=[15])
    source: Optional300 = Field(default="", examples=["促进科技成果转化法第四十五条"])
    checked_on: Day | None = Field(default=None, examples=[None])
    replaces: PathId | None = Field(default=None, examples=[None])


class TransferRuleOut(Out):
    id: str = Field(validation_alias="public_id")
    effective_from: date
    transfer_bp: int
    equity_bp: int
    own_bp: int
    own_years_least: int
    own_years_most: int
    bypass_days: int
    publicity_days: int
    source: str
    checked_on: date | None
    state: str
    created_at: datetime
    archived_at: datetime | None


class TransferRulesOut(Out):
    items: list[TransferRuleOut]
