"""Wire types of deals: what may come in. What goes out stands in `views.py`."""

from typing import Annotated, Literal

from pydantic import Field

from market.catalog.vocabulary import FIELDS, Mode
from market.deals.vocabulary import (
    Audience,
    ContractType,
    LineKind,
    LostReason,
    PayMethod,
    PricingPathKind,
    StopReason,
)
from market.kit.money import MAX_FEN
from market.kit.wire import (
    Day,
    Email,
    In,
    Line,
    OneLine,
    Optional60,
    Optional300,
    Optional500,
    PathId,
    Storable,
    text,
)

MESSAGE_LENGTH = 2000
MAX_LINES = 50


Message = Annotated[str, text(MESSAGE_LENGTH, 1), Storable]
Text2000 = Annotated[str, text(2000), Storable]
Text1000 = Annotated[str, text(1000), Storable]
Text120 = Annotated[str, text(120), OneLine]
OptionalEmail = Email | Literal[""]
Amount = Annotated[int, Field(ge=1, le=MAX_FEN)]
Field11 = Annotated[int, Field(ge=min(FIELDS), le=max(FIELDS))]


class ContactIn(In):
    """Whom to reach; "" takes the person's own from the account."""

    contact_name: Optional60 = Field(default="", examples=["示范张甲"])
    contact_phone: Optional60 = Field(default="", examples=["13800000001"])
    contact_email: OptionalEmail = Field(default="", examples=["zhang@example.com"])


class InquiryIn(ContactIn):
    """Ask about a listing. `own_listing` names the asker's own demand or achievement."""

    listing: PathId = Field(examples=["23456789abcdef"])
    own_listing: PathId | None = Field(default=None, examples=[None])
    message: Message = Field(examples=["我们的工件是8毫米铝合金焊缝，想了解检测节拍。"])
    show_name: bool = Field(default=True, examples=[True])


class AnswerIn(ContactIn):
    answer: Message = Field(examples=["可以支持，欢迎带样件来校测试。"])


class CloseIn(In):
    reason: Optional500 = Field(default="", examples=["已找到合作方"])


class IntroductionIn(In):
    """Bring an achievement and a demand together, one of whose owners gave a mandate."""

    achievement: PathId = Field(examples=["23456789abcdef"])
    demand: PathId = Field(examples=["23456789abcdeg"])
    message: Message = Field(examples=["双方的工况与指标相合，建议面谈。"])


class IntroductionDecisionIn(In):
    decision: Literal["accept", "decline"] = Field(examples=["accept"])
    reason: Optional500 = Field(default="", examples=[""])


class TermsIn(In):
    """Propose terms. `seen` is the newest version the proposer has read, 0 for none yet."""

    seen: Annotated[int, Field(ge=0, le=1_000_000)] = Field(examples=[0])
    mode: Mode = Field(examples=["排他许可"], strict=False)
    amount_fen: Amount = Field(examples=[150_000_000])
    text: Text2000 = Field(default="", examples=["5年，中国境内，签约后30日内付清"])


class ConfirmIn(In):
    version: Annotated[int, Field(ge=1, le=1_000_000)] = Field(examples=[1])


class LoseIn(In):
    reason: LostReason = Field(examples=["price"], strict=False)
    note: Optional500 = Field(default="", examples=[""])


class NoteIn(In):
    audience: Audience = Field(examples=["own"], strict=False)
    text: Message = Field(examples=["下周二到校看样机"])


class PricingIn(In):
    """Choose how the price is found; 协议定价 starts the 公示 today.

    `exchange` names the marketplace of 挂牌交易 or 拍卖; `interested` marks a transferee who is a
    completer or otherwise interested.
    """

    path: PricingPathKind = Field(examples=["agreement"], strict=False)
    summary: Text1000 = Field(default="", examples=["轨道扣件螺栓松动的声学检测方法"])
    interested: bool = Field(default=False, examples=[False])
    interest_note: Optional300 = Field(default="", examples=[""])
    exchange: Text120 = Field(default="", examples=[""])


class StopIn(In):
    reason: StopReason = Field(examples=["objection"], strict=False)
    note: Optional500 = Field(default="", examples=[""])


class DealtIn(In):
    """The outcome of 挂牌交易 or 拍卖, by the exchange's notice."""

    dealt_on: Day = Field(examples=["2026-11-02"])
    price_fen: Amount = Field(examples=[150_000_000])


class ContractLineIn(In):
    """One line. `reasonable_quantity`: non-technical deliverables that still count as technical."""

    name: Text120 = Field(min_length=1, examples=["专利许可入门费"])
    kind: LineKind = Field(examples=["technical"], strict=False)
    amount_fen: Amount = Field(examples=[150_000_000])
    reasonable_quantity: bool = Field(default=False, examples=[False])


class ContractIn(In):
    """A draft. The lines sum to `total_fen`; 技术交易额 is derived from them.

    `replaces` names the draft that was read, None where there was none.
    """

    number: Optional60 = Field(default="", examples=["2026-技-017"])
    type: ContractType = Field(examples=["LIC"], strict=False)
    sub_type: Optional60 = Field(examples=["专利实施许可"])
    project_name: Line = Field(examples=["轨道扣件螺栓松动声学检测"])
    field: Field11 = Field(examples=[10])
    total_fen: Amount = Field(examples=[150_000_000])
    lines: Annotated[list[ContractLineIn], Field(min_length=1, max_length=MAX_LINES)] = Field(
        examples=[
            [
                {
                    "name": "专利许可入门费",
                    "kind": "technical",
                    "amount_fen": 150_000_000,
                    "reasonable_quantity": False,
                }
            ]
        ]
    )
    pay_method: PayMethod = Field(examples=["lump"], strict=False)
    begins_on: Day = Field(examples=["2026-11-28"])
    ends_on: Day = Field(examples=["2031-11-27"])
    replaces: PathId | None = Field(default=None, examples=[None])


class SignIn(In):
    """Confirm the draft that was read: its id, not the deal's."""

    contract: PathId = Field(examples=["23456789abcdef"])


class DisclosureIn(In):
    agrees: bool = Field(examples=[True])
